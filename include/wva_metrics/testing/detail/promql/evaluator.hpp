// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/testing/detail/promql/aggregate.hpp"
#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/range_functions.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"
#include "wva_metrics/testing/detail/promql/vector_operators.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::testing {

/// How far back an instant selector looks for a series' latest sample, both ends included.
///
/// Ranges include both of their ends too. That is Prometheus 2's rule; Prometheus 3 excludes the
/// older end, which shows only where a sample lies exactly on it.
inline constexpr Milliseconds look_back = 5 * 60 * 1000;

/// Evaluates instant queries over a store, as Prometheus 2.42 does.
class PromqlEvaluator {
public:
    /// The store must outlive the evaluator. A query that reads more than `max_samples` fails the
    /// way one that exceeds `--query.max-samples` does.
    explicit PromqlEvaluator(const SeriesStore& store,
                             std::size_t max_samples = std::numeric_limits<std::size_t>::max())
        : store_(store), max_samples_(max_samples) {}

    /// The value at a time. Series come in the order of the store, groups in that of their labels.
    /// Throws QueryFailure.
    PromqlValue evaluate(const Expression& expression, Milliseconds time) {
        samples_read_ = 0;
        selected_.clear();
        return value(expression, time);
    }

private:
    using Selection = std::vector<std::pair<const LabelSet*, const SeriesStore::Samples*>>;

    PromqlValue value(const Expression& expression, Milliseconds time) {
        return std::visit([&](const auto& node) { return value_of(node, time); }, expression.node);
    }
    template <typename T>
    T value_as(const ExpressionPtr& expression, Milliseconds time) {
        return std::get<T>(value(*expression, time));
    }

    static PromqlValue value_of(const NumberLiteral& literal, Milliseconds) {
        return literal.value;
    }
    static PromqlValue value_of(const StringLiteral& literal, Milliseconds) { return literal.text; }

    PromqlValue value_of(const VectorSelector& selector, Milliseconds time) {
        InstantVector vector;
        for (const auto& [labels, samples] : select(selector)) {
            const auto after = first_after(*samples, time);
            if (after == samples->begin())
                continue;
            const Sample& latest = *std::prev(after);
            if (latest.stale || latest.time < time - look_back)
                continue;
            count_samples(1);
            vector.push_back({*labels, latest.value, latest.time});
        }
        return vector;
    }

    PromqlValue value_of(const RangeSelector& selector, Milliseconds time) {
        RangeVector ranges;
        for (const auto& [labels, samples] : select(selector.selector)) {
            std::vector<Sample> window;
            const auto end = first_after(*samples, time);
            auto at = std::lower_bound(
                samples->begin(), end, time - selector.range,
                [](const Sample& sample, Milliseconds start) { return sample.time < start; });
            std::copy_if(at, end, std::back_inserter(window),
                         [](const Sample& sample) { return !sample.stale; });
            count_samples(window.size());
            if (!window.empty())
                ranges.push_back({*labels, std::move(window)});
        }
        return ranges;
    }

    /// Steps lie on multiples of the step's length, whatever the time of the query.
    PromqlValue value_of(const Subquery& subquery, Milliseconds time) {
        const Milliseconds start = time - subquery.range;
        Milliseconds step = start / subquery.step * subquery.step;
        if (step < start)
            step += subquery.step;
        std::map<LabelSet, std::vector<Sample>> series;
        for (; step <= time; step += subquery.step) {
            for (VectorSample& sample : value_as<InstantVector>(subquery.inner, step)) {
                count_samples(1);
                series[std::move(sample.labels)].push_back({step, sample.value});
            }
        }
        RangeVector ranges;
        for (auto& [labels, samples] : series)
            ranges.push_back({labels, std::move(samples)});
        return ranges;
    }

    PromqlValue value_of(const Call& call, Milliseconds time) {
        switch (call.function) {
        case Function::time:
            return static_cast<double>(time) / 1000;
        case Function::vector:
            return InstantVector{
                {LabelSet(), value_as<double>(call.arguments.front(), time), time}};
        case Function::timestamp:
            return timestamps(*call.arguments.front(), time);
        case Function::label_replace:
            return label_replace(call, time);
        default:
            return over_time(call, time);
        }
    }

    /// A plain selector's samples have their own times, anything else has the query's.
    PromqlValue timestamps(const Expression& argument, Milliseconds time) {
        const bool is_selector = std::holds_alternative<VectorSelector>(argument.node);
        InstantVector vector = std::get<InstantVector>(value(argument, time));
        for (VectorSample& sample : vector) {
            sample.labels = sample.labels.without_metric_name();
            sample.value = static_cast<double>(is_selector ? sample.sampled_at : time) / 1000;
        }
        refuse_duplicates(vector);
        return vector;
    }

    PromqlValue over_time(const Call& call, Milliseconds time) {
        const Milliseconds range = range_of(*call.arguments.front());
        InstantVector vector;
        for (const RangeSeries& series : value_as<RangeVector>(call.arguments.front(), time)) {
            const auto result = reduce(call.function, series.samples, time - range, time);
            if (!result)
                continue;
            vector.push_back({call.function == Function::last_over_time
                                  ? series.labels
                                  : series.labels.without_metric_name(),
                              *result, time});
        }
        refuse_duplicates(vector);
        return vector;
    }

    static Milliseconds range_of(const Expression& expression) {
        if (const auto* selector = std::get_if<RangeSelector>(&expression.node))
            return selector->range;
        return std::get<Subquery>(expression.node).range;
    }

    static std::optional<double> reduce(Function function, std::span<const Sample> samples,
                                        Milliseconds start, Milliseconds end) {
        switch (function) {
        case Function::rate:
            return detail::extrapolated_rate(samples, start, end);
        case Function::increase:
            return detail::extrapolated_increase(samples, start, end);
        case Function::max_over_time:
            return detail::best_of(samples, std::greater<>());
        case Function::min_over_time:
            return detail::best_of(samples, std::less<>());
        case Function::avg_over_time:
            return detail::mean_of(samples);
        case Function::sum_over_time:
            return detail::sum_of(samples);
        case Function::last_over_time:
            return samples.back().value;
        case Function::count_over_time:
            return static_cast<double>(samples.size());
        default:
            return std::nullopt;
        }
    }

    PromqlValue label_replace(const Call& call, Milliseconds time) {
        auto vector = value_as<InstantVector>(call.arguments[0], time);
        const auto destination = value_as<std::string>(call.arguments[1], time);
        const auto replacement = value_as<std::string>(call.arguments[2], time);
        const auto source = value_as<std::string>(call.arguments[3], time);
        const auto pattern = value_as<std::string>(call.arguments[4], time);
        if (!wva_metrics::detail::is_label_name(destination))
            throw QueryFailure::execution("invalid destination label name in label_replace(): " +
                                          destination);
        std::optional<RegexMatcher> regex;
        try {
            regex.emplace(pattern);
        } catch (const std::invalid_argument&) {
            throw QueryFailure::execution("invalid regular expression in label_replace(): " +
                                          pattern);
        }
        for (VectorSample& sample : vector) {
            if (const auto text = regex->replace(sample.labels.get(source), replacement))
                sample.labels.set(destination, *text);
        }
        refuse_duplicates(vector);
        return vector;
    }

    PromqlValue value_of(const Aggregation& aggregation, Milliseconds time) {
        return detail::aggregate(aggregation, value_as<InstantVector>(aggregation.inner, time),
                                 time);
    }

    PromqlValue value_of(const Binary& binary, Milliseconds time) {
        const PromqlValue left = value(*binary.left, time);
        const PromqlValue right = value(*binary.right, time);
        PromqlValue result = detail::combine(binary.operation, left, right);
        if (auto* vector = std::get_if<InstantVector>(&result))
            refuse_duplicates(*vector);
        return result;
    }

    PromqlValue value_of(const Negation& negation, Milliseconds time) {
        PromqlValue result = value(*negation.inner, time);
        if (auto* number = std::get_if<double>(&result))
            return -*number;
        auto& vector = std::get<InstantVector>(result);
        for (VectorSample& sample : vector) {
            sample.labels = sample.labels.without_metric_name();
            sample.value = -sample.value;
        }
        refuse_duplicates(vector);
        return result;
    }

    /// The matching series; found once per query, because a subquery asks again at every step.
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

    static SeriesStore::Samples::const_iterator first_after(const SeriesStore::Samples& samples,
                                                            Milliseconds time) {
        return std::upper_bound(
            samples.begin(), samples.end(), time,
            [](Milliseconds wanted, const Sample& sample) { return wanted < sample.time; });
    }

    void count_samples(std::size_t count) {
        samples_read_ += count;
        if (samples_read_ > max_samples_)
            throw QueryFailure::execution(
                "query processing would load too many samples into memory in query execution");
    }

    static void refuse_duplicates(const InstantVector& vector) {
        if (detail::has_duplicates(vector))
            throw QueryFailure::execution("vector cannot contain metrics with the same labelset");
    }

    const SeriesStore& store_;
    std::size_t max_samples_;
    std::size_t samples_read_ = 0;
    std::unordered_map<const VectorSelector*, Selection> selected_;
};

} // namespace wva_metrics::testing
