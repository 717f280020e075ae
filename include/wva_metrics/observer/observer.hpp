// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/observer/events.hpp"

#include <concepts>
#include <type_traits>
#include <variant>

namespace wva_metrics {

namespace detail {

template <typename Observer, typename Events>
inline constexpr bool handles_any = false;
template <typename Observer, typename... Events>
inline constexpr bool handles_any<Observer, std::variant<Events...>> =
    (std::invocable<Observer&, const Events&> || ...);

} // namespace detail

/// Watches a collector and changes nothing: a function object with an overload for each event that
/// it wants.
///
///     struct CountMisses {
///         std::atomic<int>& misses;
///         void operator()(const events::Miss&) { ++misses; }
///     };
///
/// Events without an overload cost nothing. One overload may take `const Event&` for all of them. A
/// type that handles no event at all is refused.
///
/// **Threads:** the collector calls its observer without any lock held, on the thread that does the
/// work, possibly on several at once. Keep handlers short. What a handler throws is dropped and
/// counted (`CollectorStats::observer_failures`). Once the collector has been destroyed no call
/// begins, except one that another thread of the executor was about to make.
template <typename T>
concept CollectorObserver = detail::handles_any<T, Event>;

/// Ignores every event; the collector's default.
struct NullObserver {
    /// Does nothing.
    void operator()(const auto& /*event*/) const noexcept {}
};

/// Calls the observer, if it handles this event.
template <CollectorObserver Observer, typename OneEvent>
void deliver(Observer& observer, const OneEvent& event) {
    if constexpr (std::invocable<Observer&, const OneEvent&>)
        observer(event);
}

} // namespace wva_metrics
