// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/metric_source.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// The number of an exposed metric in a `MetricSet`.
using MetricId = std::uint16_t;

/// The metrics from which one signal is computed, under one of its names.
struct SignalSource {
    /// The gauge or counter; for an average, what is counted, e.g. the `_count` of a histogram.
    MetricId metric = 0;
    /// For an average, what is divided by it, e.g. the `_sum`; else the same as `metric`.
    MetricId sum = 0;
    /// Further metrics that are added to `metric`. Not for an average.
    std::vector<MetricId> more{};
    /// What `metric` is multiplied by, series by series. Only for the last sample of a gauge.
    std::optional<MetricId> times{};
    /// What the value is multiplied by.
    double scale = 1;

    /// Calls `use(metric)` for all that are added up.
    template <typename Use>
    void for_each_part(Use use) const {
        use(metric);
        for (const MetricId part : more)
            use(part);
    }
};

/// The buckets of one histogram, under one of its signal's names.
struct HistogramSource {
    MetricId bucket = 0;   ///< Its `_bucket`.
    MetricId native = 0;   ///< Its own name, under which a native histogram is stored.
    double scale = 1;      ///< What the bounds are multiplied by.
    std::size_t alias = 0; ///< The name's place in the profile.
};

/// The metrics of an engine profile under their exposed names: an average has a `_sum` and a
/// `_count`, a histogram a `_bucket` and its own name. One metric may serve several signals. A family of which only
/// series with certain labels are meant has a number for each choice of labels.
///
/// **Threads:** safe, because it does not change.
class MetricSet {
public:
    /// The metrics that are always there, and those of the optional readings in `chosen`. `profile`
    /// must be valid.
    explicit MetricSet(const EngineProfile& profile, OptionalReadingSet chosen = {})
        : counts_requests_(chosen.contains(OptionalReading::requests_in_window)) {
        for (const SignalInfo& info : signals) {
            if (is_optional(info.signal) && chosen.needs(info.signal))
                optional_.push_back(info.signal);
            if (chosen.needs_histogram(info.signal))
                histograms_.push_back(info.signal);
        }
        std::vector<MetricTerm> terms;
        for_each_source(profile, [&](Signal signal, const MetricSource& source) {
            for (const MetricTerm& term : counted_terms(signal, source))
                terms.push_back(term);
            if (is_average(signal))
                terms.push_back(summed_term(source));
            if (source.times)
                terms.push_back(*source.times);
        });
        for_each_histogram(profile, [&](Signal, std::size_t, const MetricSource& source) {
            terms.push_back(with_ending(source.terms.front(), "_bucket"));
            terms.push_back(source.terms.front());
        });
        std::ranges::sort(terms);
        terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
        for (MetricTerm& term : terms) {
            names_.push_back(std::move(term.name));
            required_.push_back(std::move(term.labels));
            factors_.push_back(std::move(term.factors));
        }
        is_counter_.resize(names_.size());
        for_each_source(profile, [this](Signal signal, const MetricSource& source) {
            add_source(signal, source);
        });
        for_each_histogram(
            profile, [this](Signal signal, std::size_t alias, const MetricSource& source) {
                const MetricId bucket = id_of(with_ending(source.terms.front(), "_bucket"));
                const MetricId native = id_of(source.terms.front());
                is_counter_[bucket] = is_counter_[native] = true;
                buckets_[wva_metrics::detail::index_of(signal)].push_back(
                    {bucket, native, source.scale, alias});
            });
    }

    /// The exposed names, sorted. A metric's number is its index; a name with several numbers is
    /// there as often.
    std::span<const std::string> names() const noexcept { return names_; }

    /// The number of an exposed name, or empty; of several, the first.
    std::optional<MetricId> find(std::string_view name) const noexcept {
        const auto found = std::ranges::lower_bound(names_, name);
        if (found == names_.end() || *found != name)
            return std::nullopt;
        return static_cast<MetricId>(found - names_.begin());
    }

    /// True if `metric` is a number of this name.
    bool has_name(std::size_t metric, std::string_view name) const noexcept {
        return metric < names_.size() && names_[metric] == name;
    }

    /// The labels that a series of this metric must have, sorted by name. All metrics of one name
    /// require labels of the same names.
    std::span<const RequiredLabel> required(MetricId metric) const noexcept {
        return required_[metric];
    }

    /// What a signal is computed from, the preferred name first. Empty if the server does not
    /// provide it.
    std::span<const SignalSource> sources(Signal signal) const noexcept {
        return sources_[wva_metrics::detail::index_of(signal)];
    }

    /// The optional signals that are measured, in the order of the enumeration.
    std::span<const Signal> optional() const noexcept { return optional_; }
    /// The signals whose histograms are measured, in the order of the enumeration.
    std::span<const Signal> histograms() const noexcept { return histograms_; }
    /// The histograms of one of these, the preferred name first. Empty if the server does not
    /// provide it.
    std::span<const HistogramSource> buckets(Signal signal) const noexcept {
        return buckets_[wva_metrics::detail::index_of(signal)];
    }

    /// True if requests are counted.
    bool counts_requests() const noexcept { return counts_requests_; }

    /// The labels of a series whose values are its numbers, such as those of an info metric;
    /// usually none. Such a series may lack the model.
    std::span<const std::string> factors(MetricId metric) const noexcept {
        return factors_[metric];
    }

    /// True if the metric only grows until its process ends.
    bool is_counter(MetricId metric) const noexcept { return is_counter_[metric]; }

private:
    static constexpr bool is_average(Signal signal) noexcept {
        return computation_of(signal) == Computation::average;
    }

    template <typename Use>
    void for_each_source(const EngineProfile& profile, Use use) const {
        const auto add = [&](Signal signal) {
            for (const std::string& text : profile[signal])
                use(signal, parse_metric_source(text).value());
        };
        std::ranges::for_each(all_signals, add);
        std::ranges::for_each(optional_, add);
    }

    /// A quotient of counters is no histogram.
    template <typename Use>
    void for_each_histogram(const EngineProfile& profile, Use use) const {
        for (const Signal signal : histograms_)
            for (std::size_t alias = 0; alias < profile[signal].size(); ++alias) {
                const MetricSource source = parse_metric_source(profile[signal][alias]).value();
                if (!source.per)
                    use(signal, alias, source);
            }
    }

    static MetricTerm with_ending(MetricTerm term, std::string_view ending) {
        term.name += ending;
        return term;
    }

    /// What is added up, or what an average is divided by.
    static std::vector<MetricTerm> counted_terms(Signal signal, const MetricSource& source) {
        if (!is_average(signal))
            return source.terms;
        return {source.per ? *source.per : with_ending(source.terms.front(), "_count")};
    }

    static MetricTerm summed_term(const MetricSource& source) {
        return source.per ? source.terms.front() : with_ending(source.terms.front(), "_sum");
    }

    MetricId id_of(const MetricTerm& term) const noexcept {
        std::size_t id = *find(term.name);
        while (required_[id] != term.labels || factors_[id] != term.factors)
            ++id;
        return static_cast<MetricId>(id);
    }

    void add_source(Signal signal, const MetricSource& parsed) {
        SignalSource source;
        source.scale = parsed.scale;
        const std::vector<MetricTerm> terms = counted_terms(signal, parsed);
        source.metric = id_of(terms.front());
        for (std::size_t i = 1; i < terms.size(); ++i)
            source.more.push_back(id_of(terms[i]));
        if (parsed.times)
            source.times = id_of(*parsed.times);
        source.sum = is_average(signal) ? id_of(summed_term(parsed)) : source.metric;
        if (is_average(signal) || computation_of(signal) == Computation::counter_rate) {
            is_counter_[source.sum] = true;
            source.for_each_part([this](MetricId part) { is_counter_[part] = true; });
        }
        sources_[wva_metrics::detail::index_of(signal)].push_back(std::move(source));
    }

    std::vector<std::string> names_;
    std::vector<std::vector<RequiredLabel>> required_;
    std::vector<std::vector<std::string>> factors_;
    std::vector<bool> is_counter_;
    std::vector<Signal> optional_;
    std::vector<Signal> histograms_;
    bool counts_requests_ = false;
    std::array<std::vector<SignalSource>, signals.size()> sources_;
    std::array<std::vector<HistogramSource>, signals.size()> buckets_;
};

} // namespace wva_metrics::samples
