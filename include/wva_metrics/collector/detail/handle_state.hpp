// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/collector/detail/target.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace wva_metrics::detail {

/// A collector, as its handles know it: an address that no other collector has while a handle refers to
/// it. Counts the handles that have a cell, a handle and its copies as one.
class HandleOwner {
public:
    /// False if there are `most` already.
    bool add(std::size_t most) noexcept {
        std::size_t count = count_.load(std::memory_order_relaxed);
        do {
            if (count >= most)
                return false;
        } while (!count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
        return true;
    }
    void remove() noexcept { count_.fetch_sub(1, std::memory_order_relaxed); }
    std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::size_t> count_{0};
};

/// What a handle and its copies share.
struct HandleState {
    explicit HandleState(Target wanted)
        : target(std::make_shared<const Target>(std::move(wanted))),
          rejection(rejection_reason(*target)) {}
    HandleState(const HandleState&) = delete;
    HandleState& operator=(const HandleState&) = delete;
    ~HandleState() {
        if (owner)
            owner->remove();
    }

    const TargetPtr target;
    /// Why the target cannot be fetched; empty if it can.
    const std::optional<std::string> rejection;
    /// The collector that counts the handle, and the cell in its cache; both or none.
    std::shared_ptr<HandleOwner> owner{};
    std::shared_ptr<void> cell{};
};

/// The state of a handle without a cell.
inline std::shared_ptr<HandleState> handle_state(Target target) {
    return std::make_shared<HandleState>(std::move(target));
}

/// The part that all handles have in common. A read by cell uses only the two plain pointers.
template <typename TargetType>
class Handle {
public:
    Handle() = default;
    explicit Handle(std::shared_ptr<const HandleState> state) noexcept
        : state_(std::move(state)), owner_(state_->owner.get()), cell_(state_->cell.get()) {}

    /// False if it is empty.
    explicit operator bool() const noexcept { return state_ != nullptr; }
    /// What is read. The handle must not be empty.
    const TargetType& target() const noexcept {
        return *std::get_if<TargetType>(state_->target.get());
    }

    ///@{
    /// For the collector: the collector that made it and its cell, or null.
    const HandleOwner* owner() const noexcept { return owner_; }
    void* cell() const noexcept { return cell_; }
    const std::shared_ptr<const HandleState>& state() const noexcept { return state_; }
    ///@}

private:
    std::shared_ptr<const HandleState> state_{};
    const HandleOwner* owner_ = nullptr;
    void* cell_ = nullptr;
};

/// What a fetch by handle is for, as the other targets.
template <typename TargetType>
struct HandleTarget {
    Handle<TargetType> handle;
};
template <typename TargetType>
std::optional<std::string> rejection_reason(const HandleTarget<TargetType>& target) {
    if (!target.handle)
        return "the handle is empty";
    return target.handle.state()->rejection;
}

/// Where `Lookup` looks: under a key.
struct KeyPlace {
    const CacheKeyView& wanted;

    const CacheKeyView& where() const noexcept { return wanted; }
    const CacheKeyView& key() const noexcept { return wanted; }
};
/// Where `Lookup` looks: in the cell of a handle. The key is read only if it is needed.
template <typename Cell, typename TargetType>
struct CellPlace {
    Cell& cell;
    const Handle<TargetType>& handle;

    Cell& where() const noexcept { return cell; }
    CacheKeyView key() const noexcept { return key_of(handle.target()); }
};

} // namespace wva_metrics::detail
