// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/attribution_budget.hpp"
#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/cache_cell.hpp"
#include "wva_metrics/cache/detail/epoch_domain.hpp"
#include "wva_metrics/cache/detail/hashed_key.hpp"
#include "wva_metrics/cache/detail/sieve_shard.hpp"
#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"

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

/// An entry of a sharded cache: immutable, with its times and its size. `CacheEntry` satisfies it,
/// and documents these functions.
template <typename T>
concept TimedEntry = requires(const T& entry, TimePoint now) {
    { entry.is_fresh(now) } -> std::same_as<bool>;
    { entry.is_expired(now) } -> std::same_as<bool>;
    { entry.keep_until() } -> std::same_as<TimePoint>;
    { entry.bytes() } -> std::same_as<std::size_t>;
};

/// A cache for many threads. A general concurrent map does not give all of this together:
///
/// - wait-free readers: a look-up takes no lock, allocates nothing and never waits,
/// - O(1) invalidation of a namespace, however many entries it has,
/// - a bound on entries and a bound on bytes,
/// - exact TTL, by the time passed in.
///
/// **Look-ups** write nothing that other threads read often, so they are as fast on many threads as
/// on one. (Of more than 128 threads at once, the later ones take their shard's lock.) An expired
/// entry counts as absent; `erase_expired` removes it.
///
/// **Changes** take the lock of one shard, chosen by the key's hash. `erase_prefix` of a whole
/// namespace, `replica:llm/`, is O(1) per shard. A longer prefix scans the entries, a shorter one
/// the namespaces.
///
/// **Eviction** is SIEVE, per shard. If a few keys are requested often, it keeps more of them than
/// LRU does. Every shard has an equal share of both bounds, rounded up, so that the cache keeps no
/// less than its limits allow, and at most one entry and one byte per shard more. An entry is not
/// kept if it alone is larger than a shard's share of the bytes, if its namespace has more than
/// 32767 bytes, or if its name has more than 65535.
///
/// **Memory:** a replaced or removed entry is destroyed some changes later, at the latest by the
/// next `erase_expired` or `clear` after its visitors have returned. The heap holds at most a quarter
/// more than `max_bytes`, plus a fixed amount; the README of this folder says more.
///
/// **Threads:** safe.
template <TimedEntry Entry>
class BasicShardedCache {
public:
    /// An entry, shared by the cache and its readers.
    using EntryPtr = std::shared_ptr<const Entry>;

    /// Few, because only changes wait for each other.
    static constexpr std::size_t default_shards = 8;

    /// `shards` is rounded up to a power of two, and is at least 1 and at most 4096. Throws
    /// `ResultError` with `Errc::invalid_config` and all problems that `validate(limits)` finds.
    explicit BasicShardedCache(CacheLimits limits = {}, std::size_t shards = default_shards)
        : shard_bits_(
              static_cast<int>(std::bit_width(std::clamp<std::size_t>(shards, 1, max_shards) - 1))),
          shards_(std::size_t{1} << shard_bits_) {
        const CacheLimits part =
            detail::share_of(detail::checked(limits, "sharded cache"), shards_.size());
        for (Shard& shard : shards_)
            shard.open(domain_, part);
    }

    /// As the constructor, for programs that do not catch exceptions. The cache cannot be moved out
    /// of the result.
    ///
    /// **Parameters:** those of the constructor.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicShardedCache> make(CacheLimits limits = {},
                                          std::size_t shards = default_shards) {
        return detail::make_result<BasicShardedCache>(limits, shards);
    }
    BasicShardedCache(const BasicShardedCache&) = delete;
    BasicShardedCache& operator=(const BasicShardedCache&) = delete;

    /// The place of one key. It is the same for all who ask, and lasts as long as somebody keeps it.
    /// Its memory counts as the cache's, about 250 bytes and the key.
    using Cell = detail::CacheCell<Entry>;
    /// The cell of a key, made if there is none. Takes the lock of the key's shard. Null if the key is
    /// too long to be stored, and if the cells of its shard take a quarter of the shard's bytes.
    std::shared_ptr<Cell> cell(const CacheKeyView& key) {
        const std::size_t hash = CacheKeyHash()(key);
        return shard(hash).cell(key, hash);
    }

    /// If the key has an entry, calls `visitor(const Entry&)` and returns true.
    ///
    /// No lock is held meanwhile. The visitor may be slow, and keeps its own entry alive and no other
    /// one; it may call this cache, and may end on another thread than it began (a fiber).
    template <typename Visitor>
    bool visit(const CacheKeyView& key, TimePoint now, Visitor&& visitor) {
        const detail::HashedKeyView hashed(key);
        return visit_at(hashed, now, std::forward<Visitor>(visitor));
    }
    /// As above, by the key's cell, without a search.
    template <typename Visitor>
    BOOST_FORCEINLINE bool visit(Cell& cell, TimePoint now, Visitor&& visitor) {
        return visit_at(cell, now, std::forward<Visitor>(visitor));
    }

    ///@{
    /// Returns the entry, shared, or null.
    EntryPtr find(const CacheKeyView& key, TimePoint now) {
        const detail::HashedKeyView hashed(key);
        return find_at(hashed, now);
    }
    EntryPtr find(Cell& cell, TimePoint now) { return find_at(cell, now); }
    ///@}

    /// Stores an entry, and evicts others until the bounds of the key's shard hold.
    ///
    /// An entry that is too large, or whose key is, is not stored, and the previous entry of its
    /// key is removed; this counts as an insertion and an eviction. A null entry is ignored.
    void insert_or_assign(const CacheKeyView& key, EntryPtr entry) {
        if (!entry)
            return;
        const std::size_t hash = CacheKeyHash()(key);
        shard(hash).insert_or_assign(key, hash, std::move(entry));
    }

    /// Removes the entry of a key. Returns false if there was none.
    bool erase(const CacheKeyView& key) {
        const std::size_t hash = CacheKeyHash()(key);
        return shard(hash).erase(key, hash);
    }

    /// Removes every entry whose key, as text, begins with `prefix`, one shard after the other;
    /// returns their number. Entries that other threads insert meanwhile may be removed or not.
    std::size_t erase_prefix(std::string_view prefix) {
        const auto parts = split_prefix(prefix);
        return sum([&](Shard& shard) {
            return parts ? shard.erase_prefix(*parts) : shard.erase_groups(prefix);
        });
    }

    /// As `erase_prefix`, but removes only the entries for which `matches(const Entry&)` is true, and
    /// scans all entries. It is called with a shard's lock held, and must not call the cache.
    template <typename Matches>
    std::size_t erase_prefix_if(std::string_view prefix, const Matches& matches) {
        return sum([&](Shard& shard) { return shard.erase_prefix_if(prefix, matches); });
    }

    /// Removes every expired entry (`is_expired`), one shard after the other; returns their number.
    std::size_t erase_expired(TimePoint now) {
        return sum([now](Shard& shard) { return shard.erase_expired(now); });
    }

    /// Removes all entries, one shard after the other; they count as invalidated. The counters are
    /// kept.
    void clear() {
        for (Shard& shard : shards_)
            shard.clear();
    }

    /// Applies new limits, and evicts what exceeds them. With concurrent calls, the last to finish
    /// wins per shard. Throws `ResultError` for limits that the constructor refuses, and changes
    /// nothing then.
    void set_limits(CacheLimits limits) {
        limits = detail::checked(limits, "sharded cache");
        for (Shard& shard : shards_)
            shard.set_limits(detail::share_of(limits, shards_.size()));
    }

    /// Number of stored entries, including expired ones: the sum over all shards, each read at its
    /// own moment.
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
        domain_.add_counters(sum);
        return sum;
    }

    /// Bounds the attributions of the entry that is inserted with this key.
    std::shared_ptr<AttributionBudget> attribution_budget(const CacheKeyView& key) {
        return shard(CacheKeyHash()(key)).attribution_budget();
    }

    /// Number of shards, after rounding.
    std::size_t shard_count() const noexcept { return shards_.size(); }

private:
    using Shard = detail::SieveShard<Entry>;
    using Found = typename Shard::Found;
    using ThreadRecord = detail::EpochDomain::ThreadRecord;

    static constexpr std::size_t max_shards = 4096;

    /// Chosen by the highest bits of the hash; the slot tables use lower ones.
    Shard& shard(std::size_t hash) noexcept {
        // Two shifts, because a shift by all the digits is undefined.
        return shards_[hash >> 1 >> (std::numeric_limits<std::size_t>::digits - 1 - shard_bits_)];
    }

    template <typename Count>
    std::size_t sum(const Count& count) {
        std::size_t total = 0;
        for (Shard& shard : shards_)
            total += count(shard);
        return total;
    }

    /// Inlined by force, so that what the visitor uses stays in registers.
    template <typename Where, typename Visitor>
    BOOST_FORCEINLINE bool visit_at(Where& where, TimePoint now, Visitor&& visitor) {
        ThreadRecord* const record = domain_.thread_record();
        if (record == nullptr || record->is_visiting()) [[unlikely]] {
            const EntryPtr entry = find_at(where, now);
            if (entry)
                std::forward<Visitor>(visitor)(*entry);
            return entry != nullptr;
        }
        detail::EpochDomain::Visit visit(*record);
        Found found;
        {
            const detail::EpochDomain::ReadSection section(domain_, *record);
            found = look_up(where, now, *record);
            if (found.node == nullptr)
                return false;
            visit.keep(found.node);
        }
        std::forward<Visitor>(visitor)(*found.entry);
        return true;
    }

    template <typename Where>
    BOOST_NOINLINE EntryPtr find_at(Where& where, TimePoint now) {
        ThreadRecord* const record = domain_.thread_record();
        if (record == nullptr)
            return shard(where.hash()).find_locked(where.key(), where.hash(), now);
        const detail::EpochDomain::ReadSection section(domain_, *record);
        const Found found = look_up(where, now, *record);
        return found.node == nullptr ? nullptr : found.node->entry();
    }

    /// What to return; counts the look-up. Within a read section. Inlined by force: a hit is faster.
    template <typename Where>
    BOOST_FORCEINLINE Found look_up(Where& where, TimePoint now, ThreadRecord& record) noexcept {
        const Found found = shard(where.hash()).find(where);
        if (found.node == nullptr || found.entry->is_expired(now)) {
            ThreadRecord::count(record.misses);
            return {};
        }
        // Branches instead of selecting the counter, so that the code after them does not depend on
        // the entry's times.
        if (found.entry->is_fresh(now))
            ThreadRecord::count(record.hits);
        else
            ThreadRecord::count(record.stale_hits);
        if constexpr (std::same_as<Where, Cell>)
            where.mark_visited();
        else
            found.node->mark_visited();
        return found;
    }

    detail::EpochDomain domain_;
    int shard_bits_;
    std::vector<Shard> shards_;
};

/// A cache of a collector's answers for many threads. See `BasicShardedCache`.
using ShardedCache = BasicShardedCache<CacheEntry>;

} // namespace wva_metrics
