// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/observer/events.hpp"

#include <concepts>
#include <variant>

namespace wva_metrics {

namespace detail {

template <typename Observer, typename Events>
inline constexpr bool handles_an_event = false;
template <typename Observer, typename... Events>
inline constexpr bool handles_an_event<Observer, std::variant<Events...>> =
    (std::invocable<Observer&, const Events&> || ...);

/// False for a handler that a collector can never call, because it changes or moves its event.
template <typename Observer, typename OneEvent>
inline constexpr bool can_be_called =
    std::invocable<Observer&, const OneEvent&> ||
    !(std::invocable<Observer&, OneEvent&> || std::invocable<Observer&, OneEvent>);

template <typename Observer, typename Events>
inline constexpr bool takes_events_by_const_reference = false;
template <typename Observer, typename... Events>
inline constexpr bool takes_events_by_const_reference<Observer, std::variant<Events...>> =
    (can_be_called<Observer, std::variant<Events...>> && ... && can_be_called<Observer, Events>);

} // namespace detail

/// Watches a collector and changes nothing: a function object with one overload for each event that
/// it wants.
///
///     struct CountMisses {
///         std::atomic<int>& misses;
///         void operator()(const events::Miss&) { ++misses; }
///     };
///
/// - Events without an overload are ignored and cost nothing.
/// - An overload for `const Event&` handles all events that have no overload of their own.
/// - A type that handles no event does not satisfy the concept: it has no `operator()`, or all its
///   parameters are other types. Nor does a type with an overload for `events::Hit&` or
///   `events::Hit&&`, because events are delivered as `const`. That is not detected if an overload
///   for `const Event&` handles the event instead.
/// - An overload whose parameter is not an event is not detected if the type also handles an event.
///
/// **Errors:** an exception that a handler throws is dropped and counted
/// (`CollectorStats::observer_failures`).
///
/// **Threads:** handlers are called on the thread that does the work, possibly several
/// concurrently, and without any lock held. They should be short. No call begins after the
/// collector has been destroyed, except one that another thread of the executor was about to make.
template <typename T>
concept CollectorObserver =
    detail::handles_an_event<T, Event> && detail::takes_events_by_const_reference<T, Event>;

/// Ignores every event. The collector's default: its calls are inlined to nothing.
struct NullObserver {
    /// Does nothing.
    void operator()(const auto& /*event*/) const noexcept {}
};

/// Calls the observer if it handles this event.
template <CollectorObserver Observer, typename OneEvent>
void deliver(Observer& observer, const OneEvent& event) {
    if constexpr (std::invocable<Observer&, const OneEvent&>)
        observer(event);
}

} // namespace wva_metrics
