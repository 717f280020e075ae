// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/epoch_domain.hpp"
#include "wva_metrics/cache/detail/namespace_table.hpp"
#include "wva_metrics/cache/detail/sieve_contents.hpp"
#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// A part of a `ShardedCache`: its readers take no lock, its writers one.
///
/// A writer never changes what a reader can see of a node. It makes another one, puts it into the
/// slot, and leaves the old one to the limbo, until no reader can hold it any more.
///
/// What is invalidated by a prefix dies where it is and no longer counts. Dead nodes go when a
/// writer meets them; each insertion looks at some where they are more than a quarter of the living
/// and a few.
///
/// **What a look-up may answer.** A table is complete when readers get to see it, and when it has
/// been replaced, it stays as it was at that moment, with the generations beside it. So a reader
/// who is still in it answers as of a moment after his look-up began: for each key, look-ups and
/// changes are linearizable. A kill is a change of all keys of its group, at the store of the
/// generation. `SlotTable` says why a search of a table that is being changed is right, and
/// `ReadSections` why what is found is still there.
///
/// **Where memory lacks** (`std::bad_alloc`), a change that has several parts may have done some of
/// them, such as evicting for what is not inserted then. What it has done is counted.
template <typename Entry>
class SieveShard {
public:
    using Contents = SieveContents<Entry>;
    using Node = typename Contents::Node;
    using EntryPtr = typename Contents::EntryPtr;

    /// To be called before anything else. (Shards stand in a vector, and cannot be moved.)
    void open(ReadSections& sections, CacheLimits limits) noexcept {
        sections_ = &sections;
        limits_ = limits;
    }

    /// The node of a key, or null. Only within a read section; good until its end.
    const Node* find(const CacheKeyView& key, std::size_t hash) const noexcept {
        return Contents::find_for_reader(shown_table_, key, hash);
    }

    /// For a thread that cannot have a read section; counts by itself.
    EntryPtr find_locked(const CacheKeyView& key, std::size_t hash, TimePoint now) {
        const std::lock_guard lock(mutex_);
        const Node* const node = find(key, hash);
        if (!node || node->entry()->is_expired(now)) {
            ++stats_.misses;
            return nullptr;
        }
        ++(node->entry()->is_fresh(now) ? stats_.hits : stats_.stale_hits);
        node->mark_visited();
        return node->entry();
    }

    void insert_or_assign(const CacheKeyView& key, std::size_t hash, EntryPtr entry) {
        const Writing writing(*this);
        const std::size_t bytes = entry->bytes();
        const std::size_t slot = contents_->find_slot(key, hash);
        if (bytes > limits_.max_bytes || limits_.max_entries == 0 || !Node::can_hold(key)) {
            if (slot != Contents::no_slot)
                contents_->remove(slot, hash, limbo_);
            ++stats_.insertions;
            ++stats_.evictions;
            return;
        }
        if (slot != Contents::no_slot) {
            const Node& kept = contents_->replace(slot, std::move(entry), limbo_);
            while (contents_->exceeds(limits_))
                evict_one(&kept);
        } else {
            // The entry alone is within the limits, so what is left of these is not negative.
            while (contents_->exceeds({limits_.max_entries - 1, limits_.max_bytes - bytes}))
                evict_one(nullptr);
            contents_->add(key, hash, std::move(entry), shown_table_, limbo_);
        }
        ++stats_.insertions;
        sweep_some_dead();
    }

    /// Whether there was one.
    bool erase(const CacheKeyView& key, std::size_t hash) {
        const Writing writing(*this);
        const std::size_t slot = contents_->find_slot(key, hash);
        if (slot == Contents::no_slot)
            return false;
        const bool was_live = contents_->is_live(contents_->node(slot));
        contents_->remove(slot, hash, limbo_);
        if (was_live)
            ++stats_.invalidations;
        return was_live;
    }

    /// Removes the keys that begin so: in no time where that is all of a namespace, else by a walk
    /// over the shard.
    std::size_t erase_prefix(const NamespacePrefix& prefix) {
        const Writing writing(*this);
        const auto group = contents_->groups().find(prefix.kind, prefix.namespace_name);
        if (group == KeyGroups::none)
            return 0;
        if (prefix.name_prefix.empty())
            return kill(group);
        std::size_t erased = 0;
        contents_->for_each([&](const Node& node) {
            if (node.group() != group || !contents_->is_live(node) ||
                !node.key().name.starts_with(prefix.name_prefix))
                return;
            contents_->remove(node, limbo_);
            ++stats_.invalidations;
            ++erased;
        });
        return erased;
    }

    /// Likewise for a prefix that ends before the name does: each group goes whole or not at all.
    std::size_t erase_groups(std::string_view prefix) {
        const Writing writing(*this);
        std::size_t erased = 0;
        contents_->groups().for_each([&](const CacheKeyView& key, KeyGroups::Number group) {
            if (starts_with(key, prefix))
                erased += kill(group);
        });
        return erased;
    }

    /// Removes what is expired or dead, and says how much had expired.
    std::size_t erase_expired(TimePoint now) {
        const Writing writing(*this, collect_now);
        std::size_t erased = 0;
        contents_->for_each_until(now, [&](const Node& node) {
            if (!contents_->is_live(node) || !node.entry()->is_expired(now))
                return;
            contents_->remove(node, limbo_);
            ++stats_.expirations;
            ++erased;
        });
        if (contents_->dead() > 0)
            contents_->for_each([this](const Node& node) {
                if (!contents_->is_live(node))
                    contents_->remove(node, limbo_);
            });
        return erased;
    }

    void clear() {
        const Writing writing(*this, collect_now);
        auto emptied = std::make_unique<Contents>();
        limbo_.make_room();
        shown_table_.store(emptied->table(), std::memory_order_release);
        emptied.swap(contents_);
        stats_.invalidations += emptied->live();
        limbo_.add(std::move(emptied));
    }

    /// Other bounds from now on; what is too much for them is evicted in steps that are short for
    /// other writers.
    void set_limits(CacheLimits limits) {
        constexpr int evictions_per_step = 256;
        for (bool fits = false; !fits;) {
            const Writing writing(*this, collect_now);
            for (int eviction = 0; eviction < evictions_per_step && contents_->exceeds(limits);
                 ++eviction)
                evict_one(nullptr);
            fits = !contents_->exceeds(limits);
            // What is there still fits until the last step, so that an insertion in between need
            // not evict the rest all alone.
            limits_.max_entries = std::max(limits.max_entries, contents_->live());
            limits_.max_bytes = std::max(limits.max_bytes, contents_->live_bytes());
        }
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return contents_->live();
    }

    /// Without the look-ups of threads that have a cell.
    CacheStats stats() const {
        const std::lock_guard lock(mutex_);
        CacheStats stats = stats_;
        stats.entries = contents_->live();
        stats.bytes = contents_->live_bytes();
        return stats;
    }

private:
    enum CollectWhen : bool { collect_when_many, collect_now };

    /// Held by whoever changes the shard. What may be destroyed is destroyed when the lock has been
    /// released.
    class Writing {
    public:
        explicit Writing(SieveShard& shard, CollectWhen when = collect_when_many)
            : shard_(shard), when_(when), lock_(shard.mutex_) {}
        Writing(const Writing&) = delete;
        Writing& operator=(const Writing&) = delete;
        ~Writing() {
            // To collect costs a system call, so it is done for several at a time; an eighth of
            // what is there may wait.
            constexpr std::size_t few = 16;
            const std::size_t many = few + shard_.contents_->nodes() / 8;
            if (when_ == collect_when_many && !shard_.limbo_.holds(many))
                return;
            try {
                shard_.limbo_.collect(*shard_.sections_, garbage_);
            } catch (const std::bad_alloc&) {
                // The next one may have more luck; until then it stays.
            }
        }

    private:
        SieveShard& shard_;
        CollectWhen when_;
        std::vector<Garbage> garbage_;
        std::unique_lock<std::mutex> lock_;
    };

    /// Invalidates a group; says how many entries.
    std::size_t kill(KeyGroups::Number group) noexcept {
        const std::size_t killed = contents_->kill(group);
        stats_.invalidations += killed;
        return killed;
    }

    /// Or removes a dead one. Never `keep`; only while there is another.
    void evict_one(const Node* keep) {
        const Node& victim = contents_->victim(keep);
        const bool was_live = contents_->is_live(victim);
        contents_->remove(victim, limbo_);
        if (was_live)
            ++stats_.evictions;
    }

    void sweep_some_dead() {
        constexpr std::size_t few = 64;
        constexpr int steps = 64;
        if (contents_->dead() <= few + contents_->live() / 4)
            return;
        for (int step = 0; step < steps; ++step)
            if (const Node* const node = contents_->sweep(); node && !contents_->is_live(*node))
                contents_->remove(*node, limbo_);
    }

    /// Readers read this line; what writers write is on others.
    alignas(64) std::unique_ptr<Contents> contents_ = std::make_unique<Contents>();
    typename Contents::ShownTable shown_table_{contents_->table()};
    ReadSections* sections_ = nullptr;

    alignas(64) mutable std::mutex mutex_;
    CacheLimits limits_;
    Limbo limbo_;
    /// Without entries and bytes, which the contents know.
    CacheStats stats_;
};

} // namespace wva_metrics::detail
