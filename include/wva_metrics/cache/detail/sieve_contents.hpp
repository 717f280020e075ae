// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/detail/cache_cell.hpp"
#include "wva_metrics/cache/detail/cache_node.hpp"
#include "wva_metrics/cache/detail/namespace_table.hpp"
#include "wva_metrics/cache/detail/retire_list.hpp"
#include "wva_metrics/cache/detail/sieve_queue.hpp"
#include "wva_metrics/cache/detail/sieve_search.hpp"
#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/reading.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// The contents of a shard: slot table, SIEVE queue, groups and counts, and the changes that keep
/// them consistent.
///
/// What a change unlinks goes to a `RetiredBatch`. If a change throws (`std::bad_alloc`), the
/// contents are as before; only capacity may have grown.
///
/// **Threads:** one writer at a time; the functions of `SieveSearch` may run beside it.
template <typename Entry>
class SieveContents {
public:
    using Node = CacheNode<Entry>;
    using Cell = CacheCell<Entry>;
    using Retired = RetiredBatch<Node>;
    using EntryPtr = std::shared_ptr<const Entry>;
    using Search = SieveSearch<Entry>;
    using Table = typename Search::Table;
    using PublishedTable = typename Search::PublishedTable;

    SieveContents() = default;
    SieveContents(const SieveContents&) = delete;
    SieveContents& operator=(const SieveContents&) = delete;
    ~SieveContents() {
        Retired nodes;
        retire_all(nodes);
    }

    Table* table() const noexcept { return table_.get(); }
    const NamespaceTable& namespaces() const noexcept { return namespaces_; }

    static constexpr std::size_t no_slot = Table::none;
    /// The slot of a key, or `no_slot`.
    std::size_t find_slot(const CacheKeyView& key, std::size_t hash) const noexcept {
        return table_->find_slot(hash, typename Search::HasKey{key});
    }
    const Node& node(std::size_t slot) const noexcept { return *table_->node(slot); }

    bool is_live(const Node& node) const noexcept {
        return namespaces_.generation(node.group()) == node.generation();
    }

    /// All nodes, live and stale.
    std::size_t nodes() const noexcept { return nodes_; }
    /// Nodes whose group was not invalidated since they were added, and their memory.
    std::size_t live() const noexcept { return live_; }
    std::size_t live_bytes() const noexcept { return live_bytes_; }
    std::size_t stale_nodes() const noexcept { return nodes_ - live_; }
    std::size_t stale_bytes() const noexcept { return bytes_ - live_bytes_; }
    bool exceeds(const CacheLimits& limits) const noexcept {
        return live_ > limits.max_entries || live_bytes_ > limits.max_bytes;
    }

    /// Adds a node for a key that has none. `cell` is the key's; it may be null.
    void add(const CacheKeyView& key, std::size_t hash, EntryPtr entry, Cell* cell,
             PublishedTable& published, Retired& retired) {
        if (nodes_ == table_->room())
            resize_table(nodes_ + nodes_ / 3, published, retired);
        std::unique_ptr<Node> made = Node::make(key, std::move(entry), cell);
        const auto group = namespaces_.find_or_add(key.kind, key.namespace_name,
                                                   table_->generations, retired.objects());
        // Nothing throws from here on.
        Node& node = *made.release();
        node.assign_group(group, namespaces_.generation(group));
        ++nodes_;
        bytes_ += node.bytes();
        ++namespaces_[group].nodes;
        add_live(node);
        queue_.push(node);
        const typename Cell::Change change(cell, &node);
        table_->insert(hash, node, coarse(node.entry()->keep_until()));
    }

    /// Replaces the node in a slot, and returns the new one. It takes over the old one's position
    /// in the queue and its visited mark, unless the old one is stale. `cell` is the key's.
    const Node& replace(std::size_t slot, EntryPtr entry, Cell* cell, Retired& retired) {
        Node& old = *table_->node(slot);
        Node& node = *Node::make(old.key(), std::move(entry), cell).release();
        // Nothing throws from here on.
        node.assign_group(old.group(), namespaces_.generation(old.group()));
        if (is_live(old)) {
            subtract_live(old);
            if (old.visited())
                node.mark_visited();
            queue_.replace(old, node);
        } else { // The same as if the stale node had been removed before.
            queue_.remove(old);
            queue_.push(node);
        }
        bytes_ += node.bytes() - old.bytes();
        add_live(node);
        const typename Cell::Change change(cell, &node);
        table_->replace(slot, node, coarse(node.entry()->keep_until()));
        retired.add(old);
        return node;
    }
    const Node& replace(std::size_t slot, EntryPtr entry, Retired& retired) {
        return replace(slot, std::move(entry), table_->node(slot)->cell(), retired);
    }

    /// From now on this is the cell of its key.
    void link(Cell& cell, Retired& retired) {
        const std::size_t slot = find_slot(cell.key(), cell.hash());
        if (slot == no_slot)
            return;
        Node& node = *table_->node(slot);
        if (!is_live(node)) {
            remove(slot, cell.hash(), retired);
        } else if (!node.has_room_for_cell()) {
            replace(slot, node.entry(), &cell, retired);
        } else {
            node.set_cell(&cell);
            const typename Cell::Change change(&cell, &node);
        }
    }
    /// The cell of its key will be destroyed.
    void unlink(const Cell& cell) noexcept {
        const std::size_t slot = find_slot(cell.key(), cell.hash());
        if (slot != no_slot && table_->node(slot)->has_room_for_cell())
            table_->node(slot)->set_cell(nullptr);
    }

    void remove(std::size_t slot, std::size_t hash, Retired& retired) noexcept {
        Node& node = *table_->node(slot);
        if (is_live(node))
            subtract_live(node);
        const typename Cell::Change change(node.cell(), nullptr);
        table_->erase(slot, hash);
        queue_.remove(node);
        --nodes_;
        bytes_ -= node.bytes();
        if (--namespaces_[node.group()].nodes == 0)
            namespaces_.remove(node.key().kind, node.key().namespace_name);
        retired.add(node);
    }
    void remove(const Node& node, Retired& retired) noexcept {
        const std::size_t hash = CacheKeyHash()(node.key());
        const auto is_it = [&](const Node& other) { return &other == &node; };
        remove(table_->find_slot(hash, is_it), hash, retired);
    }

    /// Moves all nodes out. The contents are of no use afterwards, but readers may still search
    /// them.
    void retire_all(Retired& retired) noexcept {
        if (nodes_ != 0)
            retired.add_chain(*queue_.newest(), *queue_.oldest(), nodes_, bytes_);
        queue_ = {};
        nodes_ = 0;
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

    /// The same for all groups with this prefix, which must end before the name begins.
    std::size_t invalidate_groups(std::string_view prefix) noexcept {
        std::size_t invalidated = 0;
        namespaces_.for_each([&](const CacheKeyView& key, NamespaceTable::Number group) {
            if (starts_with(key, prefix))
                invalidated += invalidate(group);
        });
        return invalidated;
    }
    /// Removes the live nodes that match; returns their number, and adds each to `counter`.
    template <typename Matches>
    std::size_t remove_live(const Matches& matches, std::uint64_t& counter, Retired& retired) {
        const std::uint64_t before = counter;
        for_each([&](const Node& node) {
            if (is_live(node) && matches(node)) {
                remove(node, retired);
                ++counter;
            }
        });
        return static_cast<std::size_t>(counter - before);
    }

    /// The node to evict, live or stale, never `keep`. There must be another node.
    const Node& victim(const Node* keep) noexcept {
        return *queue_.victim(keep, [this](const Node& node) { return is_live(node); });
    }

    /// Looks at some nodes, each time at the next ones, and removes the stale ones. Looks at more if
    /// they were smaller than `enough` bytes.
    void sweep(std::size_t enough, Retired& retired) noexcept {
        constexpr int steps = 64;
        constexpr int max_steps = 1024;
        std::size_t freed = 0;
        for (int step = 0; step < steps || (step < max_steps && freed < enough); ++step)
            if (const Node* const node = queue_.sweep(); node != nullptr && !is_live(*node)) {
                freed += node->bytes();
                remove(*node, retired);
            }
    }

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

    /// Makes the table smaller if it is far too large, for example after an invalidation. If there is
    /// no memory for that, it stays.
    void shrink_table(PublishedTable& published, Retired& retired) noexcept {
        constexpr std::size_t small = 1024;
        if (table_->room() <= small || nodes_ >= table_->room() / 8)
            return;
        try {
            resize_table(2 * nodes_, published, retired);
        } catch (const std::bad_alloc&) {
        }
    }

private:
    static typename Table::Deadline coarse(TimePoint time) noexcept {
        return Table::coarse(
            std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
    }

    void add_live(const Node& node) noexcept {
        NamespaceTable::Group& group = namespaces_[node.group()];
        const std::size_t bytes = node.bytes();
        ++group.live;
        group.live_bytes += bytes;
        ++live_;
        live_bytes_ += bytes;
    }
    void subtract_live(const Node& node) noexcept {
        NamespaceTable::Group& group = namespaces_[node.group()];
        const std::size_t bytes = node.bytes();
        --group.live;
        group.live_bytes -= bytes;
        --live_;
        live_bytes_ -= bytes;
    }

    /// Tables grow by a third, so that they are never much larger than necessary. Readers that are
    /// inside the old table, which no longer changes, finish there.
    void resize_table(std::size_t room, PublishedTable& published, Retired& retired) {
        auto table = std::make_unique<Table>(room);
        retired.objects().reserve();
        for (Node* node = queue_.oldest(); node != nullptr; node = node->newer)
            table->insert(CacheKeyHash()(node->key()), *node, coarse(node->entry()->keep_until()));
        table->generations.store(namespaces_.generations(), std::memory_order_relaxed);
        published.store(table.get(), std::memory_order_release);
        table.swap(table_);
        retired.objects().add(std::move(table));
    }

    NamespaceTable namespaces_;
    std::unique_ptr<Table> table_ = std::make_unique<Table>(0);
    SieveQueue<Node> queue_;
    std::size_t nodes_ = 0;
    /// Memory of all nodes, and below of the live ones.
    std::size_t bytes_ = 0;
    std::size_t live_ = 0;
    std::size_t live_bytes_ = 0;
};

} // namespace wva_metrics::detail
