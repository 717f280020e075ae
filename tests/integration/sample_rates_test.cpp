// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/counter.hpp"

#include "support/real_prometheus.hpp"
#include "support/remote_write.hpp"
#include "wva_metrics/samples/window.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples::judged {

using namespace std::chrono_literals;
using Catch::Matchers::WithinRel;

namespace {

constexpr ServerTime window_end{std::chrono::milliseconds(1'700'000'000'123)};
constexpr ServerTime window_start = window_end - 60s;

using Counter = std::vector<Sample>;

/// A counter of up to 20 samples, a few of them before the window: with gaps and resets, near zero
/// or large, and with samples at the edges of the window.
Counter random_counter(std::mt19937& random) {
    const auto below = [&random](int limit) {
        return std::uniform_int_distribution<int>(0, limit - 1)(random);
    };
    const int spacing = 1 + below(30'000);
    const bool is_steady = below(2) == 0;
    const bool is_whole = below(2) == 0;
    const double scale = std::pow(10.0, below(7) - 2);
    ServerTime time = window_start - ServerDuration(below(10'000));
    if (below(8) == 0)
        time = window_start;
    Counter samples;
    double value = below(3) == 0 ? 0 : scale * below(1000);
    while (time <= window_end && samples.size() < 20) {
        samples.push_back({time, value});
        const int step = below(50);
        value = below(12) == 0 ? 0.0 : value + scale * (is_whole ? step : step / 7.0);
        time += ServerDuration(is_steady ? spacing : 1 + below(2 * spacing));
    }
    if (below(8) == 0 && samples.back().time < window_end)
        samples.push_back({window_end, value});
    if (below(20) == 0)
        samples.resize(1);
    return samples;
}

test_support::WrittenSeries written(std::size_t number, const Counter& samples) {
    test_support::WrittenSeries series;
    series.labels = {{"__name__", "judged_total"}, {"number", std::to_string(number)}};
    for (const Sample& sample : samples)
        series.samples.push_back({sample.time.time_since_epoch().count(), sample.value});
    return series;
}

using Answers = std::map<std::size_t, double>;

/// What Prometheus computes of each counter.
Answers must_query(const test_support::RealPrometheus& prometheus, const std::string& promql) {
    const double time = std::chrono::duration<double>(window_end.time_since_epoch()).count();
    const auto answer = prometheus.query(promql, time);
    REQUIRE(answer.status == 200);
    Answers values;
    const boost::json::value body = boost::json::parse(answer.body);
    for (const auto& row : body.at("data").at("result").as_array())
        values[std::stoul(std::string(row.at("metric").at("number").as_string()))] =
            std::strtod(row.at("value").at(1).as_string().c_str(), nullptr);
    return values;
}

/// The version of Prometheus that limits the extrapolation, and the one that opens the window.
struct Version {
    int major = 0;
    int minor = 0;
    bool limits_like_us() const { return std::pair(major, minor) >= std::pair(2, 53); }
    bool has_open_windows() const { return major >= 3; }
};

Version version_of(const test_support::RealPrometheus& prometheus) {
    const auto answer =
        test_support::exchange(prometheus.port(), "GET", "/api/v1/status/buildinfo");
    const boost::json::value body = boost::json::parse(answer.body);
    const std::string text(body.at("data").at("version").as_string());
    Version version;
    char* rest = nullptr;
    version.major = static_cast<int>(std::strtol(text.c_str(), &rest, 10));
    version.minor = static_cast<int>(std::strtol(rest + 1, nullptr, 10));
    return version;
}

/// Versions before 2.53 differ where a counter does not reach back to the window's start, and its
/// zero is farther away than half a spacing, but less than 1.1 spacings.
bool all_versions_agree(std::span<const Sample> samples) {
    const SampleSpread spread = spread_of(samples.front().time, samples.back().time, samples.size(),
                                          window_start, window_end);
    const double grown = increase(samples);
    if (spread.reaches_start() || grown <= 0)
        return true;
    const double to_zero = spread.sampled * (samples.front().value / grown);
    return to_zero <= spread.mean / 2 || to_zero >= spread.limit();
}

} // namespace

TEST_CASE("rates and resets are those that Prometheus computes of the same samples") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const test_support::RealPrometheus prometheus(
        *binary, {.arguments = {"--web.enable-remote-write-receiver"}});
    const Version version = version_of(prometheus);

    std::mt19937 random(53);
    std::vector<Counter> counters;
    std::vector<test_support::WrittenSeries> all;
    for (std::size_t i = 0; i < 1000; ++i) {
        counters.push_back(random_counter(random));
        all.push_back(written(i, counters.back()));
    }
    test_support::remote_write(prometheus.port(), all);
    const Answers rates = must_query(prometheus, "rate(judged_total[60s])");
    const Answers resets = must_query(prometheus, "resets(judged_total[60s])");

    // Before version 3 a window has its start.
    const ServerTime start = version.has_open_windows() ? window_start : window_start - 1ms;
    std::size_t compared = 0;
    for (std::size_t i = 0; i < counters.size(); ++i) {
        const auto inside = samples_within(counters[i], start, window_end);
        CAPTURE(i, inside.size(), version.major, version.minor);
        REQUIRE(resets.contains(i) == !inside.empty());
        if (resets.contains(i))
            CHECK(static_cast<double>(count_resets(inside)) == resets.at(i));
        const std::optional<double> rate = rate_per_second(inside, window_start, window_end);
        REQUIRE(rates.contains(i) == rate.has_value());
        if (!rate || (!version.limits_like_us() && !all_versions_agree(inside)))
            continue;
        ++compared;
        CHECK_THAT(*rate, WithinRel(rates.at(i), 1e-9));
    }
    CHECK(compared > counters.size() / 2);
}

} // namespace wva_metrics::samples::judged
