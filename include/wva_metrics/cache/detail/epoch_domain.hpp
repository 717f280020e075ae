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

/// Something that readers may still hold, and what destroys it.
using Garbage = std::unique_ptr<void, void (*)(void*)>;

/// Lets readers go over shared structures without a lock, and says when what was taken out of these
/// may be destroyed.
///
/// Each thread has a cell of its own, on a cache line of its own, with a number in it that is odd
/// while the thread reads. So a reader writes nothing that others read often, and nobody waits for
/// anybody. Who has taken something out of the structure (so that whoever comes now does not find
/// it) looks at all cells once: what he has taken out may be destroyed as soon as every thread that
/// was reading at that moment has been seen with another number. This is how read-copy-update
/// works; liburcu's papers argue it in full. In short, of a thing that was taken out:
///
/// 1. *Whoever may hold it is waited for.* A reader makes its number odd, then a light fence, then
///    looks. The writer takes out, then a heavy fence, then reads the numbers. Of the two stores,
///    one is seen by the load behind the other's fence: either the writer sees the odd number and
///    waits for it to change, or the reader does not find the thing. This holds for a thing that is
///    reached through another, such as a node through an old table, for whoever reaches it has
///    been reading since before the old table was taken out.
/// 2. *What is destroyed is destroyed after the last look at it.* All changes of a number release,
///    and the writer's reads acquire. So whoever sees a number comes after all that its thread did
///    before it set it; whoever sees that the awaited number is gone, after the awaited section.
///    (That a section begins has to release as well: it may be all that the writer sees of the end
///    of the one before, and since C++20 a relaxed store does not continue an earlier release.)
/// 3. *No number is taken for another.* It has 64 bits and only grows, also when the cell passes to
///    another thread, which comes after all that the one before did: `thread_number` sees to that.
///    Later sections of the same thread need not be waited for; by 1 they do not find the thing.
/// 4. *Sections within each other* are one, the outermost: a visitor may look up, change and clear,
///    and what it holds from outside stays until it returns.
///
/// A reader that stalls delays the destruction of what was taken out since, and nothing else. The
/// same cells count look-ups, exactly, for each is written by one thread at a time.
class ReadSections {
public:
    struct alignas(64) Cell {
        std::atomic<std::uint64_t> number{0};
        std::atomic<std::uint64_t> hits{0};
        std::atomic<std::uint64_t> stale_hits{0};
        std::atomic<std::uint64_t> misses{0};

        /// Only the cell's thread counts in it.
        static void count(std::atomic<std::uint64_t>& counter) noexcept {
            counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
    };

    /// This thread's cell, or null where it has come too late for one: then it has to lock.
    Cell* cell() noexcept {
        const int number = thread_number();
        return number == no_thread_number ? nullptr : &cells_[static_cast<std::size_t>(number)];
    }

    /// A thread reads while it has one. They may be within each other.
    class Section {
    public:
        Section(const ReadSections& sections, Cell& cell) noexcept : cell_(cell) {
            const std::uint64_t number = cell.number.load(std::memory_order_relaxed);
            if (number % 2 != 0)
                return; // The outer section lasts longer.
            leave_with_ = number + 2;
            cell.number.store(number + 1, std::memory_order_release);
            sections.fence_.light();
        }
        Section(const Section&) = delete;
        Section& operator=(const Section&) = delete;
        ~Section() {
            if (leave_with_ != 0)
                cell_.number.store(leave_with_, std::memory_order_release);
        }

    private:
        Cell& cell_;
        std::uint64_t leave_with_ = 0;
    };

    /// Adds what all threads have counted.
    void add_counters(CacheStats& stats) const noexcept {
        for (const Cell& cell : cells_) {
            stats.hits += cell.hits.load(std::memory_order_relaxed);
            stats.stale_hits += cell.stale_hits.load(std::memory_order_relaxed);
            stats.misses += cell.misses.load(std::memory_order_relaxed);
        }
    }

private:
    friend class Limbo;

    AsymmetricFence fence_;
    Cell cells_[max_thread_numbers];
};

/// Where things stay that were taken out of a structure, until no reader can hold them any more.
/// For one writer at a time.
class Limbo {
public:
    /// Sees to it that the next addition needs no memory. Throws for lack of it.
    void make_room() {
        if (added_.size() == added_.capacity())
            added_.reserve(std::max<std::size_t>(16, 2 * added_.capacity()));
    }
    /// `T` may be an array. Before, there must be room.
    template <typename T>
    void add(std::unique_ptr<T> owned) noexcept {
        using Pointer = typename std::unique_ptr<T>::pointer;
        added_.push_back(Garbage(owned.release(), [](void* object) {
            std::unique_ptr<T>(static_cast<Pointer>(object)).reset();
        }));
    }
    /// Likewise something so large that it should not wait for others.
    template <typename T>
    void add_large(std::unique_ptr<T> owned) noexcept {
        add(std::move(owned));
        urgent_ = true;
    }

    /// Whether things were added that nobody has begun to wait for: so many, or a large one.
    bool holds(std::size_t many) const noexcept { return urgent_ || added_.size() >= many; }

    /// Puts what may be destroyed now into `free`, which is empty; it is for the caller to do that,
    /// without a lock. Never waits. Throws where memory lacks; then the rest stays for the next.
    void collect(const ReadSections& sections, std::vector<Garbage>& free) {
        std::erase_if(readers_, [](const Reader& reader) { return reader.has_left(); });
        if (!readers_.empty())
            return;
        free.swap(waiting_);
        if (added_.empty() || !sections.fence_.heavy())
            return;
        for (const ReadSections::Cell& cell : sections.cells_) {
            const std::uint64_t number = cell.number.load(std::memory_order_acquire);
            if (number % 2 != 0)
                readers_.push_back({&cell, number});
        }
        waiting_.swap(added_);
        urgent_ = false;
        if (!readers_.empty())
            return;
        free.insert(free.end(), std::move_iterator(waiting_.begin()),
                    std::move_iterator(waiting_.end()));
        waiting_.clear();
    }

private:
    struct Reader {
        const ReadSections::Cell* cell;
        std::uint64_t number;
        bool has_left() const noexcept {
            return cell->number.load(std::memory_order_acquire) != number;
        }
    };

    std::vector<Garbage> added_;
    bool urgent_ = false;
    std::vector<Garbage> waiting_;
    /// Those whom `waiting_` waits for.
    std::vector<Reader> readers_;
};

} // namespace wva_metrics::detail
