// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/cache/attribution_budget.hpp"
#include "wva_metrics/cache/attribution_cache.hpp"
#include "wva_metrics/cache/detail/heap_bytes.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/metrics.hpp"

#include <boost/config.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace wva_metrics {

/// The answer that a cache entry holds.
using CachePayload = std::variant<OptimizerMetrics, ReplicaSamples, Availability>;
/// A `CachePayload`, or one of its alternatives.
template <typename T>
concept CacheAnswer = std::constructible_from<CachePayload, T>;

/// An immutable answer, and the times that limit its use.
///
/// - Up to `fresh_until` it is a hit.
/// - Up to `keep_until` it may still be served: stale while it is revalidated, or if the backend
///   fails.
/// - After that it is expired, and a cache treats it as absent.
///
/// **Threads:** safe to share. Only the time of its last use and its attributions change,
/// atomically.
class CacheEntry {
public:
    /// The times must be in ascending order; `TimePoint::max()` means never. The entry's memory is
    /// estimated here. `budget` is that of the cache it is made for; without one, attributions are
    /// bounded by their number only.
    template <CacheAnswer Answer>
    CacheEntry(Answer&& answer, TimePoint collected_at, TimePoint fresh_until, TimePoint keep_until,
               std::shared_ptr<AttributionBudget> budget = {})
        : collected_at_(collected_at), fresh_until_(fresh_until), keep_until_(keep_until),
          attributions_(std::move(budget)), payload_(std::forward<Answer>(answer)),
          bytes_(estimate_bytes(payload_)) {
        if (const auto* metrics = get<OptimizerMetrics>())
            oldest_sample_ = wva_metrics::oldest_sample(*metrics);
    }

    /// The answer, of any kind.
    const CachePayload& payload() const noexcept { return payload_; }
    /// The answer as `T`, or null if the entry holds another kind.
    template <typename T>
    const T* get() const noexcept {
        return std::get_if<T>(&payload_);
    }

    /// When it was requested from the backend.
    TimePoint collected_at() const noexcept { return collected_at_; }
    /// Up to here it is a hit.
    TimePoint fresh_until() const noexcept { return fresh_until_; }
    /// Up to here it may be served.
    TimePoint keep_until() const noexcept { return keep_until_; }

    /// True if it may be served without revalidation.
    bool is_fresh(TimePoint now) const noexcept { return now <= fresh_until_; }
    /// True if it must not be served any more.
    bool is_expired(TimePoint now) const noexcept { return now > keep_until_; }
    /// Time since it was requested from the backend; never negative.
    Duration age(TimePoint now) const noexcept {
        return detail::saturating_age(collected_at_, now);
    }

    /// When the oldest value of optimizer metrics was measured; empty if there is no value, or if
    /// the entry holds another kind. (For replica samples it depends on the caller's variants; see
    /// `Attribution::oldest_sample`.)
    std::optional<TimePoint> oldest_sample() const noexcept { return oldest_sample_; }
    /// The attributions computed from replica samples.
    AttributionCache& attributions() const noexcept { return attributions_; }

    /// Estimated memory of the entry in bytes: with strings, vectors and what the allocator adds,
    /// without attributions.
    std::size_t bytes() const noexcept { return bytes_; }

    /// Records that the entry was requested. Writes at most once a second, so that readers on many
    /// cores do not contend for the cache line.
    BOOST_FORCEINLINE void mark_used(TimePoint now) const noexcept {
        if (detail::saturating_age(last_used(), now) >= std::chrono::seconds(1))
            last_used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    /// When the entry was last requested, to within a second; the clock's epoch if never.
    TimePoint last_used() const noexcept {
        return TimePoint(Duration(last_used_.load(std::memory_order_relaxed)));
    }

private:
    static std::size_t estimate_bytes(const CachePayload& payload) {
        return detail::shared_bytes<CacheEntry>() +
               std::visit([](const auto& held) { return detail::heap_bytes(held); }, payload);
    }

    // The members that every hit reads come first, so that they share a cache line.
    TimePoint collected_at_;
    TimePoint fresh_until_;
    TimePoint keep_until_;
    std::optional<TimePoint> oldest_sample_;
    mutable std::atomic<Duration::rep> last_used_{0};
    mutable AttributionCache attributions_;
    CachePayload payload_;
    std::size_t bytes_;
};

/// An entry, shared by a cache and its readers.
using CacheEntryPtr = std::shared_ptr<const CacheEntry>;

} // namespace wva_metrics
