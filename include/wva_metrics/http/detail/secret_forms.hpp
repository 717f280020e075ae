// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/http/form_encoding.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::http::detail {

/// Percent-encoded, with a space as `%20`.
inline std::string percent_encode(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        if (c == ' ')
            encoded += "%20";
        else
            append_form_encoded(encoded, std::string_view(&c, 1));
    }
    return encoded;
}

/// The same with lower-case digits in its escapes.
inline std::string lower_escapes(std::string text) {
    for (std::size_t i = 0; i + 2 < text.size(); ++i) {
        if (text[i] == '%') {
            text[i + 1] = to_lower(text[i + 1]);
            text[i + 2] = to_lower(text[i + 2]);
        }
    }
    return text;
}

inline std::string escape_json(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '"' || c == '\\')
            escaped += '\\';
        escaped += c;
    }
    return escaped;
}

/// What base64 makes of the text if `before` bytes (0 to 2) of a group precede it: the characters
/// that do not depend on the bytes before and after.
inline std::string encode_base64_within(std::string_view text, std::size_t before) {
    std::string encoded = encode_base64(std::string(before, '\0').append(text));
    encoded.resize((before + text.size()) * 8 / 6);
    return encoded.substr(before == 0 ? 0 : before + 1);
}

/// The ways in which a server may write a secret: as it is, percent-encoded, in JSON, and in base64.
inline std::vector<std::string> secret_forms(std::string_view secret) {
    std::string form_encoded;
    append_form_encoded(form_encoded, secret);
    std::vector<std::string> forms{std::string(secret),    escape_json(secret),
                                   form_encoded,           lower_escapes(form_encoded),
                                   percent_encode(secret), lower_escapes(percent_encode(secret))};
    for (std::size_t before = 0; before < 3; ++before) {
        std::string encoded = encode_base64_within(secret, before);
        forms.push_back(encoded);
        // The alphabet for URLs.
        std::replace(encoded.begin(), encoded.end(), '+', '-');
        std::replace(encoded.begin(), encoded.end(), '/', '_');
        forms.push_back(std::move(encoded));
    }
    return forms;
}

} // namespace wva_metrics::http::detail
