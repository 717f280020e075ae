// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/reflector_impl.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/resource.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <utility>

namespace wva_metrics::kubernetes {

/// Follows the objects of one resource: lists them, watches for changes, and recovers from failures
/// of the API server, the network or the credentials until it is stopped.
///
/// It stores no objects; the handler receives them. Lists request the newest state (no
/// `resourceVersion`). This costs the API server more than a cached list, but never returns a state
/// older than one that was delivered before.
///
/// **Threads:** safe.
///
/// **Lifetime:** the destructor stops it. It may be destroyed before or after its execution
/// context, but not on another thread while the context is being destroyed.
template <typename T, typename Executor = asio::any_io_executor>
class Reflector {
public:
    /// Sends no request before `start`.
    Reflector(BasicClient<Executor> client, Resource<T> resource, Selection selection,
              ReflectorHandler<T> handler)
        : impl_(std::make_shared<Impl>(std::move(client), std::move(resource), std::move(selection),
                                       std::move(handler))) {}
    /// Follows a resource under its default name.
    Reflector(BasicClient<Executor> client, Selection selection, ReflectorHandler<T> handler)
        : Reflector(std::move(client), Resource<T>{}, std::move(selection), std::move(handler)) {}
    Reflector(const Reflector&) = delete;
    Reflector& operator=(const Reflector&) = delete;
    /// Stops it.
    ~Reflector() { impl_->stop(); }

    /// Starts with a list. Does nothing if it is running.
    void start() { impl_->start(); }

    /// Stops it. No callback of the handler starts after this, except those that another thread is
    /// about to call. Does nothing if it is not running.
    void stop() { impl_->stop(); }

    /// The current status.
    ReflectorStatus status() const { return impl_->status(); }

private:
    using Impl = detail::ReflectorImpl<T, Executor>;

    std::shared_ptr<Impl> impl_;
};

} // namespace wva_metrics::kubernetes
