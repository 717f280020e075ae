// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/attribution_budget.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/cache_cell.hpp"
#include "wva_metrics/cache/detail/cell_table.hpp"
#include "wva_metrics/cache/detail/epoch_domain.hpp"
#include "wva_metrics/cache/detail/hashed_key.hpp"
#include "wva_metrics/cache/detail/namespace_table.hpp"
#include "wva_metrics/cache/detail/retire_list.hpp"
#include "wva_metrics/cache/detail/shard_write_guard.hpp"
#include "wva_metrics/cache/detail/sieve_contents.hpp"
#include "wva_metrics/cache/detail/sieve_search.hpp"
#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// A part of a `ShardedCache`. Its readers take no lock; its writers take one.
///
/// A writer never changes what a reader can see of a node. It makes a new node, puts it into the
/// slot, and moves the old one to the `RetireList` until no reader can hold it any more.
///
/// Invalidating a namespace leaves its nodes in place; they are stale and no longer count. A writer
/// removes the stale nodes it comes across. If there are more than a quarter of the live ones plus
/// 64, or if they take more than a sixteenth of the bound, every insertion also sweeps some.
///
/// **Memory:** live entries and attributions stay within the bound plus a sixteenth. Stale nodes take
/// up to another sixteenth, and retired ones an eighth or 64 KiB. If more of them wait for a thread
/// that was interrupted in the middle of a search, writers let other threads run after each change;
/// if they take more than the bound once more, nothing is kept until that thread goes on.
///
/// **Errors:** if memory runs out (`std::bad_alloc`), a change of several steps may have done some
/// of them, such as an eviction for an entry that is then not inserted. The counters include those
/// steps.
template <typename Entry>
class SieveShard {
public:
    using Contents = SieveContents<Entry>;
    using Search = SieveSearch<Entry>;
    using Found = typename Search::Found;
    using Cell = CacheCell<Entry>;
    using Node = typename Contents::Node;
    using EntryPtr = typename Contents::EntryPtr;

    /// To be called before anything else. (Not a constructor, because the shards are elements of a
    /// vector and cannot be moved.)
    void open(EpochDomain& domain, CacheLimits limits) {
        domain_ = &domain;
        limits_ = limits;
        attributions_ = std::make_shared<AttributionBudget>();
        attributions_->set_room(limits.max_bytes, 0);
    }

    const std::shared_ptr<AttributionBudget>& attribution_budget() const noexcept {
        return attributions_;
    }

    /// What is live under a key. Only within a read section; valid until its end.
    Found find(const HashedKeyView& key) const noexcept {
        return Search::find(published_table_, key.key(), key.hash());
    }
    /// As above, by the key's cell.
    Found find(const Cell& cell) const noexcept { return Search::find(published_table_, cell); }

    /// The key's cell, as long as somebody refers to it. Null if the key is too long to be stored, and
    /// if there are too many cells for the bound on bytes.
    std::shared_ptr<Cell> cell(const CacheKeyView& key, std::size_t hash) {
        const WriteGuard guard(*this);
        if (std::shared_ptr<Cell> known = cells_.find(key, hash))
            return known;
        if (cells_.is_due())
            drop_unused_cells();
        if (!Node::can_hold(key) || !cells_.has_room(key, limits_.max_bytes))
            return nullptr;
        return cells_.add(key, [&](Cell& made) { contents_->link(made, retired_.added()); });
    }

    /// For a thread that has no `ThreadRecord`. Counts the look-up in the shard.
    EntryPtr find_locked(const CacheKeyView& key, std::size_t hash, TimePoint now) {
        const std::lock_guard lock(mutex_);
        const Node* const node = Search::find(published_table_, key, hash).node;
        if (!node || node->entry()->is_expired(now)) {
            ++stats_.misses;
            return nullptr;
        }
        ++(node->entry()->is_fresh(now) ? stats_.hits : stats_.stale_hits);
        node->mark_visited();
        return node->entry();
    }

    void insert_or_assign(const CacheKeyView& key, std::size_t hash, EntryPtr entry) {
        const WriteGuard guard(*this);
        const std::size_t bytes = Node::bytes(key, *entry);
        const std::size_t slot = contents_->find_slot(key, hash);
        if (bytes > limits_.max_bytes || limits_.max_entries == 0 || !Node::can_hold(key) ||
            retired_.exceeds(limits_.max_bytes)) {
            if (slot != Contents::no_slot)
                contents_->remove(slot, hash, retired_.added());
            ++stats_.insertions;
            ++stats_.evictions;
            return;
        }
        if (slot != Contents::no_slot) {
            const Node& kept = contents_->replace(slot, std::move(entry), retired_.added());
            while (contents_->live() > 1 && contents_->exceeds(entry_limits(limits_)))
                evict_one(&kept);
        } else {
            CacheLimits others = entry_limits(limits_);
            others.max_entries -= 1;
            others.max_bytes -= std::min(bytes, others.max_bytes);
            while (contents_->exceeds(others))
                evict_one(nullptr);
            const std::shared_ptr<Cell> cell = cells_.find(key, hash);
            contents_->add(key, hash, std::move(entry), cell.get(), published_table_,
                           retired_.added());
        }
        ++stats_.insertions;
        sweep_stale_nodes(bytes);
    }

    /// True if there was an entry.
    bool erase(const CacheKeyView& key, std::size_t hash) {
        const WriteGuard guard(*this);
        const std::size_t slot = contents_->find_slot(key, hash);
        if (slot == Contents::no_slot)
            return false;
        const bool was_live = contents_->is_live(contents_->node(slot));
        contents_->remove(slot, hash, retired_.added());
        if (was_live)
            ++stats_.invalidations;
        return was_live;
    }

    /// Removes the keys with this prefix: O(1) for a whole namespace, otherwise a scan of the
    /// shard.
    std::size_t erase_prefix(const NamespacePrefix& prefix) {
        const WriteGuard guard(*this);
        const auto group = contents_->namespaces().find(prefix.kind, prefix.namespace_name);
        if (group == NamespaceTable::none)
            return 0;
        if (prefix.name_prefix.empty())
            return count_invalidated(contents_->invalidate(group));
        const auto matches = [&](const Node& node) {
            return node.group() == group && node.key().name.starts_with(prefix.name_prefix);
        };
        return contents_->remove_live(matches, stats_.invalidations, retired_.added());
    }

    /// Removes the keys with a prefix that ends before the name begins. So every group matches as a
    /// whole or not at all.
    std::size_t erase_groups(std::string_view prefix) {
        const WriteGuard guard(*this);
        return count_invalidated(contents_->invalidate_groups(prefix));
    }

    /// Removes the keys with this prefix whose entries match.
    template <typename Matches>
    std::size_t erase_prefix_if(std::string_view prefix, const Matches& matches) {
        const WriteGuard guard(*this);
        const auto is_it = [&](const Node& node) {
            return starts_with(node.key(), prefix) && matches(*node.entry());
        };
        return contents_->remove_live(is_it, stats_.invalidations, retired_.added());
    }

    /// Removes expired entries and stale nodes; returns the number of expired entries.
    std::size_t erase_expired(TimePoint now) {
        const WriteGuard guard(*this, reclaim_now);
        std::size_t erased = 0;
        contents_->for_each_until(now, [&](const Node& node) {
            if (!contents_->is_live(node) || !node.entry()->is_expired(now))
                return;
            contents_->remove(node, retired_.added());
            ++stats_.expirations;
            ++erased;
        });
        if (contents_->stale_nodes() > 0)
            contents_->for_each([this](const Node& node) {
                if (!contents_->is_live(node))
                    contents_->remove(node, retired_.added());
            });
        contents_->shrink_table(published_table_, retired_.added());
        drop_unused_cells();
        return erased;
    }

    void clear() {
        const WriteGuard guard(*this, reclaim_now);
        auto emptied = std::make_unique<Contents>();
        retired_.added().objects().reserve();
        cells_.change_all(
            [&] { published_table_.store(emptied->table(), std::memory_order_release); });
        emptied.swap(contents_);
        stats_.invalidations += emptied->live();
        emptied->retire_all(retired_.added());
        retired_.added().objects().add(std::move(emptied));
    }

    /// Applies new limits, evicting in small batches so other writers are not blocked for long.
    void set_limits(CacheLimits limits) {
        constexpr int evictions_per_step = 256;
        for (bool fits = false; !fits;) {
            const WriteGuard guard(*this, reclaim_now);
            const auto exceeds = [&] { return contents_->exceeds(entry_limits(limits)); };
            for (int eviction = 0; eviction < evictions_per_step && exceeds(); ++eviction)
                evict_one(nullptr);
            fits = !exceeds();
            // Until the last step the limits admit all that is stored, so that an insertion in
            // between does not have to evict the rest at once.
            const std::size_t stored = contents_->live_bytes() + other_bytes();
            limits_ = fits ? limits
                           : CacheLimits(std::max(limits.max_entries, contents_->live()),
                                         std::max(limits.max_bytes, stored));
            if (fits)
                contents_->shrink_table(published_table_, retired_.added());
        }
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return contents_->live();
    }

    /// Without the look-ups of threads that have a `ThreadRecord`; those are in the `EpochDomain`.
    CacheStats stats() const {
        const std::lock_guard lock(mutex_);
        CacheStats stats = stats_;
        stats.entries = contents_->live();
        stats.bytes = contents_->live_bytes() + other_bytes();
        return stats;
    }

private:
    friend ShardWriteGuard<SieveShard>;
    using WriteGuard = ShardWriteGuard<SieveShard>;
    static constexpr auto reclaim_now = WriteGuard::When::now;

    void drop_unused_cells() {
        cells_.drop_unused([this](const Cell& cell) { contents_->unlink(cell); });
    }

    /// The memory that is not that of entries.
    std::size_t other_bytes() const noexcept { return attributions_->used() + cells_.bytes(); }
    /// The limits, less the memory of cells and attributions.
    CacheLimits entry_limits(const CacheLimits& limits) const noexcept {
        return {limits.max_entries,
                attributions_->bytes_for_entries(cells_.bytes_for_others(limits.max_bytes))};
    }

    std::size_t count_invalidated(std::size_t entries) noexcept {
        stats_.invalidations += entries;
        return entries;
    }

    /// Evicts a live node or removes a stale one, never `keep`. There must be another node.
    void evict_one(const Node* keep) {
        const Node& victim = contents_->victim(keep);
        const bool was_live = contents_->is_live(victim);
        contents_->remove(victim, retired_.added());
        if (was_live)
            ++stats_.evictions;
    }

    /// Removes some stale nodes if there are many.
    void sweep_stale_nodes(std::size_t inserted_bytes) noexcept {
        constexpr std::size_t few = 64;
        if (contents_->stale_nodes() > few + contents_->live() / 4 ||
            contents_->stale_bytes() > limits_.max_bytes / 16)
            contents_->sweep(inserted_bytes, retired_.added());
    }

    /// Readers read this cache line; writers write to others.
    alignas(64) std::unique_ptr<Contents> contents_ = std::make_unique<Contents>();
    typename Contents::PublishedTable published_table_{contents_->table()};
    EpochDomain* domain_ = nullptr;

    alignas(64) mutable std::mutex mutex_;
    CacheLimits limits_;
    std::shared_ptr<AttributionBudget> attributions_;
    CellTable<Entry> cells_;
    RetireList<Node> retired_;
    /// `entries` and `bytes` are filled in by `stats()`, from the contents.
    CacheStats stats_;
};

} // namespace wva_metrics::detail
