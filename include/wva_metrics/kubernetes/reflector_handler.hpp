// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace wva_metrics::kubernetes {

/// What a `Reflector` tells its user. Each function may be empty.
///
/// They are called on the client's executor, one at a time, with no lock held. One that throws is
/// counted in `ReflectorStatus::handler_failures`, and harms nobody. They should be quick, for
/// nothing further is read from the API server until they return. They may call `start`, `stop`
/// and `status`. Let them hold what they change by a weak or shared pointer: a function that runs
/// already when the reflector is stopped or destroyed on another thread runs to its end.
template <typename T>
struct ReflectorHandler {
    /// The whole truth (but for `on_left_out`): it replaces everything known. First after `start`,
    /// and again whenever changes may have been missed.
    std::function<void(std::vector<T>)> on_listed;
    /// So many objects of a list exist and could not be read, so that what is given to `on_listed`
    /// right after this lacks them. Not said where there are none.
    std::function<void(std::size_t)> on_left_out;
    /// An object is new or has changed.
    std::function<void(T)> on_upserted;
    /// An object has ceased to exist; this was its last state.
    std::function<void(const T&)> on_deleted;
    /// Something is wrong: the API server cannot be reached or refuses, or an object cannot be
    /// read. Said when a problem begins or becomes another one, not every time that it is met
    /// again. What was told before stays as true as it was; the reflector goes on trying.
    std::function<void(const Error&)> on_problem;
};

} // namespace wva_metrics::kubernetes
