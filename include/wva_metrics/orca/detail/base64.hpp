// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::orca::detail {

/// The six bits of a character of base64; negative if it is none.
constexpr int base64_bits(char c) noexcept {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// The bytes of a text in base64, with or without padding, as gRPC allows; empty if it is none, or if
/// bits are left over that are not zero.
inline std::optional<std::string> decode_base64(std::string_view text) {
    const std::size_t size = text.size();
    if (size % 4 == 0 && text.ends_with('='))
        text.remove_suffix(text.ends_with("==") ? 2 : 1);
    if (text.size() % 4 == 1)
        return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const int six = base64_bits(c);
        if (six < 0)
            return std::nullopt;
        group = group << 6U | static_cast<std::uint32_t>(six);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(group >> bits & 0xFFU);
            group &= (1U << bits) - 1U;
        }
    }
    return group == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

} // namespace wva_metrics::orca::detail
