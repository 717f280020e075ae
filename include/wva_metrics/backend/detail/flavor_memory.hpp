// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <mutex>
#include <optional>

namespace wva_metrics::detail {

/// The make of the server behind a URL, and when to ask for it: another one may take its place.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class FlavorMemory {
public:
    /// How long an answer is believed.
    static constexpr Duration ask_again_after = std::chrono::minutes(10);
    /// When to ask again after a failure, or after an answer that was not believed.
    static constexpr Duration retry_after = std::chrono::minutes(1);

    /// `configured`: never asked for, unless it is unknown.
    explicit FlavorMemory(prometheus::Flavor configured)
        : is_fixed_(configured != prometheus::Flavor::unknown), flavor_(configured) {}

    prometheus::Flavor current() const {
        const std::lock_guard lock(mutex_);
        return flavor_;
    }

    /// True if the server should be asked. Until it has answered, every call is told so: none may
    /// query it before. Later, only one is.
    bool claim(TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (is_fixed_ || (next_ && now < *next_))
            return false;
        if (next_)
            next_ = now + retry_after;
        return true;
    }

    /// It answered. If it does not tell its make although it did before, that may be a proxy in
    /// trouble, and counts when it is said twice.
    void learn(prometheus::Flavor said, TimePoint now) {
        const std::lock_guard lock(mutex_);
        const bool is_doubtful = said == prometheus::Flavor::unknown && flavor_ != said;
        if (is_doubtful && !was_doubtful_) {
            was_doubtful_ = true;
            next_ = now + retry_after;
            return;
        }
        was_doubtful_ = false;
        flavor_ = said;
        next_ = now + ask_again_after;
    }

    /// It did not answer. What is known stays.
    void fail(TimePoint now) {
        const std::lock_guard lock(mutex_);
        next_ = now + (flavor_ == prometheus::Flavor::unknown ? retry_after : ask_again_after);
    }

private:
    const bool is_fixed_;
    mutable std::mutex mutex_;
    prometheus::Flavor flavor_;
    bool was_doubtful_ = false;
    /// When to ask; empty before the first answer or failure.
    std::optional<TimePoint> next_;
};

} // namespace wva_metrics::detail
