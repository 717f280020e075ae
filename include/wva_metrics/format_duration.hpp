// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

namespace wva_metrics {

/// A duration in the format of Go, exact to the nanosecond: `5m0s`, `1.5s`, `250ms`, `0s`,
/// `-2h0m0.25s`. `parse_duration` is the inverse.
///
/// Microseconds have the unit `us`, which Go accepts too.
inline std::string format_duration(Duration duration) {
    const auto count = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
    // Negated as unsigned, because the smallest number has no positive counterpart.
    const auto bits = static_cast<std::uint64_t>(count);
    const std::uint64_t nanoseconds = count < 0 ? 0 - bits : bits;

    std::string text = count < 0 ? "-" : "";
    const auto append = [&text](std::uint64_t number) {
        char digits[20];
        const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        text.append(digits, end);
    };
    const auto append_fraction = [&](std::uint64_t value, std::uint64_t unit) {
        append(value / unit);
        std::uint64_t rest = value % unit;
        if (rest == 0)
            return;
        text += '.';
        for (std::uint64_t digit = unit / 10; rest != 0; digit /= 10) {
            append(rest / digit);
            rest %= digit;
        }
    };

    constexpr std::uint64_t second = 1'000'000'000;
    if (nanoseconds == 0) {
        text += "0s";
    } else if (nanoseconds < 1'000) {
        append(nanoseconds);
        text += "ns";
    } else if (nanoseconds < 1'000'000) {
        append_fraction(nanoseconds, 1'000);
        text += "us";
    } else if (nanoseconds < second) {
        append_fraction(nanoseconds, 1'000'000);
        text += "ms";
    } else {
        const std::uint64_t minutes = nanoseconds / (60 * second);
        if (minutes >= 60) {
            append(minutes / 60);
            text += 'h';
        }
        if (minutes > 0) {
            append(minutes % 60);
            text += 'm';
        }
        append_fraction(nanoseconds % (60 * second), second);
        text += 's';
    }
    return text;
}

} // namespace wva_metrics
