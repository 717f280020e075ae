// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// How far back an instant selector searches for a series' latest sample, both ends included.
///
/// Ranges include both of their ends too. This is the rule of Prometheus 2. Prometheus 3 excludes
/// the older end, which makes a difference only if a sample lies exactly on it.
inline constexpr Milliseconds look_back = Milliseconds{5} * 60 * 1000;

/// Where the storage of a make of server differs from that of Prometheus 2.
struct ReadRules {
    /// A range excludes its older end.
    bool ranges_are_open = false;
    /// NaN is not stored. (A stale marker is.)
    bool drops_nan = false;
};

/// Whether the samples of a range include those that end the series.
enum class StaleMarkers { hidden, as_nan };

/// Reads the samples that selectors match, and counts them against a limit. One per query: it
/// remembers the matching series by the address of the selector.
class SeriesReader {
public:
    /// The store and the query's selectors must outlive the reader.
    SeriesReader(const SeriesStore& store, std::size_t max_samples, ReadRules rules = {})
        : store_(store), max_samples_(max_samples), rules_(rules) {}

    /// The latest sample of each series at a time.
    InstantVector latest(const VectorSelector& selector, Milliseconds time) {
        InstantVector vector;
        for (const auto& [labels, samples] : select(selector)) {
            auto at = first_after(*samples, time);
            while (at != samples->begin() && is_dropped(*std::prev(at)))
                --at;
            if (at == samples->begin())
                continue;
            const Sample& latest = *std::prev(at);
            if (latest.stale || latest.time < first_of(time, look_back))
                continue;
            count_samples(1);
            vector.push_back({*labels, latest.value, latest.time});
        }
        return vector;
    }

    /// The samples of each series in the window that ends at a time.
    RangeVector window(const RangeSelector& selector, Milliseconds time,
                       StaleMarkers markers = StaleMarkers::hidden) {
        const Milliseconds start = first_of(time, selector.range);
        RangeVector ranges;
        for (const auto& [labels, samples] : select(selector.selector)) {
            std::vector<Sample> window;
            const auto end = first_after(*samples, time);
            auto at = std::lower_bound(
                samples->begin(), end, start,
                [](const Sample& sample, Milliseconds first) { return sample.time < first; });
            for (; at != end; ++at) {
                if (!at->stale && !is_dropped(*at))
                    window.push_back(*at);
                else if (at->stale && markers == StaleMarkers::as_nan)
                    window.push_back({at->time, std::numeric_limits<double>::quiet_NaN()});
            }
            count_samples(window.size());
            if (!window.empty())
                ranges.push_back({*labels, std::move(window)});
        }
        return ranges;
    }

    /// Throws QueryFailure if the query has read more samples than allowed.
    void count_samples(std::size_t count) {
        samples_read_ += count;
        if (samples_read_ > max_samples_)
            throw QueryFailure::execution(
                "query processing would load too many samples into memory in query execution");
    }

private:
    using Selection = std::vector<std::pair<const LabelSet*, const SeriesStore::Samples*>>;

    /// The matching series. Cached, because a subquery evaluates its selector at every step.
    const Selection& select(const VectorSelector& selector) {
        const auto known = selected_.find(&selector);
        if (known != selected_.end())
            return known->second;
        Selection& found = selected_[&selector];
        store_.for_each(selector.metric, [&](const LabelSet& labels, const auto& samples) {
            const auto matches = [&](const LabelMatcher& matcher) {
                return matcher.matches(labels.get(matcher.name));
            };
            if (std::all_of(selector.matchers.begin(), selector.matchers.end(), matches))
                found.emplace_back(&labels, &samples);
        });
        return found;
    }

    /// The first millisecond of a range that ends at a time.
    Milliseconds first_of(Milliseconds time, Milliseconds range) const noexcept {
        return time - range + (rules_.ranges_are_open ? 1 : 0);
    }

    bool is_dropped(const Sample& sample) const noexcept {
        return rules_.drops_nan && !sample.stale && std::isnan(sample.value);
    }

    static SeriesStore::Samples::const_iterator first_after(const SeriesStore::Samples& samples,
                                                            Milliseconds time) {
        return std::upper_bound(
            samples.begin(), samples.end(), time,
            [](Milliseconds wanted, const Sample& sample) { return wanted < sample.time; });
    }

    const SeriesStore& store_;
    std::size_t max_samples_;
    ReadRules rules_;
    std::size_t samples_read_ = 0;
    std::unordered_map<const VectorSelector*, Selection> selected_;
};

} // namespace wva_metrics::testing::detail
