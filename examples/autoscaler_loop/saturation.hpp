// SPDX-License-Identifier: Apache-2.0
//
// Decides how many replicas a variant should have, from the readings of their load. No I/O and no
// clock: the time is passed in, so all of it can be tested.
//
// The rule and its numbers are common in autoscalers of LLM inference. A replica is full at 80 % of
// its KV cache or 5 waiting requests. A variant gets one more replica if on average its replicas
// have less room left than 10 % or 3 requests.
//
// Doubt is asymmetric, because too many replicas cost money, too few cost answers: an unknown
// reading never scales down, and a known one may scale up even if others are unknown.
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
    double full_kv_cache = 0.80; ///< Fraction of the KV cache from which a replica is full.
    double full_queue = 5;       ///< Waiting requests from which a replica is full.
    double kv_cache_room = 0.10; ///< Scale up if less is left on average.
    double queue_room = 3;       ///< The same for the queue, in requests.
    std::size_t min_replicas = 1;
    std::size_t max_replicas = 10;
    Duration max_age = 60s;       ///< Older samples count as unknown.
    Duration pause = 60s;         ///< Between two scale-ups: a new replica needs time to take load.
    Duration start_limit = 10min; ///< The same while not all replicas report: one may be starting.
    Duration stabilisation = 5min; ///< Scale down only if one fewer has sufficed for so long.
};

/// One variant's replicas at one moment.
struct Observation {
    std::size_t current = 0; ///< Replicas that were asked for.
    std::vector<wva_metrics::ReplicaMetrics> replicas{};
    std::string doubt{}; ///< Why the replicas may be incomplete; empty if they are not.
};

/// What a variant's next decision needs from the earlier ones.
struct History {
    std::optional<TimePoint> spare_since{}; ///< Since when one replica fewer has sufficed.
    std::optional<TimePoint> scaled_up_at{};
};

struct Decision {
    std::size_t wanted = 0;
    std::string reason{};
};

/// One variant's part of a snapshot, or of the error in its place. `current` is its wanted number of
/// replicas.
///
/// The snapshot's freshness() is not used, because it is that of the model's oldest sample: one
/// silent pod would prevent all scale-ups. Each reading is judged by its own age instead.
inline Observation observe(const wva_metrics::Result<wva_metrics::ReplicaSnapshot>& snapshot,
                           const std::string& variant, std::size_t current) {
    Observation seen{current};
    if (!snapshot) {
        seen.doubt = snapshot.error().describe();
        return seen;
    }
    const wva_metrics::ModelReplicas& model = **snapshot;
    std::ranges::copy_if(model.replicas, std::back_inserter(seen.replicas),
                         [&](const auto& replica) { return replica.variant == variant; });
    const std::size_t count = seen.replicas.size();
    if (snapshot->source() == wva_metrics::Source::stale_on_error)
        seen.doubt = "the backend fails, these are its last good numbers";
    else if (model.partial)
        seen.doubt =
            "the answer is partial" + (model.warnings.empty() ? "" : ": " + model.warnings.front());
    else if (count != current) // Some are starting, ending or not attributed.
        seen.doubt = std::to_string(count) + " of " + std::to_string(current) + " replicas report" +
                     (model.unattributed_pods.empty()
                          ? ""
                          : ", pod " + model.unattributed_pods.front() + " belongs to no variant");
    return seen;
}

/// A usable value, or why there is none.
inline wva_metrics::Result<double> known(const wva_metrics::Reading<double>& reading, TimePoint now,
                                         Duration max_age) {
    using namespace wva_metrics;
    switch (reading.state()) {
    case ReadingState::present:
        if (reading.age(now) > max_age)
            return Error(Errc::metrics_missing, "too old");
        return reading.value();
    case ReadingState::missing: // No such series, backend error, ...: not 0, but unknown.
    case ReadingState::invalid: // NaN or infinite.
        break;
    }
    return Error(Errc::metrics_missing, std::string(to_string(reading.reason())));
}

/// The room that replicas have left of one resource.
class Room {
public:
    Room(double full_from, double wanted_on_average)
        : full_(full_from), wanted_(wanted_on_average) {}

    /// A full replica has no room of either resource, and room is never negative: the variant never
    /// looks emptier because one of its replicas filled up.
    void add(double value, bool is_full) {
        ++known_;
        total_ += value;
        room_ += is_full ? 0 : full_ - value;
    }
    bool fills(double value) const { return value >= full_; }
    double average() const { return room_ / static_cast<double>(known_); }
    /// Average of the known readings.
    bool is_scarce() const { return known_ > 0 && average() < wanted_; }
    /// True if so many replicas could carry the whole load and keep the required room.
    bool suffices_for(std::size_t replicas) const {
        return replicas > 0 && full_ - total_ / static_cast<double>(replicas) >= wanted_;
    }

private:
    double full_, wanted_, total_ = 0, room_ = 0;
    std::size_t known_ = 0;
};

/// `12s`, without fractions.
inline std::string in_seconds(Duration time) {
    return wva_metrics::format_duration(std::chrono::floor<std::chrono::seconds>(time));
}

/// One replica more, one fewer, or as many as before; and why.
///
/// Pure except for the history: records there since when one replica fewer suffices. After scaling,
/// the caller records the rest by `carried_out`.
inline Decision decide(const Observation& seen, const Rule& rule, History& history, TimePoint now) {
    const std::size_t current = seen.current;
    const auto spare_since = std::exchange(history.spare_since, std::nullopt);
    if (current == 0)
        return {0, "it was scaled to zero, which is not undone here"};
    if (current < rule.min_replicas)
        return {rule.min_replicas, "the minimum"};
    if (current > rule.max_replicas)
        return {rule.max_replicas, "the maximum"};

    std::string doubt = seen.replicas.empty() ? "no replica reports" : "";
    bool any_full = false;
    Room kv_cache(rule.full_kv_cache, rule.kv_cache_room);
    Room queue(rule.full_queue, rule.queue_room);
    for (const wva_metrics::ReplicaMetrics& replica : seen.replicas) {
        const auto usage = known(replica.kv_cache_usage, now, rule.max_age);
        const auto waiting = known(replica.queue_length, now, rule.max_age);
        const bool full = (usage && kv_cache.fills(*usage)) || (waiting && queue.fills(*waiting));
        any_full = any_full || full;
        if (usage)
            kv_cache.add(*usage, full);
        if (waiting)
            queue.add(*waiting, full);
        if (!usage)
            doubt = "KV cache of " + replica.pod + " is unknown: " + usage.error().message;
        else if (!waiting)
            doubt = "queue of " + replica.pod + " is unknown: " + waiting.error().message;
    }
    if (!seen.doubt.empty())
        doubt = seen.doubt;

    if (kv_cache.is_scarce() || queue.is_scarce()) {
        char text[80];
        if (kv_cache.is_scarce())
            std::snprintf(text, sizeof text, "KV cache has %.1f %% room, wants %.0f %%",
                          100 * kv_cache.average(), 100 * rule.kv_cache_room);
        else
            std::snprintf(text, sizeof text, "queue has room for %.1f, wants %.0f", queue.average(),
                          rule.queue_room);
        const std::string why = text;
        if (current == rule.max_replicas)
            return {current, why + ", but that is the maximum"};
        const bool starting = seen.replicas.size() < current;
        const Duration pause = starting ? std::max(rule.start_limit, rule.pause) : rule.pause;
        if (history.scaled_up_at && now - *history.scaled_up_at < pause)
            return {current, why + ", but the last one was added " +
                                 in_seconds(now - *history.scaled_up_at) + " ago" +
                                 (starting ? " and may be starting" : "")};
        return {current + 1, why};
    }
    if (any_full || current == rule.min_replicas || !kv_cache.suffices_for(current - 1) ||
        !queue.suffices_for(current - 1))
        return {current, doubt.empty() ? "as it should be" : doubt};
    if (!doubt.empty()) // One fewer suffices for the known replicas only.
        return {current, doubt};
    history.spare_since = spare_since.value_or(now);
    const Duration spare_for = now - *history.spare_since;
    if (spare_for < rule.stabilisation)
        return {current, "one fewer would do for " + in_seconds(spare_for) + " of " +
                             in_seconds(rule.stabilisation)};
    return {current - 1, "one fewer has sufficed for " + in_seconds(spare_for)};
}

/// Call this when the variant has been scaled.
inline void carried_out(std::size_t from, std::size_t to, History& history, TimePoint now) {
    history.spare_since.reset();
    if (to > from)
        history.scaled_up_at = now;
}

} // namespace saturation
