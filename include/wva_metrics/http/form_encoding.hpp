// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http {

/// Names and values, in the order in which they are sent.
using FormFields = std::vector<std::pair<std::string, std::string>>;

/// Appends bytes in the encoding of `application/x-www-form-urlencoded`, as Go does: letters,
/// digits, hyphen, underscore, dot and tilde are unchanged, a space becomes `+`, and all other
/// bytes are percent-encoded. The result is safe in a body, a URL and a header.
inline void append_form_encoded(std::string& out, std::string_view bytes) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : bytes) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                              c == '~';
        if (is_plain) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 0xFU];
        }
    }
}

/// `name=value&name=value`, in the order given.
inline std::string form_encode(const FormFields& fields) {
    std::size_t size = 0;
    for (const auto& [name, value] : fields)
        size += name.size() + value.size() + value.size() / 2 + 2;
    std::string out;
    out.reserve(size);
    for (const auto& [name, value] : fields) {
        if (!out.empty())
            out += '&';
        append_form_encoded(out, name);
        out += '=';
        append_form_encoded(out, value);
    }
    return out;
}

/// The bytes of a text with percent escapes, as in a URL: `+` stays. Nothing if an escape is
/// incomplete or wrong.
inline std::optional<std::string> decode_percent(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        unsigned byte = 0;
        const char* const begin = text.data() + i + 1;
        if (i + 2 >= text.size() || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2)
            return std::nullopt;
        decoded += static_cast<char>(static_cast<unsigned char>(byte));
        i += 2;
    }
    return decoded;
}

} // namespace wva_metrics::http
