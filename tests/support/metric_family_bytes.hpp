// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Writes delimited messages `io.prometheus.client.MetricFamily`, valid or not, field by field.
namespace wva_metrics::test_support::family_bytes {

inline std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7U)
        out += static_cast<char>(0x80U | (value & 0x7FU));
    out += static_cast<char>(value);
    return out;
}
inline std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::string fixed64(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    std::string out;
    for (unsigned i = 0; i < 8; ++i)
        out += static_cast<char>((bits >> (8 * i)) & 0xFFU);
    return out;
}

/// A field with an unsigned number.
inline std::string number(unsigned field, std::uint64_t value) {
    return varint(field << 3U) + varint(value);
}
inline std::string signed_number(unsigned field, std::int64_t value) {
    return number(field, zigzag(value));
}
inline std::string real(unsigned field, double value) {
    return varint((field << 3U) | 1U) + fixed64(value);
}
/// A field with a text, a message or packed numbers.
inline std::string text(unsigned field, std::string_view bytes) {
    return varint((field << 3U) | 2U) + varint(bytes.size()) + std::string(bytes);
}

using Labels = std::vector<std::pair<std::string, std::string>>;

/// The labels of a metric.
inline std::string labels(const Labels& all) {
    std::string out;
    for (const auto& [name, value] : all)
        out += text(1, text(1, name) + text(2, value));
    return out;
}
inline std::string timestamp(std::int64_t seconds, std::int64_t nanoseconds) {
    return number(1, static_cast<std::uint64_t>(seconds)) +
           number(2, static_cast<std::uint64_t>(nanoseconds));
}
inline std::string span(std::int64_t offset, std::uint64_t length) {
    return signed_number(1, offset) + number(2, length);
}
inline std::string packed_deltas(const std::vector<std::int64_t>& deltas) {
    std::string out;
    for (const std::int64_t delta : deltas)
        out += varint(zigzag(delta));
    return out;
}
inline std::string packed_counts(const std::vector<double>& counts) {
    std::string out;
    for (const double count : counts)
        out += fixed64(count);
    return out;
}
inline std::string bucket(double bound, std::uint64_t count) {
    return number(1, count) + real(2, bound);
}

inline constexpr unsigned counter_type = 0;
inline constexpr unsigned gauge_type = 1;
inline constexpr unsigned summary_type = 2;
inline constexpr unsigned untyped_type = 3;
inline constexpr unsigned histogram_type = 4;
inline constexpr unsigned gauge_histogram_type = 5;

/// A family without its size. Each metric is a message.
inline std::string family_message(std::string_view name, unsigned type,
                                  const std::vector<std::string>& metrics) {
    std::string out = text(1, name) + text(2, "What it is.") + number(3, type);
    for (const std::string& metric : metrics)
        out += text(4, metric);
    return out;
}
inline std::string delimited(std::string_view message) {
    return varint(message.size()) + std::string(message);
}
inline std::string family(std::string_view name, unsigned type,
                          const std::vector<std::string>& metrics) {
    return delimited(family_message(name, type, metrics));
}

} // namespace wva_metrics::test_support::family_bytes
