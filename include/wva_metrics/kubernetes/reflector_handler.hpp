// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"

#include <functional>
#include <vector>

namespace wva_metrics::kubernetes {

/// The callbacks of a `Reflector`. Each may be empty.
///
/// If a callback throws, the exception is counted in `ReflectorStatus::handler_failures` and
/// ignored. Callbacks should be quick, because nothing more is read from the API server until they
/// return. They may call `start`, `stop` and `status`.
///
/// A callback that is already running when the reflector is stopped or destroyed on another thread
/// runs to its end. It should therefore hold the objects that it changes by a weak or shared
/// pointer.
///
/// **Threads:** called on the client's executor, one at a time, with no lock held.
template <typename T>
struct ReflectorHandler {
    /// The complete list, except the objects reported to `on_unreadable`. It replaces all earlier
    /// objects. Called first after `start`, and again whenever changes may have been missed.
    std::function<void(std::vector<T>)> on_listed;
    /// The objects of a list that could not be read, if there are any. Called right before
    /// `on_listed`, whose list lacks them. They exist, but their state is unknown.
    std::function<void(const UnreadableObjects&)> on_unreadable;
    /// A new or changed object that could not be read. Its state is unknown from now on.
    std::function<void(const UnreadableObject&)> on_unreadable_change;
    /// A new or changed object.
    std::function<void(T)> on_upserted;
    /// The last state of a deleted object.
    std::function<void(const T&)> on_deleted;
    /// The API server is unreachable or rejects requests, or an object cannot be read. Called when
    /// a problem starts or changes, not every time that it occurs. Objects delivered earlier stay
    /// as they are, and the reflector keeps trying.
    std::function<void(const Error&)> on_problem;
};

} // namespace wva_metrics::kubernetes
