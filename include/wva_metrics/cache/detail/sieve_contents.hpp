// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/detail/cache_node.hpp"
#include "wva_metrics/cache/detail/epoch_domain.hpp"
#include "wva_metrics/cache/detail/namespace_table.hpp"
#include "wva_metrics/cache/detail/sieve_queue.hpp"
#include "wva_metrics/cache/detail/slot_table.hpp"
#include "wva_metrics/reading.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace wva_metrics::detail {

/// What a shard holds, and the changes that keep table, queue, groups and books in step.
///
/// For one writer at a time, except for `find_for_reader`. What a change takes out it leaves to the
/// limbo. A change that throws (`std::bad_alloc`) has changed nothing but, perhaps, its own room.
template <typename Entry>
class SieveContents {
public:
    using Node = CacheNode<Entry>;
    using EntryPtr = std::shared_ptr<const Entry>;
    /// With the generations of the groups beside it.
    using Table = SlotTable<Node, KeyGroups::Generations>;
    /// Where readers find the table.
    using ShownTable = std::atomic<Table*>;

    SieveContents() = default;
    SieveContents(const SieveContents&) = delete;
    SieveContents& operator=(const SieveContents&) = delete;
    ~SieveContents() {
        while (Node* const node = queue_.oldest()) {
            queue_.remove(*node);
            delete node;
        }
    }

    /// The node of a key, or null. Only within a read section; good until its end.
    static const Node* find_for_reader(const ShownTable& shown, const CacheKeyView& key,
                                       std::size_t hash) noexcept {
        const Table& table = *shown.load(std::memory_order_acquire);
        const Node* const node = table.find(hash, HasKey{key});
        if (node == nullptr)
            return nullptr;
        const auto* const generations = table.companion.load(std::memory_order_acquire);
        const auto generation = generations[node->group()].load(std::memory_order_acquire);
        return generation == node->generation() ? node : nullptr;
    }

    Table* table() const noexcept { return table_.get(); }
    const KeyGroups& groups() const noexcept { return groups_; }

    static constexpr std::size_t no_slot = Table::none;
    /// The slot of a key, or `no_slot`.
    std::size_t find_slot(const CacheKeyView& key, std::size_t hash) const noexcept {
        return table_->find_slot(hash, HasKey{key});
    }
    const Node& node(std::size_t slot) const noexcept { return *table_->node(slot); }

    bool is_live(const Node& node) const noexcept {
        return groups_.generation(node.group()) == node.generation();
    }

    std::size_t nodes() const noexcept { return nodes_; }
    /// Of the nodes those that have not been invalidated, and what their entries hold.
    std::size_t live() const noexcept { return live_; }
    std::size_t live_bytes() const noexcept { return live_bytes_; }
    std::size_t dead() const noexcept { return nodes_ - live_; }
    bool exceeds(const CacheLimits& limits) const noexcept {
        return live_ > limits.max_entries || live_bytes_ > limits.max_bytes;
    }

    /// For a key that has no node.
    void add(const CacheKeyView& key, std::size_t hash, EntryPtr entry, ShownTable& shown,
             Limbo& limbo) {
        if (nodes_ == table_->room())
            grow_table(shown, limbo);
        std::unique_ptr<Node> made = Node::make(key, std::move(entry));
        const auto group =
            groups_.find_or_add(key.kind, key.namespace_name, table_->companion, limbo);
        // Nothing fails from here on.
        Node& node = *made.release();
        node.join(group, groups_.generation(group));
        ++nodes_;
        ++groups_[group].nodes;
        note_live(node);
        queue_.push(node);
        table_->insert(hash, node, coarse(node.entry()->keep_until()));
    }

    /// Returns the new node, which keeps the old one's place in the queue, and its mark.
    const Node& replace(std::size_t slot, EntryPtr entry, Limbo& limbo) {
        limbo.make_room();
        std::unique_ptr<Node> made = Node::make(table_->node(slot)->key(), std::move(entry));
        // Nothing fails from here on.
        Node& node = *made.release();
        std::unique_ptr<Node> old(table_->node(slot));
        node.join(old->group(), groups_.generation(old->group()));
        if (is_live(*old)) {
            note_dead(*old);
            if (old->visited())
                node.mark_visited();
            queue_.replace(*old, node);
        } else { // As if the old one were gone already.
            queue_.remove(*old);
            queue_.push(node);
        }
        note_live(node);
        table_->replace(slot, node, coarse(node.entry()->keep_until()));
        limbo.add(std::move(old));
        return node;
    }

    void remove(std::size_t slot, std::size_t hash, Limbo& limbo) {
        limbo.make_room();
        std::unique_ptr<Node> node(table_->node(slot));
        if (is_live(*node))
            note_dead(*node);
        table_->erase(slot, hash);
        queue_.remove(*node);
        --nodes_;
        if (--groups_[node->group()].nodes == 0)
            groups_.remove(node->key().kind, node->key().namespace_name);
        limbo.add(std::move(node));
    }
    void remove(const Node& node, Limbo& limbo) {
        const std::size_t hash = CacheKeyHash()(node.key());
        const auto is_it = [&](const Node& other) { return &other == &node; };
        remove(table_->find_slot(hash, is_it), hash, limbo);
    }

    /// Invalidates a group; says how many entries.
    std::size_t kill(KeyGroups::Number number) noexcept {
        KeyGroups::Group& group = groups_[number];
        const std::size_t killed = std::exchange(group.live, 0);
        if (killed == 0)
            return 0;
        groups_.raise(number);
        live_ -= killed;
        live_bytes_ -= std::exchange(group.live_bytes, 0);
        return killed;
    }

    /// The node to evict, other than `keep`, alive or dead; only while there is another.
    const Node& victim(const Node* keep) noexcept {
        return *queue_.victim(keep, [this](const Node& node) { return is_live(node); });
    }

    /// One node after the other, again from the first after the last; null where there is none.
    const Node* sweep() noexcept { return queue_.sweep(); }

    /// Calls `visit(node)` for each, which may remove it.
    template <typename Visit>
    void for_each(const Visit& visit) {
        for (Node* node = queue_.oldest(); node != nullptr;) {
            Node* const next = node->newer;
            visit(*node);
            node = next;
        }
    }

    /// Calls `visit(node)` for each that may have expired by then, which may remove it.
    template <typename Visit>
    void for_each_until(TimePoint time, const Visit& visit) {
        table_->for_each_until(coarse(time), [&](std::size_t slot) { visit(node(slot)); });
    }

private:
    struct HasKey {
        const CacheKeyView& key;
        bool operator()(const Node& node) const noexcept { return node.key() == key; }
    };

    static typename Table::Deadline coarse(TimePoint time) noexcept {
        return Table::coarse(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
    }

    void note_live(const Node& node) noexcept {
        KeyGroups::Group& group = groups_[node.group()];
        const std::size_t bytes = node.entry()->bytes();
        ++group.live;
        group.live_bytes += bytes;
        ++live_;
        live_bytes_ += bytes;
    }
    void note_dead(const Node& node) noexcept {
        KeyGroups::Group& group = groups_[node.group()];
        const std::size_t bytes = node.entry()->bytes();
        --group.live;
        group.live_bytes -= bytes;
        --live_;
        live_bytes_ -= bytes;
    }

    /// By a third, so that it is never much larger than it has to be. Readers go on in the old
    /// table, which stays as it is, until they come again.
    void grow_table(ShownTable& shown, Limbo& limbo) {
        auto table = std::make_unique<Table>(nodes_ + nodes_ / 3);
        limbo.make_room();
        for (Node* node = queue_.oldest(); node != nullptr; node = node->newer)
            table->insert(CacheKeyHash()(node->key()), *node, coarse(node->entry()->keep_until()));
        table->companion.store(groups_.generations(), std::memory_order_relaxed);
        shown.store(table.get(), std::memory_order_release);
        table.swap(table_);
        limbo.add_large(std::move(table));
    }

    KeyGroups groups_;
    std::unique_ptr<Table> table_ = std::make_unique<Table>(0);
    SieveQueue<Node> queue_;
    std::size_t nodes_ = 0;
    std::size_t live_ = 0;
    std::size_t live_bytes_ = 0;
};

} // namespace wva_metrics::detail
