// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/observer/observer.hpp"

#include <atomic>
#include <concepts>
#include <cstdint>
#include <utility>

namespace wva_metrics::detail {

/// Delivers events to the observer. Thread-safe.
template <CollectorObserver Observer>
class Notifier {
public:
    explicit Notifier(Observer observer) : observer_(std::move(observer)) {}

    /// False if the observer ignores such events: then a hit need not look whether it is silenced.
    template <typename OneEvent>
    static constexpr bool is_wanted =
        !std::same_as<Observer, NullObserver> && std::invocable<Observer&, const OneEvent&>;

    /// Exceptions of the observer are counted and dropped. Never call it with a mutex held.
    template <typename OneEvent>
    void notify(const OneEvent& event) noexcept {
        if constexpr (is_wanted<OneEvent>) {
            if (silent_.load(std::memory_order_acquire))
                return;
            try {
                deliver(observer_, event);
            } catch (...) {
                failures_.fetch_add(1, std::memory_order_relaxed);
            }
        }
    }

    /// Delivers no more events: the collector is being destroyed, and the observer may refer to
    /// objects that are destroyed next.
    void silence() noexcept { silent_.store(true, std::memory_order_release); }

    Observer& observer() noexcept { return observer_; }
    /// Exceptions that the observer threw.
    std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

private:
    Observer observer_;
    std::atomic<bool> silent_{false};
    std::atomic<std::uint64_t> failures_{0};
};

} // namespace wva_metrics::detail
