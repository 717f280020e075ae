// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <cstddef>
#include <string>

namespace wva_metrics::exposition {

/// What is wrong with a page of text, and where.
struct PageProblem {
    std::size_t line = 1;   ///< From 1.
    std::size_t column = 1; ///< In bytes, from 1.
    /// What was expected, or which rule is broken. Foreign text in it is made harmless by `as_error`.
    std::string message{};

    /// The same as an error: `line 3, column 7: expected ...`.
    Error as_error(Errc code = Errc::bad_response) const {
        return {code, "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
                          message};
    }

    friend bool operator==(const PageProblem&, const PageProblem&) = default;
};

} // namespace wva_metrics::exposition
