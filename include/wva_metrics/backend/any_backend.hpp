// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Any backend, chosen at run time: owns one and is one, at the cost of one indirect call for each
/// batch.
///
/// As thread-safe as the backend inside, which by its concept may be asked from several threads at
/// once. Nothing but assignment and destruction may follow for one that was moved from.
class AnyBackend {
public:
    /// Takes a backend over. Implicit, so that a function that returns an `AnyBackend`, or a result
    /// of one, may return whichever it has made.
    template <typename Backend>
        requires(!std::same_as<Backend, AnyBackend> && MetricsBackend<Backend>)
    AnyBackend(Backend backend) : backend_(std::make_unique<Model<Backend>>(std::move(backend))) {}

    /// Can a model's metrics be collected, and if not, why? Completes, fails and is cancelled as
    /// the backend inside does.
    asio::awaitable<Result<Availability>> check_availability(const ModelKey& model) {
        return backend_->check_availability(model);
    }
    /// One answer per variant, in order; otherwise as `validate`.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(const std::vector<VariantAutoscaling>& variants) {
        return backend_->fetch_optimizer_metrics(variants);
    }
    /// One answer per model, in order; otherwise as `validate`.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(const std::vector<ModelKey>& models) {
        return backend_->fetch_replica_samples(models);
    }

private:
    class Interface {
    public:
        virtual ~Interface() = default;
        virtual asio::awaitable<Result<Availability>> check_availability(const ModelKey& model) = 0;
        virtual asio::awaitable<std::vector<Result<OptimizerMetrics>>>
        fetch_optimizer_metrics(const std::vector<VariantAutoscaling>& variants) = 0;
        virtual asio::awaitable<std::vector<Result<ReplicaSamples>>>
        fetch_replica_samples(const std::vector<ModelKey>& models) = 0;
    };

    template <typename Backend>
    class Model final : public Interface {
    public:
        explicit Model(Backend backend) : backend_(std::move(backend)) {}
        asio::awaitable<Result<Availability>> check_availability(const ModelKey& model) override {
            return backend_.check_availability(model);
        }
        asio::awaitable<std::vector<Result<OptimizerMetrics>>>
        fetch_optimizer_metrics(const std::vector<VariantAutoscaling>& variants) override {
            return backend_.fetch_optimizer_metrics(variants);
        }
        asio::awaitable<std::vector<Result<ReplicaSamples>>>
        fetch_replica_samples(const std::vector<ModelKey>& models) override {
            return backend_.fetch_replica_samples(models);
        }

    private:
        Backend backend_;
    };

    std::unique_ptr<Interface> backend_;
};

} // namespace wva_metrics
