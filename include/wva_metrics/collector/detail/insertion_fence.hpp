// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace wva_metrics::detail {

/// Keeps an answer that was requested before an invalidation out of the cache after it, although
/// neither insertions nor removals hold the collector's mutex, which readers must not wait for.
///
/// An insertion: begin · lock, is the flight still current?, unlock · insert · end.
/// An invalidation: lock, discard the flights, unlock · `wait` · erase.
///
/// If the flight was found current before it was discarded, then its insertion had begun before the
/// invalidation waits: the invalidation waits for its end, and erases it. If the flight was looked at
/// after it was discarded, nothing is inserted. So no insertion of an older answer follows the
/// erasure. An answer that was requested after the invalidation may be erased with the older ones,
/// which costs one more fetch.
///
/// Insertions wait for nobody, so a slow removal delays neither fetches nor readers.
class InsertionFence {
public:
    /// An insertion, from its beginning to its end. The fence must outlive it.
    class Insertion {
    public:
        explicit Insertion(InsertionFence& fence) : fence_(fence), number_(fence.begin()) {}
        Insertion(const Insertion&) = delete;
        Insertion& operator=(const Insertion&) = delete;
        ~Insertion() { fence_.end(number_); }

    private:
        InsertionFence& fence_;
        const std::uint64_t number_;
    };

    /// Waits for the insertions that have begun, not for later ones. Call it neither with the
    /// collector's mutex held nor inside an insertion.
    void wait() {
        std::unique_lock lock(mutex_);
        const std::uint64_t next = next_;
        ended_.wait(lock, [&] { return running_.empty() || running_.front() >= next; });
    }

private:
    std::uint64_t begin() {
        const std::lock_guard lock(mutex_);
        running_.push_back(next_);
        return next_++;
    }
    void end(std::uint64_t number) noexcept {
        const std::lock_guard lock(mutex_);
        running_.erase(std::lower_bound(running_.begin(), running_.end(), number));
        ended_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable ended_;
    std::uint64_t next_ = 0;
    /// In ascending order.
    std::vector<std::uint64_t> running_;
};

} // namespace wva_metrics::detail
