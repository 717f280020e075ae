// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/observer/observer.hpp"

#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

namespace wva_metrics {

/// Any observer, chosen at run time, or none. Copies share the observer inside.
///
/// Events that the observer inside does not handle are ignored. Each event costs one indirect call
/// more than with the observer's own type.
class AnyObserver {
public:
    /// Watches nothing.
    AnyObserver() = default;
    /// Takes over an observer. Implicit, so that any observer can be passed as an `AnyObserver`.
    template <typename Observer>
        requires(!std::same_as<Observer, AnyObserver> && CollectorObserver<Observer>)
    AnyObserver(Observer observer)
        : handle_([shared = std::make_shared<Observer>(std::move(observer))](const Event& event) {
              std::visit([&](const auto& one) { deliver(*shared, one); }, event);
          }) {}

    /// Delivers the event to the observer inside.
    void operator()(const Event& event) const {
        if (handle_)
            handle_(event);
    }

private:
    std::function<void(const Event&)> handle_;
};

} // namespace wva_metrics
