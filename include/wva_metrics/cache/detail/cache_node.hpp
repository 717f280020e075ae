// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
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
/// visited mark and for the queue links, which only writers use.
///
/// The key's text is stored at the end, in the same allocation, so that a look-up does not touch
/// another cache line. A node with a typical key takes 80 bytes.
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
    static std::unique_ptr<CacheNode> make(const CacheKeyView& key,
                                           std::shared_ptr<const Entry> entry) {
        return std::unique_ptr<CacheNode>(new (key) CacheNode(key, std::move(entry)));
    }
    /// Memory of a node with this key and entry, its share of the slot table included.
    static std::size_t bytes(const CacheKeyView& key, const Entry& entry) noexcept {
        // A slot takes 14 bytes, and a table that has just grown is half full.
        constexpr std::size_t slot_bytes = 26;
        return heap_bytes(size_with(key)) + slot_bytes + entry.bytes();
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

    bool visited() const noexcept {
        return (visited_and_namespace_size_.load(std::memory_order_relaxed) & visited_bit) != 0;
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
    }

    static void* operator new(std::size_t, const CacheKeyView& key) {
        return ::operator new(size_with(key));
    }
    static void operator delete(void* node) noexcept { ::operator delete(node); }
    static void operator delete(void* node, const CacheKeyView&) noexcept {
        ::operator delete(node);
    }

private:
    static std::size_t size_with(const CacheKeyView& key) noexcept {
        const std::size_t text = key.namespace_name.size() + key.name.size();
        return sizeof(CacheNode) - sizeof(text_) + std::max(text, sizeof(text_));
    }

    static constexpr std::uint16_t visited_bit = 0x8000;
    static constexpr std::uint16_t namespace_mask = 0x7fff;

    CacheNode(const CacheKeyView& key, std::shared_ptr<const Entry> entry) noexcept
        : entry_(std::move(entry)),
          visited_and_namespace_size_(static_cast<std::uint16_t>(key.namespace_name.size())),
          name_size_(static_cast<std::uint16_t>(key.name.size())), kind_(key.kind) {
        char* const text = &text_[0];
        std::copy(key.namespace_name.begin(), key.namespace_name.end(), text);
        std::copy(key.name.begin(), key.name.end(), text + key.namespace_name.size());
    }

    const std::shared_ptr<const Entry> entry_;
    NamespaceTable::Number group_ = NamespaceTable::none;
    NamespaceTable::Generation generation_ = 0;
    mutable std::atomic<std::uint16_t> visited_and_namespace_size_;
    const std::uint16_t name_size_;
    const EntryKind kind_;
    /// The namespace and the name. The allocation is as long as they need.
    char text_[3];
};

} // namespace wva_metrics::detail
