// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/config.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

namespace wva_metrics::detail {

/// A hash table of pointers to nodes, with a fixed number of slots. Any number of readers may
/// search it while one writer changes it.
///
/// A bucket is one cache line: seven slots, and a word that holds a tag of each slot (a byte with
/// seven bits of the hash) and the bucket's overflow count. A search compares all tags at once.
/// (The idea is that of F14 and of Boost's flat maps; seven bytes need no vector instructions.) So
/// nearly every search reads one cache line of the table and one node, and takes the same branches.
/// A node whose bucket is full goes to the next bucket that has room, and every full bucket it
/// passes counts it, so that a search knows where to stop.
///
/// Why a search may run beside a change:
///
/// - *A key that is present during the whole search is found.* The insertion first increments the
///   overflow counts of the buckets it passes, then stores the node, then its tag; a search that
///   begins after the insertion sees all three. They stay: the slot keeps its key until the key is
///   erased (a replacement stores another node of the same key, and the same tag), and only the
///   erasure of the key itself decrements the counts.
/// - *If a search finds nothing, the key was absent at some moment of the search.* By the first
///   rule, the key was absent when the search began, or was erased since.
/// - *A node that is found belongs to the key.* A tag may be that of a slot's previous or next key,
///   but the node's key is compared too. The node was in the slot when its pointer was read;
///   keeping it alive is `EpochDomain`'s job.
/// - *Searches of one key never go back in time.* They read the key's slot, which is one atomic
///   object; if the key is erased there, its next slot is written after that.
template <typename Node, typename Generation>
class SlotTable {
public:
    static constexpr std::size_t slots_per_bucket = 7;

    /// Makes room for at least this number of nodes.
    explicit SlotTable(std::size_t nodes)
        : size_(nodes / room_per_bucket + 1), buckets_(std::make_unique<Bucket[]>(size_)),
          deadlines_(std::make_unique_for_overwrite<Deadline[]>(size_ * stride)) {
        std::fill_n(deadlines_.get(), size_ * stride, never);
    }

    /// The node that `matches`, or null. For readers.
    ///
    /// Nearly always it is the first candidate of the first bucket, or there is none. Other cases
    /// are in a separate function, so that the compiler keeps the variables of a hit in registers.
    template <typename Matches>
    BOOST_FORCEINLINE Node* find(std::size_t hash, const Matches& matches) const noexcept {
        const Bucket& bucket = buckets_[first_bucket(hash)];
        const std::uint64_t tags = bucket.tags.load(std::memory_order_acquire);
        const std::uint64_t candidates = candidates_in(tags, hash);
        if (candidates != 0) {
            Node* const node = bucket.nodes[place_of(candidates)].load(std::memory_order_acquire);
            if (node != nullptr && matches(*node))
                return node;
        } else if ((tags & overflow_mask) == 0) {
            return nullptr;
        }
        return find_slow(hash, matches);
    }

    /// The generations of the nodes' groups, for readers. The writer may store another array while
    /// readers use the table.
    std::atomic<const Generation*> generations{nullptr};

    // The remaining functions are for the one writer.

    /// The last moment at which a node's entry may be used, rounded down. A sweep for expired
    /// entries reads only the deadline of the nodes that it leaves alone.
    using Deadline = std::int32_t;
    /// The upper half of a count of nanoseconds, in units of 4.3 s.
    static constexpr Deadline coarse(std::int64_t nanoseconds) noexcept {
        return static_cast<Deadline>(nanoseconds >> 32);
    }

    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    /// The slot of the node that `matches`, or `none`.
    template <typename Matches>
    std::size_t find_slot(std::size_t hash, const Matches& matches) const noexcept {
        std::size_t found = none;
        search(hash, [&](std::size_t bucket, std::size_t place, Node* node) {
            if (!matches(*node))
                return false;
            found = bucket * stride + place;
            return true;
        });
        return found;
    }

    /// The node in a slot; null if the slot is free.
    Node* node(std::size_t slot) const noexcept {
        return buckets_[slot / stride].nodes[slot % stride].load(std::memory_order_relaxed);
    }

    /// The most nodes the table may hold; few enough that most buckets have a free slot.
    std::size_t room() const noexcept { return size_ * room_per_bucket; }

    /// Inserts a node whose key is not in the table. There must be room.
    void insert(std::size_t hash, Node& node, Deadline deadline) noexcept {
        std::size_t number = first_bucket(hash);
        std::uint64_t free = 0;
        while ((free = free_slots(buckets_[number])) == 0) {
            change_overflow(buckets_[number], 1);
            number = next_bucket(number);
        }
        Bucket& bucket = buckets_[number];
        const std::size_t place = place_of(free);
        deadlines_[number * stride + place] = deadline;
        bucket.nodes[place].store(&node, std::memory_order_release);
        set_tags(bucket, tags(bucket) | tag_of(hash) << (8 * place));
    }

    /// Puts another node of the same key into the slot.
    void replace(std::size_t slot, Node& node, Deadline deadline) noexcept {
        deadlines_[slot] = deadline;
        buckets_[slot / stride].nodes[slot % stride].store(&node, std::memory_order_release);
    }

    void erase(std::size_t slot, std::size_t hash) noexcept {
        const std::size_t place = slot % stride;
        Bucket& bucket = buckets_[slot / stride];
        deadlines_[slot] = never;
        set_tags(bucket, tags(bucket) & ~(std::uint64_t{0xff} << (8 * place)));
        bucket.nodes[place].store(nullptr, std::memory_order_release);
        for (std::size_t passed = first_bucket(hash); passed != slot / stride;
             passed = next_bucket(passed))
            change_overflow(buckets_[passed], -1);
    }

    /// Calls `found(slot)` for each node whose deadline is not after `latest`; `found` may erase
    /// that node.
    template <typename Found>
    void for_each_until(Deadline latest, const Found& found) const {
        constexpr std::size_t block = 8 * stride; // Long enough for vector instructions.
        const std::size_t slots = size_ * stride;
        for (std::size_t begin = 0; begin < slots; begin += block) {
            const std::size_t end = std::min(begin + block, slots);
            Deadline earliest = never;
            for (std::size_t slot = begin; slot < end; ++slot)
                earliest = std::min(earliest, deadlines_[slot]);
            if (earliest > latest)
                continue;
            for (std::size_t slot = begin; slot < end; ++slot)
                if (deadlines_[slot] <= latest && slot % stride < slots_per_bucket &&
                    node(slot) != nullptr)
                    found(slot);
        }
    }

private:
    /// `tags`: the lower seven bytes are the slots' tags, 0 for a free slot, otherwise seven bits
    /// of the hash with the high bit set. The highest byte is the overflow count: the number of
    /// nodes that found this bucket full and are in a later one. At 255 it stays for ever.
    struct alignas(64) Bucket {
        std::atomic<std::uint64_t> tags{0};
        std::atomic<Node*> nodes[slots_per_bucket]{};
    };

    static constexpr std::size_t stride = slots_per_bucket + 1;
    /// Five of the seven slots; with more, many nodes would overflow.
    static constexpr std::size_t room_per_bucket = 5;
    static constexpr Deadline never = std::numeric_limits<Deadline>::max();
    static constexpr std::uint64_t each_byte = 0x0001010101010101U;
    static constexpr std::uint64_t high_bits = each_byte << 7;
    static constexpr int overflow_shift = 56;
    static constexpr std::uint64_t overflow_mask = std::uint64_t{0xff} << overflow_shift;

    /// The tag uses bits on which neither the bucket number nor the choice of the shard depends.
    static std::uint64_t tag_of(std::size_t hash) noexcept { return (hash & 0x7f) | 0x80; }
    /// The number of the lowest byte whose high bit is set.
    static std::size_t place_of(std::uint64_t bits) noexcept {
        return static_cast<std::size_t>(std::countr_zero(bits)) / 8;
    }

    /// A multiplication instead of a division, which works for any number of buckets.
    std::size_t first_bucket(std::size_t hash) const noexcept {
        return static_cast<std::size_t>(((hash >> 8) & 0xffffffffU) * std::uint64_t{size_} >> 32);
    }
    std::size_t next_bucket(std::size_t number) const noexcept {
        return number + 1 == size_ ? 0 : number + 1;
    }

    /// The high bit of each byte that holds this hash's tag. Rarely also that of a byte above the
    /// first match, because the subtraction borrows.
    static std::uint64_t candidates_in(std::uint64_t tags, std::size_t hash) noexcept {
        const std::uint64_t differences = tags ^ (tag_of(hash) * each_byte);
        return (differences - each_byte) & ~differences & high_bits;
    }

    /// Calls `stop(bucket, place, node)` for each candidate until it returns true; `place` is the
    /// slot's number within the bucket. Makes at most one round, because every bucket may have
    /// an overflow count, even if it is not full any more.
    template <typename Stop>
    void search(std::size_t hash, const Stop& stop) const noexcept {
        const std::size_t first = first_bucket(hash);
        std::size_t number = first;
        do {
            const Bucket& bucket = buckets_[number];
            const std::uint64_t tags = bucket.tags.load(std::memory_order_acquire);
            for (std::uint64_t candidates = candidates_in(tags, hash); candidates != 0;
                 candidates &= candidates - 1) {
                const std::size_t place = place_of(candidates);
                Node* const node = bucket.nodes[place].load(std::memory_order_acquire);
                if (node != nullptr && stop(number, place, node))
                    return;
            }
            if ((tags & overflow_mask) == 0)
                return;
            number = next_bucket(number);
        } while (number != first);
    }

    template <typename Matches>
    BOOST_NOINLINE Node* find_slow(std::size_t hash, const Matches& matches) const noexcept {
        Node* found = nullptr;
        search(hash, [&](std::size_t, std::size_t, Node* node) {
            if (!matches(*node))
                return false;
            found = node;
            return true;
        });
        return found;
    }

    static std::uint64_t tags(const Bucket& bucket) noexcept {
        return bucket.tags.load(std::memory_order_relaxed);
    }
    static void set_tags(Bucket& bucket, std::uint64_t tags) noexcept {
        bucket.tags.store(tags, std::memory_order_release);
    }
    static std::uint64_t free_slots(const Bucket& bucket) noexcept {
        return ~tags(bucket) & high_bits;
    }
    static void change_overflow(Bucket& bucket, int change) noexcept {
        const std::uint64_t now = tags(bucket);
        if ((now & overflow_mask) != overflow_mask)
            set_tags(bucket, now + (static_cast<std::uint64_t>(change) << overflow_shift));
    }

    std::size_t size_;
    std::unique_ptr<Bucket[]> buckets_;
    std::unique_ptr<Deadline[]> deadlines_;
};

} // namespace wva_metrics::detail
