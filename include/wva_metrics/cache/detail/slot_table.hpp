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

/// Pointers to nodes by the hash of their keys, in a fixed number of slots. Any number of readers
/// may search it while one writer changes it.
///
/// A bucket is a cache line: seven slots, and a word with a byte of the hash for each, all of which
/// a search compares at once (the idea is that of F14 and of Boost's flat maps; without vector
/// instructions, as seven bytes do not need them). So nearly every search reads one line of the
/// table, looks into the wanted node alone, and takes the same branches. What finds its bucket full
/// goes to the next one that has room, and the full ones count it, so that a search knows where to
/// end.
///
/// Why a search may run beside a change:
///
/// - *A key that is there all the time is found.* Its slot's node is there before the slot's byte,
///   and the buckets before it have counted it before either; so whoever comes after the insertion
///   sees all three. They stay: a slot keeps its key until that is erased (only another node of the
///   same key takes the node's place, the byte stays), and nothing but its own erasure takes back
///   its count.
/// - *Where nothing is found, there was nothing at some moment of the search.* By the former, the
///   key was not there when it began, or was erased since.
/// - *What is found is or was the key's.* A byte may be one of a slot's former or next key, but the
///   node is compared with the wanted key itself. It was in the slot when its pointer was read;
///   that it still exists is for others to see to (`ReadSections`).
/// - *Searches of one key never go back in time.* They read the key's slot, one atomic object; and
///   once it has been erased from there, its next slot is written after.
template <typename Node, typename Companion>
class SlotTable {
public:
    static constexpr std::size_t slots_per_bucket = 7;

    /// With room for at least so many nodes.
    explicit SlotTable(std::size_t nodes)
        : size_(nodes / room_per_bucket + 1), buckets_(std::make_unique<Bucket[]>(size_)),
          deadlines_(std::make_unique_for_overwrite<Deadline[]>(size_ * stride)) {
        std::fill_n(deadlines_.get(), size_ * stride, never);
    }

    /// The node that `matches`, or null. For readers.
    ///
    /// Nearly always it is the first candidate of the first bucket, or there is none. The rest is a
    /// function of its own, so that the compiler keeps what a hit needs in registers.
    template <typename Matches>
    Node* find(std::size_t hash, const Matches& matches) const noexcept {
        const Bucket& bucket = buckets_[first_bucket(hash)];
        const std::uint64_t tags = bucket.tags.load(std::memory_order_acquire);
        const std::uint64_t candidates = candidates_in(tags, hash);
        if (candidates != 0) {
            Node* const node = bucket.nodes[place_of(candidates)].load(std::memory_order_acquire);
            if (node != nullptr && matches(*node))
                return node;
        } else if ((tags & passed_mask) == 0) {
            return nullptr;
        }
        return find_anywhere(hash, matches);
    }

    /// Something else that readers need beside the table, and that may change while it is used.
    std::atomic<const Companion*> companion{nullptr};

    // For the one writer.

    /// How late something may still be used, coarsely: for a sweep that reads nothing else of what
    /// it leaves alone.
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

    /// Null where the slot is free.
    Node* node(std::size_t slot) const noexcept {
        return buckets_[slot / stride].nodes[slot % stride].load(std::memory_order_relaxed);
    }

    /// How many nodes it may hold, so that most buckets have room.
    std::size_t room() const noexcept { return size_ * room_per_bucket; }

    /// Only while there is room.
    void insert(std::size_t hash, Node& node, Deadline deadline) noexcept {
        std::size_t number = first_bucket(hash);
        std::uint64_t free = 0;
        while ((free = free_slots(buckets_[number])) == 0) {
            count_passed(buckets_[number], 1);
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
            count_passed(buckets_[passed], -1);
    }

    /// Calls `found(slot)` for each node whose deadline is no later than the given one; it may
    /// erase what it is told of.
    template <typename Found>
    void for_each_until(Deadline latest, const Found& found) const {
        constexpr std::size_t block = 8 * stride; // Long enough for the compiler to use vectors.
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
    /// The lower seven bytes: 0 for a free slot, else seven bits of the hash and the upper one set.
    /// The highest byte: how many nodes have passed the bucket and stand behind it; once it is 255
    /// it stays so.
    struct alignas(64) Bucket {
        std::atomic<std::uint64_t> tags{0};
        std::atomic<Node*> nodes[slots_per_bucket]{};
    };

    static constexpr std::size_t stride = slots_per_bucket + 1;
    /// Four fifths of a bucket's slots, about; more would let many pass.
    static constexpr std::size_t room_per_bucket = 5;
    static constexpr Deadline never = std::numeric_limits<Deadline>::max();
    static constexpr std::uint64_t each_byte = 0x0001010101010101U;
    static constexpr std::uint64_t upper_bits = each_byte << 7;
    static constexpr int passed_shift = 56;
    static constexpr std::uint64_t passed_mask = std::uint64_t{0xff} << passed_shift;

    /// By bits that neither the bucket's number nor the choice of a shard depends on.
    static std::uint64_t tag_of(std::size_t hash) noexcept { return (hash & 0x7f) | 0x80; }
    /// The upper bit of a byte, as the byte's number.
    static std::size_t place_of(std::uint64_t bits) noexcept {
        return static_cast<std::size_t>(std::countr_zero(bits)) / 8;
    }

    /// Multiplied rather than divided, so that any number of buckets will do.
    std::size_t first_bucket(std::size_t hash) const noexcept {
        return static_cast<std::size_t>(((hash >> 8) & 0xffffffffU) * std::uint64_t{size_} >> 32);
    }
    std::size_t next_bucket(std::size_t number) const noexcept {
        return number + 1 == size_ ? 0 : number + 1;
    }

    /// The upper bit of each byte that has this hash's tag, and seldom of one more above the first,
    /// for the subtraction borrows.
    static std::uint64_t candidates_in(std::uint64_t tags, std::size_t hash) noexcept {
        const std::uint64_t differences = tags ^ (tag_of(hash) * each_byte);
        return (differences - each_byte) & ~differences & upper_bits;
    }

    /// Calls `stop(bucket, place, node)` for what may be it, until it says so. Goes round once at
    /// most: each bucket may have been passed, since some of what was there then may have left.
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
            if ((tags & passed_mask) == 0)
                return;
            number = next_bucket(number);
        } while (number != first);
    }

    template <typename Matches>
    BOOST_NOINLINE Node* find_anywhere(std::size_t hash, const Matches& matches) const noexcept {
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
        return ~tags(bucket) & upper_bits;
    }
    static void count_passed(Bucket& bucket, int change) noexcept {
        const std::uint64_t now = tags(bucket);
        if ((now & passed_mask) != passed_mask)
            set_tags(bucket, now + (static_cast<std::uint64_t>(change) << passed_shift));
    }

    std::size_t size_;
    std::unique_ptr<Bucket[]> buckets_;
    std::unique_ptr<Deadline[]> deadlines_;
};

} // namespace wva_metrics::detail
