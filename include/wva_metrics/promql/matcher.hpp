// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/promql/quote.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// How a matcher compares a label's value.
enum class MatchOperator : std::uint8_t {
    equal,     ///< `=`
    not_equal, ///< `!=`
    regex,     ///< `=~`: the whole value matches a regular expression (RE2).
    not_regex, ///< `!~`
};

/// The operator as PromQL writes it.
constexpr std::string_view to_string(MatchOperator op) noexcept {
    constexpr std::array<std::string_view, 4> texts = {"=", "!=", "=~", "!~"};
    return texts[static_cast<std::size_t>(op)];
}

/// A condition on one label that a selected series must meet, such as `cluster="eu"`. A label that
/// a series does not have counts as empty.
struct Matcher {
    /// The label's name.
    std::string label{};
    /// How the value is compared.
    MatchOperator op = MatchOperator::equal;
    /// The value or the regular expression, not quoted.
    std::string value{};

    friend bool operator==(const Matcher&, const Matcher&) = default;
};

/// The matchers as PromQL writes them inside braces, e.g. `cluster="eu",tenant=~"a|b"`, in their
/// order. They must be valid.
inline std::string to_string(std::span<const Matcher> matchers) {
    std::string text;
    for (const Matcher& matcher : matchers) {
        if (!text.empty())
            text += ',';
        text += matcher.label;
        text += to_string(matcher.op);
        text += '"';
        detail::append_escaped(text, matcher.value);
        text += '"';
    }
    return text;
}

/// A label that matchers must not use, and why.
using ReservedLabel = std::pair<std::string_view, std::string_view>;

/// The problems of matchers, one sentence each; empty if they are valid. A regular expression is
/// not checked: the server does this.
inline std::vector<std::string> validate(std::span<const Matcher> matchers,
                                         std::span<const ReservedLabel> reserved = {}) {
    std::vector<std::string> problems;
    const auto check = [&](const Matcher& matcher, const std::string& label) {
        if (!wva_metrics::detail::is_label_name(matcher.label)) {
            problems.push_back(label + " is not a valid label name");
            return;
        }
        if (matcher.label == "__name__")
            problems.push_back(label + " cannot be matched, because engine selects the metrics");
        for (const auto& [name, reason] : reserved)
            if (matcher.label == name)
                problems.push_back(label + " cannot be matched: " + std::string(reason));
        if (const auto at = detail::find_invalid_utf8(matcher.value))
            problems.push_back("the value of " + label + ": " +
                               detail::invalid_utf8_error(matcher.value, *at).message);
    };
    constexpr std::size_t longest = 100;
    for (const Matcher& matcher : matchers)
        check(matcher, '"' + wva_metrics::detail::clean_text(matcher.label, longest) + '"');
    return problems;
}

} // namespace wva_metrics::promql
