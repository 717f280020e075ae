// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <string_view>

namespace wva_metrics::samples::detail {

/// Numbers by their size, before all other texts.
inline std::strong_ordering compare_ranks(std::string_view one, std::string_view other) {
    const auto is_number = [](std::string_view text) {
        return !text.empty() &&
               std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    };
    if (is_number(one) != is_number(other))
        return is_number(one) ? std::strong_ordering::less : std::strong_ordering::greater;
    if (is_number(one)) {
        const auto digits = [](std::string_view text) {
            return text.substr(std::min(text.find_first_not_of('0'), text.size()));
        };
        if (const auto order = digits(one).size() <=> digits(other).size(); order != 0)
            return order;
    }
    return one.compare(other) <=> 0;
}

/// Which of two copies is the first: the one with the lowest ranks. Of two numbers of processes the
/// higher one is first, because it is younger: a page may still have what a process left.
inline std::strong_ordering compare_copies(const Labels& one, const Labels& other) {
    for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
        if (const auto order = one[i].first <=> other[i].first; order != 0)
            return order;
        if (const auto order = compare_ranks(one[i].second, other[i].second); order != 0)
            return one[i].first == "pid" ? 0 <=> order : order;
    }
    return one.size() <=> other.size();
}

} // namespace wva_metrics::samples::detail
