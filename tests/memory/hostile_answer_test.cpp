// SPDX-License-Identifier: Apache-2.0
//
// The memory of a collector while its Prometheus sends without end.
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/http/gzip.hpp"

#include "memory/allocations.hpp"
#include "support/answering_thread.hpp"
#include "support/gzip_bytes.hpp"
#include "support/protections.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace wva_metrics;
using test_support::allocations;
using test_support::AnsweringThread;
using test_support::http_answer;
using test_support::ScriptedServer;

namespace {

/// Sends this to each request, and then the other without end.
ScriptedServer::Script send_without_end(std::string begin, std::string_view repeated) {
    std::string block;
    while (block.size() < 65'536)
        block += repeated;
    return
        [begin = std::move(begin), block](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            co_await peer->read_request();
            co_await peer->send(begin);
            co_await peer->send_without_end(block);
        };
}

/// What a collection of one variant needs at most, at a time, and how it ends.
struct Collected {
    Error error;
    std::ptrdiff_t memory = 0;
};

Collected collect_from(ScriptedServer::Script script, std::size_t max_body_bytes) {
    const AnsweringThread server(std::move(script));
    PrometheusConfig config = PrometheusConfig::at(server.url());
    config.flavor = prometheus::Flavor::prometheus; // So that all requests are queries.
    config.client.http.decompressor = http::make_gzip_decompressor();
    config.client.http.limits.max_body_bytes = max_body_bytes;
    config.client.http.timeouts.attempt = std::chrono::minutes(1);
    config.client.http.protection = test_support::unprotected;
    config.batch_timeout = std::chrono::minutes(1);
    asio::io_context context;
    Collector<PrometheusBackend, MemoryCache> collector(
        context.get_executor(), PrometheusBackend(context.get_executor(), config),
        {.call_timeout = std::chrono::minutes(2)});

    const std::ptrdiff_t before = allocations.bytes;
    allocations.peak = before;
    std::optional<Error> error;
    collector.async_collect_optimizer_metrics(
        {"llm", "llama-va", "meta/llama", "llama"},
        [&](Result<OptimizerSnapshot> result) { error = std::move(result).error(); });
    while (!error)
        context.run_one();
    return {*std::move(error), allocations.peak - before};
}

} // namespace

TEST_CASE("whatever a Prometheus sends without end, a collector holds no more than its limits") {
    constexpr std::ptrdiff_t kilobyte = 1000;
    constexpr std::ptrdiff_t megabyte = 1'000'000;
    // Each of the two queries of a round may have an answer of this size.
    constexpr std::size_t limit = std::size_t{8} << 20;
    struct Case {
        std::string name;
        ScriptedServer::Script script;
        Errc code;
        std::ptrdiff_t most;
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string unframed = ok + "Connection: close\r\n\r\n";
    const std::string series = R"({"status":"success","data":{"resultType":"vector","result":[)";
    const std::string bomb =
        http_answer(test_support::gzip(std::string(std::size_t{100} << 20, '0'), 1),
                    "Content-Encoding: gzip\r\n");
    for (const Case& test : {
             Case{"a Content-Length of 10 GB",
                  send_without_end(ok + "Content-Length: 10000000000\r\n\r\n", " "),
                  Errc::too_large, 500 * kilobyte},
             Case{"blanks in chunks", send_without_end(chunked, "10\r\n                \r\n"),
                  Errc::too_large, 500 * kilobyte},
             Case{"a chunk extension", send_without_end(chunked + "1;", "x"), Errc::too_large,
                  500 * kilobyte},
             Case{"trailers", send_without_end(chunked + "0\r\n", "X: y\r\n"), Errc::too_large,
                  500 * kilobyte},
             Case{"headers", send_without_end(ok, "X: y\r\n"), Errc::too_large, 600 * kilobyte},
             Case{"interim answers", send_without_end("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
                  Errc::too_large, 500 * kilobyte},
             Case{"zeros where series should be", send_without_end(unframed + series, "0,"),
                  Errc::bad_response, 500 * kilobyte},
             Case{"nested arrays", send_without_end(unframed, "["), Errc::bad_response,
                  500 * kilobyte},
             Case{"zeros in a member that is not known",
                  send_without_end(unframed + R"({"x":[)", "0,"), Errc::too_large, 500 * kilobyte},
             Case{"nested arrays in a member that is not known",
                  send_without_end(unframed + R"({"x":)", "["), Errc::too_large, 500 * kilobyte},
             Case{"one text", send_without_end(unframed + "{\"", "x"), Errc::too_large,
                  500 * kilobyte},
             Case{"warnings", send_without_end(unframed + R"({"warnings":[)", R"("w",)"),
                  Errc::too_large, 500 * kilobyte},
             Case{"labels of a series",
                  send_without_end(unframed + series + R"({"metric":{)", R"("":"",)"),
                  Errc::bad_response, 500 * kilobyte},
             Case{"a gzip bomb", test_support::answer_each_with(bomb), Errc::too_large,
                  40 * megabyte},
         }) {
        const Collected collected = collect_from(test.script, limit);
        CAPTURE(test.name, collected.error.describe(), collected.memory);
        CHECK(collected.error.is(test.code));
        CHECK(collected.memory < test.most);
    }
}
