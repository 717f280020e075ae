// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// What the values of two views say about whether they are of one process.
enum class ValueVerdict : std::uint8_t {
    undecided,     ///< Nothing.
    same,          ///< They are: the counters can hardly agree so well by chance.
    idle,          ///< All values are equal and constant, and nothing is there to be added up.
    other,         ///< They are not: a value does not fit into the other's history.
    contradictory, ///< Both `same` and `other`.
};

/// What is known of the metrics of a profile when values are compared.
///
/// **Threads:** safe, because it does not change.
class MetricTraits {
public:
    /// Reads the metrics of all signals that are always measured. What else a caller chooses must
    /// not change what is one process.
    explicit MetricTraits(const MetricSet& metrics) : traits_(metrics.names().size()) {
        for (const Signal signal : all_signals)
            for (const SignalSource& source : metrics.sources(signal))
                add(signal, source);
    }

    /// What a counter counts. Two counters of the same quantity are not independent: as many
    /// requests finish as have a first token.
    std::uint8_t quantity(MetricId metric) const noexcept { return traits_[metric].quantity; }
    /// False for a metric that only optional signals have.
    bool is_compared(MetricId metric) const noexcept { return traits_[metric].is_compared; }
    /// True for a counter.
    bool is_counter(MetricId metric) const noexcept { return traits_[metric].is_counter; }
    /// True for a gauge whose values are added up over the processes of a pod.
    bool is_added_gauge(MetricId metric) const noexcept { return traits_[metric].is_added_gauge; }

private:
    struct Traits {
        std::uint8_t quantity = 0;
        bool is_counter = false;
        bool is_added_gauge = false;
        bool is_compared = false;
    };
    static constexpr std::uint8_t requests = 0;
    static constexpr std::uint8_t generated_tokens = 1;
    static constexpr std::uint8_t first_other = 2;

    void add(Signal signal, const SignalSource& source) {
        const SignalInfo& info = info_of(signal);
        const auto own =
            static_cast<std::uint8_t>(first_other + wva_metrics::detail::index_of(signal));
        switch (info.computation) {
        case Computation::counter_rate:
            source.for_each_part([this](MetricId part) {
                traits_[part] = {requests, true, false, true};
            });
            break;
        case Computation::average:
            traits_[source.metric] = {signal == Signal::itl ? generated_tokens : requests, true,
                                      false, true};
            traits_[source.sum] = {signal == Signal::output_tokens ? generated_tokens : own, true,
                                   false, true};
            break;
        case Computation::presence:
        case Computation::gauge_peak:
        case Computation::gauge_last:
        case Computation::histogram:
            source.for_each_part([&](MetricId part) {
                traits_[part].is_compared = true;
                traits_[part].is_added_gauge |= info.across_engines == AcrossEngines::sum;
            });
            break;
        }
    }

    std::vector<Traits> traits_;
};

namespace detail {

/// Calls `use(one, other)` for the series that both views have.
template <typename Use>
void for_common_series(const View& a, const View& b, Use use) {
    const auto key = [](const Series& series) {
        return std::tie(series.metric, series.server_labels);
    };
    auto other = b.series.begin();
    for (const Series& one : a.series) {
        while (other != b.series.end() && key(*other) < key(one))
            ++other;
        if (other == b.series.end())
            return;
        if (key(*other) == key(one))
            use(one, *other);
    }
}

/// True for a fraction that two processes do not have by chance, as 0.25 or 0.001.
inline bool is_distinctive(double value) noexcept {
    const auto is_whole = [](double number) {
        return std::abs(number - std::round(number)) < 1e-6;
    };
    // From 2^32 on, a double has too few digits left for the test.
    return std::isfinite(value) && std::abs(value) < 4294967296.0 && !is_whole(value * 1000) &&
           !is_whole(value * 1024);
}

/// Collects what the values of two views say.
class ValueComparison {
public:
    ValueComparison(const MetricTraits& traits, const SampleRules& rules)
        : traits_(traits), rules_(rules) {}

    /// Compares the series of both views that have the same metric and server labels.
    void add(const Series& a, const Series& b) {
        if (!traits_.is_compared(a.metric))
            return;
        has_common_ = true;
        const bool is_added_gauge = traits_.is_added_gauge(a.metric);
        const double value = a.samples.front().value;
        const auto is_equal = [value](const Sample& sample) {
            return sample.value == value || (std::isnan(sample.value) && std::isnan(value));
        };
        is_idle_ = is_idle_ && !(is_added_gauge && value != 0) &&
                   std::ranges::all_of(a.samples, is_equal) &&
                   std::ranges::all_of(b.samples, is_equal);
        if (!traits_.is_counter(a.metric)) {
            if (stay_apart(a.samples, b.samples))
                unlike_gauges_.insert(a.metric);
            return;
        }
        const std::uint8_t quantity = traits_.quantity(a.metric);
        const std::vector<double> fractions = distinctive_values(b.samples);
        for (const double fraction : distinctive_values(a.samples))
            if (std::ranges::binary_search(fractions, fraction))
                met_.emplace(quantity, fraction);
        bracket(a.samples, b.samples, quantity);
        bracket(b.samples, a.samples, quantity);
    }

    ValueVerdict verdict() const {
        constexpr std::size_t enough_fractions = 2;
        constexpr std::size_t enough_gauges = 2;
        if (unlike_gauges_.size() >= enough_gauges)
            return ValueVerdict::other;
        const bool is_same =
            met_.size() >= enough_fractions || tight_.size() >= rules_.min_tight_counters;
        if (is_refuted_)
            return met_.size() >= enough_fractions ? ValueVerdict::contradictory
                                                   : ValueVerdict::other;
        if (is_same)
            return ValueVerdict::same;
        return has_common_ && is_idle_ ? ValueVerdict::idle : ValueVerdict::undecided;
    }

private:
    /// True if two gauges keep unequal values while both are sampled several times. One process,
    /// scraped in turn, would have to change with each scrape, and back again.
    bool stay_apart(std::span<const Sample> a, std::span<const Sample> b) const {
        constexpr std::size_t enough_samples = 3;
        const ServerTime start = std::max(a.front().time, b.front().time) - ServerDuration(1);
        const ServerTime end = std::min(a.back().time, b.back().time);
        const auto level = [&](std::span<const Sample> all) {
            const auto common = samples_within(all, start, end);
            const bool is_level = common.size() >= enough_samples &&
                                  std::isfinite(common.front().value) &&
                                  std::ranges::all_of(common, [&](const Sample& sample) {
                                      return sample.value == common.front().value;
                                  });
            return is_level ? std::optional(common.front().value) : std::nullopt;
        };
        const std::optional<double> one = level(a);
        const std::optional<double> other = level(b);
        return one && other && *one != *other;
    }

    static std::vector<double> distinctive_values(std::span<const Sample> samples) {
        std::vector<double> values;
        for (const Sample& sample : samples)
            if (is_distinctive(sample.value))
                values.push_back(sample.value);
        std::ranges::sort(values);
        return values;
    }

    /// A value of one copy lies between those of the other before and after it. Nothing is said
    /// across a reset.
    void bracket(std::span<const Sample> history, std::span<const Sample> values,
                 std::uint8_t quantity) {
        for (const Sample& sample : values) {
            const auto after = std::ranges::lower_bound(history, sample.time + rules_.tolerance, {},
                                                        &Sample::time);
            const auto before = std::ranges::upper_bound(history, sample.time - rules_.tolerance,
                                                         {}, &Sample::time);
            if (after == history.end() || before == history.begin())
                continue;
            const std::span<const Sample> around(before - 1, after + 1);
            const double low = around.front().value;
            const double high = around.back().value;
            if (!std::isfinite(low) || !std::isfinite(high) || !std::isfinite(sample.value))
                continue;
            const auto beside =
                samples_within(values, around.front().time - rules_.tolerance - ServerDuration(1),
                               around.back().time + rules_.tolerance);
            if (count_resets(around) > 0 || count_resets(beside) > 0)
                continue;
            if (sample.value < low || sample.value > high)
                is_refuted_ = true;
            else if (high > low && high - low <= rules_.tight_share * high)
                tight_.insert(quantity);
        }
    }

    const MetricTraits& traits_;
    const SampleRules& rules_;
    std::set<std::pair<std::uint8_t, double>> met_;
    std::set<std::uint8_t> tight_;
    std::set<MetricId> unlike_gauges_;
    bool has_common_ = false;
    bool is_idle_ = true;
    bool is_refuted_ = false;
};

} // namespace detail

/// Compares the values of two views.
///
/// Counters of one process, seen twice, lie in one rising history, so that a value outside it
/// refutes. Values inside prove only what can hardly be chance: two long fractions that are met to
/// the last digit, or several independent counters that fit closely. Processes that are young agree
/// in much, so that "nothing speaks against it" proves nothing. Two gauges that keep unequal values
/// refute more surely than counters prove: those of two servers with one load may be equal.
inline ValueVerdict compare_values(const View& a, const View& b, const MetricTraits& traits,
                                   const SampleRules& rules) {
    detail::ValueComparison comparison(traits, rules);
    detail::for_common_series(
        a, b, [&](const Series& one, const Series& other) { comparison.add(one, other); });
    return comparison.verdict();
}

} // namespace wva_metrics::samples
