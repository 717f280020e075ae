// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/cache_node.hpp"
#include "wva_metrics/cache/detail/key_groups.hpp"
#include "wva_metrics/cache/detail/read_sections.hpp"
#include "wva_metrics/cache/detail/sieve_queue.hpp"
#include "wva_metrics/cache/detail/slot_table.hpp"
#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
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
    using Node = CacheNode<Entry>;
    using EntryPtr = std::shared_ptr<const Entry>;

    /// To be called before anything else. (Shards stand in a vector, and cannot be moved.)
    void open(ReadSections& sections, CacheLimits limits) noexcept {
        sections_ = &sections;
        limits_ = limits;
    }

    /// The node of a key, or null. Only within a read section; good until its end.
    const Node* find(const CacheKeyView& key, std::size_t hash) const noexcept {
        const Table& table = *readers_table_.load(std::memory_order_acquire);
        const Node* const node = table.find(hash, HasKey{key});
        if (node == nullptr)
            return nullptr;
        const auto* const generations = table.companion.load(std::memory_order_acquire);
        const auto generation = generations[node->group()].load(std::memory_order_acquire);
        return generation == node->generation() ? node : nullptr;
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
        const std::size_t slot = contents_->table->find_slot(hash, HasKey{key});
        if (bytes > limits_.max_bytes || limits_.max_entries == 0 || !Node::can_hold(key)) {
            if (slot != Table::none)
                remove(slot, hash);
            ++stats_.insertions;
            ++stats_.evictions;
            return;
        }
        if (slot != Table::none) {
            const Node& kept = replace(slot, std::move(entry));
            while (exceeds(limits_))
                evict_one(&kept);
        } else {
            // The entry alone is within the limits, so what is left of these is not negative.
            while (exceeds({limits_.max_entries - 1, limits_.max_bytes - bytes}))
                evict_one(nullptr);
            add(key, hash, std::move(entry));
        }
        ++stats_.insertions;
        sweep_some_dead();
    }

    /// Whether there was one.
    bool erase(const CacheKeyView& key, std::size_t hash) {
        const Writing writing(*this);
        const std::size_t slot = contents_->table->find_slot(hash, HasKey{key});
        if (slot == Table::none)
            return false;
        const bool was_live = contents_->is_live(*contents_->table->node(slot));
        remove(slot, hash);
        if (was_live)
            ++stats_.invalidations;
        return was_live;
    }

    /// Removes the keys that begin so: in no time where that is all of a namespace, else by a walk
    /// over the shard.
    std::size_t erase_prefix(const NamespacePrefix& prefix) {
        const Writing writing(*this);
        const auto group = contents_->groups.find(prefix.kind, prefix.namespace_name);
        if (group == KeyGroups::none)
            return 0;
        if (prefix.name_prefix.empty())
            return kill(group);
        std::size_t erased = 0;
        for_each_node([&](const Node& node) {
            if (node.group() != group || !contents_->is_live(node) ||
                !node.key().name.starts_with(prefix.name_prefix))
                return;
            remove(node);
            ++stats_.invalidations;
            ++erased;
        });
        return erased;
    }

    /// Likewise for a prefix that ends before the name does: each group goes whole or not at all.
    std::size_t erase_groups(std::string_view prefix) {
        const Writing writing(*this);
        std::size_t erased = 0;
        contents_->groups.for_each([&](const CacheKeyView& key, KeyGroups::Number group) {
            if (starts_with(key, prefix))
                erased += kill(group);
        });
        return erased;
    }

    /// Removes what is expired or dead, and says how much had expired.
    std::size_t erase_expired(TimePoint now) {
        const Writing writing(*this, collect_now);
        std::size_t erased = 0;
        contents_->table->for_each_until(coarse(now), [&](std::size_t slot) {
            const Node& node = *contents_->table->node(slot);
            if (!contents_->is_live(node) || !node.entry()->is_expired(now))
                return;
            remove(slot, CacheKeyHash()(node.key()));
            ++stats_.expirations;
            ++erased;
        });
        if (contents_->dead() > 0)
            for_each_node([this](const Node& node) {
                if (!contents_->is_live(node))
                    remove(node);
            });
        return erased;
    }

    void clear() {
        const Writing writing(*this, collect_now);
        auto emptied = std::make_unique<Contents>();
        limbo_.make_room();
        readers_table_.store(emptied->table.get(), std::memory_order_release);
        emptied.swap(contents_);
        stats_.invalidations += emptied->live;
        limbo_.add(std::move(emptied));
    }

    /// Other bounds from now on; what is too much for them is evicted in steps that are short for
    /// other writers.
    void set_limits(CacheLimits limits) {
        constexpr int evictions_per_step = 256;
        for (bool fits = false; !fits;) {
            const Writing writing(*this, collect_now);
            for (int eviction = 0; eviction < evictions_per_step && exceeds(limits); ++eviction)
                evict_one(nullptr);
            fits = !exceeds(limits);
            // What is there still fits until the last step, so that an insertion in between need
            // not evict the rest all alone.
            limits_.max_entries = std::max(limits.max_entries, contents_->live);
            limits_.max_bytes = std::max(limits.max_bytes, contents_->live_bytes);
        }
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return contents_->live;
    }

    /// Without the look-ups of threads that have a cell.
    CacheStats stats() const {
        const std::lock_guard lock(mutex_);
        CacheStats stats = stats_;
        stats.entries = contents_->live;
        stats.bytes = contents_->live_bytes;
        return stats;
    }

private:
    /// With the generations of the groups beside it.
    using Table = SlotTable<Node, KeyGroups::Generations>;

    struct HasKey {
        const CacheKeyView& key;
        bool operator()(const Node& node) const noexcept { return node.key() == key; }
    };

    struct Contents {
        KeyGroups groups;
        std::unique_ptr<Table> table = std::make_unique<Table>(0);
        SieveQueue<Node> queue;
        std::size_t nodes = 0;
        /// Of the nodes those that have not been invalidated, and what their entries hold.
        std::size_t live = 0;
        std::size_t live_bytes = 0;

        Contents() = default;
        Contents(const Contents&) = delete;
        Contents& operator=(const Contents&) = delete;
        ~Contents() {
            while (Node* const node = queue.oldest()) {
                queue.remove(*node);
                delete node;
            }
        }
        bool is_live(const Node& node) const noexcept {
            return groups.generation(node.group()) == node.generation();
        }
        std::size_t dead() const noexcept { return nodes - live; }
    };

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
            const std::size_t many = few + shard_.contents_->nodes / 8;
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

    static typename Table::Deadline coarse(TimePoint time) noexcept {
        return Table::coarse(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
    }

    void add(const CacheKeyView& key, std::size_t hash, EntryPtr entry) {
        Contents& now = *contents_;
        if (now.nodes == now.table->room())
            grow_table();
        std::unique_ptr<Node> made = Node::make(key, std::move(entry));
        const auto group =
            now.groups.find_or_add(key.kind, key.namespace_name, now.table->companion, limbo_);
        // Nothing fails from here on.
        Node& node = *made.release();
        node.join(group, now.groups.generation(group));
        ++now.nodes;
        ++now.groups[group].nodes;
        note_live(node);
        now.queue.push(node);
        now.table->insert(hash, node, coarse(node.entry()->keep_until()));
    }

    const Node& replace(std::size_t slot, EntryPtr entry) {
        Contents& now = *contents_;
        limbo_.make_room();
        std::unique_ptr<Node> made = Node::make(now.table->node(slot)->key(), std::move(entry));
        // Nothing fails from here on.
        Node& node = *made.release();
        std::unique_ptr<Node> old(now.table->node(slot));
        node.join(old->group(), now.groups.generation(old->group()));
        if (now.is_live(*old)) {
            note_dead(*old);
            if (old->visited())
                node.mark_visited();
            now.queue.replace(*old, node);
        } else { // As if the old one were gone already.
            now.queue.remove(*old);
            now.queue.push(node);
        }
        note_live(node);
        now.table->replace(slot, node, coarse(node.entry()->keep_until()));
        limbo_.add(std::move(old));
        return node;
    }

    void remove(std::size_t slot, std::size_t hash) {
        Contents& now = *contents_;
        limbo_.make_room();
        std::unique_ptr<Node> node(now.table->node(slot));
        if (now.is_live(*node))
            note_dead(*node);
        now.table->erase(slot, hash);
        now.queue.remove(*node);
        --now.nodes;
        if (--now.groups[node->group()].nodes == 0)
            now.groups.remove(node->key().kind, node->key().namespace_name);
        limbo_.add(std::move(node));
    }
    void remove(const Node& node) {
        const std::size_t hash = CacheKeyHash()(node.key());
        const auto is_it = [&](const Node& other) { return &other == &node; };
        remove(contents_->table->find_slot(hash, is_it), hash);
    }

    /// `visit` may remove the node that it is told of.
    template <typename Visit>
    void for_each_node(const Visit& visit) {
        for (Node* node = contents_->queue.oldest(); node != nullptr;) {
            Node* const next = node->newer;
            visit(*node);
            node = next;
        }
    }

    /// Invalidates a group; says how many entries.
    std::size_t kill(KeyGroups::Number number) noexcept {
        KeyGroups::Group& group = contents_->groups[number];
        const std::size_t killed = std::exchange(group.live, 0);
        if (killed == 0)
            return 0;
        contents_->groups.raise(number);
        contents_->live -= killed;
        contents_->live_bytes -= std::exchange(group.live_bytes, 0);
        stats_.invalidations += killed;
        return killed;
    }

    void note_live(const Node& node) noexcept {
        KeyGroups::Group& group = contents_->groups[node.group()];
        const std::size_t bytes = node.entry()->bytes();
        ++group.live;
        group.live_bytes += bytes;
        ++contents_->live;
        contents_->live_bytes += bytes;
    }
    void note_dead(const Node& node) noexcept {
        KeyGroups::Group& group = contents_->groups[node.group()];
        const std::size_t bytes = node.entry()->bytes();
        --group.live;
        group.live_bytes -= bytes;
        --contents_->live;
        contents_->live_bytes -= bytes;
    }

    bool exceeds(const CacheLimits& limits) const noexcept {
        return contents_->live > limits.max_entries || contents_->live_bytes > limits.max_bytes;
    }

    /// Or removes a dead one. Never `keep`; only while there is another.
    void evict_one(const Node* keep) {
        const auto is_live = [this](const Node& node) { return contents_->is_live(node); };
        const Node& victim = *contents_->queue.victim(keep, is_live);
        const bool was_live = is_live(victim);
        remove(victim);
        if (was_live)
            ++stats_.evictions;
    }

    void sweep_some_dead() {
        constexpr std::size_t few = 64;
        constexpr int steps = 64;
        if (contents_->dead() <= few + contents_->live / 4)
            return;
        for (int step = 0; step < steps; ++step)
            if (const Node* const node = contents_->queue.sweep();
                node && !contents_->is_live(*node))
                remove(*node);
    }

    /// By a third, so that it is never much larger than it has to be. Readers go on in the old
    /// table, which stays as it is, until they come again.
    void grow_table() {
        Contents& now = *contents_;
        auto table = std::make_unique<Table>(now.nodes + now.nodes / 3);
        limbo_.make_room();
        for (Node* node = now.queue.oldest(); node != nullptr; node = node->newer)
            table->insert(CacheKeyHash()(node->key()), *node, coarse(node->entry()->keep_until()));
        table->companion.store(now.groups.generations(), std::memory_order_relaxed);
        readers_table_.store(table.get(), std::memory_order_release);
        table.swap(now.table);
        limbo_.add_large(std::move(table));
    }

    /// Readers read this line; what writers write is on others.
    alignas(64) std::unique_ptr<Contents> contents_ = std::make_unique<Contents>();
    std::atomic<Table*> readers_table_{contents_->table.get()};
    ReadSections* sections_ = nullptr;

    alignas(64) mutable std::mutex mutex_;
    CacheLimits limits_;
    Limbo limbo_;
    /// Without entries and bytes, which the contents know.
    CacheStats stats_;
};

} // namespace wva_metrics::detail
