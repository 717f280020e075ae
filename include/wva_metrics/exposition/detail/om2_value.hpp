// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/composite_value.hpp"
#include "wva_metrics/exposition/detail/metric_value.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// True if the fields of a composite value are those of its type in their order: `count,sum,bucket`.
inline bool is_om2_order(std::string_view fields, FamilyType type) noexcept {
    const auto take = [&](std::string_view part) {
        if (!fields.starts_with(part))
            return false;
        fields.remove_prefix(part.size());
        return true;
    };
    if (type == FamilyType::summary)
        return fields == "count,sum,quantile";
    if (!take(type == FamilyType::gauge_histogram ? "gcount,gsum" : "count,sum"))
        return false;
    const bool is_native = take(",schema,zero_threshold,zero_count");
    if (is_native) {
        take(",negative_spans,negative_buckets");
        take(",positive_spans,positive_buckets");
    }
    return (take(",bucket") || is_native) && fields.empty();
}

/// The names of the fields of a composite value, with commas between them.
inline std::string om2_fields(std::string_view text) {
    std::string fields;
    std::size_t depth = 0;
    std::size_t first = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '[')
            ++depth;
        else if (text[i] == ']' && depth > 0)
            --depth;
        else if (depth == 0 && (text[i] == '{' || text[i] == ','))
            first = i + 1;
        else if (depth == 0 && text[i] == ':')
            fields.append(fields.empty() ? "" : ",").append(text.substr(first, i - first));
    }
    return fields;
}

namespace om2 {

inline const char* problem_of_buckets(const MetricValue& value, bool is_gauge) {
    double before = -std::numeric_limits<double>::infinity();
    double bound = before;
    bool is_first = true;
    for (const MetricValue::Part& part : value.parts) {
        if (std::isnan(part.key) || (!is_first && part.key <= bound))
            return "the bounds of the buckets do not ascend";
        if (!is_gauge && (part.value < 0 || part.value < before))
            return "the count of a bucket is negative, or lower than that of the bucket before";
        is_first = false;
        bound = part.key;
        before = part.value;
    }
    if (value.parts.empty() || bound != std::numeric_limits<double>::infinity())
        return "the last bucket is not that of +Inf";
    if (before != value.value && !(std::isnan(before) && std::isnan(value.value)))
        return "the count is not that of the bucket +Inf";
    return nullptr;
}

inline const char* problem_of_native(const MetricValue& value, bool is_gauge) {
    if (value.native.has_custom_bounds())
        return "the schema is not from -4 to 8";
    if (const auto problem = find_problem(value.native, is_gauge))
        return problem->data();
    for (const NativeBuckets* buckets : {&value.native.positive, &value.native.negative})
        for (const NativeSpan& span : buckets->spans)
            if (span.length == 0)
                return "a span has no bucket";
    double in_buckets = value.native.zero_count;
    for (const NativeBuckets* buckets : {&value.native.positive, &value.native.negative})
        for (const double count : buckets->counts)
            in_buckets += count;
    const bool is_less = in_buckets < value.value;
    // What is in no bucket is NaN, and so is the sum then.
    if (in_buckets != value.value && !is_gauge && !(is_less && std::isnan(value.sum)))
        return "the count is not the sum of the native buckets";
    return nullptr;
}

inline const char* problem_of_summary(const MetricValue& value) {
    if (!(value.value >= 0) || value.value != std::floor(value.value))
        return "the count of a summary is negative or no whole number";
    if (!(value.sum >= 0))
        return "the sum of a summary is negative or no number";
    double before = -1;
    for (const MetricValue::Part& part : value.parts) {
        if (!(part.key >= 0 && part.key <= 1))
            return "a quantile is not from 0 to 1";
        if (part.key <= before)
            return "the quantiles do not ascend";
        if (part.value < 0)
            return "the value of a quantile is negative";
        before = part.key;
    }
    return nullptr;
}

} // namespace om2

/// Which rule for the values of a composite value is broken; null if none is.
inline const char* om2_problem_of(const MetricValue& value, FamilyType type,
                                  std::string_view fields) {
    if (type == FamilyType::summary)
        return om2::problem_of_summary(value);
    const bool is_gauge = type == FamilyType::gauge_histogram;
    if (!is_gauge && !(value.value >= 0))
        return "the count of a histogram is negative or no number";
    if (fields.find("schema") != std::string_view::npos)
        if (const char* const problem = om2::problem_of_native(value, is_gauge))
            return problem;
    return fields.ends_with("bucket") ? om2::problem_of_buckets(value, is_gauge) : nullptr;
}

} // namespace wva_metrics::exposition::detail
