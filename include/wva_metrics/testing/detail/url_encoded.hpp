// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::testing::detail {

/// Decodes `a%20b+c` to `a b c`; empty if an escape is invalid.
inline std::optional<std::string> url_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            decoded += ' ';
        } else if (text[i] == '%') {
            unsigned byte = 0;
            const std::string_view digits = text.substr(i + 1, 2);
            const auto [end, failure] =
                std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
            if (digits.size() < 2 || end != digits.data() + 2)
                return std::nullopt;
            decoded += static_cast<char>(byte);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

/// The first value of a field in `name=value&name=value`, or empty.
inline std::optional<std::string> url_field(std::string_view fields, std::string_view name) {
    while (!fields.empty()) {
        const std::string_view field = fields.substr(0, fields.find('&'));
        const std::size_t equals = field.find('=');
        if (url_decode(field.substr(0, equals)) == name)
            return equals == std::string_view::npos ? "" : url_decode(field.substr(equals + 1));
        fields.remove_prefix(field.size() == fields.size() ? field.size() : field.size() + 1);
    }
    return std::nullopt;
}

} // namespace wva_metrics::testing::detail
