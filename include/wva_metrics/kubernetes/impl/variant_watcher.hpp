// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/variant_watcher_impl.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"
#include "wva_metrics/kubernetes/variant_watcher_config.hpp"

#include <memory>

namespace wva_metrics::kubernetes {

template <typename Executor>
BasicVariantWatcher<Executor>::BasicVariantWatcher(const BasicClient<Executor>& client,
                                                   const VariantWatcherConfig& config)
    : impl_(std::make_unique<detail::VariantWatcherImpl<Executor>>(client, config)) {}

template <typename Executor>
BasicVariantWatcher<Executor>::BasicVariantWatcher(BasicVariantWatcher&&) noexcept = default;

template <typename Executor>
BasicVariantWatcher<Executor>&
BasicVariantWatcher<Executor>::operator=(BasicVariantWatcher&&) noexcept = default;

template <typename Executor>
BasicVariantWatcher<Executor>::~BasicVariantWatcher() = default;

template <typename Executor>
void BasicVariantWatcher<Executor>::start() {
    impl_->start();
}

template <typename Executor>
void BasicVariantWatcher<Executor>::stop() {
    impl_->stop();
}

template <typename Executor>
ReflectorStatus BasicVariantWatcher<Executor>::status() const {
    return impl_->status();
}

template <typename Executor>
typename BasicVariantWatcher<Executor>::SnapshotPtr
BasicVariantWatcher<Executor>::snapshot() const {
    return impl_->snapshot();
}

} // namespace wva_metrics::kubernetes
