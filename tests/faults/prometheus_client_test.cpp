// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/client.hpp"

#include "support/http_calls.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using prometheus::AnswerInfo;
using prometheus::Client;
using prometheus::ClientConfig;
using prometheus::SeriesView;

namespace {

const std::string one_series =
    R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"pod":"p"},"value":[1700000000,"42"]}]},)"
    R"("warnings":["w"],"infos":["i"]})";

/// What became of one query.
struct Asked {
    std::optional<Result<AnswerInfo>> result;
    bool threw = false;
    std::vector<std::pair<std::string, double>> series;
    boost::asio::cancellation_signal cancel;

    bool is_over() const { return result.has_value() || threw; }
    Error error() const { return result->error(); }
};
using AskedPtr = std::shared_ptr<Asked>;

/// Gives each request of all connections the next of these answers, and the last one for ever.
ScriptedServer::Script answer_in_turn(std::vector<std::string> answers) {
    const auto next = std::make_shared<std::size_t>(0);
    return [next,
            answers = std::move(answers)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            co_await peer->read_request();
            const std::string bytes = answers[std::min((*next)++, answers.size() - 1)];
            co_await peer->send(bytes);
        }
    };
}

struct Pair {
    explicit Pair(ScriptedServer::Script script, ClientConfig config = {})
        : server(context, {std::move(script)}) {
        config.http.url = server.url() + config.http.url;
        client = std::make_unique<Client>(context.get_executor(), std::move(config));
    }

    AskedPtr start(std::string promql = "up", TimePoint deadline = far_deadline()) {
        auto asked = std::make_shared<Asked>();
        std::vector<std::string> labels{"pod"};
        const auto sink = [asked](const SeriesView& series) {
            asked->series.emplace_back(series.labels[0], series.value);
        };
        boost::asio::co_spawn(context,
                              client->query(std::move(promql), std::move(labels), sink, deadline),
                              boost::asio::bind_cancellation_slot(
                                  asked->cancel.slot(),
                                  [asked](std::exception_ptr thrown, Result<AnswerInfo> result) {
                                      asked->threw = thrown != nullptr;
                                      if (!thrown)
                                          asked->result = std::move(result);
                                  }));
        return asked;
    }
    AskedPtr ask(std::string promql = "up", TimePoint deadline = far_deadline()) {
        AskedPtr asked = start(std::move(promql), deadline);
        run_until(context, [&] { return asked->is_over(); });
        REQUIRE_FALSE(asked->threw);
        return asked;
    }
    const std::vector<std::string>& requests() const { return server.requests(); }

    asio::io_context context;
    ScriptedServer server;
    std::unique_ptr<Client> client;
};

std::string answer(const std::string& status, const std::string& body = "",
                   const std::string& headers = "") {
    return http_answer(body, headers, status);
}

std::string api_error(const std::string& type, const std::string& text) {
    return R"({"status":"error","errorType":")" + type + R"(","error":")" + text + "\"}";
}

const std::string good = answer("200 OK", one_series);

} // namespace

TEST_CASE("a query is posted as a form, with its time-out and the configured parameters") {
    ClientConfig config;
    config.http.url = "/prefix";
    config.http.timeouts.attempt = 1500ms;
    config.query_parameters = {{"dedup", "true"}};
    Pair pair(answer_each_with(good), config);
    const AskedPtr asked = pair.ask("sum by (pod) (up{a=~\"b|c\"}) + 1");
    REQUIRE(asked->result->has_value());
    CHECK(asked->series == std::vector<std::pair<std::string, double>>{{"p", 42}});
    REQUIRE(pair.requests().size() == 1);
    CHECK_THAT(pair.requests()[0], StartsWith("POST /prefix/api/v1/query HTTP/1.1\r\n"));
    CHECK_THAT(pair.requests()[0],
               ContainsSubstring("Content-Type: application/x-www-form-urlencoded\r\n"));
    CHECK(pair.requests()[0].ends_with(
        "\r\n\r\nquery=sum+by+%28pod%29+%28up%7Ba%3D~%22b%7Cc%22%7D%29+%2B+1"
        "&timeout=1500ms&dedup=true"));
    CHECK(pair.client->endpoint() == pair.server.url());
}

TEST_CASE("what the backend says beside its answer is carried to the caller") {
    Pair pair(answer_each_with(good));
    const AskedPtr asked = pair.ask();
    REQUIRE(asked->result->has_value());
    const AnswerInfo& info = **asked->result;
    CHECK(info.warnings == std::vector<std::string>{"w"});
    CHECK(info.infos == std::vector<std::string>{"i"});
    CHECK(info.series == 1);
}

TEST_CASE("where POST is refused the query is sent by GET, and from then on always") {
    const std::string refusal =
        GENERATE(as<std::string>{}, "403 Forbidden", "405 Method Not Allowed", "501 No");
    Pair pair(answer_in_turn({answer(refusal), good}));
    for (int i = 0; i < 3; ++i) {
        const AskedPtr asked = pair.ask("up + 1");
        REQUIRE(asked->result->has_value());
        CHECK(asked->series.size() == 1);
    }
    REQUIRE(pair.requests().size() == 4);
    CHECK_THAT(pair.requests()[0], StartsWith("POST "));
    for (std::size_t i = 1; i < 4; ++i)
        CHECK_THAT(pair.requests()[i],
                   StartsWith("GET /api/v1/query?query=up+%2B+1&timeout=5s HTTP/1.1\r\n"));
}

TEST_CASE("GET is not remembered until it has answered, and forgotten when it is refused") {
    const std::string refused = answer("405 Method Not Allowed");
    Pair pair(answer_in_turn(
        {refused, answer("400 Bad Request", api_error("bad_data", "parse error")), // not remembered
         refused, good,                                                            // remembered
         refused,                                                                  // forgotten
         good}));
    CHECK(pair.ask()->error().is(Errc::rejected));
    CHECK(pair.ask()->result->has_value());
    CHECK(pair.ask()->error().is(Errc::rejected));
    CHECK(pair.ask()->result->has_value());
    std::string methods;
    for (const std::string& request : pair.requests())
        methods += request[0];
    CHECK(methods == "PGPGGP");
}

TEST_CASE("what is forbidden by POST and by GET is forbidden") {
    Pair pair(answer_each_with(answer("403 Forbidden", "no such right")));
    const AskedPtr asked = pair.ask();
    CHECK(asked->error().is(Errc::forbidden));
    CHECK(asked->error().http_status == 403);
    CHECK(asked->error().endpoint == pair.server.url());
    CHECK_THAT(asked->error().message, ContainsSubstring("no such right"));
    CHECK(pair.requests().size() == 2);

    Pair post_only(answer_in_turn({answer("403 Forbidden"), answer("405 Method Not Allowed")}));
    CHECK(post_only.ask()->error().is(Errc::forbidden));
}

TEST_CASE("a query that is too long for GET is not sent by it, but is left to be split") {
    ClientConfig config;
    config.max_get_bytes = 1024;
    Pair pair(
        answer_in_turn({answer("405 Method Not Allowed"), answer("405 Method Not Allowed"), good}),
        config);
    const std::string fitting(1024 - std::string_view("/api/v1/query?query=&timeout=5s").size(),
                              'x');

    const AskedPtr refused = pair.ask(fitting + "x");
    CHECK(refused->error().is(Errc::too_costly));
    CHECK_THAT(refused->error().message,
               ContainsSubstring("1025 bytes exceed max_get_bytes = 1024"));
    CHECK(pair.requests().size() == 1);

    CHECK(pair.ask(fitting)->result->has_value());
    CHECK(pair.requests().size() == 3);
    // Now that GET is remembered, nothing is sent at all.
    CHECK(pair.ask(fitting + "x")->error().is(Errc::too_costly));
    CHECK(pair.requests().size() == 3);
}

TEST_CASE("what the server refuses or cannot do is asked once") {
    struct Case {
        std::string status, body;
        Errc code;
    };
    const auto [status, body, code] = GENERATE(values<Case>(
        {{"400 Bad Request", api_error("bad_data", "parse error"), Errc::rejected},
         {"401 Unauthorized", "who are you", Errc::unauthorized},
         {"404 Not Found", "404 page not found", Errc::rejected},
         {"422 Unprocessable Entity", api_error("execution", "would load too many samples"),
          Errc::too_costly},
         {"429 Too Many Requests", "", Errc::unavailable},
         {"503 Service Unavailable", api_error("timeout", "query timed out"), Errc::too_costly},
         {"503 Service Unavailable", "<html>gateway</html>", Errc::unavailable},
         {"302 Found", "", Errc::rejected}}));
    Pair pair(
        answer_each_with(answer(status, body, "Location: http://127.0.0.1:1/login?x=secret\r\n")));
    const AskedPtr asked = pair.ask();
    REQUIRE(asked->result->has_error());
    CHECK(asked->error().is(code));
    CHECK_THAT(asked->error().message, ContainsSubstring("HTTP " + status.substr(0, 3)));
    CHECK_THAT(asked->error().message, !ContainsSubstring("secret"));
    CHECK(asked->error().endpoint == pair.server.url());
    CHECK(pair.requests().size() == 1);
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a login page with status 200 is no answer and says so") {
    Pair pair(answer_each_with(
        answer("200 OK", "<!DOCTYPE html><html><form action=/login>Sign in</form></html>")));
    const AskedPtr asked = pair.ask();
    CHECK(asked->error().is(Errc::bad_response));
    CHECK_THAT(asked->error().message, ContainsSubstring("perhaps a login page"));
    CHECK_THAT(asked->error().message, ContainsSubstring("Sign in"));
}

TEST_CASE("an answer that is cut off where the connection ends is never taken for a whole one") {
    for (std::size_t length = 0; length < one_series.size(); length += 7) {
        Pair pair(answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" +
                                   one_series.substr(0, length)));
        const AskedPtr asked = pair.ask();
        INFO(length);
        REQUIRE(asked->result->has_error());
        CHECK(asked->error().is(Errc::bad_response));
    }
    Pair whole(answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + one_series));
    CHECK(whole.ask()->result->has_value());
}

TEST_CASE("an answer beyond a bound is refused with the bound's name") {
    ClientConfig config;
    config.answer.max_label_value_bytes = 16;
    const std::string body =
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"x":"a value that is too long"},"value":[1,"2"]}]}})";
    Pair pair(answer_each_with(answer("200 OK", body)), config);
    const AskedPtr asked = pair.ask();
    CHECK(asked->error().is(Errc::too_large));
    CHECK_THAT(asked->error().message, ContainsSubstring("answer.max_label_value_bytes = 16"));
    CHECK(asked->error().endpoint == pair.server.url());

    ClientConfig small;
    small.http.limits.max_body_bytes = 20;
    Pair other(answer_each_with(good), small);
    CHECK(other.ask()->error().is(Errc::too_large));
}

TEST_CASE("an unsound configuration is told by every query, and nothing is sent") {
    ClientConfig config;
    config.query_parameters = {{"query", "up"}};
    config.max_get_bytes = 0;
    Pair pair(answer_each_with(good), config);
    const AskedPtr asked = pair.ask();
    CHECK(asked->error().is(Errc::invalid_config));
    CHECK_THAT(asked->error().message,
               ContainsSubstring("query_parameters[0]") && ContainsSubstring("max_get_bytes"));
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("a query ends at its deadline, by POST and by GET together") {
    Pair silent(never_answer());
    const AskedPtr asked = silent.ask("up", std::chrono::steady_clock::now() + 50ms);
    CHECK(asked->error().is(Errc::timeout));

    const auto refuse_then_wait = [](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        const std::string refusal = http_answer("", "", "405 Method Not Allowed");
        co_await peer->send(refusal);
        co_await peer->read_request();
        co_await peer->wait_for_close();
    };
    Pair slow(refuse_then_wait);
    CHECK(slow.ask("up", std::chrono::steady_clock::now() + 100ms)->error().is(Errc::timeout));
}

TEST_CASE("a query can be cancelled, and its client destroyed under it") {
    Pair cancelled(never_answer());
    const AskedPtr first = cancelled.start();
    run_until(cancelled.context, [&] { return cancelled.requests().size() == 1; });
    first->cancel.emit(boost::asio::cancellation_type::terminal);
    run_until(cancelled.context, [&] { return first->is_over(); });
    CHECK((first->threw || first->error().is(Errc::aborted)));

    Pair destroyed(never_answer());
    const AskedPtr second = destroyed.start();
    run_until(destroyed.context, [&] { return destroyed.requests().size() == 1; });
    destroyed.client.reset();
    run_until(destroyed.context, [&] { return second->is_over(); });
    CHECK((second->threw || second->error().is(Errc::aborted)));

    Pair unbegun(never_answer());
    const AskedPtr third = unbegun.start();
    unbegun.client.reset();
    run_until(unbegun.context, [&] { return third->is_over(); });
    CHECK(third->error().is(Errc::aborted));
}

TEST_CASE("the io_context may be destroyed with queries under way") {
    AskedPtr asked;
    {
        Pair pair(never_answer());
        asked = pair.start();
        run_until(pair.context, [&] { return pair.requests().size() == 1; });
    }
    CHECK_FALSE(asked->is_over());
}

TEST_CASE("what the sink throws fails the query and nothing else") {
    Pair pair(answer_each_with(good));
    std::optional<Result<AnswerInfo>> result;
    std::vector<std::string> labels;
    const auto sink = [](const SeriesView&) { throw std::runtime_error("no room"); };
    boost::asio::co_spawn(pair.context, pair.client->query("up", labels, sink, far_deadline()),
                          [&](std::exception_ptr thrown, Result<AnswerInfo> answered) {
                              REQUIRE(thrown == nullptr);
                              result = std::move(answered);
                          });
    run_until(pair.context, [&] { return result.has_value(); });
    REQUIRE(result->has_error());
    CHECK(result->error().is(Errc::internal));
    CHECK_THAT(result->error().message, ContainsSubstring("no room"));
    CHECK(pair.ask()->result->has_value());
}
