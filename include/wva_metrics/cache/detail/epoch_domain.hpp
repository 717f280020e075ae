// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/asymmetric_fence.hpp"
#include "wva_metrics/cache/detail/thread_number.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// An object that was unlinked from a shared structure but that readers may still hold, with its
/// deleter.
using Retired = std::unique_ptr<void, void (*)(void*)>;

/// Lets readers traverse shared structures without a lock, and tells a `RetireList` when an object
/// that was unlinked from them may be destroyed. This is read-copy-update (RCU); the papers of
/// liburcu give the full argument.
///
/// Each thread has a record on a cache line of its own. The record holds the thread's epoch, a
/// counter that is odd while the thread is in a read section. So a reader writes nothing that other
/// threads read often, and no thread waits for another. After unlinking an object, the writer scans
/// all thread records once; it may free the object when every thread seen reading has left its
/// section, that is, when its epoch has changed. Why this is correct:
///
/// 1. *Every reader that may hold the object is waited for.* A reader makes its epoch odd, executes
///    a light fence, then searches. The writer unlinks, executes a heavy fence, then reads the
///    epochs. At least one of the two stores is seen by the load after the other thread's fence:
///    either the writer sees the odd epoch and waits for it to change, or the reader does not find
///    the object. This also covers an object that is reached through another one, such as a node
///    through an old table: a reader that reaches it has been reading since before the old table
///    was unlinked.
/// 2. *The object is destroyed after the last access to it.* Every store of an epoch is a release,
///    and the writer's loads are acquires. So a thread that sees an epoch also sees everything that
///    its owner did before storing it: a writer that sees the awaited epoch gone comes after the
///    awaited section. (Entering must also be a release store: the writer may see only it, not the
///    end of the previous section, and since C++20 a relaxed store does not continue a release
///    sequence.)
/// 3. *No epoch is mistaken for another.* It has 64 bits and only grows, also when the record
///    passes to another thread; `thread_number` orders the new thread after everything the previous
///    one did. Later sections of the same thread need not be waited for: by 1 they do not find the
///    object.
/// 4. *Nested sections* count as one, the outermost: a visitor may look up, change and clear, and
///    what it holds from the outer section stays until it returns.
///
/// A stalled reader delays the destruction of unlinked objects, and nothing else. The records also
/// count look-ups, exactly, because only one thread at a time writes to each.
class EpochDomain {
public:
    /// What one thread publishes to the others.
    struct alignas(64) ThreadRecord {
        /// Odd while the thread is in a read section.
        std::atomic<std::uint64_t> epoch{0};
        std::atomic<std::uint64_t> hits{0};
        std::atomic<std::uint64_t> stale_hits{0};
        std::atomic<std::uint64_t> misses{0};

        /// Only the record's thread may call this.
        static void count(std::atomic<std::uint64_t>& counter) noexcept {
            counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
    };

    /// This thread's record, or null if all records are taken; the thread then has to lock.
    ThreadRecord* thread_record() noexcept {
        const int number = thread_number();
        return number == no_thread_number ? nullptr : &records_[static_cast<std::size_t>(number)];
    }

    /// The read section of a thread. Guards may be nested.
    class ReadGuard {
    public:
        ReadGuard(const EpochDomain& domain, ThreadRecord& record) noexcept : record_(record) {
            const std::uint64_t epoch = record.epoch.load(std::memory_order_relaxed);
            if (epoch % 2 != 0)
                return; // Nested: the outer guard ends the section.
            exit_epoch_ = epoch + 2;
            record.epoch.store(epoch + 1, std::memory_order_release);
            domain.fence_.light();
        }
        ReadGuard(const ReadGuard&) = delete;
        ReadGuard& operator=(const ReadGuard&) = delete;
        ~ReadGuard() {
            if (exit_epoch_ != 0)
                record_.epoch.store(exit_epoch_, std::memory_order_release);
        }

    private:
        ThreadRecord& record_;
        std::uint64_t exit_epoch_ = 0;
    };

    /// Adds the look-up counts of all threads.
    void add_counters(CacheStats& stats) const noexcept {
        for (const ThreadRecord& record : records_) {
            stats.hits += record.hits.load(std::memory_order_relaxed);
            stats.stale_hits += record.stale_hits.load(std::memory_order_relaxed);
            stats.misses += record.misses.load(std::memory_order_relaxed);
        }
    }

private:
    friend class RetireList;

    AsymmetricFence fence_;
    ThreadRecord records_[max_thread_numbers];
};

/// Keeps objects that were unlinked from a structure until no reader can hold them any more.
///
/// **Threads:** one writer at a time.
class RetireList {
public:
    /// Makes room, so that the next `add` cannot fail. Throws `std::bad_alloc`.
    void reserve() {
        if (added_.size() == added_.capacity())
            added_.reserve(std::max<std::size_t>(16, 2 * added_.capacity()));
    }
    /// Takes an unlinked object; `T` may be an array. Call `reserve` before.
    template <typename T>
    void add(std::unique_ptr<T> owned) noexcept {
        using Pointer = typename std::unique_ptr<T>::pointer;
        added_.push_back(Retired(owned.release(), [](void* object) {
            std::unique_ptr<T>(static_cast<Pointer>(object)).reset();
        }));
    }
    /// As `add`, for an object so large that it should not wait for others to be reclaimed with it.
    template <typename T>
    void add_large(std::unique_ptr<T> owned) noexcept {
        add(std::move(owned));
        urgent_ = true;
    }

    /// True if at least `threshold` objects, or a large one, were added since `reclaim` last
    /// scanned the readers.
    bool is_reclaim_due(std::size_t threshold) const noexcept {
        return urgent_ || added_.size() >= threshold;
    }

    /// Moves the objects that may be destroyed now into `reclaimed`, which must be empty. The
    /// caller destroys them, without a lock. Never waits. Throws `std::bad_alloc`; the remaining
    /// objects then stay for the next call.
    void reclaim(const EpochDomain& domain, std::vector<Retired>& reclaimed) {
        std::erase_if(readers_, [](const Reader& reader) { return reader.has_left(); });
        if (!readers_.empty())
            return;
        reclaimed.swap(waiting_);
        if (added_.empty() || !domain.fence_.heavy())
            return;
        for (const EpochDomain::ThreadRecord& record : domain.records_) {
            const std::uint64_t epoch = record.epoch.load(std::memory_order_acquire);
            if (epoch % 2 != 0)
                readers_.push_back({&record, epoch});
        }
        waiting_.swap(added_);
        urgent_ = false;
        if (!readers_.empty())
            return;
        reclaimed.insert(reclaimed.end(), std::move_iterator(waiting_.begin()),
                         std::move_iterator(waiting_.end()));
        waiting_.clear();
    }

private:
    struct Reader {
        const EpochDomain::ThreadRecord* record;
        std::uint64_t epoch;
        bool has_left() const noexcept {
            return record->epoch.load(std::memory_order_acquire) != epoch;
        }
    };

    /// Unlinked after the last scan of the records.
    std::vector<Retired> added_;
    /// `added_` has a large object.
    bool urgent_ = false;
    /// Unlinked before the last scan of the records.
    std::vector<Retired> waiting_;
    /// The threads that were reading at that scan and have not left since.
    std::vector<Reader> readers_;
};

} // namespace wva_metrics::detail
