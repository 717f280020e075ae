// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::resilience {

/// When an endpoint is left alone, and for how long. Check it with `validate`.
struct CircuitBreakerConfig {
    /// False: the endpoint is asked whatever it answers.
    bool enabled = true;
    /// Opens after this many failures in a row. Envoy's outlier detection and Thanos' cache clients
    /// have the same.
    std::size_t consecutive_failures = 5;
    /// Opens also if at least `failure_rate` of the last `window` attempts failed; at most 64.
    std::size_t window = 20;
    /// A share, above 0 and at most 1.
    double failure_rate = 0.5;
    /// The time until the first probe. Thanos has the same.
    Duration first_pause = std::chrono::seconds(5);
    /// The pause doubles with each failed probe, up to this.
    Duration max_pause = std::chrono::seconds(60);
    /// Closes after this many successes in a row. Trickster has the same.
    std::size_t successes_to_close = 3;
};

/// The problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const CircuitBreakerConfig& config) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(config.consecutive_failures > 0, "consecutive_failures must be positive");
    require(config.window > 0 && config.window <= 64, "window must be from 1 to 64");
    require(config.failure_rate > 0 && config.failure_rate <= 1,
            "failure_rate must be above 0 and at most 1");
    require(config.first_pause > Duration::zero(), "first_pause must be positive");
    require(config.max_pause >= config.first_pause && config.max_pause <= std::chrono::hours(24),
            "max_pause must not be below first_pause, and must be at most a day");
    require(config.successes_to_close > 0, "successes_to_close must be positive");
    return problems;
}

/// The circuit breaker of one endpoint. It is told the time and the outcome of each request. Not
/// thread-safe.
///
/// It is closed while the endpoint works. When it has failed too often, it opens: nothing is sent.
/// After a pause it is half open: one request, the probe, is sent, and nothing else before the
/// probe's outcome is known. A success lets further requests through, until enough have succeeded
/// and it closes. A failure opens it again, for twice as long.
class CircuitBreaker {
public:
    /// Whether requests are sent.
    enum class State : std::uint8_t {
        /// All are.
        closed,
        /// None is.
        open,
        /// One after the other is, to see whether the endpoint works again.
        half_open,
    };

    /// The number of a time between two changes of the state; never 0. An outcome counts only in the
    /// period in which its request was admitted: what was sent before says little about now.
    using Period = std::uint64_t;

    /// Closed. `config`: a valid one.
    explicit CircuitBreaker(const CircuitBreakerConfig& config) : config_(config) {}

    /// Asks to send a request. Nothing if it must not be sent. Otherwise one of `succeed`, `fail` and
    /// `abandon` must be called with the period.
    std::optional<Period> admit(TimePoint now) noexcept {
        if (is_refusing(now))
            return std::nullopt;
        if (state_ == State::open) {
            enter(State::half_open);
            successes_ = 0;
        }
        if (!is_probing_)
            probing_since_ = now;
        is_probing_ = true;
        return period_;
    }

    /// Whether `admit` would refuse a request now.
    bool is_refusing(TimePoint now) const noexcept {
        if (state_ == State::open)
            return now < retry_at_;
        return state_ == State::half_open && is_probing_ && successes_ == 0;
    }

    /// Whether it is half open, and a probe was sent at this time or later.
    bool is_probing_since(TimePoint time) const noexcept {
        return state_ == State::half_open && is_probing_ && probing_since_ >= time;
    }

    /// The endpoint answered.
    void succeed(Period period) noexcept {
        if (period != period_)
            return;
        failures_in_row_ = 0;
        history_ <<= 1U;
        if (state_ == State::half_open && ++successes_ >= config_.successes_to_close) {
            enter(State::closed);
            history_ = 0;
        }
    }

    /// The endpoint failed. `why`: for people, e.g. `HTTP 503`.
    void fail(Period period, TimePoint now, std::string_view why) {
        if (period != period_ || !config_.enabled)
            return;
        if (state_ == State::half_open) {
            open(now, pause_ < config_.max_pause / 2 ? pause_ * 2 : config_.max_pause, why);
            return;
        }
        ++failures_in_row_;
        history_ = (history_ << 1U) | 1U;
        const std::size_t failures = failures_in_window();
        if (failures_in_row_ >= config_.consecutive_failures)
            reason_ = std::to_string(failures_in_row_) + " failures in a row";
        else if (static_cast<double>(failures) >=
                 config_.failure_rate * static_cast<double>(config_.window))
            reason_ = std::to_string(failures) + " failures in the last " +
                      std::to_string(config_.window) + " requests";
        else
            return;
        since_ = now;
        open(now, config_.first_pause, why);
    }

    /// The outcome says nothing about the endpoint, e.g. the caller has left.
    void abandon(Period period) noexcept {
        if (period == period_)
            is_probing_ = false;
    }

    /// The current state.
    State state() const noexcept { return state_; }
    /// The current period.
    Period period() const noexcept { return period_; }
    /// Unless it is closed: when it opened, from the closed state.
    TimePoint open_since() const noexcept { return since_; }
    /// If it is open: when the next probe may be sent.
    TimePoint retry_at() const noexcept { return retry_at_; }
    /// Unless it is closed: why it opened, for people.
    std::string reason() const { return reason_ + ", the last one: " + last_failure_; }

private:
    std::size_t failures_in_window() const noexcept {
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - config_.window);
        return static_cast<std::size_t>(std::popcount(history_ & mask));
    }

    void enter(State state) noexcept {
        state_ = state;
        ++period_;
    }
    void open(TimePoint now, Duration pause, std::string_view why) {
        last_failure_ = why;
        pause_ = pause;
        retry_at_ = now + pause;
        is_probing_ = false;
        failures_in_row_ = 0;
        enter(State::open);
    }

    CircuitBreakerConfig config_;
    State state_ = State::closed;
    Period period_ = 1;
    std::size_t failures_in_row_ = 0;
    /// The outcomes since it closed. The lowest bit is the last one, and is set if it was a failure.
    std::uint64_t history_ = 0;
    TimePoint since_{};
    TimePoint retry_at_{};
    Duration pause_{};
    std::string reason_;
    std::string last_failure_;
    // Of the half-open state.
    std::size_t successes_ = 0;
    /// A request was admitted, and not abandoned.
    bool is_probing_ = false;
    /// Meaningless unless `is_probing_`.
    TimePoint probing_since_{};
};

} // namespace wva_metrics::resilience
