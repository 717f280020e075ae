// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/detail/cache_cell.hpp"
#include "wva_metrics/cache/detail/cache_node.hpp"
#include "wva_metrics/cache/detail/namespace_table.hpp"
#include "wva_metrics/cache/detail/slot_table.hpp"

#include <boost/config.hpp>

#include <atomic>
#include <cstddef>

namespace wva_metrics::detail {

/// How readers find the live node of a key in a shard, while its writer changes it.
///
/// **Consistency:** for each key, look-ups and changes are linearizable. A table is complete before
/// it is published, and once replaced it does not change any more, and neither do its generations.
/// So a reader that is still in a replaced table answers as of a moment after its look-up began. An
/// invalidation changes all keys of its group at once, at the store of the generation. See
/// `SlotTable` for why concurrent searches are correct, `EpochDomain` for why the node found is
/// alive.
///
/// **Threads:** any, within a read section. What is found is alive until the section ends.
template <typename Entry>
class SieveSearch {
public:
    using Node = CacheNode<Entry>;
    using Cell = CacheCell<Entry>;
    using Table = SlotTable<Node, NamespaceTable::AtomicGeneration>;
    /// The pointer through which readers find the table.
    using PublishedTable = std::atomic<Table*>;

    struct HasKey {
        const CacheKeyView& key;
        bool operator()(const Node& node) const noexcept { return node.key() == key; }
    };

    /// A node and its entry; null if the key has none.
    struct Found {
        const Node* node = nullptr;
        const Entry* entry = nullptr;
    };

    /// What is live under a key. Inlined by force: most hits are in here.
    static BOOST_FORCEINLINE Found find(const PublishedTable& published, const CacheKeyView& key,
                                        std::size_t hash) noexcept {
        const Table& table = *published.load(std::memory_order_acquire);
        const Node* const node = table.find(hash, HasKey{key});
        if (node == nullptr)
            return {};
        const auto* const generations = table.generations.load(std::memory_order_acquire);
        const auto generation = generations[node->group()].load(std::memory_order_acquire);
        return generation == node->generation() ? Found{node, node->entry().get()} : Found{};
    }

    /// As `find`, by the key's cell; the node is not read.
    static Found find(const PublishedTable& published, const Cell& cell) noexcept {
        const typename Cell::Contents seen = cell.read();
        const Table& table = *published.load(std::memory_order_acquire);
        const auto* const generations = table.generations.load(std::memory_order_acquire);
        // Looked at after the array was read: so the array is not that of other contents, which
        // `SieveShard::clear` publishes within a change of every cell.
        if (!cell.is_unchanged(seen)) [[unlikely]]
            return find_by_key_of(cell, published);
        if (seen.node == nullptr ||
            generations[seen.group].load(std::memory_order_acquire) != seen.generation)
            return {};
        return {seen.node, seen.entry};
    }

private:
    static BOOST_NOINLINE Found find_by_key_of(const Cell& cell,
                                               const PublishedTable& published) noexcept {
        return find(published, cell.key(), cell.hash());
    }
};

} // namespace wva_metrics::detail
