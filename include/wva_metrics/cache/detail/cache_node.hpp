// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
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

/// A key and its entry, as readers find them. It never changes once it can be found, except for the
/// mark of a visit, and for its place in the queue, which is the writers' alone.
///
/// The key's text stands at its end, in the same allocation, so that a look-up has no further line
/// to wait for, and a node of a usual key takes 80 bytes.
template <typename Entry>
class CacheNode {
public:
    /// Towards the most recently inserted; guarded by the shard's lock.
    CacheNode* newer = nullptr;
    CacheNode* older = nullptr;

    /// Whether a key is short enough: 32 KiB for the namespace, 64 KiB for the name.
    static bool can_hold(const CacheKeyView& key) noexcept {
        return key.namespace_name.size() <= namespace_mask && key.name.size() <= 0xffff;
    }
    static std::unique_ptr<CacheNode> make(const CacheKeyView& key,
                                           std::shared_ptr<const Entry> entry) {
        return std::unique_ptr<CacheNode>(new (key) CacheNode(key, std::move(entry)));
    }
    /// Once, before it can be found.
    void join(KeyGroups::Number group, KeyGroups::Generation generation) noexcept {
        group_ = group;
        generation_ = generation;
    }

    CacheKeyView key() const noexcept {
        const std::size_t namespace_size =
            visited_and_namespace_size_.load(std::memory_order_relaxed) & namespace_mask;
        return {kind_, {&text_[0], namespace_size}, {&text_[0] + namespace_size, name_size_}};
    }
    const std::shared_ptr<const Entry>& entry() const noexcept { return entry_; }
    KeyGroups::Number group() const noexcept { return group_; }
    /// Of its group, when the node joined it.
    KeyGroups::Generation generation() const noexcept { return generation_; }

    bool visited() const noexcept {
        return (visited_and_namespace_size_.load(std::memory_order_relaxed) & visited_bit) != 0;
    }
    /// Writes only where that changes something, so that readers of one node do not fight over it.
    void mark_visited() const noexcept {
        const std::uint16_t seen = visited_and_namespace_size_.load(std::memory_order_relaxed);
        if ((seen & visited_bit) == 0)
            visited_and_namespace_size_.store(seen | visited_bit, std::memory_order_relaxed);
    }
    void clear_visited() noexcept {
        const std::uint16_t seen = visited_and_namespace_size_.load(std::memory_order_relaxed);
        visited_and_namespace_size_.store(seen & namespace_mask, std::memory_order_relaxed);
    }

    static void* operator new(std::size_t size, const CacheKeyView& key) {
        const std::size_t text = key.namespace_name.size() + key.name.size();
        return ::operator new(size - std::min(size, sizeof(text_)) + std::max(text, sizeof(text_)));
    }
    static void operator delete(void* node) noexcept { ::operator delete(node); }
    static void operator delete(void* node, const CacheKeyView&) noexcept {
        ::operator delete(node);
    }

private:
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
    KeyGroups::Number group_ = KeyGroups::none;
    KeyGroups::Generation generation_ = 0;
    mutable std::atomic<std::uint16_t> visited_and_namespace_size_;
    const std::uint16_t name_size_;
    const EntryKind kind_;
    /// The namespace and the name; as long as they need.
    char text_[3];
};

} // namespace wva_metrics::detail
