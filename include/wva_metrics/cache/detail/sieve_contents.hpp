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

/// The contents of a shard: slot table, SIEVE queue, groups and counts, and the changes that keep
/// them consistent.
///
/// What a change unlinks goes to the `RetireList`. If a change throws (`std::bad_alloc`), the
/// contents are as before; only capacity may have grown.
///
/// **Threads:** one writer at a time; `find_for_reader` may run beside it.
template <typename Entry>
class SieveContents {
public:
    using Node = CacheNode<Entry>;
    using EntryPtr = std::shared_ptr<const Entry>;
    using Table = SlotTable<Node, NamespaceTable::AtomicGeneration>;
    /// The pointer through which readers find the table.
    using PublishedTable = std::atomic<Table*>;

    SieveContents() = default;
    SieveContents(const SieveContents&) = delete;
    SieveContents& operator=(const SieveContents&) = delete;
    ~SieveContents() {
        while (Node* const node = queue_.oldest()) {
            queue_.remove(*node);
            delete node;
        }
    }

    /// The live node of a key, or null. Only within a read section; valid until its end.
    static const Node* find_for_reader(const PublishedTable& published, const CacheKeyView& key,
                                       std::size_t hash) noexcept {
        const Table& table = *published.load(std::memory_order_acquire);
        const Node* const node = table.find(hash, HasKey{key});
        if (node == nullptr)
            return nullptr;
        const auto* const generations = table.generations.load(std::memory_order_acquire);
        const auto generation = generations[node->group()].load(std::memory_order_acquire);
        return generation == node->generation() ? node : nullptr;
    }

    Table* table() const noexcept { return table_.get(); }
    const NamespaceTable& namespaces() const noexcept { return namespaces_; }

    static constexpr std::size_t no_slot = Table::none;
    /// The slot of a key, or `no_slot`.
    std::size_t find_slot(const CacheKeyView& key, std::size_t hash) const noexcept {
        return table_->find_slot(hash, HasKey{key});
    }
    const Node& node(std::size_t slot) const noexcept { return *table_->node(slot); }

    bool is_live(const Node& node) const noexcept {
        return namespaces_.generation(node.group()) == node.generation();
    }

    /// All nodes, live and stale.
    std::size_t nodes() const noexcept { return nodes_; }
    /// Nodes whose group was not invalidated since they were added, and the bytes of their entries.
    std::size_t live() const noexcept { return live_; }
    std::size_t live_bytes() const noexcept { return live_bytes_; }
    std::size_t stale_nodes() const noexcept { return nodes_ - live_; }
    bool exceeds(const CacheLimits& limits) const noexcept {
        return live_ > limits.max_entries || live_bytes_ > limits.max_bytes;
    }

    /// Adds a node for a key that has none.
    void add(const CacheKeyView& key, std::size_t hash, EntryPtr entry, PublishedTable& published,
             RetireList& retired) {
        if (nodes_ == table_->room())
            grow_table(published, retired);
        std::unique_ptr<Node> made = Node::make(key, std::move(entry));
        const auto group =
            namespaces_.find_or_add(key.kind, key.namespace_name, table_->generations, retired);
        // Nothing throws from here on.
        Node& node = *made.release();
        node.assign_group(group, namespaces_.generation(group));
        ++nodes_;
        ++namespaces_[group].nodes;
        add_live(node);
        queue_.push(node);
        table_->insert(hash, node, coarse(node.entry()->keep_until()));
    }

    /// Replaces the node in a slot, and returns the new one. It takes over the old one's position
    /// in the queue and its visited mark, unless the old one is stale.
    const Node& replace(std::size_t slot, EntryPtr entry, RetireList& retired) {
        retired.reserve();
        std::unique_ptr<Node> made = Node::make(table_->node(slot)->key(), std::move(entry));
        // Nothing throws from here on.
        Node& node = *made.release();
        std::unique_ptr<Node> old(table_->node(slot));
        node.assign_group(old->group(), namespaces_.generation(old->group()));
        if (is_live(*old)) {
            subtract_live(*old);
            if (old->visited())
                node.mark_visited();
            queue_.replace(*old, node);
        } else { // The same as if the stale node had been removed before.
            queue_.remove(*old);
            queue_.push(node);
        }
        add_live(node);
        table_->replace(slot, node, coarse(node.entry()->keep_until()));
        retired.add(std::move(old));
        return node;
    }

    void remove(std::size_t slot, std::size_t hash, RetireList& retired) {
        retired.reserve();
        std::unique_ptr<Node> node(table_->node(slot));
        if (is_live(*node))
            subtract_live(*node);
        table_->erase(slot, hash);
        queue_.remove(*node);
        --nodes_;
        if (--namespaces_[node->group()].nodes == 0)
            namespaces_.remove(node->key().kind, node->key().namespace_name);
        retired.add(std::move(node));
    }
    void remove(const Node& node, RetireList& retired) {
        const std::size_t hash = CacheKeyHash()(node.key());
        const auto is_it = [&](const Node& other) { return &other == &node; };
        remove(table_->find_slot(hash, is_it), hash, retired);
    }

    /// Invalidates all entries of a group; returns their number.
    std::size_t invalidate(NamespaceTable::Number number) noexcept {
        NamespaceTable::Group& group = namespaces_[number];
        const std::size_t invalidated = std::exchange(group.live, 0);
        if (invalidated == 0)
            return 0;
        namespaces_.bump_generation(number);
        live_ -= invalidated;
        live_bytes_ -= std::exchange(group.live_bytes, 0);
        return invalidated;
    }

    /// The node to evict, live or stale, never `keep`. There must be another node.
    const Node& victim(const Node* keep) noexcept {
        return *queue_.victim(keep, [this](const Node& node) { return is_live(node); });
    }

    /// Returns one node after another, and starts over after the last; null if there is none.
    const Node* sweep() noexcept { return queue_.sweep(); }

    /// Calls `visit(node)` for each node; `visit` may remove it.
    template <typename Visit>
    void for_each(const Visit& visit) {
        for (Node* node = queue_.oldest(); node != nullptr;) {
            Node* const next = node->newer;
            visit(*node);
            node = next;
        }
    }

    /// Calls `visit(node)` for each node that may have expired at `time`; `visit` may remove it.
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

    void add_live(const Node& node) noexcept {
        NamespaceTable::Group& group = namespaces_[node.group()];
        const std::size_t bytes = node.entry()->bytes();
        ++group.live;
        group.live_bytes += bytes;
        ++live_;
        live_bytes_ += bytes;
    }
    void subtract_live(const Node& node) noexcept {
        NamespaceTable::Group& group = namespaces_[node.group()];
        const std::size_t bytes = node.entry()->bytes();
        --group.live;
        group.live_bytes -= bytes;
        --live_;
        live_bytes_ -= bytes;
    }

    /// Grows by a third, so that the table is never much larger than necessary. Readers that are
    /// inside the old table, which no longer changes, finish there.
    void grow_table(PublishedTable& published, RetireList& retired) {
        auto table = std::make_unique<Table>(nodes_ + nodes_ / 3);
        retired.reserve();
        for (Node* node = queue_.oldest(); node != nullptr; node = node->newer)
            table->insert(CacheKeyHash()(node->key()), *node, coarse(node->entry()->keep_until()));
        table->generations.store(namespaces_.generations(), std::memory_order_relaxed);
        published.store(table.get(), std::memory_order_release);
        table.swap(table_);
        retired.add_large(std::move(table));
    }

    NamespaceTable namespaces_;
    std::unique_ptr<Table> table_ = std::make_unique<Table>(0);
    SieveQueue<Node> queue_;
    std::size_t nodes_ = 0;
    std::size_t live_ = 0;
    std::size_t live_bytes_ = 0;
};

} // namespace wva_metrics::detail
