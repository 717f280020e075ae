// SPDX-License-Identifier: Apache-2.0
//
// Decides how many replicas a variant should have, from the readings of their load. No I/O and no
// clock: the time is passed in, so all of it can be tested.
//
// The rule and its numbers are common in autoscalers of LLM inference. A replica is full at 80 % of
// its KV cache or 5 waiting requests. Its headroom is what is left until it is full. A variant gets
// one more replica if the average headroom of its replicas is less than 10 % of the KV cache or 3
// requests.
//
// Unknown readings prevent scaling down, but not scaling up, because too many replicas cost money,
// but too few lose requests. So does a lower bound: what it lacks could only add to the load.
//
// A backend may report the peak of a window, which stays when the load has fallen. Scaling down
// follows the peaks, but scaling up the last samples: an idle fleet needs nothing more.
#pragma once

#include "headroom.hpp"

#include <wva_metrics/wva_metrics.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace saturation {

using wva_metrics::Duration, wva_metrics::TimePoint;
using namespace std::chrono_literals;

struct Rule {
    double full_kv_cache = 0.80;     ///< Fraction of the KV cache from which a replica is full.
    double full_queue = 5;           ///< Waiting requests from which a replica is full.
    double kv_cache_headroom = 0.10; ///< Scale up if the average is less.
    double queue_headroom = 3;       ///< The same for the queue, in requests.
    std::size_t min_replicas = 1;
    std::size_t max_replicas = 10;
    Duration max_age = 60s; ///< Older samples count as unknown.
    Duration pause = 60s;   ///< Between two scale-ups: a new replica needs time to take load.
    /// Replaces `pause`, if longer, while not all replicas report: one may be starting.
    Duration start_limit = 10min;
    /// Scale down only if one replica fewer has been enough for so long.
    Duration stabilisation = 5min;

    Headroom kv_cache() const {
        return Headroom({.name = "KV cache",
                         .unit = " %",
                         .what = "",
                         .scale = 100,
                         .full = full_kv_cache,
                         .required = kv_cache_headroom});
    }
    Headroom queue() const {
        return Headroom({.name = "queue",
                         .unit = "",
                         .what = " requests",
                         .scale = 1,
                         .full = full_queue,
                         .required = queue_headroom});
    }
};

/// One variant's replicas at one moment.
struct Observation {
    std::size_t current = 0; ///< Requested replicas, e.g. `spec.replicas`.
    std::vector<wva_metrics::ReplicaMetrics> replicas{};
    std::string why_incomplete{}; ///< Why `replicas` may be incomplete or old; empty if not.
    bool is_counted = false;      ///< `current` is the number of replicas that report.
};

/// What a variant's next decision needs from the earlier ones.
struct History {
    std::optional<TimePoint> scale_down_possible_since{}; ///< One replica fewer has been enough.
    std::optional<TimePoint> scaled_up_at{};
};

struct Decision {
    std::size_t wanted = 0;
    std::string reason{};
};

/// One variant's part of a snapshot, or of the error in its place. `current` is the requested
/// number of replicas; if it is empty, the replicas that report are counted.
///
/// The snapshot's freshness() is not used, because it is that of the model's oldest sample: one pod
/// that stopped reporting would prevent all scale-ups. Instead, `decide` tests each reading's age.
inline Observation observe(const wva_metrics::Result<wva_metrics::ReplicaSnapshot>& snapshot,
                           const std::string& variant, std::optional<std::size_t> current) {
    Observation observed{.current = current.value_or(0), .is_counted = !current};
    if (!snapshot) {
        observed.why_incomplete = snapshot.error().describe();
        return observed;
    }
    const wva_metrics::ModelReplicas& model = **snapshot;
    std::ranges::copy_if(model.replicas, std::back_inserter(observed.replicas),
                         [&](const auto& replica) { return replica.variant == variant; });
    const std::size_t count = observed.replicas.size();
    observed.current = current.value_or(count);
    const std::string unattributed =
        model.unattributed_pods.empty()
            ? ""
            : "pod " + model.unattributed_pods.front() + " belongs to no variant";
    if (snapshot->source() == wva_metrics::Source::stale_on_error)
        observed.why_incomplete = "the backend fails; these are its last good values";
    else if (model.partial)
        observed.why_incomplete =
            "the answer is partial" + (model.warnings.empty() ? "" : ": " + model.warnings.front());
    else if (count != observed.current) // Some are starting, ending or not attributed.
        observed.why_incomplete = std::to_string(count) + " of " +
                                  std::to_string(observed.current) + " replicas report" +
                                  (unattributed.empty() ? "" : ", " + unattributed);
    else if (count == 0)
        observed.why_incomplete = unattributed;
    return observed;
}

/// Which numbers of the readings are used.
enum class Of { last_samples, peaks };

/// The number, if it is known and recent enough. Missing and invalid readings are unknown, not 0. A
/// peak is as recent as the last sample: it is the peak up to then.
inline std::optional<double> usable_value(const wva_metrics::Reading<double>& reading,
                                          TimePoint now, Duration max_age, Of which) {
    if (!reading || reading.latest_age(now) > max_age)
        return std::nullopt;
    return which == Of::peaks ? reading.value() : reading.latest();
}

/// `12s`: without fractions, except if otherwise it would not compare with the limit as it does.
inline std::string text_beside(Duration time, Duration limit) {
    const Duration seconds = std::chrono::floor<std::chrono::seconds>(time);
    return wva_metrics::format_duration((seconds < limit) == (time < limit) ? seconds : time);
}

/// Why a reading has no usable value: `no_series`, `2m5s old > 1m0s`.
inline std::string why_unusable(const wva_metrics::Reading<double>& reading, TimePoint now,
                                Duration max_age) {
    if (!reading)
        return std::string(to_string(reading.reason()));
    const Duration age = reading.latest_age(now);
    const Duration seconds = std::chrono::floor<std::chrono::seconds>(age);
    return wva_metrics::format_duration(seconds > max_age ? seconds : age) + " old > " +
           wva_metrics::format_duration(max_age);
}

/// What the rule reads off one variant's replicas.
struct Load {
    Headroom kv_cache, queue;
    std::string full{};    ///< One replica that is full, and why; empty if none is.
    std::string unknown{}; ///< One thing that is unknown, and why; empty if nothing is.

    /// The averages that are known.
    std::string average_text() const {
        return (kv_cache.is_known() ? kv_cache.average_text() : "") +
               (kv_cache.is_known() && queue.is_known() ? ", " : "") +
               (queue.is_known() ? queue.average_text() : "");
    }
    std::string text_with(std::size_t replicas) const {
        return "with " + std::to_string(replicas) + ": " + kv_cache.text_with(replicas) + ", " +
               queue.text_with(replicas);
    }
};

inline Load load_of(const Observation& observed, const Rule& rule, TimePoint now, Of which) {
    Load load{.kv_cache = rule.kv_cache(), .queue = rule.queue()};
    if (observed.replicas.empty())
        load.unknown = "no replica reports";
    for (const wva_metrics::ReplicaMetrics& replica : observed.replicas) {
        const auto usage = usable_value(replica.kv_cache_usage, now, rule.max_age, which);
        const auto waiting = usable_value(replica.queue_length, now, rule.max_age, which);
        if (!usage)
            load.unknown = "KV cache of " + replica.pod + " is unknown: " +
                           why_unusable(replica.kv_cache_usage, now, rule.max_age);
        else if (!waiting)
            load.unknown = "queue of " + replica.pod +
                           " is unknown: " + why_unusable(replica.queue_length, now, rule.max_age);
        else if (replica.kv_cache_usage.is_lower_bound() || replica.queue_length.is_lower_bound())
            load.unknown = "a part of " + replica.pod + " is not measured";
        const bool full_cache = usage && load.kv_cache.is_full(*usage);
        const bool full_queue = waiting && load.queue.is_full(*waiting);
        if (full_cache || full_queue)
            load.full =
                replica.pod + " is full: " +
                (full_cache ? load.kv_cache.full_text(*usage) : load.queue.full_text(*waiting));
        if (usage)
            load.kv_cache.add(*usage, full_cache || full_queue);
        if (waiting)
            load.queue.add(*waiting, full_cache || full_queue);
    }
    if (!observed.why_incomplete.empty())
        load.unknown = observed.why_incomplete;
    return load;
}

/// The load requires one replica more, because of `why`.
inline Decision scale_up(const Observation& observed, const Rule& rule, const History& history,
                         TimePoint now, const std::string& why) {
    if (observed.current == rule.max_replicas)
        return {observed.current,
                why + ", but the maximum of " + std::to_string(rule.max_replicas) + " is reached"};
    const bool may_be_starting = observed.replicas.size() < observed.current;
    const Duration pause = may_be_starting ? std::max(rule.start_limit, rule.pause) : rule.pause;
    const Duration added = now - history.scaled_up_at.value_or(now - pause);
    if (added < pause)
        return {observed.current,
                why + ", but the last replica was added " + text_beside(added, pause) + " < " +
                    wva_metrics::format_duration(pause) + " ago" +
                    (may_be_starting ? " and may be starting: " + observed.why_incomplete : "")};
    return {observed.current + 1, why};
}

/// One replica more, one fewer, or as many as before; and why.
///
/// Changes nothing except `history.scale_down_possible_since`. After scaling, the caller must call
/// `record_scaling`.
inline Decision decide(const Observation& observed, const Rule& rule, History& history,
                       TimePoint now) {
    const std::size_t current = observed.current;
    const auto possible_since = std::exchange(history.scale_down_possible_since, std::nullopt);
    const std::string& incomplete = observed.why_incomplete;
    if (current == 0 && observed.is_counted)
        return {0, "no replica reports" + (incomplete.empty() ? "" : ": " + incomplete)};
    if (current == 0)
        return {0, "0 replicas are requested; only you can change that"};
    if (current < rule.min_replicas)
        return {rule.min_replicas, std::to_string(current) + " is below the minimum of " +
                                       std::to_string(rule.min_replicas)};
    if (current > rule.max_replicas)
        return {rule.max_replicas, std::to_string(current) + " is above the maximum of " +
                                       std::to_string(rule.max_replicas)};

    const Load last = load_of(observed, rule, now, Of::last_samples);
    if (last.kv_cache.is_too_low())
        return scale_up(observed, rule, history, now, last.kv_cache.average_text());
    if (last.queue.is_too_low())
        return scale_up(observed, rule, history, now, last.queue.average_text());
    const Load load = load_of(observed, rule, now, Of::peaks);
    const std::string enough = last.average_text();
    const auto keep = [&](const std::string& why_not_fewer) {
        return Decision{current,
                        (enough.empty() ? "" : enough + "; ") + "not fewer: " + why_not_fewer};
    };
    if (!load.unknown.empty()) // One replica fewer is enough only for the known part of the load.
        return keep(load.unknown);
    if (current == rule.min_replicas)
        return keep(std::to_string(current) + " is the minimum");
    if (!load.full.empty())
        return keep(load.full);
    const std::size_t fewer = current - 1;
    if (!load.kv_cache.is_enough_with(fewer) || !load.queue.is_enough_with(fewer))
        return keep(load.text_with(fewer));
    history.scale_down_possible_since = possible_since.value_or(now);
    const Duration possible_for = now - *history.scale_down_possible_since;
    const bool is_stable = possible_for >= rule.stabilisation;
    return {is_stable ? fewer : current,
            load.text_with(fewer) + ", for " + text_beside(possible_for, rule.stabilisation) +
                (is_stable ? " >= " : " < ") + wva_metrics::format_duration(rule.stabilisation)};
}

/// Call this when the variant has been scaled.
inline void record_scaling(std::size_t from, std::size_t to, History& history, TimePoint now) {
    history.scale_down_possible_since.reset();
    if (to > from)
        history.scaled_up_at = now;
}

} // namespace saturation
