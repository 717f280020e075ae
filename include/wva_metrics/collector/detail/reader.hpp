// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/metrics_cache.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/handle_state.hpp"
#include "wva_metrics/collector/detail/identity_limits.hpp"
#include "wva_metrics/collector/detail/lookup.hpp"

#include <boost/config.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::detail {

/// Look-ups by key or by handle, which it passes to `Lookup` with the place to look at; and the handles
/// of a collector. `Data` is a `CollectorData`.
template <typename Data>
class Reader {
    using Cache = decltype(Data::cache);

public:
    Reader(Data& data, Lookup<Data>& lookup) : data_(data), lookup_(lookup) {}

    /// A handle of a target. It has a cell if the cache gives one, and if fewer than `max_handles`
    /// others have one.
    std::shared_ptr<const HandleState> handle(Target target, std::size_t max_handles) {
        std::shared_ptr<HandleState> state = handle_state(std::move(target));
        if constexpr (CellCache<Cache>) {
            if (state->rejection || !owner_->add(max_handles))
                return state;
            state->owner = owner_; // From now on the state takes back what was added.
            data_.with_cache(
                [&](auto& cache) { state->cell = cache.cell(key_of(*state->target)); });
            if (!state->cell)
                std::exchange(state->owner, nullptr)->remove();
        }
        return state;
    }
    /// Handles that have a cell.
    std::size_t handles() const noexcept { return owner_->count(); }

    ///@{
    /// As the functions of `Lookup`. `place` is a key or a handle.
    std::optional<Answer> find(const auto& place, TimePoint at) {
        return look_at(place, [&](const auto& where) { return lookup_.find(where, at); });
    }
    template <typename Use>
    bool visit(const CacheKeyView& key, TimePoint at, const Use use) {
        return is_cacheable(key) && lookup_.visit(KeyPlace{key}, at, use);
    }
    template <typename TargetType, typename Use>
    BOOST_FORCEINLINE bool visit(const Handle<TargetType>& handle, TimePoint at, const Use& use) {
        if constexpr (CellCache<Cache>)
            if (is_own(handle)) [[likely]]
                return lookup_.visit(place_of(handle), at, use);
        return visit_by_key<TargetType, Use>(handle, at, use);
    }
    template <typename TargetType, typename MakeWaiter>
    CacheEntryPtr find_or_wait(TargetType&& target, TimePoint at, MakeWaiter&& make_waiter) {
        return lookup_.find_or_wait(std::forward<TargetType>(target), at,
                                    std::forward<MakeWaiter>(make_waiter));
    }
    template <typename TargetType, typename MakeWaiter>
    CacheEntryPtr find_or_wait(HandleTarget<TargetType>&& target, TimePoint at,
                               MakeWaiter&& make_waiter) {
        return look_at(target.handle, [&](const auto& where) {
            return lookup_.find_or_wait(where, target.handle, at, make_waiter);
        });
    }
    template <typename TargetType>
    CacheEntryPtr find_hit(const TargetType& target, TimePoint at) {
        const CacheKeyView key = key_of(target);
        return lookup_.find_hit(KeyPlace{key}, target, at);
    }
    template <typename TargetType>
    CacheEntryPtr find_hit(const HandleTarget<TargetType>& target, TimePoint at) {
        return find_hit(target.handle.target(), at);
    }
    ///@}

private:
    template <typename TargetType>
    bool is_own(const Handle<TargetType>& handle) const noexcept {
        return handle.owner() == owner_.get();
    }
    /// That of an own handle.
    template <typename TargetType>
    static auto place_of(const Handle<TargetType>& handle) noexcept {
        using Cell = typename Cache::Cell;
        return CellPlace<Cell, TargetType>{*static_cast<Cell*>(handle.cell()), handle};
    }
    template <typename TargetType, typename Use>
    BOOST_NOINLINE bool visit_by_key(const Handle<TargetType>& handle, TimePoint at,
                                     const Use use) {
        return handle && visit(key_of(handle.target()), at, use);
    }

    /// False if nothing can be cached under such a key.
    static bool is_cacheable(const CacheKeyView& key) noexcept {
        return key.name.size() <= max_model_id_bytes &&
               key.namespace_name.size() <= max_object_name_bytes;
    }
    ///@{
    /// Returns `look(where)`, or nothing if nothing can be cached there.
    template <typename Look>
    auto look_at(const CacheKeyView& key, const Look& look) -> decltype(look(KeyPlace{key})) {
        return is_cacheable(key) ? look(KeyPlace{key}) : decltype(look(KeyPlace{key})){};
    }
    template <typename TargetType, typename Look>
    auto look_at(const Handle<TargetType>& handle, const Look& look)
        -> decltype(look(std::declval<KeyPlace>())) {
        if constexpr (CellCache<Cache>)
            if (is_own(handle))
                return look(place_of(handle));
        if (!handle)
            return {};
        return look_at(key_of(handle.target()), look);
    }
    ///@}

    Data& data_;
    Lookup<Data>& lookup_;
    const std::shared_ptr<HandleOwner> owner_ = std::make_shared<HandleOwner>();
};

} // namespace wva_metrics::detail
