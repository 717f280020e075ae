// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace wva_metrics::testing::detail {

/// The answers of a `FakeBackend` and its log of requests. Lock `mutex` for every access.
struct BackendScript {
    mutable std::mutex mutex;

    std::map<VariantKey, OptimizerMetrics> optimizer;
    std::map<ModelKey, ReplicaSamples> replicas;
    std::map<ModelKey, Availability> availability;

    std::optional<Error> failure;
    std::map<VariantKey, Error> failing_variants;
    std::map<ModelKey, Error> failing_models;
    std::exception_ptr exception;

    bool held = false;
    Duration delay{};
    /// The waiting coroutines own these timers, because a timer must not outlive its io_context and
    /// the script may.
    std::vector<std::weak_ptr<boost::asio::steady_timer>> gates;

    std::size_t batches = 0;
    std::vector<VariantAutoscaling> variants_requested;
    std::vector<ModelKey> models_requested;
    std::vector<ModelKey> models_checked;

    /// The scripted exception, failure or answer, in this order; `otherwise()` if there is none.
    template <typename Key, typename T, typename Otherwise>
    Result<T> answer(const std::map<Key, T>& answers, const std::map<Key, Error>& failing,
                     const Key& key, Otherwise&& otherwise) const {
        if (exception)
            std::rethrow_exception(exception);
        if (failure)
            return *failure;
        if (const auto found = failing.find(key); found != failing.end())
            return found->second;
        const auto found = answers.find(key);
        return found != answers.end() ? found->second : otherwise();
    }

    Result<Availability> availability_of(const ModelKey& model) const {
        return answer(availability, failing_models, model, [] {
            return Availability{true, AvailabilityReason::metrics_found,
                                "the fake backend has no script for this model"};
        });
    }

    Result<OptimizerMetrics> optimizer_metrics_of(const VariantAutoscaling& variant) const {
        Result<OptimizerMetrics> metrics = answer(optimizer, failing_variants, variant.key(), [&] {
            const auto unknown = Reading<double>::missing(ReadingReason::no_series);
            return OptimizerMetrics{.namespace_name = variant.namespace_name,
                                    .variant = variant.name,
                                    .arrival_rate_per_minute = unknown,
                                    .avg_input_tokens = unknown,
                                    .avg_output_tokens = unknown,
                                    .ttft_seconds = unknown,
                                    .itl_seconds = unknown};
        });
        if (metrics) {
            // The collector compares these with its request, and a test need not repeat them.
            metrics->model_id = variant.model_id;
            metrics->deployment = variant.deployment;
            metrics->target_kind = variant.target_kind;
        }
        return metrics;
    }

    Result<ReplicaSamples> replica_samples_of(const ModelKey& model) const {
        return answer(replicas, failing_models, model, [&] {
            return ReplicaSamples{model, {}, {}, false, {}};
        });
    }
};

} // namespace wva_metrics::testing::detail
