// SPDX-License-Identifier: Apache-2.0
//
// The memory of a query while its answer arrives.
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/prometheus/client.hpp"

#include "memory/allocations.hpp"
#include "support/answering_thread.hpp"
#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace wva_metrics;
using test_support::allocations;
using test_support::AnsweringThread;
using test_support::far_deadline;
using test_support::ScriptedServer;

namespace {

namespace asio = boost::asio;

/// An answer of about 32 MB, which is written while it is sent.
struct LargeAnswer {
    std::size_t series = 0;
    std::size_t samples = 0;

    static constexpr std::string_view begin =
        R"({"status":"success","data":{"resultType":"matrix","result":[)";
    static constexpr std::string_view end = "]}}";

    std::string one(std::size_t number) const {
        const std::string digits = std::to_string(1'000'000 + number);
        std::string text = number == 0 ? "" : ",";
        text += R"({"metric":{"__name__":"vllm:num_requests_running","instance":"10.0.0.1:8000",)"
                R"("namespace":"llm","pod":"server-)" +
                digits + R"("},"values":[)";
        for (std::size_t i = 0; i < samples; ++i)
            text += (i == 0 ? "[" : ",[") + std::to_string(1'700'000'000 + i) + R"(.123,"12.5"])";
        return text + "]}";
    }
    std::size_t bytes() const {
        return begin.size() + end.size() + series * one(1).size() - 1; // No comma before the first.
    }
    asio::awaitable<void> send(ScriptedServer::PeerPtr peer) const {
        co_await peer->read_request();
        std::string text = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes()) +
                           "\r\n\r\n" + std::string(begin);
        for (std::size_t number = 0; number < series; ++number) {
            text += one(number);
            if (text.size() > 60'000) {
                co_await peer->send(text);
                text.clear();
            }
        }
        text += end;
        co_await peer->send(text);
    }
};

/// Serves the answer.
ScriptedServer::Script send_each(LargeAnswer answer) {
    return [answer](ScriptedServer::PeerPtr peer) { return answer.send(peer); };
}

/// Runs the call to its end. Returns the most memory that it needed at a time.
template <typename T>
std::ptrdiff_t memory_of(asio::io_context& context, asio::awaitable<Result<T>> call,
                         std::optional<Result<T>>& result) {
    const std::ptrdiff_t before = allocations.bytes;
    allocations.peak = before;
    asio::co_spawn(context, std::move(call),
                   [&](const std::exception_ptr& thrown, Result<T> completed) {
                       if (thrown == nullptr)
                           result = std::move(completed);
                   });
    context.run();
    return allocations.peak - before;
}

constexpr std::size_t at_least = 30'000'000;

} // namespace

TEST_CASE("a body of 32 MB is delivered in the memory of a few pieces") {
    const LargeAnswer answer{.series = 7'500, .samples = 175};
    REQUIRE(answer.bytes() > at_least);
    const AnsweringThread server(send_each(answer));
    asio::io_context context;
    http::ClientConfig config{.url = server.url()};
    config.limits.max_body_bytes = std::size_t{64} << 20;
    config.timeouts.attempt = std::chrono::minutes(1); // For a sanitizer on a busy machine.
    http::Client client(context.get_executor(), config);
    const auto received = std::make_shared<std::size_t>(0);
    std::optional<Result<http::Response>> result;
    const std::ptrdiff_t memory = memory_of(
        context,
        client.send(http::Request::get("/"), far_deadline(),
                    [received](std::string_view piece) { return (*received += piece.size()) > 0; }),
        result);
    REQUIRE(result.has_value());
    REQUIRE(result->has_value());
    CHECK(*received == answer.bytes());
    CHECK(memory < 256'000);
}

TEST_CASE("an answer of 32 MB is decoded in less than a megabyte") {
    // Each series is remembered by a hash, so series count more than bytes.
    const auto [answer, most] = GENERATE(table<LargeAnswer, std::ptrdiff_t>(
        {{{.series = 7'500, .samples = 175}, 1'000'000},
         {{.series = 120'000, .samples = 5}, 300'000 + 80 * 120'000}}));
    REQUIRE(answer.bytes() > at_least);
    const AnsweringThread server(send_each(answer));
    asio::io_context context;
    prometheus::ClientConfig config;
    config.http.url = server.url();
    config.http.timeouts.attempt = std::chrono::minutes(1);
    prometheus::Client client(context.get_executor(), config);
    const auto samples = std::make_shared<std::size_t>(0);
    std::optional<Result<prometheus::AnswerInfo>> result;
    const std::ptrdiff_t memory = memory_of(
        context,
        client.query(
            "up",
            [samples](const prometheus::SeriesView& series) { *samples += series.samples.size(); },
            {}, far_deadline()),
        result);
    REQUIRE(result.has_value());
    REQUIRE(result->has_value());
    CHECK((**result).bytes == answer.bytes());
    CHECK(*samples == answer.series * answer.samples);
    CAPTURE(memory);
    CHECK(memory < most);
}
