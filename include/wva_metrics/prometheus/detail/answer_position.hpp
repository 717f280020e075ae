// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// What is around the next event of an answer's JSON.
enum class Place : std::uint8_t {
    document,
    envelope,
    notes,
    data,
    result,
    series,
    metric,
    sample,
    samples,
    point
};

/// Whose value comes next, inside `envelope`, `data` and `series`.
enum class Member : std::uint8_t {
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
};

/// What a result turns out to hold: series, or a time and a value.
enum class Shape : std::uint8_t { unknown, series, pair };

struct MemberName {
    Place place;
    std::string_view name;
    Member member;
};

/// The frequent ones first. `isPartial` is what VictoriaMetrics adds.
inline constexpr std::array<MemberName, 15> member_names{{
    {Place::series, "metric", Member::metric},
    {Place::series, "value", Member::value},
    {Place::series, "values", Member::values},
    {Place::series, "histogram", Member::histogram},
    {Place::series, "histograms", Member::histograms},
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
        if (known.place == place && wva_metrics::detail::is_same_name(known.name, name))
            return known.member;
    }
    return Member::other;
}

/// Where in an answer we are, and the words for it.
struct AnswerPosition {
    Place place = Place::document;
    Member member = Member::other;
    Shape shape = Shape::unknown;
    /// Series that have begun.
    std::size_t series = 0;
    /// Elements of the current time and value that are there.
    std::size_t pair_size = 0;

    /// Is the next value of no interest, whatever it is?
    bool is_passed_over() const noexcept {
        const bool has_members =
            place == Place::envelope || place == Place::data || place == Place::series;
        return has_members && (member == Member::other || member == Member::histogram ||
                               member == Member::histograms);
    }

    /// Is the next value an element of a time and value?
    bool is_in_pair() const noexcept {
        return place == Place::sample || place == Place::point ||
               (place == Place::result && shape == Shape::pair);
    }

    /// The series we are in, e.g. `data.result[3]`.
    std::string current_series() const {
        return "data.result[" + std::to_string(series > 0 ? series - 1 : 0) + "]";
    }

    /// The next value, e.g. `data.result[3].value[1]`.
    std::string next_value() const {
        const std::string element = "[" + std::to_string(pair_size) + "]";
        switch (place) {
        case Place::document:
            return "the answer";
        case Place::envelope:
            return member_name();
        case Place::notes:
            return "an element of " + member_name_of(Place::envelope);
        case Place::data:
            return "data." + member_name();
        case Place::result:
            return "data.result" +
                   (shape == Shape::pair ? element : "[" + std::to_string(series) + "]");
        case Place::series:
            return current_series() + "." + member_name();
        case Place::metric:
            return "a label of " + current_series();
        case Place::sample:
            return current_series() + ".value" + element;
        case Place::samples:
            return "an element of " + current_series() + ".values";
        case Place::point:
            return current_series() + ".values[...]" + element;
        }
        return "the answer";
    }

    /// What the next value ought to be.
    std::string_view expected() const noexcept {
        switch (place) {
        case Place::document:
            return "an object";
        case Place::notes:
        case Place::metric:
            return "a string";
        case Place::samples:
            return "an array";
        case Place::envelope:
        case Place::data:
        case Place::series:
            switch (member) {
            case Member::data:
            case Member::metric:
                return "an object";
            case Member::warnings:
            case Member::infos:
            case Member::result:
            case Member::value:
            case Member::values:
                return "an array";
            case Member::is_partial:
                return "true or false";
            default:
                return "a string";
            }
        case Place::result:
            if (shape != Shape::pair)
                return "an object";
            break;
        case Place::sample:
        case Place::point:
            break;
        }
        return pair_size == 0   ? "a time"
               : pair_size == 1 ? "a quoted number"
                                : "the end of the array";
    }

private:
    std::string member_name() const { return member_name_of(place); }
    std::string member_name_of(Place parent) const {
        for (const MemberName& known : member_names) {
            if (known.place == parent && known.member == member)
                return std::string(known.name);
        }
        return "a member";
    }
};

} // namespace wva_metrics::prometheus::detail
