// SPDX-License-Identifier: Apache-2.0
#include "support/http_exchange.hpp"
#include "support/running_context.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;
using wva_metrics::testing::FakePrometheus;
namespace asio = boost::asio;

namespace {

const FakePrometheus::Time noon{std::chrono::seconds(1'700'000'000)};
const FakePrometheus::Series usage{"vllm:kv_cache_usage_perc",
                                   {{"namespace", "llm"}, {"pod", "p-0"}}};

struct Fixture {
    Fixture() { fake.set_time(noon); }

    std::string query_body(std::string_view query) const {
        return post_query(fake.port(), query).body;
    }
    /// The value of a query that has one series, or "".
    std::string value(std::string_view query) const {
        const std::string body = query_body(query);
        const auto end = body.rfind("\"]");
        const auto start = body.rfind(",\"", end);
        return end == std::string::npos ? "" : body.substr(start + 2, end - start - 2);
    }

    RunningContext running;
    FakePrometheus fake{running.context()};
};

/// A connection that sends and receives raw text.
class RawConnection {
public:
    explicit RawConnection(std::uint16_t port) : socket_(context_) {
        socket_.connect({asio::ip::address_v4::loopback(), port});
    }
    void send(std::string_view text) { asio::write(socket_, asio::buffer(text)); }
    /// All text until the peer closes the connection.
    std::string receive() {
        std::string text;
        boost::system::error_code ignored;
        asio::read(socket_, asio::dynamic_buffer(text), ignored);
        return text;
    }

private:
    asio::io_context context_;
    asio::ip::tcp::socket socket_;
};

} // namespace

TEST_CASE_METHOD(Fixture, "a query returns the value that was set, at the time of the fake") {
    fake.set(usage, 0.42);
    CHECK(query_body("vllm:kv_cache_usage_perc{pod=\"p-0\"}") ==
          R"({"status":"success","data":{"resultType":"vector","result":[{"metric":)"
          R"({"__name__":"vllm:kv_cache_usage_perc","namespace":"llm","pod":"p-0"},)"
          R"("value":[1700000000,"0.42"]}]}})");
    fake.advance(90s);
    fake.set(usage, 0.5);
    CHECK(value("vllm:kv_cache_usage_perc") == "0.5");
    CHECK(value("timestamp(vllm:kv_cache_usage_perc)") == "1700000090");
    CHECK(value("count_over_time(vllm:kv_cache_usage_perc[5m])") == "2");
    fake.end(usage);
    CHECK(value("vllm:kv_cache_usage_perc") == "");
    CHECK(fake.remove(usage));
    CHECK_FALSE(fake.remove(usage));
    CHECK(value("count_over_time(vllm:kv_cache_usage_perc[5m])") == "");
}

TEST_CASE_METHOD(Fixture, "a counter with a set rate has this rate over any window") {
    fake.set_rate({"requests_total"}, 2.5);
    for (const char* window : {"60s", "2m", "5m", "47s"})
        CHECK_THAT(std::stod(value("rate(requests_total[" + std::string(window) + "])")),
                   Catch::Matchers::WithinRel(2.5, 1e-12));
}

TEST_CASE_METHOD(Fixture, "GET and POST get the same answer, and both queries are recorded") {
    fake.set(usage, 1);
    const auto got = exchange(fake.port(), "GET",
                              "/api/v1/query?query=vllm%3Akv_cache_usage_perc&time=1700000005");
    const auto posted = post_query(fake.port(), "vllm:kv_cache_usage_perc", 1'700'000'005);
    CHECK(got.status == 200);
    CHECK(got.body == posted.body);
    const auto queries = fake.queries();
    REQUIRE(queries.size() == 2);
    CHECK(queries[0].method == "GET");
    CHECK(queries[1].method == "POST");
    CHECK(queries[0].text == "vllm:kv_cache_usage_perc");
    CHECK(queries[1].time == noon + 5s);
    fake.forget_queries();
    CHECK(fake.query_count() == 0);
    exchange(fake.port(), "GET", "/api/v1/query?query=1", {}, "", "Authorization", "Bearer t");
    CHECK(fake.queries().at(0).authorization == "Bearer t");
    exchange(fake.port(), "GET", "/-/ready");
    CHECK(fake.query_count() == 1);
}

TEST_CASE_METHOD(Fixture, "the next queries fail as scripted, and later ones do not") {
    fake.fail_next(2, 503, "overloaded", {{"Retry-After", "7"}});
    fake.fail_next(1, 422, R"({"status":"error"})");
    for (int i = 0; i < 2; ++i) {
        const auto answer = post_query(fake.port(), "1");
        CHECK(answer.status == 503);
        CHECK(answer.body == "overloaded");
    }
    CHECK(exchange(fake.port(), "GET", "/-/ready").status == 200);
    CHECK(post_query(fake.port(), "1").content_type == "application/json");
    CHECK(post_query(fake.port(), "1").status == 200);
}

TEST_CASE_METHOD(Fixture, "a dropped query has no answer") {
    fake.drop_next(1);
    CHECK_THROWS_AS(post_query(fake.port(), "1"), boost::system::system_error);
    CHECK(post_query(fake.port(), "1").status == 200);
    CHECK(fake.query_count() == 2);
}

TEST_CASE_METHOD(Fixture, "POST is rejected and GET is not") {
    fake.reject_post(403);
    CHECK(post_query(fake.port(), "1").status == 403);
    CHECK(exchange(fake.port(), "GET", "/api/v1/query?query=1").status == 200);
    fake.reject_post(0);
    CHECK(post_query(fake.port(), "1").status == 200);
}

TEST_CASE_METHOD(Fixture, "a limit on samples rejects only large queries") {
    fake.set_rate({"m"}, 1);
    fake.limit_samples(5);
    const auto refused = post_query(fake.port(), "rate(m[5m])");
    CHECK(refused.status == 422);
    CHECK_THAT(refused.body, ContainsSubstring("too many samples"));
    CHECK(post_query(fake.port(), "rate(m[1m])").status == 200);
}

TEST_CASE_METHOD(Fixture,
                 "a held answer is sent on release and has the values of the time of the query") {
    fake.set(usage, 1);
    fake.hold();
    RawConnection connection(fake.port());
    connection.send("GET /api/v1/query?query=vllm:kv_cache_usage_perc HTTP/1.1\r\nHost: x\r\n"
                    "Connection: close\r\n\r\n");
    asio::co_spawn(running.context(), fake.received(1), asio::use_future).get();
    fake.set(usage, 2);
    auto answer = std::async(std::launch::async, [&] { return connection.receive(); });
    // Requests that are not queries are answered meanwhile.
    CHECK(exchange(fake.port(), "GET", "/-/ready").status == 200);
    fake.release();
    CHECK_THAT(answer.get(), ContainsSubstring("\"1\"]"));
}

TEST_CASE_METHOD(Fixture, "a connection serves several requests") {
    RawConnection connection(fake.port());
    connection.send("GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /api/v1/query?query=vector(7) HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /nosuch HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string received = connection.receive();
    CHECK_THAT(received, ContainsSubstring("Server is Ready"));
    CHECK_THAT(received, ContainsSubstring("\"7\"]"));
    CHECK_THAT(received, ContainsSubstring("404 page not found"));
}

TEST_CASE_METHOD(Fixture, "requests that are invalid or too large are rejected") {
    RawConnection nonsense(fake.port());
    nonsense.send("nonsense\r\n\r\n");
    CHECK_THAT(nonsense.receive(), ContainsSubstring("400 Bad Request"));
    RawConnection large(fake.port());
    large.send("POST /api/v1/query HTTP/1.1\r\nContent-Length: 12000000\r\n\r\n");
    CHECK_THAT(large.receive(), ContainsSubstring("413 Payload Too Large"));
}

TEST_CASE_METHOD(Fixture,
                 "a stopped fake rejects connections until it starts again on the same port") {
    CHECK(post_query(fake.port(), "1").status == 200);
    RawConnection idle(fake.port());
    fake.stop();
    CHECK(idle.receive() == "");
    CHECK_THROWS_AS(post_query(fake.port(), "1"), boost::system::system_error);
    fake.start();
    fake.stop();
    fake.start();
    // `received` runs on the strand after `start`, so the socket listens again when it completes.
    asio::co_spawn(running.context(), fake.received(1), asio::use_future).get();
    CHECK(post_query(fake.port(), "1").status == 200);
}

TEST_CASE_METHOD(Fixture, "a loaded page acts as a scrape") {
    const std::vector<std::pair<std::string, std::string>> target = {{"job", "vllm"},
                                                                     {"namespace", "other"}};
    REQUIRE(fake.load_exposition("a{namespace=\"llm\"} 1\nb 2\n", noon, target).value() == 2);
    CHECK(value("a{namespace=\"llm\",job=\"vllm\"}") == "1");
    CHECK(value("b{namespace=\"other\",job=\"vllm\"}") == "2");
    fake.advance(5s);

    SECTION("a series that is no longer in the page ends, a series of another target does not") {
        fake.load_exposition("c 3\n", noon, {{"job", "another"}}).value();
        fake.load_exposition("a{namespace=\"llm\"} 4\n", fake.now(), target).value();
        CHECK(value("a") == "4");
        CHECK(value("b") == "");
        CHECK(value("c") == "3");
    }
    SECTION("an invalid page ends all series of the target") {
        const auto loaded = fake.load_exposition("a 1\nb\n", fake.now(), target);
        REQUIRE_FALSE(loaded.has_value());
        CHECK_THAT(loaded.error().message, ContainsSubstring("line 2"));
        CHECK(value("a") == "");
        CHECK(value("b") == "");
    }
    SECTION("a sample with its own time keeps that time, and its series does not end") {
        fake.load_exposition("d 7 1700000001000\n", fake.now(), {}).value();
        fake.load_exposition("", fake.now(), {}).value();
        CHECK(value("d") == "7");
        CHECK(value("timestamp(d)") == "1700000001");
    }
    SECTION("samples older than the retention are removed") {
        fake.set_retention(1min);
        fake.advance(5min);
        fake.load_exposition("e 1\n", fake.now(), {}).value();
        CHECK(value("count_over_time(a[10m])") == "");
        CHECK(value("e") == "1");
    }
}

TEST_CASE_METHOD(Fixture, "series are set from one thread while queries come from another") {
    std::thread setter([this] {
        for (int i = 0; i < 2000; ++i) {
            fake.set(usage, i);
            fake.advance(1ms);
        }
    });
    for (int i = 0; i < 50; ++i)
        CHECK(post_query(fake.port(), "max_over_time(vllm:kv_cache_usage_perc[1m])").status == 200);
    setter.join();
    CHECK(value("max_over_time(vllm:kv_cache_usage_perc[1m])") == "1999");
}

TEST_CASE(
    "a fake may be destroyed before or after its io_context, in any state of its connections") {
    for (const bool fake_first : {true, false}) {
        for (const int polls : {0, 1, 3, 20}) {
            auto context = std::make_unique<asio::io_context>();
            auto fake = std::make_unique<FakePrometheus>(*context);
            fake->hold();
            RawConnection idle(fake->port());
            RawConnection half(fake->port());
            half.send("GET /api/v1/query?qu");
            RawConnection held(fake->port());
            held.send("GET /api/v1/query?query=1 HTTP/1.1\r\n\r\n");
            asio::co_spawn(*context, fake->received(5), asio::detached);
            for (int i = 0; i < polls; ++i)
                context->poll_one();
            if (fake_first) {
                fake.reset();
                context->poll();
                CHECK(held.receive() == "");
            }
            context.reset();
            fake.reset();
            CHECK(idle.receive() == "");
        }
    }
}

TEST_CASE("an io_context has no work after its fake is destroyed") {
    asio::io_context context;
    std::optional<FakePrometheus> fake(std::in_place, context);
    context.poll();
    RawConnection connection(fake->port());
    context.poll();
    fake.reset();
    context.run();
    SUCCEED("run returned");
}

TEST_CASE("a port that is in use is reported") {
    asio::io_context context;
    const FakePrometheus fake(context);
    CHECK_THROWS_AS(FakePrometheus(context, fake.port()), boost::system::system_error);
}
