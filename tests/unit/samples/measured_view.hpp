// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

/// Views for the tests of what is measured by them.
namespace wva_metrics::samples::measured {

using namespace std::chrono_literals;

inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// The time by which all tests measure.
inline constexpr ServerTime now{std::chrono::milliseconds(1'700'000'000'123)};

inline constexpr std::string_view finished = "vllm:request_success_total";
inline constexpr std::string_view queue = "vllm:num_requests_waiting";
inline constexpr std::string_view running = "vllm:num_requests_running";
inline constexpr std::string_view kv_usage = "vllm:kv_cache_usage_perc";
inline constexpr std::string_view older_kv_usage = "vllm:gpu_cache_usage_perc";

inline const MetricSet& vllm_metrics() {
    static const MetricSet metrics(vllm_profile());
    return metrics;
}

/// One sample per value, `spacing` apart, the last one `age` before now.
inline std::vector<Sample> spaced(ServerDuration spacing, ServerDuration age,
                                  std::vector<double> values) {
    std::vector<Sample> samples;
    ServerTime time = now - age - spacing * (static_cast<int>(values.size()) - 1);
    for (const double value : values) {
        samples.push_back({time, value});
        time += spacing;
    }
    return samples;
}

/// `count` values from `first` on, `step` apart.
inline std::vector<double> rising(int count, double step, double first = 1000) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i)
        values.push_back(first + i * step);
    return values;
}

struct NewSeries {
    std::string_view metric;
    std::vector<Sample> samples;
    std::string engine = "0";
    bool has_ended = false;
};

inline View make_view(std::vector<NewSeries> all) {
    View view;
    for (NewSeries& one : all) {
        for (const Sample& sample : one.samples)
            view.times.push_back(sample.time);
        view.series.push_back({*vllm_metrics().find(one.metric),
                               {{"engine", one.engine}},
                               std::move(one.samples),
                               one.has_ended});
    }
    std::ranges::sort(view.times);
    view.times.erase(std::unique(view.times.begin(), view.times.end()), view.times.end());
    std::ranges::sort(view.series, {}, [](const Series& series) {
        return std::tuple(series.metric, series.server_labels);
    });
    view.has_ended = std::ranges::all_of(view.series, &Series::has_ended);
    return view;
}

} // namespace wva_metrics::samples::measured
