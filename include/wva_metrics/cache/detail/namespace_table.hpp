// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/detail/retire_list.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// The groups of a shard's keys. A group is the keys of one kind in one namespace.
///
/// Every group has a generation, and every node records the generation it was added under. So to
/// invalidate a whole group takes one increment. The nodes of an older generation are stale: no
/// look-up returns them, and a writer that comes across them removes them.
///
/// The generations are stored in an array of their own, because every hit reads one of them, and so
/// they share few cache lines.
///
/// **Threads:** one writer at a time; readers access only the generations.
class NamespaceTable {
public:
    using Number = std::uint32_t;
    using Generation = std::uint32_t;
    using AtomicGeneration = std::atomic<Generation>;

    struct Group {
        /// Nodes in the slot table, live and stale.
        std::size_t nodes = 0;
        /// Nodes of the current generation, and their memory.
        std::size_t live = 0;
        std::size_t live_bytes = 0;
    };

    /// The generations, indexed by group number.
    const AtomicGeneration* generations() const noexcept { return generations_.get(); }

    Generation generation(Number group) const noexcept {
        return generations_[group].load(std::memory_order_relaxed);
    }
    Group& operator[](Number group) noexcept { return groups_[group]; }

    static constexpr Number none = ~Number{0};

    /// The group's number, or `none`.
    Number find(EntryKind kind, std::string_view namespace_name) const {
        const auto found = numbers_.find(key_of(kind, namespace_name));
        return found == numbers_.end() ? none : found->second;
    }

    /// The group's number; adds the group if it is new.
    ///
    /// `published` is the array that readers use; growth reallocates it, even if the insertion then
    /// throws.
    Number find_or_add(EntryKind kind, std::string_view namespace_name,
                       std::atomic<const AtomicGeneration*>& published, RetiredObjects& retired) {
        if (const Number known = find(kind, namespace_name); known != none)
            return known;
        if (free_.empty())
            grow(published, retired);
        const Number number = free_.back();
        numbers_.emplace(CacheKey(key_of(kind, namespace_name)), number);
        free_.pop_back();
        groups_[number] = {};
        return number;
    }

    /// Removes a group that has no nodes. Its number will be reused; the generation is incremented
    /// and not reset, so that a reader that still holds a node of the old group sees that the node
    /// is stale.
    void remove(EntryKind kind, std::string_view namespace_name) noexcept {
        const auto found = numbers_.find(key_of(kind, namespace_name));
        bump_generation(found->second);
        free_.push_back(found->second); // `grow` reserved room for every number.
        numbers_.erase(found);
    }

    /// Makes the group's nodes stale. Wrap-around would need 2^32 invalidations of one group before
    /// its stale nodes are swept.
    void bump_generation(Number group) noexcept {
        generations_[group].store(generation(group) + 1, std::memory_order_release);
    }

    /// Calls `visit(key, number)` for each group. The key has the group's kind and namespace, and
    /// an empty name.
    template <typename Visit>
    void for_each(const Visit& visit) const {
        for (const auto& [key, number] : numbers_)
            visit(CacheKeyView(key), number);
    }

private:
    static CacheKeyView key_of(EntryKind kind, std::string_view namespace_name) noexcept {
        return {kind, namespace_name, {}};
    }

    void grow(std::atomic<const AtomicGeneration*>& published, RetiredObjects& retired) {
        const std::size_t before = groups_.size();
        const std::size_t after = before == 0 ? 16 : 2 * before;
        auto generations = std::make_unique<AtomicGeneration[]>(after);
        retired.reserve();
        free_.reserve(after);
        groups_.resize(after);
        for (std::size_t number = 0; number < before; ++number)
            generations[number].store(generation(static_cast<Number>(number)),
                                      std::memory_order_relaxed);
        for (std::size_t number = after; number-- > before;)
            free_.push_back(static_cast<Number>(number));
        published.store(generations.get(), std::memory_order_release);
        generations.swap(generations_);
        retired.add(std::move(generations));
    }

    std::unique_ptr<AtomicGeneration[]> generations_;
    std::vector<Group> groups_;
    std::vector<Number> free_;
    boost::unordered_flat_map<CacheKey, Number, CacheKeyHash, CacheKeyEqual> numbers_;
};

} // namespace wva_metrics::detail
