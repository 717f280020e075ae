// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace wva_metrics::detail {

/// The offset of the first invalid byte; nothing if the text is valid UTF-8.
///
/// Overlong forms, surrogates, code points above U+10FFFF and truncated sequences are invalid, as
/// in Prometheus (RFC 3629). The offset of an invalid sequence is that of its first byte.
constexpr std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    std::size_t at = 0;
    while (at < text.size()) {
        const unsigned lead = byte(at);
        if (lead < 0x80) {
            ++at;
            continue;
        }
        // The range of the second byte excludes overlong forms, surrogates and code points above
        // U+10FFFF.
        std::size_t length = 0;
        unsigned second_low = 0x80;
        unsigned second_high = 0xBF;
        if (lead >= 0xC2 && lead <= 0xDF) {
            length = 2;
        } else if (lead >= 0xE0 && lead <= 0xEF) {
            length = 3;
            if (lead == 0xE0)
                second_low = 0xA0;
            else if (lead == 0xED)
                second_high = 0x9F;
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            length = 4;
            if (lead == 0xF0)
                second_low = 0x90;
            else if (lead == 0xF4)
                second_high = 0x8F;
        }
        if (length == 0 || text.size() - at < length)
            return at;
        if (byte(at + 1) < second_low || byte(at + 1) > second_high)
            return at;
        for (std::size_t i = 2; i < length; ++i) {
            if ((byte(at + i) & 0xC0U) != 0x80)
                return at;
        }
        at += length;
    }
    return std::nullopt;
}

/// True if the text is valid UTF-8, without overlong forms and surrogates.
constexpr bool is_valid_utf8(std::string_view text) noexcept {
    return !find_invalid_utf8(text);
}

} // namespace wva_metrics::detail
