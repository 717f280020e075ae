// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/detail/hashed_key.hpp"
#include "wva_metrics/cache/detail/namespace_table.hpp"

#include <boost/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace wva_metrics::detail {

template <typename Entry>
class CacheNode;

/// The place of one key in a shard. It says where the key's entry is now, so that whoever keeps the
/// cell need not search. Keys come and go; the cell stays.
///
/// All that a reader needs is on one cache line, so that a hit reads this line and the entry, and no
/// table and no node.
///
/// **Threads:** one writer at a time, the shard's; any number of readers beside it. A version makes
/// the several words that they read consistent (a seqlock): it is odd during a change, and another
/// one after it. A reader that meets a change does not wait; it searches by key. The writer begins
/// the change before it changes the table, and ends it afterwards. So look-ups by cell and by key
/// agree: none sees an older entry than one that ended before it.
///
/// The words are atomics. The writer stores them with release, after the odd version, and readers
/// load them with acquire, before they read the version again. So a reader that has seen a word of
/// another change also sees that the version differs.
template <typename Entry>
class alignas(64) CacheCell {
public:
    using Node = CacheNode<Entry>;

    explicit CacheCell(const CacheKeyView& key) : hash_(CacheKeyHash()(key)), key_(key) {}

    CacheKeyView key() const noexcept { return key_; }
    std::size_t hash() const noexcept { return hash_; }

    bool visited() const noexcept { return visited_.load(std::memory_order_relaxed); }
    /// Writes only if that changes the mark, so that readers do not contend for the cache line.
    BOOST_FORCEINLINE void mark_visited() noexcept {
        if (!visited())
            visited_.store(true, std::memory_order_relaxed);
    }
    void clear_visited() noexcept { visited_.store(false, std::memory_order_relaxed); }

    /// What a reader sees. Node and entry are alive until the end of the read section in which it
    /// was read, and are null if the key has none. They count only if the cell `is_unchanged`.
    struct Contents {
        std::uint32_t version;
        const Node* node;
        const Entry* entry;
        NamespaceTable::Number group;
        NamespaceTable::Generation generation;
    };
    Contents read() const noexcept {
        const std::uint32_t version = version_.load(std::memory_order_acquire);
        return {version, node_.load(std::memory_order_acquire),
                entry_.load(std::memory_order_acquire), group_.load(std::memory_order_acquire),
                generation_.load(std::memory_order_acquire)};
    }
    /// True if nothing has changed since `seen` was being read.
    bool is_unchanged(const Contents& seen) const noexcept {
        return seen.version % 2 == 0 && version_.load(std::memory_order_relaxed) == seen.version;
    }

    ///@{
    /// For the writer: a change of the key's node, from before the table changes until after it.
    /// `node` is the one that the key has then, or null.
    void begin_change() noexcept { next_version(std::memory_order_relaxed); }
    void end_change(const Node* node) noexcept {
        node_.store(node, std::memory_order_release);
        entry_.store(node ? node->entry().get() : nullptr, std::memory_order_release);
        if (node != nullptr) {
            group_.store(node->group(), std::memory_order_release);
            generation_.store(node->generation(), std::memory_order_release);
        }
        next_version(std::memory_order_release);
    }
    ///@}
    /// The same as an object. Does nothing without a cell.
    class Change {
    public:
        Change(CacheCell* cell, const Node* node) noexcept : cell_(cell), node_(node) {
            if (cell_ != nullptr)
                cell_->begin_change();
        }
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;
        ~Change() {
            if (cell_ != nullptr)
                cell_->end_change(node_);
        }

    private:
        CacheCell* const cell_;
        const Node* const node_;
    };

private:
    void next_version(std::memory_order order) noexcept {
        version_.store(version_.load(std::memory_order_relaxed) + 1, order);
    }

    /// Wrap-around would need 2^31 changes during one read.
    std::atomic<std::uint32_t> version_{0};
    std::atomic<NamespaceTable::Number> group_{0};
    std::atomic<NamespaceTable::Generation> generation_{0};
    std::atomic<bool> visited_{false};
    std::atomic<const Node*> node_{nullptr};
    std::atomic<const Entry*> entry_{nullptr};
    const std::size_t hash_;
    const CacheKey key_;
};

} // namespace wva_metrics::detail
