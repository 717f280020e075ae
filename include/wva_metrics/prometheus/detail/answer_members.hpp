// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/text.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// The innermost object or array of an answer that is open.
enum class Place : std::uint8_t {
    /// None: before and after the answer.
    document,
    /// `{"status":"success","data":...}`
    envelope,
    /// `["..."]` of `warnings` or `infos`.
    notes,
    /// `{"resultType":"vector","result":...}`
    data,
    /// The array `result`: of series, or itself a `[time, value]` pair.
    result,
    /// `{"metric":...,"value":...}`
    series,
    /// `{"pod":"..."}` of `metric`.
    labels,
    /// The `[time, value]` pair of `value`, e.g. `[1700000000,"0.5"]`.
    instant_pair,
    /// The array `values`.
    range_pairs,
    /// A `[time, value]` pair in `values`.
    range_pair,
    /// The `[time, {...}]` pair of `histogram`.
    instant_histogram,
    /// The array `histograms`.
    range_histograms,
    /// A `[time, {...}]` pair in `histograms`.
    range_histogram,
    /// `{"count":"...","sum":"...","buckets":[...]}` in such a pair.
    histogram_body,
    /// The array `buckets`.
    buckets,
    /// `[3,"-0.001","0.001","5"]` in it: which bounds are part of the bucket, its bounds, its count.
    bucket
};

/// A member of `envelope`, `data`, `series` or `histogram_body`.
enum class Member : std::uint8_t {
    /// Not part of the API: its value is skipped.
    other,
    status,
    data,
    error_type,
    error,
    warnings,
    infos,
    is_partial,
    result_type,
    result,
    metric,
    value,
    values,
    histogram,
    histograms,
    count,
    sum,
    buckets,
};

/// Some members, one bit each.
using MemberSet = std::uint32_t;

constexpr MemberSet set_of(Member member) noexcept {
    return MemberSet{1} << static_cast<unsigned>(member);
}

/// The members of a series that hold its value, in the answer to an instant query.
inline constexpr MemberSet instant_members = set_of(Member::value) | set_of(Member::histogram);
/// The same in a matrix.
inline constexpr MemberSet range_members = set_of(Member::values) | set_of(Member::histograms);

/// What the array `result` is: an array of series, or a `[time, value]` pair (scalars and strings).
enum class Shape : std::uint8_t { unknown, series, pair };

struct MemberName {
    Place place;
    std::string_view name;
    Member member;
};

/// Frequent members first. `isPartial` is an extension of VictoriaMetrics.
inline constexpr std::array<MemberName, 18> member_names{{
    {Place::series, "metric", Member::metric},
    {Place::series, "value", Member::value},
    {Place::series, "values", Member::values},
    {Place::series, "histogram", Member::histogram},
    {Place::series, "histograms", Member::histograms},
    {Place::histogram_body, "count", Member::count},
    {Place::histogram_body, "sum", Member::sum},
    {Place::histogram_body, "buckets", Member::buckets},
    {Place::data, "resultType", Member::result_type},
    {Place::data, "result", Member::result},
    {Place::data, "isPartial", Member::is_partial},
    {Place::envelope, "status", Member::status},
    {Place::envelope, "data", Member::data},
    {Place::envelope, "errorType", Member::error_type},
    {Place::envelope, "error", Member::error},
    {Place::envelope, "warnings", Member::warnings},
    {Place::envelope, "infos", Member::infos},
    {Place::envelope, "isPartial", Member::is_partial},
}};

inline Member find_member(Place place, std::string_view name) noexcept {
    for (const MemberName& known : member_names) {
        if (known.place == place && is_same_name(known.name, name))
            return known.member;
    }
    return Member::other;
}

/// The member's name in the answer, for messages.
inline std::string_view name_of(Member member) noexcept {
    for (const MemberName& known : member_names) {
        if (known.member == member)
            return known.name;
    }
    return "a member";
}

} // namespace wva_metrics::prometheus::detail
