// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

namespace wva_metrics::detail {

/// The keys whose last fetch failed, and when each may be fetched again.
///
/// Keeps a failing backend from being flooded with retries, and shows which last good values are
/// served because of a failure. Takes the time as a parameter.
///
/// **Threads:** safe. Readers ask it without the collector's mutex, so its own lock is never held
/// over a scan: it is an ordered map because growing a hash table is one.
class FailureMemory {
public:
    explicit FailureMemory(std::size_t capacity) : capacity_(capacity) {}

    /// In a full memory any other failure is forgotten: its key is fetched once more, no harm.
    void remember(const CacheKeyView& key, Error error, TimePoint failed_at, TimePoint retry_at) {
        CacheKey own(key);
        Failures::node_type dropped; // Destroyed without the lock.
        const std::lock_guard lock(mutex_);
        if (failures_.size() >= capacity_ && !failures_.contains(key))
            dropped = failures_.extract(failures_.begin());
        failures_.insert_or_assign(std::move(own), Failure{std::move(error), failed_at, retry_at});
        is_empty_.store(false, std::memory_order_release);
    }
    void forget(const CacheKeyView& key) {
        if (is_empty_.load(std::memory_order_acquire))
            return; // As nearly always. A round asks for each target.
        Failures::node_type dropped;
        const std::lock_guard lock(mutex_);
        if (const auto found = failures_.find(key); found != failures_.end())
            dropped = failures_.extract(found);
        is_empty_.store(failures_.empty(), std::memory_order_release);
    }
    void clear() {
        Failures dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(failures_);
        is_empty_.store(true, std::memory_order_release);
    }

    /// True if the last fetch failed.
    bool contains(const CacheKeyView& key) const {
        return ask(key, [](const Failure& /*failure*/) { return true; });
    }
    /// True if a fetch failed after `time`, and none succeeded since.
    bool has_failed_since(const CacheKeyView& key, TimePoint time) const {
        return ask(key, [time](const Failure& failure) { return failure.failed_at > time; });
    }
    /// True if the key must not be fetched again yet.
    bool is_recent(const CacheKeyView& key, TimePoint now) const {
        return ask(key, [now](const Failure& failure) { return now < failure.retry_at; });
    }
    /// The error, if `is_recent`.
    std::optional<Error> recent_error(const CacheKeyView& key, TimePoint now) const {
        std::optional<Error> error;
        ask(key, [&](const Failure& failure) {
            if (now < failure.retry_at)
                error = failure.error;
            return true;
        });
        return error;
    }

    /// Forgets all failures if they are more than the new capacity.
    void set_capacity(std::size_t capacity) {
        Failures dropped;
        const std::lock_guard lock(mutex_);
        capacity_ = capacity;
        if (failures_.size() > capacity)
            dropped.swap(failures_);
        is_empty_.store(failures_.empty(), std::memory_order_release);
    }

private:
    struct Failure {
        Error error;
        TimePoint failed_at;
        TimePoint retry_at;
    };
    struct Before {
        using is_transparent = void;
        bool operator()(const CacheKeyView& a, const CacheKeyView& b) const noexcept {
            return std::tie(a.kind, a.name, a.namespace_name) <
                   std::tie(b.kind, b.name, b.namespace_name);
        }
    };
    using Failures = std::map<CacheKey, Failure, Before>;

    /// False if there is no failure of this key.
    template <typename Question>
    bool ask(const CacheKeyView& key, const Question& question) const {
        if (is_empty_.load(std::memory_order_acquire))
            return false;
        const std::lock_guard lock(mutex_);
        const auto found = failures_.find(key);
        return found != failures_.end() && question(found->second);
    }

    mutable std::mutex mutex_;
    Failures failures_;
    /// So that who asks takes no lock while no failure is remembered.
    std::atomic<bool> is_empty_{true};
    std::size_t capacity_;
};

} // namespace wva_metrics::detail
