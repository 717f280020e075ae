// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/characters.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// Takes the next word from the beginning of a text, and the blanks around it.
inline std::string_view take_word(std::string_view& text) noexcept {
    std::size_t first = 0;
    while (first < text.size() && is_blank(text[first]))
        ++first;
    std::size_t last = first;
    while (last < text.size() && !is_blank(text[last]))
        ++last;
    const std::string_view word = text.substr(first, last - first);
    while (last < text.size() && is_blank(text[last]))
        ++last;
    text.remove_prefix(last);
    return word;
}

/// Takes the name of a family from the beginning of a text: a word, or a text in double quotes,
/// whose escapes are removed in `unescaped`. Empty if there is none.
inline std::string_view take_family(std::string_view& text, std::string& unescaped) {
    if (!text.starts_with('"'))
        return take_word(text);
    unescaped.clear();
    std::size_t at = 1;
    for (; at < text.size() && text[at] != '"'; ++at) {
        const bool is_escape = text[at] == '\\' && at + 1 < text.size();
        if (is_escape)
            ++at;
        unescaped += is_escape && text[at] == 'n' ? '\n' : text[at];
    }
    if (at >= text.size())
        return {};
    text.remove_prefix(at + 1);
    return unescaped;
}

} // namespace wva_metrics::exposition::detail
