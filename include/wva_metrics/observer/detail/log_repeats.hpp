// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/log_throttle.hpp"
#include "wva_metrics/observer/events.hpp"

#include <array>
#include <atomic>
#include <cstddef>

namespace wva_metrics::detail {

/// The throttles of the events that repeat while something is wrong. Thread-safe.
class LogRepeats {
public:
    using Throttle = LogThrottle;

    /// One for each kind of entry and error code. Codes of other categories share one.
    Throttle& of(const events::TargetFailed& e) noexcept {
        const auto& code = e.error.code;
        const auto value = static_cast<std::size_t>(code.value());
        const bool is_own = code.category() == error_category() && value < code_count;
        return failures_[index(e.key.kind)][is_own ? value : 0];
    }
    /// One for each kind of entry.
    Throttle& of(const events::StaleOnError& e) noexcept {
        return stale_on_error_[index(e.key.kind)];
    }
    /// One for each kind of entry.
    Throttle& of(const events::Warnings& e) noexcept { return warnings_[index(e.key.kind)]; }
    /// One for each kind of entry.
    Throttle& of(const events::TrackingRefused& e) noexcept {
        return tracking_refused_[index(e.key.kind)];
    }
    /// One for each kind of entry.
    Throttle& of(const events::BatchRefused& e) noexcept { return batch_refused_[index(e.kind)]; }
    /// One for all.
    Throttle& of(const events::RoundsSkipped& /*e*/) noexcept { return rounds_skipped_; }
    /// One for all.
    Throttle& of(const events::PodsLeftOut& /*e*/) noexcept { return pods_left_out_; }

    /// One for each kind of change.
    Throttle& of(const events::EndpointEvent& e) noexcept {
        return endpoint_[static_cast<std::size_t>(e.event.kind)];
    }

    /// A server works again: the next trouble is written.
    void reset_endpoint() noexcept {
        for (Throttle& throttle : endpoint_)
            throttle.reset();
    }

    /// Records a background round and returns whether the previous one had failed targets. A
    /// recovery resets the throttles of failures and stale answers, so that the next failure is
    /// written.
    bool end_round(const events::RoundEnded& e) noexcept {
        const bool is_failing = e.failed > 0;
        const bool failed_before = round_failed_.exchange(is_failing, std::memory_order_relaxed);
        if (failed_before && !is_failing)
            reset_failures();
        return failed_before;
    }

private:
    static constexpr std::size_t kind_count = static_cast<std::size_t>(EntryKind::availability) + 1;
    static constexpr std::size_t code_count = static_cast<std::size_t>(Errc::internal) + 1;

    template <typename T>
    using PerKind = std::array<T, kind_count>;

    static std::size_t index(EntryKind kind) noexcept { return static_cast<std::size_t>(kind); }

    void reset_failures() noexcept {
        for (auto& of_kind : failures_)
            for (Throttle& throttle : of_kind)
                throttle.reset();
        for (Throttle& throttle : stale_on_error_)
            throttle.reset();
    }

    /// `Errc` begins at 1: index 0 is for codes of other categories.
    PerKind<std::array<Throttle, code_count>> failures_;
    PerKind<Throttle> stale_on_error_;
    PerKind<Throttle> warnings_;
    PerKind<Throttle> tracking_refused_;
    PerKind<Throttle> batch_refused_;
    Throttle rounds_skipped_;
    Throttle pods_left_out_;
    static constexpr std::size_t endpoint_kinds =
        static_cast<std::size_t>(resilience::ProtectionEvent::Kind::hedging) + 1;
    static_assert(to_string(static_cast<resilience::ProtectionEvent::Kind>(endpoint_kinds)) ==
                      "unknown",
                  "hedging is not the last kind any more");
    std::array<Throttle, endpoint_kinds> endpoint_;
    std::atomic<bool> round_failed_{false};
};

} // namespace wva_metrics::detail
