// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/sample_role.hpp"
#include "wva_metrics/exposition/detail/strict_number.hpp"
#include "wva_metrics/exposition/detail/strict_sample.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/text_format.hpp"

#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition::detail {

/// The samples of one metric at one time, and the rules that hold among them.
class MetricPoint {
public:
    MetricPoint(FamilyType type, TextFormat format)
        : type_(type), is_open_metrics_(format == TextFormat::open_metrics_1_0) {}

    /// The line of its last sample.
    std::size_t line = 0;
    std::optional<long double> timestamp{};

    /// Adds a sample of the family. Returns what is wrong with it.
    std::optional<LineProblem> add(SampleRole role, const StrictSample& sample,
                                   std::string_view family) {
        if (sample.exemplar && role != SampleRole::total && role != SampleRole::bucket)
            return LineProblem{sample.exemplar->column,
                               "only the total of a counter and buckets may have an exemplar"};
        if (const StrictLabel* reserved = sample.find_label(reserved_label());
            reserved != nullptr && role != SampleRole::bucket && role != SampleRole::value)
            return LineProblem{reserved->column,
                               "the label " + reserved->name + " is reserved for this type"};
        switch (role) {
        case SampleRole::bucket:
            return add_bucket(sample);
        case SampleRole::value:
            return add_value(sample, family);
        case SampleRole::created:
            if (!std::isfinite(sample.value))
                return at_value(sample, "the time of creation is no time");
            return add_once(has_created_, sample);
        case SampleRole::total:
            return add_count_like(has_total_, total_, sample, false);
        case SampleRole::count:
            return add_count_like(has_count_, count_, sample, true);
        case SampleRole::sum:
            if (type_ == FamilyType::gauge_histogram && std::isnan(sample.value))
                return at_value(sample, "a sum must not be NaN");
            return type_ == FamilyType::gauge_histogram
                       ? remember(has_sum_, sum_, sample)
                       : add_count_like(has_sum_, sum_, sample, false);
        }
        return std::nullopt;
    }

    /// What is missing at its end, or contradicts itself; null if nothing is.
    const char* missing() const noexcept {
        const bool is_gauge = type_ == FamilyType::gauge_histogram;
        if (type_ == FamilyType::counter && is_open_metrics_ && !has_total_)
            return "the counter has no sample _total";
        if (type_ != FamilyType::histogram && !is_gauge)
            return nullptr;
        if (!last_le_)
            return "the histogram has no bucket";
        if (!std::isinf(*last_le_) || *last_le_ < 0)
            return "the histogram has no bucket le=\"+Inf\"";
        if (has_count_ && count_ != last_bucket_)
            return "the count is not that of the bucket le=\"+Inf\"";
        if (!is_open_metrics_)
            return nullptr;
        if (has_sum_ && !has_count_)
            return is_gauge ? "_gsum without _gcount" : "_sum without _count";
        if (has_count_ && !has_sum_)
            return is_gauge ? "_gcount without _gsum" : "_count without _sum";
        if (has_sum_ && has_negative_ && !is_gauge)
            return "a histogram with negative buckets must not have a sum";
        if (has_sum_ && sum_ < 0 && !has_negative_)
            return "the sum is negative, but no bucket is";
        return nullptr;
    }

private:
    using Problem = std::optional<LineProblem>;

    static Problem at_value(const StrictSample& sample, const char* message) {
        return LineProblem{sample.value_column, message};
    }
    static Problem twice() { return LineProblem{1, "the sample is there already"}; }

    /// The label that tells the samples of a metric apart, which a metric itself must not have.
    std::string_view reserved_label() const noexcept {
        switch (type_) {
        case FamilyType::histogram:
        case FamilyType::gauge_histogram:
            return "le";
        case FamilyType::summary:
            return "quantile";
        default:
            return {};
        }
    }

    Problem add_once(bool& has, const StrictSample&) {
        return std::exchange(has, true) ? twice() : std::nullopt;
    }
    Problem remember(bool& has, double& place, const StrictSample& sample) {
        place = sample.value;
        return add_once(has, sample);
    }
    /// A value that only grows from 0.
    Problem add_count_like(bool& has, double& place, const StrictSample& sample, bool is_integer) {
        if (is_open_metrics_) {
            if (std::isnan(sample.value))
                return at_value(sample, "the value must not be NaN");
            if (sample.value < 0)
                return at_value(sample, "the value must not be negative");
            if (is_integer && std::trunc(sample.value) != sample.value)
                return at_value(sample, "the count must be a whole number");
            if (is_integer && std::isinf(sample.value))
                return at_value(sample, "the count must be finite");
        }
        return remember(has, place, sample);
    }

    Problem add_bucket(const StrictSample& sample) {
        const StrictLabel* le = sample.find_label("le");
        if (le == nullptr)
            return LineProblem{1, "the bucket has no label le"};
        const std::optional<double> bound = parse_strict_number(le->value);
        if (!bound || std::isnan(*bound))
            return LineProblem{le->column, "the label le is not a number"};
        if (is_open_metrics_ && std::isinf(*bound) && le->value != "+Inf" && le->value != "-Inf")
            return LineProblem{le->column, "infinity must be written +Inf"};
        if (last_le_ && *bound == *last_le_)
            return LineProblem{le->column, "the bucket is there already"};
        if (last_le_ && *bound < *last_le_)
            return LineProblem{le->column, "buckets must be in ascending order of le"};
        double count = 0;
        bool has = false;
        if (Problem problem = add_count_like(has, count, sample, true))
            return problem;
        if (is_open_metrics_ && last_le_ && count < last_bucket_)
            return at_value(sample, "buckets must be cumulative: the one before has more");
        last_le_ = bound;
        last_bucket_ = count;
        has_negative_ = has_negative_ || *bound < 0;
        if (sample.exemplar && !(sample.exemplar->value <= *bound))
            return LineProblem{sample.exemplar->column, "the exemplar is not within the bucket"};
        return std::nullopt;
    }

    Problem add_value(const StrictSample& sample, std::string_view family) {
        if (type_ == FamilyType::summary)
            return add_quantile(sample);
        if (type_ == FamilyType::info && sample.value != 1)
            return at_value(sample, "the value of an info must be 1");
        if (type_ != FamilyType::state_set)
            return add_once(has_total_, sample);
        const StrictLabel* state = sample.find_label(family);
        if (state == nullptr)
            return LineProblem{1, "the state has no label with the name of its family"};
        if (sample.value != 0 && sample.value != 1)
            return at_value(sample, "the value of a state must be 0 or 1");
        return states_.insert(state->value).second ? std::nullopt : twice();
    }
    Problem add_quantile(const StrictSample& sample) {
        const StrictLabel* label = sample.find_label("quantile");
        if (label == nullptr)
            return LineProblem{1, "the sample of a summary has no label quantile"};
        const std::optional<double> quantile = parse_strict_number(label->value);
        if (is_open_metrics_ && !(quantile && *quantile >= 0 && *quantile <= 1))
            return LineProblem{label->column, "the label quantile is not a number from 0 to 1"};
        // Prometheus' text does not limit it, and some servers write 99 for 0.99.
        if (!quantile || std::isnan(*quantile))
            return LineProblem{label->column, "the label quantile is not a number"};
        if (!is_open_metrics_ && !quantiles_.empty() && *quantile < *quantiles_.rbegin())
            return LineProblem{label->column, "quantiles must be in ascending order"};
        if (is_open_metrics_ && sample.value < 0)
            return at_value(sample, "the value of a quantile must not be negative");
        return quantiles_.insert(*quantile).second ? std::nullopt : twice();
    }

    FamilyType type_;
    bool is_open_metrics_;
    /// A counter's total, or the only value of a metric.
    bool has_total_ = false;
    bool has_created_ = false;
    bool has_count_ = false;
    bool has_sum_ = false;
    bool has_negative_ = false; ///< A bucket's bound is negative.
    double total_ = 0;
    double count_ = 0;
    double sum_ = 0;
    std::optional<double> last_le_{};
    double last_bucket_ = 0;
    std::set<double> quantiles_{};
    std::set<std::string> states_{};
};

} // namespace wva_metrics::exposition::detail
