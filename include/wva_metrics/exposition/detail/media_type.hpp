// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition::detail {

/// True if the texts are equal but for the case of ASCII letters.
constexpr bool equal_in_any_case(std::string_view one, std::string_view other) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

/// A media type (RFC 9110) with the parameters that say something of a page of metrics.
struct MediaType {
    std::string_view name{}; ///< As written, e.g. `text/plain`.
    std::string version{};
    std::string proto{};
    std::string encoding{};

    bool is(std::string_view other) const noexcept { return equal_in_any_case(name, other); }
};

/// Takes a word up to one of the ends, without blanks around it.
inline std::string_view take_until(std::string_view& text, std::string_view ends) noexcept {
    const std::size_t end = std::min(text.find_first_of(ends), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    const std::size_t first = word.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    const std::size_t last = word.find_last_not_of(" \t");
    return word.substr(first, last - first + 1);
}

/// Takes the value of a parameter, which may be quoted. Nothing if it is malformed.
inline std::optional<std::string> take_parameter(std::string_view& text) {
    const std::size_t first = text.find_first_not_of(" \t");
    text.remove_prefix(std::min(first, text.size()));
    if (!text.starts_with('"')) {
        const std::string_view word = take_until(text, ";");
        if (word.empty() || word.find_first_of("\" \t") != std::string_view::npos)
            return std::nullopt;
        return std::string(word);
    }
    text.remove_prefix(1);
    std::string value;
    while (!text.empty() && text.front() != '"') {
        if (text.front() == '\\')
            text.remove_prefix(1);
        if (text.empty())
            return std::nullopt;
        value += text.front();
        text.remove_prefix(1);
    }
    if (text.empty())
        return std::nullopt;
    text.remove_prefix(1);
    if (!take_until(text, ";").empty())
        return std::nullopt;
    return value;
}

/// Reads a header `Content-Type`. Nothing if it is malformed. Of a parameter that comes twice, the
/// first counts.
inline std::optional<MediaType> parse_media_type(std::string_view header) {
    MediaType type;
    type.name = take_until(header, ";");
    const std::size_t slash = type.name.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == type.name.size() ||
        type.name.find_first_of(" \t\",=") != std::string_view::npos)
        return std::nullopt;
    while (!header.empty()) {
        header.remove_prefix(1);
        const std::string_view name = take_until(header, ";=");
        if (!header.starts_with('=')) {
            // An empty parameter, as after a last semicolon, is harmless.
            if (!name.empty())
                return std::nullopt;
            continue;
        }
        header.remove_prefix(1);
        const std::optional<std::string> value = take_parameter(header);
        if (name.empty() || !value)
            return std::nullopt;
        const std::pair<std::string_view, std::string*> known[] = {
            {"version", &type.version}, {"proto", &type.proto}, {"encoding", &type.encoding}};
        for (const auto& [known_name, target] : known)
            if (equal_in_any_case(name, known_name) && target->empty())
                *target = *value;
    }
    return type;
}

} // namespace wva_metrics::exposition::detail
