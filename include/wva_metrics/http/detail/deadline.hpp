// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace wva_metrics::http::detail {

/// The time when something must have ended, with the name of its bound for error messages.
struct Deadline {
    TimePoint at = TimePoint::max();
    /// The bound's name in the configuration; empty if the caller of the client set the deadline.
    std::string_view name{};
    Duration length{};

    static Deadline after(TimePoint now, Duration length, std::string_view name) noexcept {
        return {wva_metrics::detail::saturating_add(now, length), name, length};
    }

    /// `within 2 s (timeouts.connect)` or `before the caller's deadline`.
    std::string describe() const {
        if (name.empty())
            return "before the caller's deadline";
        const auto milliseconds =
            std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
        const std::string amount = milliseconds % 1000 == 0
                                       ? std::to_string(milliseconds / 1000) + " s"
                                       : std::to_string(milliseconds) + " ms";
        return "within " + amount + " (" + std::string(name) + ")";
    }
};

inline const Deadline& earlier(const Deadline& left, const Deadline& right) noexcept {
    return right.at < left.at ? right : left;
}

} // namespace wva_metrics::http::detail
