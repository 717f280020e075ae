// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/promql/quote.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace wva_metrics::promql::detail {

/// Bytes of a value as one alternative of a regular expression, including the `|` after it.
inline std::size_t alternative_bytes(std::string_view value) {
    std::string expression;
    append_regex_escaped(expression, value);
    std::string literal;
    append_escaped(literal, expression);
    return literal.size() + 1;
}

/// An upper bound on the text of several queries, given the bytes of the values they select.
class TextSize {
public:
    /// `labels`: the labels in the queries' selectors. `more`: bytes of other matchers in each.
    explicit TextSize(std::initializer_list<std::string_view> labels, std::size_t more = 0)
        : frame_(std::string_view("{}").size() + more) {
        for (const std::string_view label : labels)
            frame_ += label.size() + std::string_view("=~\"\",").size();
    }
    /// Of queries with one selector, which have at most `other` bytes without the values.
    explicit TextSize(std::size_t other) : selectors_(1), other_(other) {}

    /// Includes the query that `write` makes from a selector. It is written to be measured, so that
    /// the estimate cannot drift from the generated text.
    template <typename Write>
    void include(const Write& write) {
        const std::size_t without = write(std::string()).size();
        other_ = std::max(other_, without);
        selectors_ = std::max(selectors_, write(std::string(1, '{')).size() - without);
    }

    std::size_t with(std::size_t value_bytes) const noexcept {
        return other_ + selectors_ * (frame_ + value_bytes);
    }

private:
    std::size_t selectors_ = 0;
    std::size_t frame_ = 0;
    std::size_t other_ = 0;
};

} // namespace wva_metrics::promql::detail
