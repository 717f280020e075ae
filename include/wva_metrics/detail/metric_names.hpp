// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace wva_metrics::detail {

// ASCII only. <cctype> is not used because it depends on the locale of the process.
constexpr bool is_name_start(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_name_rest(char c) noexcept {
    return is_name_start(c) || (c >= '0' && c <= '9');
}

constexpr bool equals_ignoring_case(std::string_view text, std::string_view lower_case) noexcept {
    return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                      [](char a, char b) {
                          return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
                      });
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
constexpr bool is_label_name(std::string_view name) noexcept {
    return !name.empty() && is_name_start(name.front()) &&
           std::all_of(name.begin(), name.end(), is_name_rest);
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
constexpr bool is_metric_name(std::string_view name) noexcept {
    const auto rest = [](char c) { return c == ':' || is_name_rest(c); };
    return !name.empty() && (name.front() == ':' || is_name_start(name.front())) &&
           std::all_of(name.begin(), name.end(), rest);
}

/// True if PromQL parses this metric name as a keyword at the start of a selector, so that the
/// query is invalid. In any case of letters; determined by sending each keyword to Prometheus 2.42.
constexpr bool is_reserved_as_metric(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 8> words = {
        "atan2", "bool", "group_left", "group_right", "ignoring", "inf", "nan", "on"};
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return equals_ignoring_case(name, word); });
}

/// True if PromQL parses this label name as a keyword inside `by (...)`.
constexpr bool is_reserved_as_label(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 3> words = {"inf", "nan", "without"};
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return equals_ignoring_case(name, word); });
}

} // namespace wva_metrics::detail
