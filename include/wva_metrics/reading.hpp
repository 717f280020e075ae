// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/metric_name.hpp"
#include "wva_metrics/reading_reason.hpp"
#include "wva_metrics/statistic.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace wva_metrics {

/// Ages are differences of time points. They are converted to `system_clock` only for display.
using TimePoint = std::chrono::steady_clock::time_point;
/// The difference of two time points.
using Duration = std::chrono::steady_clock::duration;

/// Thrown by `Reading::value()` when there is no usable value.
class BadReadingAccess : public std::logic_error {
public:
    /// The message contains the reason.
    explicit BadReadingAccess(ReadingReason reason)
        : std::logic_error("reading has no value: " + std::string(to_string(reason))) {}
};

/// What a backend knows of a reading besides its value. Durations are kept in whole milliseconds, up
/// to 49 days; a negative one counts as zero.
template <typename T>
struct ReadingDetails {
    /// What the value is of the samples.
    Statistic statistic = Statistic::unspecified;
    /// Over how long it was measured; zero if it is one sample, or if this is not known.
    Duration window{};
    /// The last sample, beside a peak. By default it equals the value.
    std::optional<T> latest{};
    /// When the last sample was scraped; a reading without a value may have it, too. By default it
    /// equals the time of the value.
    std::optional<TimePoint> last_sample_at{};
    /// The time between two scrapes, as seen in the samples; zero if it is not known.
    Duration spacing{};
    /// The value is a total that lacks a part: what it measures is at least this much.
    bool is_lower_bound = false;
    /// See `Reading::layer()`.
    std::uint8_t layer = 0;
    /// See `Reading::is_disputed()`.
    bool is_disputed = false;
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

    /// A measured number. NaN and infinities, also as the last sample, make the reading `invalid`.
    static Reading measured(T value, TimePoint sampled_at, MetricName metric = {},
                            const ReadingDetails<T>& details = {}) noexcept {
        Reading reading;
        reading.value_ = value;
        reading.latest_ = details.latest.value_or(value);
        reading.sampled_at_ = sampled_at;
        reading.last_sample_at_ = details.last_sample_at.value_or(sampled_at);
        reading.has_last_sample_ = true;
        reading.is_lower_bound_ = details.is_lower_bound;
        reading.metric_ = metric;
        reading.state_ = ReadingState::present;
        reading.reason_ = ReadingReason::none;
        reading.describe(details);
        if constexpr (std::is_floating_point_v<T>) {
            if (!std::isfinite(value) || !std::isfinite(reading.latest_)) {
                reading.state_ = ReadingState::invalid;
                reading.reason_ = ReadingReason::not_finite;
            }
        }
        return reading;
    }

    /// A reading without a number, and the reason. Of the details, `latest`, `is_lower_bound` and
    /// `is_disputed` have no meaning.
    static Reading missing(ReadingReason reason, MetricName metric = {},
                           const ReadingDetails<T>& details = {}) noexcept {
        Reading reading;
        reading.last_sample_at_ = details.last_sample_at.value_or(TimePoint{});
        reading.has_last_sample_ = details.last_sample_at.has_value();
        reading.reason_ = reason;
        reading.metric_ = metric;
        reading.describe(details);
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

    /// When the server measured it (not when it was fetched): of a peak, when the sample was scraped
    /// that holds it; of a rate or an average, the newest sample that it counts. Meaningless if
    /// missing.
    TimePoint sampled_at() const noexcept { return sampled_at_; }

    /// Time since `sampled_at()`, never negative; zero if missing.
    Duration age(TimePoint now) const noexcept {
        return state_ == ReadingState::missing ? Duration::zero()
                                               : detail::saturating_age(sampled_at_, now);
    }

    /// What the value is of the samples in `window()`.
    Statistic statistic() const noexcept { return statistic_; }

    /// Over how long it was measured, in whole milliseconds; of a reading without a value, over how
    /// long it was tried. Zero if it is one sample, or if the backend does not say.
    Duration window() const noexcept { return std::chrono::milliseconds(window_ms_); }

    /// The last sample, for a peak; for every other statistic, the value. Throws `BadReadingAccess`
    /// unless `has_value()`.
    T latest() const {
        if (!has_value())
            throw BadReadingAccess(reason_);
        return latest_;
    }

    /// When `latest()` was scraped. Meaningless if missing; see `last_sample_at()`.
    TimePoint latest_at() const noexcept { return last_sample_at_; }

    /// Time since the last sample, never negative; zero if there is none. It tells whether the server
    /// is still being measured, where `age()` of a peak tells how long ago the peak was.
    Duration latest_age(TimePoint now) const noexcept {
        return has_last_sample_ ? detail::saturating_age(last_sample_at_, now) : Duration::zero();
    }

    /// When the last sample was scraped, with or without a value; empty if there is none, or if the
    /// backend does not say.
    std::optional<TimePoint> last_sample_at() const noexcept {
        return has_last_sample_ ? std::optional(last_sample_at_) : std::nullopt;
    }

    /// The time between two scrapes, as seen in the samples; zero if it is not known. With
    /// `window_too_short` it says how long a window has to be: at least twice as long.
    Duration spacing() const noexcept { return std::chrono::milliseconds(spacing_ms_); }

    /// There is a value, but it is a total that lacks a part, such as a living pod that could not be
    /// scraped: the truth is at least this much. Do not scale down on it.
    bool is_lower_bound() const noexcept { return has_value() && is_lower_bound_; }

    /// Which source of a `LayeredBackend` the reading is from: 1 is the first. 0 from any other
    /// backend.
    std::uint8_t layer() const noexcept { return layer_; }

    /// There is a value, but another source of a `LayeredBackend` measured one that is too different
    /// (`LayeredConfig::tolerance`).
    bool is_disputed() const noexcept { return has_value() && is_disputed_; }

    /// The same reading, as from this source of a `LayeredBackend`.
    Reading from_layer(std::uint8_t layer, bool is_disputed = false) const noexcept {
        Reading reading = *this;
        reading.layer_ = layer;
        reading.is_disputed_ = is_disputed;
        return reading;
    }

    /// The metric that the number comes from; empty if there is none or the backend does not set
    /// it.
    std::string_view metric() const noexcept { return metric_.view(); }

private:
    static std::uint32_t whole_milliseconds(Duration duration) noexcept {
        constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();
        const std::int64_t count =
            std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, longest));
    }

    void describe(const ReadingDetails<T>& details) noexcept {
        statistic_ = details.statistic;
        layer_ = details.layer;
        is_disputed_ = details.is_disputed;
        window_ms_ = whole_milliseconds(details.window);
        spacing_ms_ = whole_milliseconds(details.spacing);
    }

    T value_{};
    T latest_{};
    TimePoint sampled_at_{};
    TimePoint last_sample_at_{};
    MetricName metric_;
    std::uint32_t window_ms_ = 0;
    std::uint32_t spacing_ms_ = 0;
    ReadingState state_ = ReadingState::missing;
    ReadingReason reason_ = ReadingReason::not_collected;
    Statistic statistic_ = Statistic::unspecified;
    std::uint8_t layer_ = 0;
    bool has_last_sample_ : 1 = false;
    bool is_lower_bound_ : 1 = false;
    bool is_disputed_ : 1 = false;
};

} // namespace wva_metrics
