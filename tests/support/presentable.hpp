// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::test_support {

/// What nobody wants to see in a terminal: 2 MB, with an escape sequence, line breaks, a control
/// character of U+0080 to U+009F, and one that turns the direction of writing. All of it is UTF-8.
inline std::string hostile_text() {
    constexpr std::size_t bytes = 2'000'000;
    std::string text;
    while (text.size() < bytes)
        text += "x\x1b[2J\r\n\u0085\u202e\u2066y";
    return text;
}

/// The same for a place that takes no control characters below U+0080.
inline std::string hostile_line() {
    constexpr std::size_t bytes = 2'000'000;
    std::string text;
    while (text.size() < bytes)
        text += "x\u0085\u202e\u2066y";
    return text;
}

/// Whether people can be shown this text: it is bounded, UTF-8, and has nothing invisible.
inline bool is_presentable(std::string_view text,
                           std::size_t max_bytes = Error::max_message_bytes + 1000) {
    if (text.size() > max_bytes || wva_metrics::detail::find_invalid_utf8(text))
        return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (wva_metrics::detail::invisible_control(text.substr(i)) != 0)
            return false;
    return true;
}

} // namespace wva_metrics::test_support
