// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/cache/attribution_cache.hpp"
#include "wva_metrics/metrics.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace wva_metrics {

/// What a cache keeps: one answer of one kind.
using CachePayload = std::variant<OptimizerMetrics, ReplicaSamples, Availability>;

/// An immutable answer and the times that bound its use.
///
/// - up to `fresh_until` it is a hit,
/// - up to `keep_until` it may still be served: stale while it is renewed, or when the backend
/// fails,
/// - later it is expired, and a cache treats it as absent.
///
/// Shared between threads; only the mark of its last use and the joins that were made of it change,
/// atomically.
class CacheEntry {
public:
    /// The times must be in this order; memory is estimated here.
    CacheEntry(CachePayload payload, TimePoint collected_at, TimePoint fresh_until,
               TimePoint keep_until)
        : collected_at_(collected_at), fresh_until_(fresh_until), keep_until_(keep_until),
          payload_(std::move(payload)), bytes_(estimate_bytes(payload_)) {
        if (const auto* metrics = get<OptimizerMetrics>())
            oldest_sample_ = wva_metrics::oldest_sample(*metrics);
    }

    /// The answer, of whichever kind.
    const CachePayload& payload() const noexcept { return payload_; }
    /// The answer as `T`, or null where the entry holds another kind.
    template <typename T>
    const T* get() const noexcept {
        return std::get_if<T>(&payload_);
    }

    /// When the backend was asked for it.
    TimePoint collected_at() const noexcept { return collected_at_; }
    /// Up to here it is a hit.
    TimePoint fresh_until() const noexcept { return fresh_until_; }
    /// Up to here it may be served.
    TimePoint keep_until() const noexcept { return keep_until_; }

    /// May it be served without a renewal?
    bool is_fresh(TimePoint now) const noexcept { return now <= fresh_until_; }
    /// Must it no longer be served?
    bool is_expired(TimePoint now) const noexcept { return now > keep_until_; }
    /// Time since the backend was asked.
    Duration age(TimePoint now) const noexcept {
        return now < collected_at_ ? Duration::zero() : now - collected_at_;
    }

    /// When the oldest value of optimizer metrics was measured; nothing where there is none, or
    /// where the entry holds another kind. (Of replicas it depends on who asks.)
    std::optional<TimePoint> oldest_sample() const noexcept { return oldest_sample_; }
    /// The joins that were made of replica samples.
    AttributionCache& joins() const noexcept { return joins_; }

    /// Memory of the entry in bytes, strings and vectors included, joins not; an estimate.
    std::size_t bytes() const noexcept { return bytes_; }

    /// Notes that somebody asked for it. Cheap: writes at most once a second, so that readers on
    /// many cores do not fight over the line.
    void mark_used(TimePoint now) const noexcept {
        if (now >= last_used() + std::chrono::seconds(1))
            last_used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    /// The clock's epoch where nobody has asked yet.
    TimePoint last_used() const noexcept {
        return TimePoint(Duration(last_used_.load(std::memory_order_relaxed)));
    }

private:
    static std::size_t heap_bytes(const std::string& text) noexcept {
        return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
    }
    static std::size_t heap_bytes(const std::vector<std::string>& texts) noexcept {
        std::size_t bytes = texts.capacity() * sizeof(std::string);
        for (const std::string& text : texts)
            bytes += heap_bytes(text);
        return bytes;
    }
    static std::size_t heap_bytes(const OptimizerMetrics& metrics) noexcept {
        return heap_bytes(metrics.namespace_name) + heap_bytes(metrics.variant) +
               heap_bytes(metrics.model_id) + heap_bytes(metrics.deployment) +
               heap_bytes(metrics.target_kind) + heap_bytes(metrics.warnings);
    }
    static std::size_t heap_bytes(const ReplicaSamples& samples) noexcept {
        std::size_t bytes = heap_bytes(samples.model.namespace_name) +
                            heap_bytes(samples.model.model_id) + heap_bytes(samples.gone_pods) +
                            heap_bytes(samples.warnings) +
                            samples.pods.capacity() * sizeof(ReplicaSample);
        for (const ReplicaSample& sample : samples.pods) {
            bytes += heap_bytes(sample.pod);
            if (sample.owner)
                bytes += heap_bytes(sample.owner->kind) + heap_bytes(sample.owner->name);
        }
        return bytes;
    }
    static std::size_t heap_bytes(const Availability& availability) noexcept {
        return heap_bytes(availability.message);
    }
    static std::size_t estimate_bytes(const CachePayload& payload) {
        return sizeof(CacheEntry) +
               std::visit([](const auto& held) { return heap_bytes(held); }, payload);
    }

    // What every hit reads comes first, to be on one cache line.
    TimePoint collected_at_;
    TimePoint fresh_until_;
    TimePoint keep_until_;
    std::optional<TimePoint> oldest_sample_;
    mutable std::atomic<Duration::rep> last_used_{0};
    mutable AttributionCache joins_;
    CachePayload payload_;
    std::size_t bytes_;
};

/// An entry, shared by a cache and its readers.
using CacheEntryPtr = std::shared_ptr<const CacheEntry>;

} // namespace wva_metrics
