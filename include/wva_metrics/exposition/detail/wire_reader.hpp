// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// Takes a number of variable length from the beginning of a text. Nothing if the text ends within it,
/// or if it has more than 64 bits; `at_fault` then tells which.
inline std::optional<std::uint64_t> take_varint(std::string_view& bytes,
                                                const char** at_fault = nullptr) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        if (i == 9 && byte > 1) {
            if (at_fault != nullptr)
                *at_fault = "a number has more than 64 bits";
            return std::nullopt;
        }
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
        if (byte < 0x80) {
            bytes.remove_prefix(i + 1);
            return value;
        }
    }
    if (at_fault != nullptr)
        *at_fault = "a message ends within a number";
    return std::nullopt;
}

/// A signed number from its zigzag form.
constexpr std::int64_t from_zigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
}

/// How a field of a protobuf message is written.
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// Reads the fields of one protobuf message, one after the other. Reads nothing behind its end.
class WireReader {
public:
    explicit WireReader(std::string_view message) noexcept : rest_(message) {}

    std::uint64_t number = 0;      ///< The number of the field.
    WireType type{};               ///< How it is written.
    std::uint64_t value = 0;       ///< Of a number.
    std::string_view bytes{};      ///< Of a text, a message or packed numbers.
    const char* problem = nullptr; ///< Why the message cannot be read; null if it can.

    /// Goes to the next field. False at the end of the message, and if it cannot be read.
    bool next() noexcept {
        if (rest_.empty() || problem != nullptr)
            return false;
        const std::optional<std::uint64_t> tag = take_varint(rest_, &problem);
        if (!tag)
            return false;
        number = *tag >> 3U;
        if (number == 0 || number > 0x1FFFFFFF)
            return refuse("a field has a number that no field can have");
        switch (*tag & 7U) {
        case 0:
            type = WireType::varint;
            break;
        case 1:
            type = WireType::fixed64;
            return take_fixed(8);
        case 2: {
            type = WireType::bytes;
            const std::optional<std::uint64_t> size = take_varint(rest_, &problem);
            if (!size)
                return false;
            if (*size > rest_.size())
                return refuse("a field is longer than its message");
            bytes = rest_.substr(0, static_cast<std::size_t>(*size));
            rest_.remove_prefix(bytes.size());
            return true;
        }
        case 5:
            type = WireType::fixed32;
            return take_fixed(4);
        default:
            return refuse("a field has an unknown wire type");
        }
        const std::optional<std::uint64_t> read = take_varint(rest_, &problem);
        value = read.value_or(0);
        return read.has_value();
    }
    /// The bytes that were not read.
    std::size_t remaining() const noexcept { return rest_.size(); }

    // The value of the field in its type. A field of another wire type is a problem, and gives 0.

    std::uint64_t as_unsigned() noexcept { return is(WireType::varint) ? value : 0; }
    std::int64_t as_signed() noexcept { return static_cast<std::int64_t>(as_unsigned()); }
    std::int64_t as_zigzag() noexcept { return from_zigzag(as_unsigned()); }
    double as_double() noexcept { return is(WireType::fixed64) ? std::bit_cast<double>(value) : 0; }
    std::string_view as_bytes() noexcept {
        return is(WireType::bytes) ? bytes : std::string_view();
    }

private:
    bool refuse(const char* what) noexcept {
        problem = what;
        return false;
    }
    bool is(WireType wanted) noexcept {
        return type == wanted || refuse("a field has another wire type than its message declares");
    }
    bool take_fixed(std::size_t size) noexcept {
        if (rest_.size() < size)
            return refuse("a message ends within a number");
        value = 0;
        for (std::size_t i = 0; i < size; ++i)
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
        rest_.remove_prefix(size);
        return true;
    }

    std::string_view rest_;
};

} // namespace wva_metrics::exposition::detail
