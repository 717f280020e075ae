// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/label_set.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// Milliseconds since the Unix epoch, the resolution of Prometheus.
using Milliseconds = std::int64_t;

/// A point of a series. A stale sample ends the series: it has no value until the next sample.
struct Sample {
    /// The time, since the Unix epoch.
    Milliseconds time = 0;
    /// The number, which may be NaN.
    double value = 0;
    /// True if the series ends here.
    bool stale = false;
};

/// Series and their samples in time order. Not thread-safe.
class SeriesStore {
public:
    /// The samples of a series, sorted by time.
    using Samples = std::vector<Sample>;
    /// The series of a metric, sorted by labels.
    using SeriesOfMetric = std::map<LabelSet, Samples>;

    /// Adds a sample, in any order of time; it replaces a sample of the same time.
    void append(const LabelSet& series, Sample sample) {
        Samples& samples = series_[std::string(series.get(LabelSet::metric_name))][series];
        if (samples.empty() || samples.back().time < sample.time) {
            samples.push_back(sample);
            return;
        }
        const auto at = std::lower_bound(
            samples.begin(), samples.end(), sample.time,
            [](const Sample& earlier, Milliseconds time) { return earlier.time < time; });
        if (at->time == sample.time)
            *at = sample;
        else
            samples.insert(at, sample);
    }

    /// Removes the series and its history; false if there is no such series.
    bool erase(const LabelSet& series) {
        const auto metric = series_.find(series.get(LabelSet::metric_name));
        if (metric == series_.end() || metric->second.erase(series) == 0)
            return false;
        if (metric->second.empty())
            series_.erase(metric);
        return true;
    }

    /// Replaces the samples from the first to the last of these, which ascend in time.
    void replace(const LabelSet& series, const Samples& samples) {
        if (samples.empty())
            return;
        std::erase_if(series_[std::string(series.get(LabelSet::metric_name))][series],
                      [&](const Sample& sample) {
                          return sample.time >= samples.front().time &&
                                 sample.time <= samples.back().time;
                      });
        for (const Sample& sample : samples)
            append(series, sample);
    }

    /// Removes the samples older than `time`, and the series that have no other samples.
    void erase_before(Milliseconds time) {
        for (auto& [name, metric] : series_) {
            for (auto& [labels, samples] : metric)
                std::erase_if(samples, [&](const Sample& sample) { return sample.time < time; });
            std::erase_if(metric, [](const auto& series) { return series.second.empty(); });
        }
        std::erase_if(series_, [](const auto& metric) { return metric.second.empty(); });
    }

    /// Removes all series.
    void clear() noexcept { series_.clear(); }

    /// The number of series, including ended ones.
    std::size_t series_count() const noexcept {
        std::size_t count = 0;
        for (const auto& [name, metric] : series_)
            count += metric.size();
        return count;
    }

    /// Calls `visit(labels, samples)` for the series of one metric, or of all metrics if the name
    /// is empty, sorted by metric and then by labels.
    template <typename Visitor>
    void for_each(std::string_view metric_name, Visitor&& visit) const {
        const auto visit_all = [&](const SeriesOfMetric& metric) {
            for (const auto& [labels, samples] : metric)
                visit(labels, samples);
        };
        if (metric_name.empty()) {
            for (const auto& [name, metric] : series_)
                visit_all(metric);
        } else if (const auto metric = series_.find(metric_name); metric != series_.end()) {
            visit_all(metric->second);
        }
    }

private:
    // By metric name, because nearly every query names one.
    std::map<std::string, SeriesOfMetric, std::less<>> series_;
};

} // namespace wva_metrics::testing::detail
