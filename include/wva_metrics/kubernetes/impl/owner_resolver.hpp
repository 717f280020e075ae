// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/owner_resolver_impl.hpp"
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/owner_resolver_config.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/pod_owner.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes {

template <typename Executor>
BasicOwnerResolver<Executor>::BasicOwnerResolver(const BasicClient<Executor>& client,
                                                 OwnerResolverConfig config)
    : impl_(std::make_unique<detail::OwnerResolverImpl<Executor>>(client, std::move(config))) {}

template <typename Executor>
BasicOwnerResolver<Executor>::BasicOwnerResolver(BasicOwnerResolver&&) noexcept = default;

template <typename Executor>
BasicOwnerResolver<Executor>&
BasicOwnerResolver<Executor>::operator=(BasicOwnerResolver&&) noexcept = default;

template <typename Executor>
BasicOwnerResolver<Executor>::~BasicOwnerResolver() = default;

template <typename Executor>
void BasicOwnerResolver<Executor>::start() {
    impl_->start();
}

template <typename Executor>
void BasicOwnerResolver<Executor>::stop() {
    impl_->stop();
}

template <typename Executor>
bool BasicOwnerResolver<Executor>::is_synced() const {
    return impl_->is_synced();
}

template <typename Executor>
std::vector<ReflectorStatus> BasicOwnerResolver<Executor>::status() const {
    return impl_->status();
}

template <typename Executor>
std::optional<PodOwner> BasicOwnerResolver<Executor>::find(std::string_view namespace_name,
                                                           std::string_view pod) const {
    return impl_->find(namespace_name, pod);
}

template <typename Executor>
PodState BasicOwnerResolver<Executor>::state_of(std::string_view namespace_name,
                                                std::string_view pod) const {
    return impl_->state_of(namespace_name, pod);
}

} // namespace wva_metrics::kubernetes
