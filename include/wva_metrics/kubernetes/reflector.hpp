// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/reflector_state.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/resource.hpp"

#include <memory>
#include <utility>

namespace wva_metrics::kubernetes {

/// Follows the objects of one resource: lists them, and then watches for changes, for as long as
/// it is wanted and however often the API server, the network or the credentials fail meanwhile.
///
/// It keeps no objects; the handler is told of them. Lists ask for the newest state (no
/// `resourceVersion`), which costs the API server more than an old one would, but never tells of
/// something that was known to be otherwise before.
///
/// Thread safety: every function may be called from any thread.
///
/// Lifetime: destroying it stops it. It may be destroyed before or after its execution context
/// (but not on another thread while the context is being destroyed).
template <typename T>
class Reflector {
public:
    /// Asks nothing before `start`.
    Reflector(Client client, Resource<T> resource, Selection selection, ReflectorHandler<T> handler)
        : state_(std::make_shared<detail::ReflectorState<T>>(
              std::move(client), std::move(resource), std::move(selection), std::move(handler))) {}
    /// Follows a resource at its usual place.
    Reflector(Client client, Selection selection, ReflectorHandler<T> handler)
        : Reflector(std::move(client), Resource<T>{}, std::move(selection), std::move(handler)) {}
    Reflector(const Reflector&) = delete;
    Reflector& operator=(const Reflector&) = delete;
    /// Stops it.
    ~Reflector() { state_->stop(); }

    /// Begins to list and to watch. Does nothing where it runs already; after `stop` it begins
    /// anew, with a list.
    void start() { state_->start(); }

    /// Ends it: no function of the handler begins after this, except those already on their way to
    /// another thread. Does nothing where it does not run.
    void stop() { state_->stop(); }

    /// How it is doing, now.
    ReflectorStatus status() const { return state_->status(); }

private:
    std::shared_ptr<detail::ReflectorState<T>> state_;
};

} // namespace wva_metrics::kubernetes
