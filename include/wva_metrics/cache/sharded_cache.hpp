// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/epoch_domain.hpp"
#include "wva_metrics/cache/detail/sieve_shard.hpp"
#include "wva_metrics/cache/key_prefix.hpp"

#include <boost/config.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// What a sharded cache can keep: something immutable that knows its times and its size.
/// `CacheEntry` is one, and says what these functions mean.
template <typename T>
concept TimedEntry = requires(const T& entry, TimePoint now) {
    { entry.is_fresh(now) } -> std::same_as<bool>;
    { entry.is_expired(now) } -> std::same_as<bool>;
    { entry.keep_until() } -> std::same_as<TimePoint>;
    { entry.bytes() } -> std::same_as<std::size_t>;
};

/// Keeps answers in memory for many threads, with exact TTL by the time passed in.
///
/// **Look-ups** take no lock, wait for nobody, allocate nothing, and write nothing that other
/// threads read often; so they are as fast on many threads as on one. (A program with more than 128
/// threads at once: those that come later take their shard's lock.) **Changes** take the lock of
/// one shard, chosen by the key's hash. `erase_prefix` of a whole namespace, `replica:llm/`, takes
/// the same time however many entries there are; other prefixes search all shards.
///
/// **Eviction** is SIEVE, per shard, which keeps more of what is asked for than LRU does where a
/// few keys are asked for often. Every shard has an equal share of both bounds, rounded up, so that
/// all together keep no less than was asked for (and at most one entry and one byte per shard
/// more); an entry that alone is larger than a shard's share of the bytes is not kept, nor is one
/// whose namespace has more than 32767 bytes or whose name has more than 65535.
///
/// **Memory:** what was replaced or removed is destroyed some changes later, at the latest by the
/// next `erase_expired` or `clear`, and not before the visitors that were running have returned.
/// An expired entry counts as absent, and is removed by `erase_expired`.
template <TimedEntry Entry>
class BasicShardedCache {
public:
    /// What it keeps, shared with its readers.
    using EntryPtr = std::shared_ptr<const Entry>;

    /// Only changes wait for each other, and few of them at the same time.
    static constexpr std::size_t default_shards = 8;

    /// `shards` is rounded up to a power of two, and is at least 1 and at most 4096.
    explicit BasicShardedCache(CacheLimits limits = {}, std::size_t shards = default_shards)
        : shard_bits_(
              static_cast<int>(std::bit_width(std::clamp<std::size_t>(shards, 1, max_shards) - 1))),
          shards_(std::size_t{1} << shard_bits_) {
        for (Shard& shard : shards_)
            shard.open(sections_, share(limits, shards_.size()));
    }
    BasicShardedCache(const BasicShardedCache&) = delete;
    BasicShardedCache& operator=(const BasicShardedCache&) = delete;

    /// Calls `visitor(const Entry&)` and returns true where the key has an entry.
    ///
    /// No lock is held meanwhile, and the visitor may call this cache again. Let it be brief: while
    /// it runs, nothing that is replaced or removed in this cache can be destroyed.
    template <typename Visitor>
    bool visit(const CacheKeyView& key, TimePoint now, Visitor&& visitor) {
        return look_up(key, now,
                       [&](const EntryPtr& entry) { std::forward<Visitor>(visitor)(*entry); });
    }

    /// The entry, shared, or null.
    EntryPtr find(const CacheKeyView& key, TimePoint now) {
        EntryPtr found;
        look_up(key, now, [&](const EntryPtr& entry) { found = entry; });
        return found;
    }

    /// Keeps an entry, and evicts others until the bounds of the key's shard hold.
    ///
    /// One that alone is too large, or whose key is, is not kept, and neither is what its key had
    /// before; that counts as an insertion and an eviction. A null entry changes nothing.
    void insert_or_assign(const CacheKeyView& key, EntryPtr entry) {
        if (!entry)
            return;
        const std::size_t hash = CacheKeyHash()(key);
        shard(hash).insert_or_assign(key, hash, std::move(entry));
    }

    /// Whether there was one.
    bool erase(const CacheKeyView& key) {
        const std::size_t hash = CacheKeyHash()(key);
        return shard(hash).erase(key, hash);
    }

    /// Removes every entry whose key, as text, begins with `prefix`, one shard after the other, and
    /// says how many. What other threads insert meanwhile may be removed or stay.
    std::size_t erase_prefix(std::string_view prefix) {
        const auto parts = split_prefix(prefix);
        return sum([&](Shard& shard) {
            return parts ? shard.erase_prefix(*parts) : shard.erase_groups(prefix);
        });
    }

    /// Removes every entry that nobody can be served any more, one shard after the other, and says
    /// how many.
    std::size_t erase_expired(TimePoint now) {
        return sum([now](Shard& shard) { return shard.erase_expired(now); });
    }

    /// Removes everything, one shard after the other. The counters go on; what was removed counts
    /// as invalidated.
    void clear() {
        for (Shard& shard : shards_)
            shard.clear();
    }

    /// Other bounds from now on; what is too much for them is evicted. Of several calls at once the
    /// last to end decides, for each shard.
    void set_limits(CacheLimits limits) {
        for (Shard& shard : shards_)
            shard.set_limits(share(limits, shards_.size()));
    }

    /// Entries stored, those included that have expired since; the sum over all shards, each read
    /// at its own moment.
    std::size_t size() const {
        std::size_t entries = 0;
        for (const Shard& shard : shards_)
            entries += shard.size();
        return entries;
    }

    /// The sums over all shards and threads, each read at its own moment.
    CacheStats stats() const {
        CacheStats sum;
        for (const Shard& shard : shards_)
            sum += shard.stats();
        sections_.add_counters(sum);
        return sum;
    }

    /// After rounding.
    std::size_t shard_count() const noexcept { return shards_.size(); }

private:
    using Shard = detail::SieveShard<Entry>;
    using Cell = detail::ReadSections::Cell;

    static constexpr std::size_t max_shards = 4096;

    static CacheLimits share(const CacheLimits& limits, std::size_t count) noexcept {
        const auto part = [count](std::size_t bound) {
            return bound / count + (bound % count == 0 ? 0 : 1);
        };
        return {part(limits.max_entries), part(limits.max_bytes)};
    }

    /// By the hash's highest bits; the table inside uses lower ones.
    Shard& shard(std::size_t hash) noexcept {
        // Shifting in two steps, because one by all the digits is not defined.
        return shards_[hash >> 1 >> (std::numeric_limits<std::size_t>::digits - 1 - shard_bits_)];
    }

    template <typename Count>
    std::size_t sum(const Count& count) {
        std::size_t total = 0;
        for (Shard& shard : shards_)
            total += count(shard);
        return total;
    }

    /// Calls `read(const EntryPtr&)` where there is an entry, and counts.
    template <typename Read>
    bool look_up(const CacheKeyView& key, TimePoint now, const Read& read) {
        const std::size_t hash = CacheKeyHash()(key);
        Shard& place = shard(hash);
        Cell* const cell = sections_.cell();
        if (cell == nullptr)
            return look_up_locked(place, key, hash, now, read);
        const detail::ReadSections::Section section(sections_, *cell);
        const auto* const node = place.find(key, hash);
        if (node == nullptr || node->entry()->is_expired(now)) {
            Cell::count(cell->misses);
            return false;
        }
        const EntryPtr& entry = node->entry();
        // Branches, not a choice of the counter: what comes next need not wait for the entry then.
        if (entry->is_fresh(now))
            Cell::count(cell->hits);
        else
            Cell::count(cell->stale_hits);
        node->mark_visited();
        read(entry);
        return true;
    }

    template <typename Read>
    BOOST_NOINLINE bool look_up_locked(Shard& place, const CacheKeyView& key, std::size_t hash,
                                       TimePoint now, const Read& read) {
        const EntryPtr entry = place.find_locked(key, hash, now);
        if (!entry)
            return false;
        read(entry);
        return true;
    }

    detail::ReadSections sections_;
    int shard_bits_;
    std::vector<Shard> shards_;
};

/// Keeps a collector's answers in memory for many threads.
using ShardedCache = BasicShardedCache<CacheEntry>;

} // namespace wva_metrics
