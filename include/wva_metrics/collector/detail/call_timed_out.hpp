// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <string>

namespace wva_metrics::detail {

/// The error of a call of the backend that took longer than this, and what did not come in time.
inline Error call_timed_out(Duration timeout,
                            const char* what = "the backend gave no answer") noexcept {
    // Large enough for any duration: ten digits, and nine decimals.
    std::array<char, 32> digits;
    const double seconds = std::chrono::duration<double>(timeout).count();
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), seconds,
                                   std::chars_format::fixed);
    try {
        return Error(Errc::timeout, std::string(what) + " within " +
                                        std::string(digits.data(), end.ptr) +
                                        " s (CollectorConfig::call_timeout)");
    } catch (...) {
        return out_of_memory(Errc::timeout);
    }
}

} // namespace wva_metrics::detail
