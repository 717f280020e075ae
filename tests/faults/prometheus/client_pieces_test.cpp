// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/client_fixture.hpp"

#include "support/http_streams.hpp"
#include "wva_metrics/prometheus/status_mapping.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;
using Catch::Matchers::ContainsSubstring;
using prometheus::AnswerInfo;
using prometheus::SeriesView;

namespace {

/// An answer with this number of series, each of about 200 bytes.
std::string large_answer(std::size_t series) {
    std::string body = R"({"status":"success","data":{"resultType":"vector","result":[)";
    for (std::size_t i = 0; i < series; ++i)
        body += std::string(i == 0 ? "" : ",") + R"({"metric":{"pod":"p)" + std::to_string(i) +
                R"(","padding":")" + std::string(120, 'x') + R"("},"value":[1700000000,"1"]})";
    return body + "]}}";
}

/// The body in chunks of this size.
std::string in_chunks(const std::string& body, std::size_t size) {
    std::string bytes = chunked_head();
    for (std::size_t at = 0; at < body.size(); at += size)
        bytes += chunk(body.substr(at, size));
    return bytes + last_chunk;
}

} // namespace

TEST_CASE("a large answer has all its series, however it is cut and framed") {
    const std::string body = large_answer(2000);
    std::vector<std::string> answers{answer("200 OK", body)};
    for (const std::size_t size : {1U, 7U, 333U, 4096U, 16'384U, 16'385U, 100'000U})
        answers.push_back(in_chunks(size < 300 ? large_answer(20) : body, size));
    Peers peers(answer_in_turn(answers));
    for (std::size_t i = 0; i < answers.size(); ++i) {
        CAPTURE(i);
        const QueryPtr query = peers.run();
        REQUIRE(query->result->has_value());
        CHECK(query->series == (**query->result).series);
        CHECK((query->series == 2000 || query->series == 20));
    }
    // Each answer was read to its end.
    CHECK(peers.server.connections() == 1);
}

TEST_CASE("series reach the sink before the answer is complete") {
    std::size_t seen = 0;
    QueryPtr query;
    Peers peers([&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        const std::string body = large_answer(100);
        const std::string half = answer("200 OK", body).substr(0, body.size() / 2);
        co_await peer->send(half);
        while (query->series < 20)
            co_await peer->wait(std::chrono::milliseconds(1));
        seen = query->series;
        const std::string rest = answer("200 OK", body).substr(half.size());
        co_await peer->send(rest);
    });
    query = peers.start();
    run_until(peers.context, [&] { return query->is_over(); });
    REQUIRE(query->result->has_value());
    CHECK(seen >= 20);
    CHECK(query->series == 100);
}

TEST_CASE("an answer that is cut off is an error wherever it is cut, with the bytes that arrived") {
    const std::string body = large_answer(3);
    std::vector<std::size_t> cuts{0, 1, body.size() - 1};
    for (std::size_t at = 13; at < body.size(); at += 37)
        cuts.push_back(at);
    for (const std::size_t cut : cuts) {
        CAPTURE(cut);
        // The connection's end is the body's end, so only the decoder notices.
        Peers unframed(
            answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body.substr(0, cut)));
        const Error error = unframed.run()->error();
        CHECK(error.is(Errc::bad_response));
        CHECK(error.http_status == 200);
        CHECK(error.endpoint == unframed.server.url());
        CHECK_THAT(error.message,
                   ContainsSubstring(cut == 0 ? "the answer is empty; it is empty"
                                              : "the answer's JSON is cut off after " +
                                                    std::to_string(cut) + " bytes; it begins: {"));

        Peers framed(answer_and_close(
            answer("200 OK", body).substr(0, answer("200 OK", body).size() - body.size() + cut)));
        const Error broken = framed.run()->error();
        CHECK(broken.is(Errc::unreachable));
        CHECK(prometheus::is_cut_off(broken) == (cut > 0));
    }
}

TEST_CASE("an answer that is rejected is not read to its end") {
    const std::string page = "<html>" + std::string(1000, 'x');
    std::optional<std::size_t> sent;
    Peers peers([&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(chunked_head());
        sent = co_await peer->send_without_end(chunk(page));
    });
    const Error error = peers.run()->error();
    CHECK(error.is(Errc::bad_response));
    CHECK_THAT(error.message, ContainsSubstring("it is HTML"));
    CHECK_THAT(error.message, ContainsSubstring("<html>xxx"));
    CHECK(error.message.size() < 500);
    run_until(peers.context, [&] { return sent.has_value(); });
    // Less than the limit of bodies: what fits into the buffers of the sockets.
    CHECK(*sent < (std::size_t{32} << 20));
}

TEST_CASE("the limit of bodies ends a query that has series already") {
    prometheus::ClientConfig config;
    config.http.limits.max_body_bytes = 50'000;
    Peers peers(answer_each_with(in_chunks(large_answer(2000), 1000)), config);
    const QueryPtr query = peers.run();
    CHECK(query->error().is(Errc::too_large));
    CHECK_THAT(query->error().message, ContainsSubstring("limits.max_body_bytes"));
    CHECK(query->series > 0);
    CHECK(query->series < 300);
}

TEST_CASE("the sink of a query is destroyed before the query completes") {
    const std::string bytes = GENERATE(as<std::string>{}, good, answer("503 Busy"),
                                       answer("200 OK", "nonsense"), "HTTP/1.1 200 OK\r\n");
    Peers peers(answer_and_close(bytes));
    auto series = std::make_shared<int>(0);
    const std::weak_ptr<int> weak = series;
    std::optional<bool> was_destroyed;
    boost::asio::co_spawn(peers.context,
                          peers.client->query(
                              "up", [series = std::move(series)](const SeriesView&) { ++*series; },
                              {}, far_deadline()),
                          [&](const std::exception_ptr& thrown, const Result<AnswerInfo>&) {
                              CHECK(thrown == nullptr);
                              was_destroyed = weak.expired();
                          });
    run_until(peers.context, [&] { return was_destroyed.has_value(); });
    CHECK(*was_destroyed);
}

TEST_CASE("a query may be cancelled, and its context destroyed, in the middle of its answer") {
    const std::string half = answer("200 OK", large_answer(100)).substr(0, 10'000);
    SECTION("cancelled") {
        Peers peers(answer_then_silence(half));
        const QueryPtr query = peers.start();
        run_until(peers.context, [&] { return query->series > 0; });
        query->cancel.emit(boost::asio::cancellation_type::terminal);
        run_until(peers.context, [&] { return query->is_over(); });
        CHECK((query->threw || query->error().is(Errc::aborted)));
    }
    SECTION("its context is destroyed") {
        QueryPtr query;
        {
            Peers peers(answer_then_silence(half));
            query = peers.start();
            run_until(peers.context, [&] { return query->series > 0; });
        }
        CHECK_FALSE(query->is_over());
        CHECK(query.use_count() == 1);
    }
}
