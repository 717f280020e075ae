// SPDX-License-Identifier: Apache-2.0
#include "support/http_exchange.hpp"
#include "support/running_context.hpp"
#include "wva_metrics/prometheus/client.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;
using prometheus::Flavor;
using wva_metrics::testing::FakePrometheus;
namespace asio = boost::asio;

// What is said of VictoriaMetrics here was observed with version 1.79.5.

namespace {

const FakePrometheus::Time midnight{std::chrono::seconds(1'700'006'400)};
const FakePrometheus::Series usage_of_p{"vllm:kv_cache_usage_perc", {{"pod", "p"}}};

struct FlavorFixture {
    FlavorFixture() { fake.set_time(midnight); }

    /// The `result` of an answer.
    std::string result(const std::string& query, std::optional<double> time = {}) const {
        const std::string body = post_query(fake.port(), query, time).body;
        const auto start = body.find("\"result\":");
        return start == std::string::npos ? body : body.substr(start + 9, body.size() - start - 11);
    }

    RunningContext running;
    FakePrometheus fake{running.context()};
};

constexpr const char* labels_of_p =
    R"({"metric":{"__name__":"vllm:kv_cache_usage_perc","pod":"p"},)";

} // namespace

TEST_CASE_METHOD(FlavorFixture, "a client learns the make of server that the fake pretends to be") {
    prometheus::ClientConfig config;
    config.http.url = fake.url();
    config.http.timeouts.attempt = config.http.timeouts.connect = 10min;
    prometheus::Client client(running.context().get_executor(), config);
    const auto learn = [&] {
        return asio::co_spawn(running.context(),
                              client.flavor(std::chrono::steady_clock::now() + 10min),
                              asio::use_future)
            .get()
            .value();
    };
    CHECK(learn() == prometheus::ServerMake{Flavor::prometheus, "2.42.0"});
    for (const auto& [flavor, version] :
         {std::pair(Flavor::victoria_metrics, ""), std::pair(Flavor::thanos, "0.34.1"),
          std::pair(Flavor::mimir, "2.15.0"), std::pair(Flavor::unknown, ""),
          std::pair(Flavor::prometheus, "2.42.0")}) {
        CAPTURE(prometheus::to_string(flavor));
        fake.set_flavor(flavor);
        CHECK(learn() == prometheus::ServerMake{flavor, version});
    }
}

TEST_CASE_METHOD(FlavorFixture, "the build information is no query, and only GET reads it") {
    const char* path = "/api/v1/status/buildinfo";
    fake.fail_next(1, 503);
    const auto answer = exchange(fake.port(), "GET", path);
    CHECK(answer.status == 200);
    CHECK(answer.content_type == "application/json");
    CHECK(exchange(fake.port(), "POST", path, "a=b").status == 405);
    CHECK(fake.query_count() == 0);
    fake.set_flavor(Flavor::unknown);
    CHECK(exchange(fake.port(), "GET", path).status == 404);
    CHECK(post_query(fake.port(), "1").status == 503);
}

TEST_CASE_METHOD(FlavorFixture, "VictoriaMetrics shows the end of a series as NaN in raw samples") {
    fake.append_history(usage_of_p, {{midnight - 60s, 1},
                                     {midnight - 59s, 2},
                                     {midnight - 40s, std::numeric_limits<double>::quiet_NaN()},
                                     {midnight - 20s, 3},
                                     {midnight, 4}});
    fake.end(usage_of_p, midnight - 30s);
    const std::string query = "vllm:kv_cache_usage_perc[1m]";
    CHECK(result(query) == std::string("[") + labels_of_p +
                               R"("values":[[1700006340,"1"],[1700006341,"2"],[1700006360,"NaN"],)"
                               R"([1700006380,"3"],[1700006400,"4"]]}])");
    fake.set_flavor(Flavor::victoria_metrics);
    CHECK(result(query) == std::string("[") + labels_of_p +
                               R"("values":[[1700006341,"2"],[1700006370,"NaN"],[1700006380,"3"],)"
                               R"([1700006400,"4"]]}])");
    fake.end(usage_of_p, midnight);
    CHECK_THAT(result(query), ContainsSubstring(R"([1700006400,"NaN"])"));
    CHECK(result("vllm:kv_cache_usage_perc[1s]", 1'700'006'370) ==
          std::string("[") + labels_of_p + R"("values":[[1700006370,"NaN"]]}])");
}

TEST_CASE_METHOD(FlavorFixture, "VictoriaMetrics hides the last 30 s from all other queries") {
    fake.append_history(usage_of_p,
                        {{midnight - 50s, 1}, {midnight - 30s, 2}, {midnight - 29'999ms, 3}});
    fake.set_flavor(Flavor::victoria_metrics);
    const auto value_at = [&](double time, const std::string& query) {
        const std::string text = result(query, time);
        const auto start = text.rfind(",\"");
        return start == std::string::npos ? ""
                                          : text.substr(start + 2, text.rfind('"') - start - 2);
    };
    const std::string query = "vllm:kv_cache_usage_perc";
    const double now = 1'700'006'400;
    CHECK(result(query) == std::string("[") + labels_of_p + R"("value":[1700006400,"2"]}])");
    CHECK(value_at(now, query) == "2");
    CHECK(value_at(now - 29.999, query) == "2");
    CHECK(value_at(now + 29.999, query) == "2");
    CHECK(value_at(now + 30, query) == "3");
    CHECK(value_at(now - 30, query) == "2");
    CHECK(value_at(now - 30.001, query) == "1");
    CHECK(value_at(now, "count_over_time(vllm:kv_cache_usage_perc[20s])") == "1");
    CHECK(value_at(now, "count_over_time(vllm:kv_cache_usage_perc[21s])") == "2");
    CHECK(value_at(now, "vllm:kv_cache_usage_perc{pod=\"q\"} or vector(0)") == "0");

    CHECK(value_at(now + 270, query) == "3");
    CHECK(result(query, now + 270.001) == "[]");

    // Neither a series that began lately nor one that ended lately is shown as it is.
    fake.end(usage_of_p, midnight - 10s);
    CHECK(value_at(now, query) == "2");
    fake.append({"young"}, 1, midnight - 20s);
    CHECK(result("young") == "[]");
    fake.end(usage_of_p, midnight - 30s);
    CHECK(result(query) == "[]");
}

TEST_CASE_METHOD(FlavorFixture, "VictoriaMetrics has vectors and one kind of error") {
    fake.set_flavor(Flavor::victoria_metrics);
    CHECK(result("1 + 1") == R"([{"metric":{},"value":[1700006400,"2"]}])");
    CHECK(result("\"text\"") == "[]");
    CHECK(post_query(fake.port(), "1").content_type == "application/json");
    CHECK(post_query(fake.port(), "a[1m]").content_type ==
          "application/stream+json; charset=utf-8");
    CHECK(result("now()", 5) == R"([{"metric":{},"value":[5,"1700006400"]}])");
    const auto refused = post_query(fake.port(), "foo(");
    CHECK(refused.status == 422);
    CHECK_THAT(refused.body, ContainsSubstring(R"("errorType":"422")"));
    fake.set_flavor(Flavor::prometheus);
    CHECK(post_query(fake.port(), "now()").status == 400);
}

TEST_CASE_METHOD(FlavorFixture, "a failure that is meant for certain queries spares all others") {
    fake.fail_next_containing("[1m]", 2, 422, R"({"status":"error"})", {{"Retry-After", "7"}});
    fake.drop_next_containing("vector(", 1);
    CHECK(post_query(fake.port(), "1").status == 200);
    CHECK(post_query(fake.port(), "a[5m]").status == 200);
    const auto failed = post_query(fake.port(), "a[1m]");
    CHECK(failed.status == 422);
    CHECK(failed.content_type == "application/json");
    CHECK_THROWS_AS(post_query(fake.port(), "vector(0)"), boost::system::system_error);
    CHECK(post_query(fake.port(), "vector(0)").status == 200);
    CHECK(post_query(fake.port(), "b[1m]").status == 422);
    CHECK(post_query(fake.port(), "b[1m]").status == 200);
    CHECK(fake.query_count() == 7);
}

TEST_CASE_METHOD(FlavorFixture, "a query gets the first failure that is meant for it") {
    fake.fail_next_containing("a", 1, 500);
    fake.fail_next(1, 503);
    fake.fail_next_containing("a", 1, 504);
    CHECK(post_query(fake.port(), "b").status == 503);
    CHECK(post_query(fake.port(), "a").status == 500);
    CHECK(post_query(fake.port(), "b").status == 200);
    CHECK(post_query(fake.port(), "a").status == 504);
    CHECK(post_query(fake.port(), "a").status == 200);
}
