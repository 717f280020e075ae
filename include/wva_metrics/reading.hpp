// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>

namespace wva_metrics {

/// Ages are differences of time points. They are converted to `system_clock` only for display.
using TimePoint = std::chrono::steady_clock::time_point;
/// The difference of two time points.
using Duration = std::chrono::steady_clock::duration;

/// The name of the metric that a reading comes from, e.g. `vllm:kv_cache_usage_perc`.
///
/// One pointer wide, so that a reading stays trivially copyable. Names are interned until the
/// process ends. They come from engine profiles (a few dozen per process), never from an answer.
///
/// **Threads:** thread-safe.
class MetricName {
public:
    constexpr MetricName() noexcept = default;
    /// Interns the name.
    explicit MetricName(std::string_view name) : name_(name.empty() ? nullptr : intern(name)) {}

    /// Valid until the process ends; "" if there is no name.
    std::string_view view() const noexcept { return name_ ? std::string_view(*name_) : ""; }
    friend bool operator==(MetricName, MetricName) noexcept = default;

private:
    static const std::string* intern(std::string_view name) {
        // Never destroyed: readings may outlive every static object.
        static auto& mutex = *new std::mutex;
        static auto& names = *new std::unordered_set<std::string>;
        const std::lock_guard lock(mutex);
        return &*names.emplace(name).first;
    }

    const std::string* name_ = nullptr;
};

/// Whether there is a value, and whether it can be used in arithmetic.
enum class ReadingState : std::uint8_t {
    /// There is no value; `reason()` says why.
    missing,
    /// A finite number, measured at `sampled_at()`.
    present,
    /// The server reported NaN or an infinity. It is kept for display and never returned as a
    /// value.
    invalid,
};

/// Why a reading has no usable value.
enum class ReadingReason : std::uint8_t {
    none,
    /// It has not been requested yet.
    not_collected,
    /// The backend has no series for it: the metric is not exposed, not scraped, or has another
    /// name.
    no_series,
    /// An average over (almost) no requests cannot be computed.
    no_requests,
    /// The number is NaN or infinite.
    not_finite,
    /// There are series, but their labels do not identify a variant.
    unattributed,
    /// The backend failed to return it.
    backend_error,
    /// There is one sample so far: a rate needs two. Another one is expected soon.
    warming_up,
    /// The window holds fewer than two samples, because the server is scraped too rarely for it.
    window_too_short,
    /// A pod is seen several times, and nothing tells whether it is one process or several.
    ambiguous,
    /// A counter was reset so often that several processes seem to write one series.
    inconsistent,
    /// The pod exists, but it could not be scraped.
    unread,
};

/// The enumerator's name.
constexpr std::string_view to_string(ReadingState state) noexcept {
    switch (state) {
    case ReadingState::missing:
        return "missing";
    case ReadingState::present:
        return "present";
    case ReadingState::invalid:
        return "invalid";
    }
    return "unknown";
}

/// The enumerator's name.
constexpr std::string_view to_string(ReadingReason reason) noexcept {
    switch (reason) {
    case ReadingReason::none:
        return "none";
    case ReadingReason::not_collected:
        return "not_collected";
    case ReadingReason::no_series:
        return "no_series";
    case ReadingReason::no_requests:
        return "no_requests";
    case ReadingReason::not_finite:
        return "not_finite";
    case ReadingReason::unattributed:
        return "unattributed";
    case ReadingReason::backend_error:
        return "backend_error";
    case ReadingReason::warming_up:
        return "warming_up";
    case ReadingReason::window_too_short:
        return "window_too_short";
    case ReadingReason::ambiguous:
        return "ambiguous";
    case ReadingReason::inconsistent:
        return "inconsistent";
    case ReadingReason::unread:
        return "unread";
    }
    return "unknown";
}

/// Thrown by `Reading::value()` when there is no usable value.
class BadReadingAccess : public std::logic_error {
public:
    /// The message contains the reason.
    explicit BadReadingAccess(ReadingReason reason)
        : std::logic_error("reading has no value: " + std::string(to_string(reason))) {}
};

/// One measured number with the time of its measurement, or the reason why there is none.
///
/// Unknown is never zero: a missing or invalid reading returns a number only from `value_or`.
///
/// **Threads:** a plain value type; different objects may be used from different threads.
template <typename T>
class Reading {
    static_assert(std::is_arithmetic_v<T>, "a reading holds a number");

public:
    /// The number's type.
    using value_type = T;

    /// Missing, because it has not been requested yet.
    constexpr Reading() noexcept = default;

    /// A measured number. NaN and infinities make the reading `invalid`.
    static Reading measured(T value, TimePoint sampled_at, MetricName metric = {}) noexcept {
        Reading reading;
        reading.value_ = value;
        reading.sampled_at_ = sampled_at;
        reading.metric_ = metric;
        reading.state_ = ReadingState::present;
        reading.reason_ = ReadingReason::none;
        if constexpr (std::is_floating_point_v<T>) {
            if (!std::isfinite(value)) {
                reading.state_ = ReadingState::invalid;
                reading.reason_ = ReadingReason::not_finite;
            }
        }
        return reading;
    }

    /// A reading without a number, and the reason.
    static Reading missing(ReadingReason reason, MetricName metric = {}) noexcept {
        Reading reading;
        reading.reason_ = reason;
        reading.metric_ = metric;
        return reading;
    }

    /// Whether there is a value.
    ReadingState state() const noexcept { return state_; }
    /// Why there is no value; `none` if there is one.
    ReadingReason reason() const noexcept { return reason_; }
    /// True only for `present`. A stale value is still a value; an invalid one is not.
    bool has_value() const noexcept { return state_ == ReadingState::present; }
    /// The same as `has_value()`.
    explicit operator bool() const noexcept { return has_value(); }

    /// The number. Throws `BadReadingAccess` unless `has_value()`.
    T value() const {
        if (!has_value())
            throw BadReadingAccess(reason_);
        return value_;
    }

    /// The number, or the caller's fallback.
    T value_or(T fallback) const noexcept { return has_value() ? value_ : fallback; }

    /// The number as the server sent it, including NaN and infinities. For display only;
    /// meaningless if missing.
    T raw() const noexcept { return value_; }

    /// When the server measured it (not when it was fetched). Meaningless if missing.
    TimePoint sampled_at() const noexcept { return sampled_at_; }

    /// Time since the measurement, never negative; zero if missing.
    Duration age(TimePoint now) const noexcept {
        if (state_ == ReadingState::missing || now < sampled_at_)
            return Duration::zero();
        return now - sampled_at_;
    }

    /// The metric that the number comes from; empty if there is none or the backend does not set
    /// it.
    std::string_view metric() const noexcept { return metric_.view(); }

private:
    T value_{};
    TimePoint sampled_at_{};
    MetricName metric_;
    ReadingState state_ = ReadingState::missing;
    ReadingReason reason_ = ReadingReason::not_collected;
};

} // namespace wva_metrics
