// SPDX-License-Identifier: Apache-2.0
#include "fake_prometheus_data.hpp"
#include "fake_prometheus_queries.hpp"
#include "fake_prometheus_raw_queries.hpp"
#include "support/real_prometheus.hpp"
#include "support/remote_write.hpp"
#include "support/running_context.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using wva_metrics::testing::FakePrometheus;

namespace {

bool same_number(std::string_view a, std::string_view b) {
    if (a == b)
        return true;
    const double x = std::strtod(std::string(a).c_str(), nullptr);
    const double y = std::strtod(std::string(b).c_str(), nullptr);
    // The rounding of a sum depends on the order of its members.
    return std::abs(x - y) <= 1e-12 * std::max(std::abs(x), std::abs(y));
}

using Points = std::vector<std::pair<double, std::string>>;

std::map<std::string, Points> by_labels(const boost::json::array& result) {
    std::map<std::string, Points> series;
    for (const auto& each : result) {
        std::map<std::string, std::string> labels;
        for (const auto& label : each.at("metric").as_object())
            labels[label.key()] = label.value().as_string();
        Points points;
        const auto add = [&](const boost::json::value& point) {
            points.emplace_back(point.at(0).to_number<double>(), point.at(1).as_string());
        };
        if (each.as_object().contains("value"))
            add(each.at("value"));
        else
            for (const auto& point : each.at("values").as_array())
                add(point);
        series[boost::json::serialize(boost::json::value_from(labels))] = std::move(points);
    }
    return series;
}

void compare_data(const boost::json::value& real, const boost::json::value& fake) {
    REQUIRE(real.at("resultType") == fake.at("resultType"));
    const auto& type = real.at("resultType").as_string();
    if (type == "scalar" || type == "string") {
        CHECK(real.at("result") == fake.at("result"));
        return;
    }
    const auto expected = by_labels(real.at("result").as_array());
    const auto answered = by_labels(fake.at("result").as_array());
    REQUIRE(answered.size() == fake.at("result").as_array().size());
    for (const auto& [labels, points] : expected) {
        INFO("series " << labels);
        const auto found = answered.find(labels);
        REQUIRE(found != answered.end());
        REQUIRE(found->second.size() == points.size());
        for (std::size_t i = 0; i < points.size(); ++i) {
            INFO(points[i].second << " expected, answered " << found->second[i].second);
            CHECK(found->second[i].first == points[i].first);
            CHECK(same_number(points[i].second, found->second[i].second));
        }
    }
    CHECK(answered.size() == expected.size());
}

/// Both servers with the same data.
class Pair {
public:
    explicit Pair(const std::string& binary)
        : real_(binary,
                {.config = "global: {}\n", .arguments = {"--web.enable-remote-write-receiver"}}),
          fake_(context_.context()) {
        const DataSet data(20'231'114);
        remote_write(real_.port(), data.series());
        for (const WrittenSeries& series : data.series()) {
            FakePrometheus::Series name{"", series.labels};
            for (const auto& [label, value] : series.labels) {
                if (label == "__name__")
                    name.metric = value;
            }
            for (const auto& sample : series.samples) {
                const FakePrometheus::Time time{std::chrono::milliseconds(sample.time_ms)};
                fake_.set_time(time);
                if (std::bit_cast<std::uint64_t>(sample.value) ==
                    std::bit_cast<std::uint64_t>(staleness_marker()))
                    fake_.end(name);
                else
                    fake_.set(name, sample.value);
            }
        }
    }

    void compare(const std::string& query, double time) const {
        INFO(query << "\n at " << std::to_string(time));
        const HttpAnswer real = real_.query(query, time);
        const HttpAnswer fake = post_query(fake_.port(), query, time);
        INFO("Prometheus: " << real.body.substr(0, 300) << "\nfake: " << fake.body.substr(0, 300));
        CHECK(fake.content_type == real.content_type);
        REQUIRE(fake.status == real.status);
        const auto real_body = boost::json::parse(real.body);
        const auto fake_body = boost::json::parse(fake.body);
        CHECK(fake_body.at("status") == real_body.at("status"));
        if (real.status == 200)
            compare_data(real_body.at("data"), fake_body.at("data"));
        else
            CHECK(fake_body.at("errorType") == real_body.at("errorType"));
    }

    const RealPrometheus& real() const noexcept { return real_; }
    const FakePrometheus& fake() const noexcept { return fake_; }

private:
    RealPrometheus real_;
    RunningContext context_;
    FakePrometheus fake_;
};

/// Within the data, at its end, at the end of the look-back, and long after it.
std::vector<double> times() {
    const auto end = static_cast<double>(end_ms) / 1000;
    return {end,       end - 1,   end - 7.5,       end - 61.001, end - 1803.7, end - 4000,
            end + 240, end + 299, end - 61 + 0.25, end + 1200,   end - 360,    end - 60};
}

} // namespace

TEST_CASE("the fake Prometheus gives the same answers as a real one") {
    const auto binary = find_prometheus();
    if (!binary)
        SKIP(prometheus_missing);
    const Pair servers(*binary);

    SECTION("queries of the library") {
        for (const std::string& query : library_queries()) {
            // Equal answers prove nothing if all are empty.
            INFO(query);
            CHECK_THAT(servers.real().query(query, times().front()).body,
                       !Catch::Matchers::ContainsSubstring("\"result\":[]"));
            for (const double time : times())
                servers.compare(query, time);
        }
    }
    SECTION("queries for raw samples") {
        for (const std::string& query : raw_queries()) {
            INFO(query);
            CHECK_THAT(servers.real().query(query, times().front()).body,
                       !Catch::Matchers::ContainsSubstring("\"result\":[]"));
            // At fewer times than the others, because the answers are long.
            for (const double time : {times()[0], times()[2], times()[4], times()[6]})
                servers.compare(query, time);
        }
    }
    SECTION("other supported queries") {
        for (const std::string& query : other_queries) {
            for (const double time : times())
                servers.compare(query, time);
        }
    }
    SECTION("invalid queries") {
        for (const std::string& query : invalid_queries)
            servers.compare(query, times().front());
    }
    SECTION("byte for byte, if the order of series is defined") {
        for (const char* query :
             {"special{kind=\"values\"}", "special{kind=\"values\"}[30s]", "time()", "\"<&>\"",
              "vector(0.25)", "nosuch", "", "special{kind=\"x\"", "sum(1)",
              "max_over_time(special)", "label_replace(special, \"kind\", \"same\", \"\", \"\")",
              "{a=\"\"}", "sum(vllm:num_requests_waiting{model_name=\"a\"})"}) {
            INFO(query);
            for (const double time : times())
                CHECK(post_query(servers.fake().port(), query, time).body ==
                      servers.real().query(query, time).body);
        }
    }
}

TEST_CASE("the fake Prometheus speaks HTTP like a real one") {
    const auto binary = find_prometheus();
    if (!binary)
        SKIP(prometheus_missing);
    const Pair servers(*binary);
    struct Case {
        const char* method;
        const char* target;
        const char* body = "";
    };
    const std::vector<Case> cases = {
        {"GET", "/-/ready"},
        {"GET", "/-/healthy"},
        {"HEAD", "/-/ready"},
        {"GET", "/api/v1/query?query=vector(1)&time=1700000000.123"},
        {"GET", "/api/v1/query?query=1%2b1&time=1700000000"},
        {"GET", "/api/v1/query?query=%22a+b%22&time=1700000000.5&timeout=5s"},
        {"GET", "/api/v1/query?query=time()&time=1700000000.0009"},
        {"GET", "/api/v1/query?query=vector(1)&time=-1.5"},
        {"GET", "/api/v1/query?query=1&time=zzz"},
        {"GET", "/api/v1/query?query=1&timeout=zzz"},
        {"GET", "/api/v1/query"},
        {"POST", "/api/v1/query?query=1&time=5", "query=2"},
        {"POST", "/api/v1/query?query=1&time=5", "other=2&time=6"},
        {"POST", "/api/v1/query", ""},
        {"PUT", "/api/v1/query?query=1"},
        {"DELETE", "/api/v1/query?query=1"},
        {"HEAD", "/api/v1/query?query=1"},
        {"POST", "/api/v1/status/buildinfo", "a=b"},
        {"HEAD", "/api/v1/status/buildinfo"},
        {"GET", "/api/v1/nosuch"},
        {"GET", "/nosuch"},
        {"POST", "/nosuch", "query=1"},
    };
    for (const Case& each : cases) {
        INFO(each.method << ' ' << each.target << ' ' << each.body);
        const HttpAnswer real =
            exchange(servers.real().port(), each.method, each.target, each.body);
        const HttpAnswer fake =
            exchange(servers.fake().port(), each.method, each.target, each.body);
        CHECK(fake.status == real.status);
        CHECK(fake.body == real.body);
        if (std::string_view(each.method) != "HEAD")
            CHECK(fake.content_type == real.content_type);
    }

    const auto build_info = [](std::uint16_t port) {
        const HttpAnswer answer = exchange(port, "GET", "/api/v1/status/buildinfo");
        CHECK(answer.status == 200);
        CHECK(answer.content_type == "application/json");
        const boost::json::value body = boost::json::parse(answer.body);
        std::vector<std::string> names;
        for (const auto& member : body.at("data").as_object())
            names.emplace_back(member.key());
        return std::pair(body.at("status"), names);
    };
    CHECK(build_info(servers.fake().port()) == build_info(servers.real().port()));
}
