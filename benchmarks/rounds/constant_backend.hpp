// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/availability.hpp>
#include <wva_metrics/concepts.hpp>
#include <wva_metrics/metrics.hpp>

#include <boost/asio/awaitable.hpp>

#include <vector>

namespace bench {

/// A backend that costs nearly nothing: it returns the same answer to all calls, at once. What is
/// measured with it is the collector's own cost.
class ConstantBackend {
public:
    boost::asio::awaitable<wva_metrics::Result<wva_metrics::Availability>>
    check_availability(wva_metrics::ModelKey) {
        co_return wva_metrics::Availability{
            true, wva_metrics::AvailabilityReason::metrics_found, {}};
    }

    boost::asio::awaitable<std::vector<wva_metrics::Result<wva_metrics::OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<wva_metrics::VariantAutoscaling> variants) {
        co_return std::vector<wva_metrics::Result<wva_metrics::OptimizerMetrics>>(
            variants.size(), wva_metrics::OptimizerMetrics{});
    }

    boost::asio::awaitable<std::vector<wva_metrics::Result<wva_metrics::ReplicaSamples>>>
    fetch_replica_samples(std::vector<wva_metrics::ModelKey> models) {
        co_return std::vector<wva_metrics::Result<wva_metrics::ReplicaSamples>>(
            models.size(), wva_metrics::ReplicaSamples{});
    }
};

static_assert(wva_metrics::MetricsBackend<ConstantBackend>);

} // namespace bench
