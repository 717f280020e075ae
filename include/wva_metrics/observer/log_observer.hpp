// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/log_throttle.hpp"
#include "wva_metrics/observer/detail/log_line.hpp"
#include "wva_metrics/observer/observer.hpp"

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// How much a line matters, least first.
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

/// Writes what a collector does as lines of text, `<sentence> key=value ...`, through the user's
/// own logger.
///
/// Every look-up and every fetch is `debug`; what happens once is `info`; what needs a person's eye
/// is `warning`, or `error` where a caller got no answer. Below the minimum level nothing is even
/// formatted.
///
/// A failure that goes on is not repeated on every call: of the same kind of answer with the same
/// error code, the first is written, then every hundredth, with the number suppressed; so are
/// warnings and stale answers of each kind. A background round without failures after one with
/// failures is written as a recovery, and starts the counts anew.
///
/// `write(LogLevel, std::string_view line)` is called from any thread, several at once, with no
/// lock held; the line has no line break and is valid during the call. Copies share the function
/// and the counts.
template <typename Write>
    requires std::invocable<Write&, LogLevel, std::string_view>
class LogObserver : public NullObserver {
public:
    /// Lines below `minimum` are neither made nor written.
    explicit LogObserver(Write write, LogLevel minimum = LogLevel::info)
        : state_(std::make_shared<State>(std::move(write))), minimum_(minimum) {}

    ///@{
    /// One of the hooks of `NullObserver`, written as a line.
    void on_configured(const CollectorConfig& config) {
        const CacheConfig& cache = config.cache;
        if (!writes(LogLevel::info))
            return;
        if (!cache.enabled)
            return put(LogLevel::info, Line("Metrics cache disabled"));
        put(LogLevel::info, Line("Metrics cache enabled")
                                .field("TTL", cache.ttl)
                                .field("cleanupInterval", cache.cleanup_interval)
                                .field("fetchInterval", cache.fetch_interval)
                                .field("maxEntries", cache.max_entries)
                                .field("maxBytes", cache.max_bytes));
    }

    void on_hit(const LookupEvent& event) { put_served("Using cached ", "", event); }
    void on_stale_hit(const LookupEvent& event) {
        put_served("Using stale cached ", ", renewing behind the caller", event);
    }
    void on_miss(const LookupEvent& event) {
        put_about(LogLevel::debug, "Cache miss for ", ", fetching from backend", event.key);
    }
    void on_joined(const LookupEvent& event) {
        put_about(LogLevel::debug, "Joined a fetch under way for ", "", event.key);
    }

    void on_fetch(const FetchEvent& event) {
        if (!writes(LogLevel::debug))
            return;
        put(LogLevel::debug, Line("Fetching " + subject(event.kind))
                                 .field("targets", event.targets)
                                 .field("background", event.background));
    }
    void on_fetched(const FetchEvent& event) {
        if (!writes(LogLevel::debug))
            return;
        put(LogLevel::debug, Line("Fetched " + subject(event.kind))
                                 .field("targets", event.targets)
                                 .field("failed", event.failed)
                                 .field("took", rounded(event.took))
                                 .field("background", event.background));
    }

    void on_failure(const FailureEvent& event) {
        // In the background, or with the last good value at hand, nobody is left without an answer
        // yet.
        const LogLevel level =
            event.background || event.serving_stale ? LogLevel::warning : LogLevel::error;
        if (!writes(level))
            return;
        const auto suppressed = failures_of(event).pass();
        if (!suppressed)
            return;
        Line line("Failed to fetch " + subject(event.key.kind));
        line.field("error", event.error.describe());
        if (event.error.http_status != 0)
            line.field("status", event.error.http_status);
        add_key(line, event.key);
        line.field("servingStale", event.serving_stale).field("background", event.background);
        put_counted(level, line, *suppressed);
    }

    void on_stale_on_error(const LookupEvent& event) {
        if (!writes(LogLevel::warning))
            return;
        if (const auto suppressed = state_->stale_on_error[index(event.key.kind)].pass()) {
            Line line("Using the last good " + subject(event.key.kind) +
                      " because the backend failed");
            line.field("age", rounded(event.age));
            add_key(line, event.key);
            put_counted(LogLevel::warning, line, *suppressed);
        }
    }

    void on_discarded(const LookupEvent& event) {
        put_about(LogLevel::debug, "Discarded ", " that came after an invalidation", event.key);
    }

    void on_warnings(const CacheKeyView& key, const std::vector<std::string>& warnings) {
        if (!writes(LogLevel::warning) || warnings.empty())
            return;
        if (const auto suppressed = state_->warnings[index(key.kind)].pass()) {
            Line line("Backend warned about " + subject(key.kind));
            line.field("warning", warnings.front()).field("warnings", warnings.size());
            add_key(line, key);
            put_counted(LogLevel::warning, line, *suppressed);
        }
    }

    void on_pods_left_out(const ModelReplicas& replicas) {
        // Pods go all the time; pods that nobody owns are a matter of configuration.
        const bool unowned = !replicas.unattributed_pods.empty();
        const LogLevel level = unowned ? LogLevel::warning : LogLevel::debug;
        if (!writes(level))
            return;
        std::uint64_t count = 0;
        if (unowned) {
            const auto suppressed = state_->unattributed.pass();
            if (!suppressed)
                return;
            count = *suppressed;
        }
        Line line(unowned ? "Left out pods that belong to none of the variants"
                          : "Left out pods that no longer exist");
        if (unowned)
            line.field("pod", replicas.unattributed_pods.front())
                .field("unattributed", replicas.unattributed_pods.size());
        line.field("gone", replicas.gone_pods.size());
        add_key(line, replica_key(replicas.model));
        put_counted(level, line, count);
    }

    void on_invalidated(std::string_view key_or_prefix, std::size_t entries) {
        if (!writes(LogLevel::debug))
            return;
        put(LogLevel::debug, Line("Invalidated cache entries")
                                 .field("key", key_or_prefix)
                                 .field("entries", entries));
    }

    void on_tracked(const CacheKeyView& key) {
        put_about(LogLevel::debug, "Tracking ", " for background fetching", key);
    }
    void on_untracked(const CacheKeyView& key, bool idle) {
        put_about(LogLevel::debug, "Untracked ",
                  idle ? " from background fetching, unused for too long"
                       : " from background fetching",
                  key);
    }

    void on_background_started(Duration interval) {
        if (!writes(LogLevel::info))
            return;
        if (interval <= Duration::zero())
            return put(LogLevel::info, Line("Background fetching not started: it is switched off")
                                           .field("interval", interval));
        put(LogLevel::info, Line("Started background fetching").field("interval", interval));
    }
    void on_background_stopped() {
        if (writes(LogLevel::info))
            put(LogLevel::info, Line("Stopped background fetching"));
    }

    void on_round(const RoundEvent& event) {
        const bool failing = event.failed > 0;
        const bool failed_before =
            state_->round_failing.exchange(failing, std::memory_order_relaxed);
        if (failed_before && !failing)
            state_->start_counts_anew();
        const LogLevel level = failing == failed_before ? LogLevel::debug
                               : failing                ? LogLevel::warning
                                                        : LogLevel::info;
        if (!writes(level))
            return;
        put(level, Line(level == LogLevel::debug ? "Finished a background round"
                        : failing                ? "Background fetching began to fail"
                                                 : "Background fetching recovered")
                       .field("variants", event.variants)
                       .field("models", event.models)
                       .field("failed", event.failed)
                       .field("took", rounded(event.took)));
    }

    void on_cleanup(std::size_t entries) {
        if (entries > 0 && writes(LogLevel::debug))
            put(LogLevel::debug, Line("Removed expired cache entries").field("entries", entries));
    }
    ///@}

private:
    using Line = detail::LogLine;

    static constexpr std::size_t kinds = 3;
    /// One per `Errc`, and the first for codes of other categories.
    static constexpr std::size_t codes = static_cast<std::size_t>(Errc::internal) + 1;

    struct State {
        explicit State(Write function) : write(std::move(function)) {}

        void start_counts_anew() noexcept {
            for (auto& of_kind : failures)
                for (detail::LogThrottle& filter : of_kind)
                    filter.reset();
            for (detail::LogThrottle& filter : stale_on_error)
                filter.reset();
        }

        Write write;
        std::array<std::array<detail::LogThrottle, codes>, kinds> failures;
        std::array<detail::LogThrottle, kinds> stale_on_error;
        std::array<detail::LogThrottle, kinds> warnings;
        detail::LogThrottle unattributed;
        std::atomic<bool> round_failing{false};
    };

    static std::size_t index(EntryKind kind) noexcept { return static_cast<std::size_t>(kind); }

    static std::string subject(EntryKind kind) {
        switch (kind) {
        case EntryKind::optimizer:
            return "optimizer metrics";
        case EntryKind::replica:
            return "replica metrics";
        case EntryKind::availability:
            break;
        }
        return "metrics availability";
    }

    /// To the millisecond where that is precise enough to read.
    static Duration rounded(Duration time) {
        return time < std::chrono::milliseconds(1)
                   ? time
                   : std::chrono::duration_cast<std::chrono::milliseconds>(time);
    }

    static void add_key(Line& line, const CacheKeyView& key) {
        line.field("namespace", key.namespace_name)
            .field(key.kind == EntryKind::optimizer ? "variant" : "model", key.name);
    }

    detail::LogThrottle& failures_of(const FailureEvent& event) {
        const auto& code = event.error.code;
        const auto value = static_cast<std::size_t>(code.value());
        const bool own = code.category() == error_category() && value < codes;
        return state_->failures[index(event.key.kind)][own ? value : 0];
    }

    bool writes(LogLevel level) const noexcept { return level >= minimum_; }
    void put(LogLevel level, const Line& line) { state_->write(level, line.text()); }

    void put_counted(LogLevel level, Line& line, std::uint64_t suppressed) {
        if (suppressed > 0)
            line.field("suppressed", suppressed);
        put(level, line);
    }

    void put_about(LogLevel level, const char* before, const char* after, const CacheKeyView& key) {
        if (!writes(level))
            return;
        Line line(before + subject(key.kind) + after);
        add_key(line, key);
        put(level, line);
    }

    void put_served(const char* before, const char* after, const LookupEvent& event) {
        if (!writes(LogLevel::debug))
            return;
        Line line(before + subject(event.key.kind) + after);
        line.field("age", rounded(event.age));
        add_key(line, event.key);
        put(LogLevel::debug, line);
    }

    std::shared_ptr<State> state_;
    LogLevel minimum_;
};

} // namespace wva_metrics
