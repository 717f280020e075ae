// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/asymmetric_fence.hpp"
#include "wva_metrics/cache/detail/thread_number.hpp"

#include <boost/config.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace wva_metrics::detail {

/// Lets readers traverse shared structures without a lock, and tells a `RetireList` when an object
/// that was unlinked from them may be destroyed. This is read-copy-update (RCU), as in liburcu, for
/// the search, and a hazard pointer for the node that is then visited.
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
/// 4. *A visited node outlives its visit.* A section is only the search, and runs no code of a user.
///    Before it ends, the reader stores the node as `visited`. So a writer that has waited for the
///    section sees, by 2, this store or a later one, and keeps the node while it is there. It
///    cannot come back later: by 1 nobody finds the node any more. Stores of `visited` are releases
///    and its loads acquires, so the node is destroyed after the last access to it.
///
/// So a slow visitor keeps its own node, and nothing else. A visit may end on another thread than it
/// began (a fiber that moves): it clears the record where it began. The records also count
/// look-ups, exactly, because only one thread at a time writes those counters.
class EpochDomain {
public:
    /// What one thread publishes to the others.
    struct alignas(64) ThreadRecord {
        /// Odd while the thread is in a read section.
        std::atomic<std::uint64_t> epoch{0};
        /// The node that is being visited, or null.
        std::atomic<const void*> visited{nullptr};
        std::atomic<std::uint64_t> hits{0};
        std::atomic<std::uint64_t> stale_hits{0};
        std::atomic<std::uint64_t> misses{0};

        /// True during a visit, which occupies `visited`.
        bool is_visiting() const noexcept {
            return visited.load(std::memory_order_acquire) != nullptr;
        }
        /// Only the record's thread may call this.
        static BOOST_FORCEINLINE void count(std::atomic<std::uint64_t>& counter) noexcept {
            counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
    };

    EpochDomain() = default;
    /// With a barrier and a clock of a test's own.
    EpochDomain(AsymmetricFence::Barrier barrier, AsymmetricFence::Now now) noexcept
        : fence_(barrier, now) {}

    /// This thread's record, or null if the thread has none; it then has to lock.
    BOOST_FORCEINLINE ThreadRecord* thread_record() noexcept {
        if (numbers_ != &thread_numbers)
            return nullptr; // This code has other numbers than the code that made the cache.
        const int number = thread_number();
        return number == no_thread_number ? nullptr : &records_[static_cast<std::size_t>(number)];
    }

    /// The read section of a thread, for one search. They do not nest.
    class ReadSection {
    public:
        BOOST_FORCEINLINE ReadSection(const EpochDomain& domain, ThreadRecord& record) noexcept
            : record_(record), epoch_(record.epoch.load(std::memory_order_relaxed)) {
            record.epoch.store(epoch_ + 1, std::memory_order_release);
            domain.fence_.light();
        }
        ReadSection(const ReadSection&) = delete;
        ReadSection& operator=(const ReadSection&) = delete;
        BOOST_FORCEINLINE ~ReadSection() {
            record_.epoch.store(epoch_ + 2, std::memory_order_release);
        }

    private:
        ThreadRecord& record_;
        std::uint64_t epoch_;
    };

    /// Keeps one node alive beyond the section in which it was found. One per record at a time.
    class Visit {
    public:
        explicit Visit(ThreadRecord& record) noexcept : record_(record) {}
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        ~Visit() { record_.visited.store(nullptr, std::memory_order_release); }

        /// To be called within the section.
        void keep(const void* node) noexcept {
            record_.visited.store(node, std::memory_order_release);
        }

    private:
        ThreadRecord& record_;
    };

    /// Adds the look-up counts of all threads.
    void add_counters(CacheStats& stats) const noexcept {
        for (const ThreadRecord& record : records_) {
            stats.hits += record.hits.load(std::memory_order_relaxed);
            stats.stale_hits += record.stale_hits.load(std::memory_order_relaxed);
            stats.misses += record.misses.load(std::memory_order_relaxed);
        }
    }

    // For `RetireList`.

    /// The writer's fence, between unlinking objects and reading the records.
    [[nodiscard]] bool fence() noexcept { return fence_.heavy(); }
    std::span<const ThreadRecord> records() const noexcept { return records_; }
    /// The record's thread does not exist, because this process was forked.
    bool is_lost(const ThreadRecord& record) const noexcept {
        return static_cast<const ThreadNumbers*>(numbers_)->is_lost(
            static_cast<int>(&record - &records_[0]));
    }

private:
    AsymmetricFence fence_;
    /// The records belong to these numbers. There may be others, see `thread_numbers`.
    const void* const numbers_ = &thread_numbers;
    ThreadRecord records_[max_thread_numbers];
};

/// The nodes that were being visited at one moment.
class VisitedNodes {
public:
    VisitedNodes() noexcept {} // Leaves the array uninitialized.

    void read(const EpochDomain& domain) noexcept {
        count_ = 0;
        for (const EpochDomain::ThreadRecord& record : domain.records())
            if (const void* const node = record.visited.load(std::memory_order_acquire);
                node != nullptr && !domain.is_lost(record))
                nodes_[count_++] = node;
    }
    bool contains(const void* node) const noexcept {
        const auto end = nodes_.begin() + static_cast<std::ptrdiff_t>(count_);
        return std::find(nodes_.begin(), end, node) != end;
    }

private:
    std::array<const void*, max_thread_numbers> nodes_;
    std::size_t count_ = 0;
};

} // namespace wva_metrics::detail
