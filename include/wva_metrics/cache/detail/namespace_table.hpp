// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/detail/epoch_domain.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// The groups of keys of a shard: those of one kind in one namespace. To invalidate a group at once
/// is to raise its generation; whatever was kept under an older one is dead, and goes when it is
/// met.
///
/// The generations stand side by side, as every hit reads one, and few lines are to hold them all.
/// For one writer at a time; readers see the generations alone.
class KeyGroups {
public:
    using Number = std::uint32_t;
    using Generation = std::uint32_t;
    using Generations = std::atomic<Generation>;

    struct Group {
        /// Nodes that can be found.
        std::size_t nodes = 0;
        /// Those of them that are alive, and what their entries hold.
        std::size_t live = 0;
        std::size_t live_bytes = 0;
    };

    /// The generations by number.
    const Generations* generations() const noexcept { return generations_.get(); }

    Generation generation(Number group) const noexcept {
        return generations_[group].load(std::memory_order_relaxed);
    }
    Group& operator[](Number group) noexcept { return groups_[group]; }

    static constexpr Number none = ~Number{0};

    /// `none` where there is no such group.
    Number find(EntryKind kind, std::string_view namespace_name) const {
        const auto found = numbers_.find(key_of(kind, namespace_name));
        return found == numbers_.end() ? none : found->second;
    }

    /// `shown` is where readers find the generations; these stand somewhere else after an addition
    /// that needed room, even one that fails.
    Number find_or_add(EntryKind kind, std::string_view namespace_name,
                       std::atomic<const Generations*>& shown, Limbo& limbo) {
        if (const Number known = find(kind, namespace_name); known != none)
            return known;
        if (free_.empty())
            grow(shown, limbo);
        const Number number = free_.back();
        numbers_.emplace(CacheKey(key_of(kind, namespace_name)), number);
        free_.pop_back();
        groups_[number] = {};
        return number;
    }

    /// To be called for a group without nodes. Its number will be given again; its generation goes
    /// on, so that whoever still holds a node of this one is not deceived.
    void remove(EntryKind kind, std::string_view namespace_name) noexcept {
        const auto found = numbers_.find(key_of(kind, namespace_name));
        raise(found->second);
        free_.push_back(found->second); // There is room for all of them.
        numbers_.erase(found);
    }

    /// It would have to be raised 2^32 times, before the dead are swept, for one to come back.
    void raise(Number group) noexcept {
        generations_[group].store(generation(group) + 1, std::memory_order_release);
    }

    /// Calls `visit(key, number)` for each; the key has an empty name.
    template <typename Visit>
    void for_each(const Visit& visit) const {
        for (const auto& [key, number] : numbers_)
            visit(CacheKeyView(key), number);
    }

private:
    static CacheKeyView key_of(EntryKind kind, std::string_view namespace_name) noexcept {
        return {kind, namespace_name, {}};
    }

    void grow(std::atomic<const Generations*>& shown, Limbo& limbo) {
        const std::size_t before = groups_.size();
        const std::size_t after = before == 0 ? 16 : 2 * before;
        auto generations = std::make_unique<Generations[]>(after);
        limbo.make_room();
        free_.reserve(after);
        groups_.resize(after);
        for (std::size_t number = 0; number < before; ++number)
            generations[number].store(generation(static_cast<Number>(number)),
                                      std::memory_order_relaxed);
        for (std::size_t number = after; number-- > before;)
            free_.push_back(static_cast<Number>(number));
        shown.store(generations.get(), std::memory_order_release);
        generations.swap(generations_);
        limbo.add_large(std::move(generations));
    }

    std::unique_ptr<Generations[]> generations_;
    std::vector<Group> groups_;
    std::vector<Number> free_;
    boost::unordered_flat_map<CacheKey, Number, CacheKeyHash, CacheKeyEqual> numbers_;
};

} // namespace wva_metrics::detail
