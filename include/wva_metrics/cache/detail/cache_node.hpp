// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/detail/cache_cell.hpp"
#include "wva_metrics/cache/detail/heap_bytes.hpp"
#include "wva_metrics/cache/detail/namespace_table.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// A key and its entry, as readers find them. Once published it is immutable, except for the
/// visited mark, and for the queue links and the cell, which only writers use.
///
/// The key's text is stored at the end, in the same allocation, so that a look-up does not touch
/// another cache line. A node with a typical key takes 80 bytes. The pointer to a cell, which few
/// nodes have, follows the text, unaligned.
template <typename Entry>
class CacheNode {
public:
    /// Queue links, guarded by the shard's lock. `newer` leads to the most recently inserted node. Of
    /// a retired node, `older` is the link of its `RetiredBatch`.
    CacheNode* newer = nullptr;
    CacheNode* older = nullptr;

    /// True if the key is short enough: less than 32 KiB of namespace and 64 KiB of name.
    static bool can_hold(const CacheKeyView& key) noexcept {
        return key.namespace_name.size() <= namespace_mask && key.name.size() <= 0xffff;
    }
    using Cell = CacheCell<Entry>;

    /// `cell` may be null; then the node never has one.
    static std::unique_ptr<CacheNode> make(const CacheKeyView& key,
                                           std::shared_ptr<const Entry> entry, Cell* cell) {
        const Extent extent{key, cell != nullptr};
        std::unique_ptr<CacheNode> node(new (extent) CacheNode(extent, std::move(entry)));
        if (cell != nullptr)
            node->set_cell(cell);
        return node;
    }
    /// Memory of a node with this key and entry, its share of the slot table included. (The pointer to
    /// a cell is counted with the cell.)
    static std::size_t bytes(const CacheKeyView& key, const Entry& entry) noexcept {
        // A slot takes 14 bytes, and a table that has just grown is half full.
        constexpr std::size_t slot_bytes = 26;
        return heap_bytes(size_of({key, false})) + slot_bytes + entry.bytes();
    }
    std::size_t bytes() const noexcept { return bytes(key(), *entry_); }

    /// To be called once, before the node is published.
    void assign_group(NamespaceTable::Number group,
                      NamespaceTable::Generation generation) noexcept {
        group_ = group;
        generation_ = generation;
    }

    CacheKeyView key() const noexcept {
        const std::size_t namespace_size =
            visited_and_namespace_size_.load(std::memory_order_relaxed) & namespace_mask;
        return {kind_, {&text_[0], namespace_size}, {&text_[0] + namespace_size, name_size_}};
    }
    const std::shared_ptr<const Entry>& entry() const noexcept { return entry_; }
    NamespaceTable::Number group() const noexcept { return group_; }
    /// The generation of the group when the node was added to it.
    NamespaceTable::Generation generation() const noexcept { return generation_; }

    /// True if a cell can be set.
    bool has_room_for_cell() const noexcept { return has_room_for_cell_; }
    /// The key's cell, or null. For the writer.
    Cell* cell() const noexcept {
        Cell* cell = nullptr;
        if (has_room_for_cell_)
            std::memcpy(&cell, text_end(), cell_size);
        return cell;
    }
    /// Only if there is room. For the writer, who tells the cell.
    void set_cell(Cell* cell) noexcept { std::memcpy(text_end(), &cell, cell_size); }

    /// By either road: by key, or by cell.
    bool visited() const noexcept {
        const Cell* const known = cell();
        return (visited_and_namespace_size_.load(std::memory_order_relaxed) & visited_bit) != 0 ||
               (known != nullptr && known->visited());
    }
    /// Writes only if that changes the mark, so that readers of one node do not contend for its
    /// cache line.
    void mark_visited() const noexcept {
        const std::uint16_t seen = visited_and_namespace_size_.load(std::memory_order_relaxed);
        if ((seen & visited_bit) == 0)
            visited_and_namespace_size_.store(seen | visited_bit, std::memory_order_relaxed);
    }
    void clear_visited() noexcept {
        const std::uint16_t seen = visited_and_namespace_size_.load(std::memory_order_relaxed);
        visited_and_namespace_size_.store(seen & namespace_mask, std::memory_order_relaxed);
        if (Cell* const known = cell())
            known->clear_visited();
    }

private:
    /// What an allocation has to hold.
    struct Extent {
        const CacheKeyView& key;
        bool has_room_for_cell;
    };
    static std::size_t size_of(const Extent& extent) noexcept {
        const std::size_t text = extent.key.namespace_name.size() + extent.key.name.size();
        const std::size_t cell = extent.has_room_for_cell ? cell_size : 0;
        return sizeof(CacheNode) - sizeof(text_) + std::max(text + cell, sizeof(text_));
    }

public:
    static void* operator new(std::size_t, const Extent& extent) {
        return ::operator new(size_of(extent));
    }
    static void operator delete(void* node) noexcept { ::operator delete(node); }
    static void operator delete(void* node, const Extent&) noexcept { ::operator delete(node); }

private:
    /// That of a pointer to a cell.
    static constexpr std::size_t cell_size = sizeof(void*);
    static constexpr std::uint16_t visited_bit = 0x8000;
    static constexpr std::uint16_t namespace_mask = 0x7fff;

    CacheNode(const Extent& extent, std::shared_ptr<const Entry> entry) noexcept
        : entry_(std::move(entry)),
          visited_and_namespace_size_(static_cast<std::uint16_t>(extent.key.namespace_name.size())),
          name_size_(static_cast<std::uint16_t>(extent.key.name.size())), kind_(extent.key.kind),
          has_room_for_cell_(extent.has_room_for_cell) {
        char* const text = &text_[0];
        const CacheKeyView& key = extent.key;
        std::copy(key.namespace_name.begin(), key.namespace_name.end(), text);
        std::copy(key.name.begin(), key.name.end(), text + key.namespace_name.size());
    }

    /// Where the text ends, counted from the beginning of the allocation, so that compilers know that
    /// more than `text_` is there.
    const char* text_end() const noexcept {
        const std::size_t text = key().namespace_name.size() + name_size_;
        return reinterpret_cast<const char*>(this) + sizeof(CacheNode) - sizeof(text_) + text;
    }
    char* text_end() noexcept { return const_cast<char*>(std::as_const(*this).text_end()); }

    const std::shared_ptr<const Entry> entry_;
    NamespaceTable::Number group_ = NamespaceTable::none;
    NamespaceTable::Generation generation_ = 0;
    mutable std::atomic<std::uint16_t> visited_and_namespace_size_;
    const std::uint16_t name_size_;
    const EntryKind kind_;
    const bool has_room_for_cell_;
    /// The namespace and the name. The allocation is as long as they need.
    char text_[2];
};

} // namespace wva_metrics::detail
