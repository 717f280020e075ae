// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/resource.hpp"

#include <mutex>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// What a reflector shares with what it has under way.
template <typename T>
class ReflectorState {
public:
    ReflectorState(Client client, Resource<T> resource, Selection selection,
                   ReflectorHandler<T> handler)
        : client_(std::move(client)), resource_(std::move(resource)),
          selection_(std::move(selection)), handler_(std::move(handler)) {}

    void start() {
        const std::lock_guard lock(mutex_);
        status_.running = true;
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        status_.running = false;
    }

    ReflectorStatus status() const {
        const std::lock_guard lock(mutex_);
        return status_;
    }

private:
    const Client client_;
    const Resource<T> resource_;
    const Selection selection_;
    const ReflectorHandler<T> handler_;
    mutable std::mutex mutex_;
    ReflectorStatus status_;
};

} // namespace wva_metrics::kubernetes::detail
