// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <string>

namespace wva_metrics::detail {

/// The error of a call of the backend that took longer than this.
inline Error call_timed_out(Duration timeout) {
    // Large enough for any duration: ten digits, and nine decimals.
    std::array<char, 32> digits;
    const double seconds = std::chrono::duration<double>(timeout).count();
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), seconds,
                                   std::chars_format::fixed);
    return Error(Errc::timeout, "the backend gave no answer within " +
                                    std::string(digits.data(), end.ptr) +
                                    " s (CollectorConfig::call_timeout)");
}

} // namespace wva_metrics::detail
