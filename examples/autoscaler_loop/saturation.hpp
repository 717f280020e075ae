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
// but too few lose requests.
#pragma once

#include <wva_metrics/wva_metrics.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
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
};

/// One variant's replicas at one moment.
struct Observation {
    std::size_t current = 0; ///< Requested replicas, e.g. `spec.replicas`.
    std::vector<wva_metrics::ReplicaMetrics> replicas{};
    std::string why_incomplete{}; ///< Why `replicas` may be incomplete or old; empty if not.
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
    Observation observed{current.value_or(0)};
    if (!snapshot) {
        observed.why_incomplete = snapshot.error().describe();
        return observed;
    }
    const wva_metrics::ModelReplicas& model = **snapshot;
    std::ranges::copy_if(model.replicas, std::back_inserter(observed.replicas),
                         [&](const auto& replica) { return replica.variant == variant; });
    const std::size_t count = observed.replicas.size();
    observed.current = current.value_or(count);
    if (snapshot->source() == wva_metrics::Source::stale_on_error)
        observed.why_incomplete = "the backend fails; these are its last good values";
    else if (model.partial)
        observed.why_incomplete =
            "the answer is partial" + (model.warnings.empty() ? "" : ": " + model.warnings.front());
    else if (count != observed.current) // Some are starting, ending or not attributed.
        observed.why_incomplete =
            std::to_string(count) + " of " + std::to_string(observed.current) + " replicas report" +
            (model.unattributed_pods.empty()
                 ? ""
                 : ", pod " + model.unattributed_pods.front() + " belongs to no variant");
    return observed;
}

/// The value, if it is known and recent enough. Missing and invalid readings are unknown, not 0.
inline std::optional<double> usable_value(const wva_metrics::Reading<double>& reading,
                                          TimePoint now, Duration max_age) {
    if (!reading || reading.age(now) > max_age)
        return std::nullopt;
    return reading.value();
}

/// Why a reading has no usable value.
inline std::string why_unusable(const wva_metrics::Reading<double>& reading) {
    return reading ? "too old" : std::string(to_string(reading.reason()));
}

/// What a variant's replicas have left of one resource until they are full.
class Headroom {
public:
    Headroom(double full_from, double required_on_average)
        : full_(full_from), required_(required_on_average) {}

    bool is_full(double value) const { return value >= full_; }
    /// A replica that is full in either resource has no headroom in both: a replica that becomes
    /// full never makes its variant look less loaded.
    void add(double value, bool replica_is_full) {
        ++count_;
        load_ += value;
        headroom_ += replica_is_full ? 0 : full_ - value;
    }
    /// Average of the replicas whose value is known.
    double average() const { return headroom_ / static_cast<double>(count_); }
    bool is_too_low() const { return count_ > 0 && average() < required_; }
    /// True if so many replicas could serve the whole load and keep the required headroom.
    bool is_enough_with(std::size_t replicas) const {
        return replicas > 0 && full_ - load_ / static_cast<double>(replicas) >= required_;
    }

private:
    double full_, required_, load_ = 0, headroom_ = 0;
    std::size_t count_ = 0;
};

/// `12s`, without fractions.
inline std::string in_seconds(Duration time) {
    return wva_metrics::format_duration(std::chrono::floor<std::chrono::seconds>(time));
}

/// One replica more, one fewer, or as many as before; and why.
///
/// Changes nothing except `history.scale_down_possible_since`. After scaling, the caller must call
/// `record_scaling`.
inline Decision decide(const Observation& observed, const Rule& rule, History& history,
                       TimePoint now) {
    const std::size_t current = observed.current;
    const auto possible_since = std::exchange(history.scale_down_possible_since, std::nullopt);
    if (current == 0)
        return {0, "scaled to zero; not changed"};
    if (current < rule.min_replicas)
        return {rule.min_replicas, "below the minimum"};
    if (current > rule.max_replicas)
        return {rule.max_replicas, "above the maximum"};

    std::string why_unknown = observed.replicas.empty() ? "no replica reports" : "";
    bool any_full = false;
    Headroom kv_cache(rule.full_kv_cache, rule.kv_cache_headroom);
    Headroom queue(rule.full_queue, rule.queue_headroom);
    for (const wva_metrics::ReplicaMetrics& replica : observed.replicas) {
        const auto usage = usable_value(replica.kv_cache_usage, now, rule.max_age);
        const auto waiting = usable_value(replica.queue_length, now, rule.max_age);
        const bool full =
            (usage && kv_cache.is_full(*usage)) || (waiting && queue.is_full(*waiting));
        any_full = any_full || full;
        if (usage)
            kv_cache.add(*usage, full);
        if (waiting)
            queue.add(*waiting, full);
        if (!usage)
            why_unknown = "KV cache of " + replica.pod +
                          " is unknown: " + why_unusable(replica.kv_cache_usage);
        else if (!waiting)
            why_unknown =
                "queue of " + replica.pod + " is unknown: " + why_unusable(replica.queue_length);
    }
    if (!observed.why_incomplete.empty())
        why_unknown = observed.why_incomplete;

    if (kv_cache.is_too_low() || queue.is_too_low()) {
        char text[80];
        if (kv_cache.is_too_low())
            std::snprintf(text, sizeof text, "KV cache headroom %.1f %%, required %.0f %%",
                          100 * kv_cache.average(), 100 * rule.kv_cache_headroom);
        else
            std::snprintf(text, sizeof text, "queue headroom %.1f requests, required %.0f",
                          queue.average(), rule.queue_headroom);
        const std::string why = text;
        if (current == rule.max_replicas)
            return {current, why + ", but the maximum is reached"};
        const bool may_be_starting = observed.replicas.size() < current;
        const Duration pause =
            may_be_starting ? std::max(rule.start_limit, rule.pause) : rule.pause;
        if (history.scaled_up_at && now - *history.scaled_up_at < pause)
            return {current, why + ", but the last replica was added " +
                                 in_seconds(now - *history.scaled_up_at) + " ago" +
                                 (may_be_starting ? " and may be starting" : "")};
        return {current + 1, why};
    }
    if (any_full || current == rule.min_replicas || !kv_cache.is_enough_with(current - 1) ||
        !queue.is_enough_with(current - 1))
        return {current, why_unknown.empty() ? "load is normal" : why_unknown};
    if (!why_unknown.empty()) // One replica fewer is enough only for the known part of the load.
        return {current, why_unknown};
    history.scale_down_possible_since = possible_since.value_or(now);
    const Duration possible_for = now - *history.scale_down_possible_since;
    const std::string why = "one replica fewer has been enough for " + in_seconds(possible_for);
    if (possible_for < rule.stabilisation)
        return {current, why + ", required " + in_seconds(rule.stabilisation)};
    return {current - 1, why};
}

/// Call this when the variant has been scaled.
inline void record_scaling(std::size_t from, std::size_t to, History& history, TimePoint now) {
    history.scale_down_possible_since.reset();
    if (to > from)
        history.scaled_up_at = now;
}

} // namespace saturation
