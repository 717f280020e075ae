// SPDX-License-Identifier: Apache-2.0
#include "support/http_exchange.hpp"
#include "support/running_context.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/window.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;
using wva_metrics::testing::FakePrometheus;

// tests/integration/fake_prometheus_test.cpp compares such answers with those of a real Prometheus.

namespace {

constexpr std::int64_t six_oclock_seconds = 1'700'000'040;
const FakePrometheus::Time six_oclock{std::chrono::seconds(six_oclock_seconds)};

struct RawFixture {
    RawFixture() { fake.set_time(six_oclock); }

    boost::json::value data(const std::string& query, std::optional<double> time = {}) const {
        const auto answer = post_query(fake.port(), query, time);
        INFO(query << '\n' << answer.body);
        REQUIRE(answer.status == 200);
        return boost::json::parse(answer.body).at("data");
    }

    /// The samples of the only series of an answer; none if it has no series.
    std::vector<samples::Sample> raw(const std::string& query,
                                     std::optional<double> time = {}) const {
        const boost::json::value answer = data(query, time);
        REQUIRE(answer.at("resultType") == "matrix");
        const auto& result = answer.at("result").as_array();
        REQUIRE(result.size() <= 1);
        std::vector<samples::Sample> read;
        for (const auto& series : result) {
            for (const auto& point : series.at("values").as_array()) {
                const auto milliseconds = std::llround(point.at(0).to_number<double>() * 1000);
                read.push_back({samples::ServerTime(std::chrono::milliseconds(milliseconds)),
                                std::stod(std::string(point.at(1).as_string()))});
            }
        }
        return read;
    }

    /// `value@age` of each sample, oldest first, with the age in seconds.
    std::string told(const std::string& query) const {
        std::string text;
        for (const samples::Sample& sample : raw(query)) {
            const std::chrono::duration<double> age =
                fake.now() - FakePrometheus::Time(sample.time.time_since_epoch());
            std::ostringstream one;
            one << (text.empty() ? "" : " ") << sample.value << '@' << age.count();
            text += one.str();
        }
        return text;
    }

    /// The value of the only element of an instant vector.
    double value_of(const std::string& query) const {
        const boost::json::value answer = data(query);
        REQUIRE(answer.at("result").as_array().size() == 1);
        return std::stod(std::string(answer.at("result").at(0).at("value").at(1).as_string()));
    }

    RunningContext running;
    FakePrometheus fake{running.context()};
};

const FakePrometheus::Series waiting{"vllm:num_requests_waiting",
                                     {{"namespace", "llm"}, {"model_name", "m"}, {"pod", "p"}}};

} // namespace

TEST_CASE_METHOD(RawFixture, "a range selector is answered with the samples of its window") {
    fake.append_history(
        waiting, {{six_oclock - 60s, 1}, {six_oclock - 59'999ms, 2}, {six_oclock - 7'250ms, 0.5}});
    fake.append(waiting, 9, six_oclock + 1ms);
    fake.append(waiting, 8, six_oclock - 60'001ms);
    CHECK(post_query(fake.port(), R"({__name__=~"a|vllm:num_requests_waiting",namespace="llm",)"
                                  R"(model_name=~"|m",nosuch=""}[1m])")
              .body == R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":)"
                       R"({"__name__":"vllm:num_requests_waiting","model_name":"m",)"
                       R"("namespace":"llm","pod":"p"},"values":[[1699999980,"1"],)"
                       R"([1699999980.001,"2"],[1700000032.750,"0.5"]]}]}})");
    // The older end is included, as in all Prometheus 2.
    CHECK(told("vllm:num_requests_waiting[1m]") == "1@60 2@59.999 0.5@7.25");
    CHECK(told("vllm:num_requests_waiting[59999ms]") == "2@59.999 0.5@7.25");
    CHECK(told("vllm:num_requests_waiting{pod!=\"p\"}[1m]").empty());
    CHECK(told("vllm:num_requests_waiting[7s]").empty());
    CHECK(raw("vllm:num_requests_waiting[1m]", six_oclock_seconds + 300).empty());
}

TEST_CASE_METHOD(RawFixture, "a counter has the same rate by its samples as by the query") {
    for (const auto interval : {5s, 15s, 29s}) {
        for (const double per_second : {0.0, 1.0 / 3, 2.5, 1e6}) {
            fake.clear();
            fake.set_rate({"requests_total"}, per_second, 5min, interval);
            for (const auto window : {std::chrono::seconds(1min), 61s, 119s, 270s}) {
                CAPTURE(interval.count(), per_second, window.count());
                const std::string range = "requests_total[" + std::to_string(window.count()) + "s]";
                const samples::ServerTime end{std::chrono::seconds(six_oclock_seconds)};
                const auto all = raw(range);
                const auto rate = samples::rate_per_second(
                    samples::samples_within(all, end - window, end), end - window, end);
                REQUIRE(rate.has_value());
                CHECK_THAT(*rate, WithinRel(per_second, 1e-9));
                CHECK_THAT(value_of("rate(" + range + ")"), WithinRel(per_second, 1e-9));
            }
        }
    }
}

TEST_CASE_METHOD(RawFixture, "a steady series has the same value at each scrape") {
    fake.set_steady(waiting, 3, 40s);
    CHECK(told("vllm:num_requests_waiting[10m]") == "3@30 3@15 3@0");
    fake.set_steady(waiting, 4);
    CHECK(raw("vllm:num_requests_waiting[10m]").size() == 21);
    CHECK(value_of("max_over_time(vllm:num_requests_waiting[10m])") == 4);

    SECTION("what is set later replaces the samples of its time only") {
        fake.advance(7s);
        fake.set_steady(waiting, 5, 10s, 10s);
        CHECK(told("vllm:num_requests_waiting[40s]") == "4@37 4@22 5@10 5@0");
        fake.set_rate(waiting, 1, 20s, 20s);
        CHECK(told("vllm:num_requests_waiting[40s]") == "4@37 4@22 20@20 40@0");
    }
    SECTION("an end in that time is replaced too") {
        fake.end(waiting, six_oclock - 20s);
        fake.set_steady(waiting, 6, 30s);
        CHECK(told("vllm:num_requests_waiting[40s]") == "6@30 6@15 6@0");
        CHECK(value_of("vllm:num_requests_waiting") == 6);
    }
    SECTION("and so has the success of the target's scrapes") {
        fake.set_up({{"namespace", "llm"}}, false, 15s);
        CHECK(told("up{namespace=\"llm\"}[1m]") == "0@15 0@0");
        fake.set_up({{"namespace", "llm"}});
        CHECK(raw("up[1h]").size() == 21);
        CHECK(value_of("min_over_time(up[1h])") == 1);
    }
}

TEST_CASE_METHOD(RawFixture, "a history without an interval is refused") {
    CHECK_THROWS_AS(fake.set_steady(waiting, 1, 1min, 0s), std::invalid_argument);
    CHECK_THROWS_AS(fake.set_rate(waiting, 1, 1min, -1s), std::invalid_argument);
    CHECK_THROWS_AS(fake.set_up({}, true, 1min, 0s), std::invalid_argument);
    CHECK(told("vllm:num_requests_waiting[1h]").empty());
}

TEST_CASE_METHOD(RawFixture, "a series that has ended only lacks newer samples") {
    fake.append_history(waiting, {{six_oclock - 40s, 1}, {six_oclock - 25s, 2}});
    CHECK(value_of("vllm:num_requests_waiting") == 2);
    fake.end(waiting, six_oclock - 10s);
    CHECK(told("vllm:num_requests_waiting[1m]") == "1@40 2@25");
    CHECK(data("vllm:num_requests_waiting").at("result").as_array().empty());
    CHECK(data("vllm:num_requests_waiting", six_oclock_seconds - 11)
              .at("result")
              .at(0)
              .at("value")
              .at(0) == six_oclock_seconds - 11);
    fake.append(waiting, 3, six_oclock - 5s);
    CHECK(value_of("vllm:num_requests_waiting") == 3);
    CHECK(told("vllm:num_requests_waiting[1m]") == "1@40 2@25 3@5");
}

TEST_CASE_METHOD(RawFixture, "raw answers are those of a simple model for any history") {
    std::mt19937 random(12);
    const auto below = [&random](int limit) {
        return std::uniform_int_distribution<int>(0, limit - 1)(random);
    };
    for (int round = 0; round < 60; ++round) {
        fake.clear();
        // Ended where the value is empty.
        std::map<std::int64_t, std::optional<double>> model;
        for (int i = 0; i < 12; ++i) {
            const int ago = below(40);
            const FakePrometheus::Time time = six_oclock - std::chrono::seconds(ago);
            if (below(4) == 0) {
                fake.end(waiting, time);
                model[-ago] = std::nullopt;
            } else {
                fake.append(waiting, i, time);
                model[-ago] = i;
            }
        }
        const int window = 1 + below(40);
        std::ostringstream expected;
        bool lives = false;
        for (const auto& [time, value] : model) {
            lives = value.has_value();
            if (value && time >= -window)
                expected << (expected.str().empty() ? "" : " ") << *value << '@' << -time;
        }
        CHECK(told("vllm:num_requests_waiting[" + std::to_string(window) + "s]") == expected.str());
        CHECK(data("vllm:num_requests_waiting").at("result").as_array().size() ==
              (lives ? 1U : 0U));
    }
}

TEST_CASE_METHOD(RawFixture, "the queries of a round are answered at the time that they ask for") {
    const EngineProfile profile = vllm_profile();
    const promql::RawQueries queries(profile, {});
    const promql::KubeStateQueries pods(profile.kube_state, {});
    const promql::QueryScope scope{{"llm"}, {"m"}};
    FakePrometheus::Series running_requests = waiting;
    running_requests.metric = profile.running.front();
    fake.set_steady(running_requests, 7);
    fake.set_up({{"namespace", "llm"}, {"pod", "p"}});
    fake.set_steady({"kube_pod_info", {{"namespace", "llm"}, {"pod", "p"}}}, 1);

    const double earlier = six_oclock_seconds - 20.5;
    const boost::json::value living = data(queries.living(scope).value(), earlier);
    REQUIRE(living.at("result").as_array().size() == 2);
    for (const auto& element : living.at("result").as_array())
        CHECK(element.at("value").at(0).to_number<double>() == earlier);
    CHECK(living.at("result").at(0).at("metric").at("__name__") ==
          boost::json::string(profile.running.front()));
    CHECK(living.at("result").at(1).at("metric").as_object().empty());
    CHECK(data(queries.living({{"none"}, {"m"}}).value()).at("result").as_array().size() == 1);

    std::set<std::string> names;
    const boost::json::value answer = data(queries.samples(scope, 1min).value(), earlier);
    for (const auto& series : answer.at("result").as_array()) {
        names.emplace(series.at("metric").at("__name__").as_string());
        CHECK(series.at("values").as_array().size() == 4);
    }
    CHECK(names == std::set<std::string>{"up", profile.running.front()});

    CHECK(value_of(queries.last_report(scope, {}).value()) == six_oclock_seconds);
    CHECK(value_of(pods.reporting()) == 1);
    CHECK(raw(pods.samples(scope.namespaces, 10min).value()).size() == 21);
    CHECK(raw(queries.presence(scope, 5min).value()).size() == 21);
    const std::vector<std::string> m = {"m"};
    CHECK(value_of(queries.elsewhere(m, promql::RawQueries::UseMatchers::yes).value()) == 7);
}

TEST_CASE_METHOD(RawFixture, "a loaded page writes whether the scrape succeeded") {
    const FakePrometheus::Labels target = {{"job", "vllm"}, {"pod", "p"}};
    fake.load_exposition("a 1\n", six_oclock - 20s, target).value();
    CHECK(fake.load_exposition("a\n", six_oclock - 10s, target).has_error());
    CHECK(told("up{job=\"vllm\",pod=\"p\"}[1m]") == "1@20 0@10");
    CHECK(data("a").at("result").as_array().empty());
    fake.load_exposition("a 2\n", six_oclock, target).value();
    fake.load_exposition("b 3\n", six_oclock, {{"job", "other"}}).value();
    CHECK(told("up{job=\"vllm\"}[1m]") == "1@20 0@10 1@0");

    fake.advance(5s);
    fake.end_target({{"job", "no such target"}}, fake.now());
    fake.end_target(target, fake.now());
    CHECK(data("{__name__=~\"a|up\",job=\"vllm\"}").at("result").as_array().empty());
    CHECK(told("a[1m]") == "1@25 2@5");
    CHECK(value_of("b") == 3);
    CHECK(value_of("up") == 1);
    // Nothing is left of it that a later scrape could end again.
    fake.load_exposition("a 4\n", fake.now() + 1s, {{"job", "vllm"}}).value();
    fake.end_target(target, fake.now() + 2s);
    fake.advance(2s);
    CHECK(value_of("a") == 4);
}
