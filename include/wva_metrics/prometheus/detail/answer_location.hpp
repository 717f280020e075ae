// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/answer_cursor.hpp"

#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

// Words for the place in an answer, for messages.

/// The current series, e.g. `data.result[3]`.
inline std::string current_series(const AnswerCursor& at) {
    const std::size_t count = at.series_count();
    return "data.result[" + std::to_string(count > 0 ? count - 1 : 0) + "]";
}

/// The next value, e.g. `data.result[3].value[1]`.
inline std::string next_value(const AnswerCursor& at) {
    std::string member(name_of(at.member()));
    const std::string element = "[" + std::to_string(at.pair_size()) + "]";
    switch (at.place()) {
    case Place::document:
        return "the answer";
    case Place::envelope:
        return member;
    case Place::notes:
        return "an element of " + member;
    case Place::data:
        return "data." + member;
    case Place::result:
        return "data.result" + (at.shape() == Shape::pair
                                    ? element
                                    : "[" + std::to_string(at.series_count()) + "]");
    case Place::series:
        return current_series(at) + "." + member;
    case Place::labels:
        return "a label of " + current_series(at);
    case Place::instant_pair:
        return current_series(at) + ".value" + element;
    case Place::range_pairs:
        return "an element of " + current_series(at) + ".values";
    case Place::range_pair:
        return current_series(at) + ".values[...]" + element;
    case Place::instant_histogram:
        return current_series(at) + ".histogram" + element;
    case Place::range_histograms:
        return "an element of " + current_series(at) + ".histograms";
    case Place::range_histogram:
        return current_series(at) + ".histograms[...]" + element;
    case Place::histogram_body:
        return "the " + member + " of a histogram of " + current_series(at);
    case Place::buckets:
        return "a bucket of a histogram of " + current_series(at);
    case Place::bucket:
        return element + " of a bucket of a histogram of " + current_series(at);
    }
    return "the answer";
}

/// The type that the value of a member must have.
inline std::string_view expected_type(Member member) noexcept {
    switch (member) {
    case Member::data:
    case Member::metric:
        return "an object";
    case Member::warnings:
    case Member::infos:
    case Member::result:
    case Member::value:
    case Member::values:
    case Member::histogram:
    case Member::histograms:
    case Member::buckets:
        return "an array";
    case Member::is_partial:
        return "true or false";
    default:
        return "a string";
    }
}

/// What the next value must be.
inline std::string_view expected(const AnswerCursor& at) noexcept {
    switch (at.place()) {
    case Place::document:
        return "an object";
    case Place::notes:
    case Place::labels:
        return "a string";
    case Place::range_pairs:
    case Place::range_histograms:
    case Place::buckets:
        return "an array";
    case Place::bucket:
        return at.pair_size() == 0 ? "a number from 0 to 3" : "a quoted number";
    case Place::envelope:
    case Place::data:
    case Place::series:
    case Place::histogram_body:
        return expected_type(at.member());
    case Place::result:
        if (at.shape() != Shape::pair)
            return "an object";
        break;
    case Place::instant_pair:
    case Place::range_pair:
    case Place::instant_histogram:
    case Place::range_histogram:
        break;
    }
    if (at.is_pair_complete())
        return "the end of the array";
    if (at.pair_size() == 0)
        return "a time";
    return at.is_in_histogram() ? "an object" : "a quoted number";
}

} // namespace wva_metrics::prometheus::detail
