// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/same_workload.hpp"
#include "wva_metrics/backend/detail/epp_impl.hpp"
#include "wva_metrics/backend/detail/epp_models.hpp"
#include "wva_metrics/backend/detail/epp_pool_status.hpp"
#include "wva_metrics/backend/detail/epp_queued.hpp"
#include "wva_metrics/backend/epp_backend.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {

/// Reads the page, and answers with what `use(reader, rules)` makes of it. Takes all by value, because
/// the coroutine may outlive the backend.
template <typename Answer, typename Executor, typename Use>
asio::awaitable<Result<Answer>> ask_epp(std::shared_ptr<EppImpl<Executor>> impl, Use use) {
    const Result<void> read = co_await read_epp_page(impl);
    if (read.has_error())
        co_return read.error();
    co_return impl->with_page(use);
}

/// As `ask_epp` for a batch: `use(models, target)` is the answer for one target. If the page cannot
/// be read, all have that error.
template <typename Answer, typename Executor, typename Use>
asio::awaitable<std::vector<Result<Answer>>> ask_epp_each(std::shared_ptr<EppImpl<Executor>> impl,
                                                          std::size_t targets, Use use) {
    std::vector<Result<Answer>> answers;
    if (targets == 0)
        co_return answers;
    const Result<void> read = co_await read_epp_page(impl);
    if (read.has_error()) {
        answers.assign(targets, read.error());
        co_return answers;
    }
    impl->with_page([&](const EppReader& reader, const samples::SampleRules& rules) {
        const EppModels models(reader, rules);
        for (std::size_t i = 0; i < targets; ++i)
            answers.push_back(use(models, i));
        return true;
    });
    co_return answers;
}

/// The number of workloads of a variant's model, among these variants and those that are known.
inline std::size_t count_workloads(const VariantAutoscaling& variant,
                                   const std::vector<VariantAutoscaling>& variants,
                                   const KnownWorkloads& known) {
    std::vector<VariantAutoscaling> own;
    for (const VariantAutoscaling& other : variants) {
        const bool is_new = std::none_of(own.begin(), own.end(), [&](const auto& seen) {
            return is_same_workload(seen, other);
        });
        if (other.model() == variant.model() && is_new)
            own.push_back(other);
    }
    return own.size() + known.others(variant.model(), own).size();
}

} // namespace detail

template <typename Executor>
BasicEppBackend<Executor>::BasicEppBackend(const Executor& executor, EppConfig config)
    : impl_(std::make_shared<detail::EppImpl<Executor>>(executor, std::move(config))) {}

template <typename Executor>
const EppConfig& BasicEppBackend<Executor>::config() const noexcept {
    return impl_->config;
}

template <typename Executor>
asio::awaitable<Result<Availability>>
BasicEppBackend<Executor>::check_availability(ModelKey model) {
    return detail::ask_epp<Availability>(
        impl_, [model = std::move(model)](const detail::EppReader& reader,
                                          const samples::SampleRules& rules) {
            return detail::EppModels(reader, rules).availability(model);
        });
}

template <typename Executor>
asio::awaitable<std::vector<Result<OptimizerMetrics>>>
BasicEppBackend<Executor>::fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
    impl_->workloads.remember(variants, std::chrono::steady_clock::now());
    const std::size_t targets = variants.size();
    auto answer = [variants = std::move(variants), impl = impl_](const detail::EppModels& models,
                                                                 std::size_t target) {
        const VariantAutoscaling& variant = variants[target];
        const std::size_t workloads = detail::count_workloads(variant, variants, impl->workloads);
        return models.optimizer(variant, workloads);
    };
    return detail::ask_epp_each<OptimizerMetrics>(impl_, targets, std::move(answer));
}

template <typename Executor>
asio::awaitable<std::vector<Result<ReplicaSamples>>>
BasicEppBackend<Executor>::fetch_replica_samples(std::vector<ModelKey> keys) {
    const std::size_t targets = keys.size();
    auto answer = [keys = std::move(keys)](const detail::EppModels& models, std::size_t target) {
        return models.replicas(keys[target]);
    };
    return detail::ask_epp_each<ReplicaSamples>(impl_, targets, std::move(answer));
}

template <typename Executor>
asio::awaitable<Result<EppPoolStatus>> BasicEppBackend<Executor>::fetch_pool_status() {
    return detail::ask_epp<EppPoolStatus>(
        impl_, [](const detail::EppReader& reader, const samples::SampleRules& rules) {
            return detail::EppPoolReader(reader, rules).read();
        });
}

template <typename Executor>
asio::awaitable<Result<EppQueued>> BasicEppBackend<Executor>::is_anything_queued(ModelKey model) {
    return detail::ask_epp<EppQueued>(
        impl_,
        [model = std::move(model)](const detail::EppReader& reader, const samples::SampleRules&) {
            return detail::is_queued(reader, model);
        });
}

} // namespace wva_metrics
