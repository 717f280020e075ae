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
/// works; liburcu's papers argue it in full. In short:
///
/// - A reader makes its number odd, then a light fence, then looks. The other takes out, then a
///   heavy fence, then reads the numbers. By the fences' guarantee either he sees the odd number
///   and waits for it to change, or the reader sees that the thing has been taken out.
/// - A reader's number changes with a release, after its last look, and is read with an acquire. So
///   what is destroyed is destroyed after that look. A number that is even already says the same of
///   all looks before.
/// - A number never comes back: it has 64 bits. Later sections of the same thread do not matter, as
///   they began after the thing had been taken out.
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
            cell.number.store(number + 1, std::memory_order_relaxed);
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
    /// Sees to it that the next `count` additions need no memory. Throws for lack of it.
    void make_room(std::size_t count) {
        if (added_.capacity() - added_.size() < count)
            added_.reserve(std::max<std::size_t>(16, 2 * added_.capacity()));
    }
    template <typename T>
    void add(std::unique_ptr<T> owned) {
        added_.push_back(
            Garbage(owned.release(), [](void* object) { delete static_cast<T*>(object); }));
    }
    /// Likewise something so large that it should not wait for others.
    template <typename T>
    void add_large(std::unique_ptr<T> owned) {
        add(std::move(owned));
        urgent_ = true;
    }

    /// Whether things were added that nobody has begun to wait for: so many, or a large one.
    bool holds(std::size_t many) const noexcept { return urgent_ || added_.size() >= many; }

    /// What may be destroyed now; it is for the caller to do that, without a lock. Never waits.
    std::vector<Garbage> collect(const ReadSections& sections) {
        std::erase_if(readers_, [](const Reader& reader) { return reader.has_left(); });
        if (!readers_.empty())
            return {};
        std::vector<Garbage> free = std::exchange(waiting_, {});
        if (added_.empty() || !sections.fence_.heavy())
            return free;
        for (const ReadSections::Cell& cell : sections.cells_) {
            const std::uint64_t number = cell.number.load(std::memory_order_acquire);
            if (number % 2 != 0)
                readers_.push_back({&cell, number});
        }
        if (readers_.empty())
            std::move(added_.begin(), added_.end(), std::back_inserter(free));
        else
            waiting_.swap(added_);
        added_.clear();
        urgent_ = false;
        return free;
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
