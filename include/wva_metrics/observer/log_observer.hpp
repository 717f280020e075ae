// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/config_warnings.hpp"
#include "wva_metrics/observer/detail/event_lines.hpp"
#include "wva_metrics/observer/detail/log_repeats.hpp"
#include "wva_metrics/observer/events.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// Severity of a log line, lowest first.
enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// The enumerator's name.
constexpr std::string_view to_string(LogLevel level) noexcept {
    switch (level) {
    case LogLevel::debug:
        return "debug";
    case LogLevel::info:
        return "info";
    case LogLevel::warning:
        return "warning";
    case LogLevel::error:
        return "error";
    }
    return "unknown";
}

/// Writes one line per event, `<sentence> key=value ...`, through the user's own logger.
///
/// | Event               | Level     | Sentence (M = optimizer metrics, replica metrics, ...)     |
/// |---------------------|-----------|------------------------------------------------------------|
/// | `Configured`        | `info`    | Metrics cache enabled                                      |
/// |                     |           | Metrics cache disabled                                     |
/// |                     | `warning` | Configuration works differently than it says               |
/// |                     |           | (for each sentence of `warnings`)                          |
/// | `Hit`               | `debug`   | Using cached M                                             |
/// | `StaleHit`          | `debug`   | Using stale cached M, revalidating in the background       |
/// | `Miss`              | `debug`   | Cache miss for M                                           |
/// | `Coalesced`         | `debug`   | Waiting for a fetch of M already in flight                 |
/// | `FetchStarted`      | `debug`   | Fetching M                                                 |
/// | `FetchEnded`        | `debug`   | Fetched M                                                  |
/// | `BatchRefused`      | `warning` | Not fetching M: too many overdue calls still run           |
/// |                     |           | (throttled)                                                |
/// | `TargetFailed`      | `error`   | Failed to fetch M (throttled)                              |
/// |                     | `warning` | the same, in the background or if an earlier value exists  |
/// | `StaleOnError`      | `warning` | Using the last good M because the backend failed           |
/// |                     |           | (throttled)                                                |
/// | `Discarded`         | `debug`   | Discarded M: invalidated or untracked during the fetch     |
/// | `Warnings`          | `warning` | Backend warned about M (throttled)                         |
/// | `PodsLeftOut`       | `warning` | Left out pods that belong to none of the variants          |
/// |                     |           | (throttled)                                                |
/// |                     | `debug`   | Left out pods that no longer exist                         |
/// | `Invalidated`       | `debug`   | Invalidated cache entries                                  |
/// | `Tracked`           | `debug`   | Tracking M for background fetching                         |
/// | `TrackingRefused`   | `warning` | Not tracking M: max_tracked variants are tracked already   |
/// |                     |           | (throttled)                                                |
/// | `Untracked`         | `debug`   | Stopped tracking M                                         |
/// |                     |           | Stopped tracking M: unused, or over max_tracked            |
/// | `BackgroundStarted` | `info`    | Started background fetching                                |
/// |                     |           | Background fetching not started: it is switched off        |
/// | `BackgroundStopped` | `info`    | Stopped background fetching                                |
/// | `RoundEnded`        | `debug`   | Finished a background round                                |
/// |                     | `warning` | Background fetching began to fail                          |
/// |                     | `info`    | Background fetching recovered                              |
/// | `RoundsSkipped`     | `warning` | Skipped background rounds: the one before took longer than |
/// |                     |           | the interval (throttled)                                   |
/// | `CleanedUp`         | `debug`   | Removed expired cache entries                              |
/// | `EndpointEvent`     | `warning` | The server is left alone, because it keeps failing         |
/// |                     | `info`    | The server works again, and is asked as before             |
/// |                     | `warning` | The server is left alone, because it has asked for a pause |
/// |                     |           | (throttled)                                                |
/// |                     | `warning` | A failed request is not sent again: the retry budget is    |
/// |                     |           | used up (throttled)                                        |
/// |                     | `warning` | The server gets fewer requests at a time, because some     |
/// |                     |           | have failed (throttled)                                    |
/// |                     | `info`    | The server gets as many requests at a time as before       |
/// |                     |           | (throttled)                                                |
/// |                     | `debug`   | The server is asked whether it works again                 |
/// |                     |           | A failed request will be sent again                        |
/// |                     |           | A slow request is sent a second time                       |
///
/// A throttled line is written for the first event and then for every hundredth, with the number
/// of events suppressed since the last line. Each kind of metrics counts separately, and failures
/// also count separately by error code. A background round without failures resets the counts of
/// failures and stale answers if the round before it had failures. A server that works again resets
/// those of `EndpointEvent`, which count separately by what happened.
///
/// Lines below the minimum level are not formatted.
///
/// **Threads:** `write(LogLevel, std::string_view line)` is called from any thread, several
/// concurrently, without any lock held. The line has no line break and is valid only during the
/// call. Copies share the function and the counts.
template <typename Write>
    requires std::invocable<Write&, LogLevel, std::string_view>
class LogObserver {
public:
    /// Writes lines of level `minimum` and above.
    explicit LogObserver(Write write, LogLevel minimum = LogLevel::info)
        : impl_(std::make_shared<Impl>(std::move(write))), minimum_(minimum) {}

    ///@{
    /// Writes one line, or none; see the table above.
    void operator()(const events::Configured& e) {
        put(LogLevel::info, e);
        if (is_written(LogLevel::warning))
            for (const std::string& sentence : warnings(e.config))
                put_line(LogLevel::warning, detail::line_of_warning(sentence));
    }
    void operator()(const events::Hit& e) { put(LogLevel::debug, e); }
    void operator()(const events::StaleHit& e) { put(LogLevel::debug, e); }
    void operator()(const events::Miss& e) { put(LogLevel::debug, e); }
    void operator()(const events::Coalesced& e) { put(LogLevel::debug, e); }
    void operator()(const events::FetchStarted& e) { put(LogLevel::debug, e); }
    void operator()(const events::FetchEnded& e) { put(LogLevel::debug, e); }
    void operator()(const events::BatchRefused& e) { put_throttled(LogLevel::warning, e); }
    void operator()(const events::TargetFailed& e) {
        // An error only if a caller is left without an answer.
        const bool is_error = !e.background && !e.serving_stale;
        put_throttled(is_error ? LogLevel::error : LogLevel::warning, e);
    }
    void operator()(const events::StaleOnError& e) { put_throttled(LogLevel::warning, e); }
    void operator()(const events::Discarded& e) { put(LogLevel::debug, e); }
    void operator()(const events::Warnings& e) {
        if (!e.warnings.empty())
            put_throttled(LogLevel::warning, e);
    }
    void operator()(const events::PodsLeftOut& e) {
        // Pods end all the time. Pods that no variant owns point to a wrong configuration.
        if (e.replicas.unattributed_pods.empty())
            put(LogLevel::debug, e);
        else
            put_throttled(LogLevel::warning, e);
    }
    void operator()(const events::Invalidated& e) { put(LogLevel::debug, e); }
    void operator()(const events::Tracked& e) { put(LogLevel::debug, e); }
    void operator()(const events::TrackingRefused& e) { put_throttled(LogLevel::warning, e); }
    void operator()(const events::Untracked& e) { put(LogLevel::debug, e); }
    void operator()(const events::BackgroundStarted& e) { put(LogLevel::info, e); }
    void operator()(const events::BackgroundStopped& e) { put(LogLevel::info, e); }
    void operator()(const events::RoundEnded& e) {
        const bool is_failing = e.failed > 0;
        const bool failed_before = impl_->repeats.end_round(e);
        const LogLevel level = is_failing == failed_before ? LogLevel::debug
                               : is_failing                ? LogLevel::warning
                                                           : LogLevel::info;
        if (is_written(level))
            put_line(level, detail::line_of(e, failed_before));
    }
    void operator()(const events::RoundsSkipped& e) { put_throttled(LogLevel::warning, e); }
    void operator()(const events::CleanedUp& e) {
        if (e.entries > 0)
            put(LogLevel::debug, e);
    }
    void operator()(const events::EndpointEvent& e) {
        using Kind = resilience::ProtectionEvent::Kind;
        switch (e.event.kind) {
        case Kind::breaker_opened:
            return put(LogLevel::warning, e);
        case Kind::breaker_closed:
            impl_->repeats.reset_endpoint();
            return put(LogLevel::info, e);
        case Kind::paused:
        case Kind::budget_exhausted:
        case Kind::limit_lowered:
            return put_throttled(LogLevel::warning, e);
        case Kind::limit_restored:
        case Kind::replica_chosen:
            return put_throttled(LogLevel::info, e);
        case Kind::breaker_probing:
        case Kind::retrying:
        case Kind::hedging:
            return put(LogLevel::debug, e);
        }
    }
    ///@}

private:
    struct Impl {
        explicit Impl(Write function) : write(std::move(function)) {}

        Write write;
        detail::LogRepeats repeats;
    };

    bool is_written(LogLevel level) const noexcept { return level >= minimum_; }
    void put_line(LogLevel level, const detail::LogLine& line) { impl_->write(level, line.text()); }

    template <typename OneEvent>
    void put(LogLevel level, const OneEvent& event) {
        if (is_written(level))
            put_line(level, detail::line_of(event));
    }

    template <typename OneEvent>
    void put_throttled(LogLevel level, const OneEvent& event) {
        if (!is_written(level))
            return;
        const auto suppressed = impl_->repeats.of(event).pass();
        if (!suppressed)
            return;
        detail::LogLine line = detail::line_of(event);
        if (*suppressed > 0)
            line.field("suppressed", *suppressed);
        put_line(level, line);
    }

    std::shared_ptr<Impl> impl_;
    LogLevel minimum_;
};

} // namespace wva_metrics
