// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/testing/detail/backend_script.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace wva_metrics::testing {

/// A backend with scripted answers, for tests.
///
/// Copies share one script, so a test keeps a copy of the backend that it moves into a collector.
/// If a target has no script, its readings are missing with the reason `no_series`, as from a real
/// backend.
///
/// `Timer` measures delays; use `ManualTimer` if the collector uses it.
///
/// **Errors:** only those that a test sets with `fail`.
///
/// **Cancellation:** terminal: an answer held by `hold` is sent immediately; a delayed one ends
/// with the exception of the timer.
///
/// **Threads:** safe.
template <typename Timer = asio::steady_timer>
class FakeBackend {
public:
    FakeBackend() : script_(std::make_shared<detail::BackendScript>()) {}

    /// Sets the metrics of one variant.
    void set(OptimizerMetrics metrics) {
        const std::lock_guard lock(script_->mutex);
        VariantKey key{metrics.namespace_name, metrics.variant};
        script_->optimizer.insert_or_assign(std::move(key), std::move(metrics));
    }
    /// Sets the samples of one model's pods.
    void set(ReplicaSamples samples) {
        const std::lock_guard lock(script_->mutex);
        ModelKey key = samples.model;
        script_->replicas.insert_or_assign(std::move(key), std::move(samples));
    }
    /// Sets the answer of `check_availability` for one model.
    void set(const ModelKey& model, Availability availability) {
        const std::lock_guard lock(script_->mutex);
        script_->availability.insert_or_assign(model, std::move(availability));
    }

    /// Makes every target fail with this error, until `recover`.
    void fail(Error error) {
        const std::lock_guard lock(script_->mutex);
        script_->failure = std::move(error);
    }
    /// Makes this variant fail with this error, until `recover`.
    void fail(const VariantKey& variant, Error error) {
        const std::lock_guard lock(script_->mutex);
        script_->failing_variants.insert_or_assign(variant, std::move(error));
    }
    /// Makes this model fail with this error, until `recover`.
    void fail(const ModelKey& model, Error error) {
        const std::lock_guard lock(script_->mutex);
        script_->failing_models.insert_or_assign(model, std::move(error));
    }
    /// Makes every request throw this exception, until `recover`.
    void throw_always(std::exception_ptr exception) {
        const std::lock_guard lock(script_->mutex);
        script_->exception = std::move(exception);
    }
    /// Ends all failures.
    void recover() {
        const std::lock_guard lock(script_->mutex);
        script_->failure.reset();
        script_->failing_variants.clear();
        script_->failing_models.clear();
        script_->exception = nullptr;
    }

    /// Holds all answers until `release`.
    void hold() {
        const std::lock_guard lock(script_->mutex);
        script_->held = true;
    }
    /// Sends the held answers and all later ones.
    void release() {
        const std::lock_guard lock(script_->mutex);
        script_->held = false;
        for (const auto& waiting : script_->gates)
            if (const auto gate = waiting.lock())
                asio::post(gate->get_executor(), [gate] { gate->cancel(); });
        script_->gates.clear();
    }
    /// Delays every answer by this time.
    void delay(Duration by) {
        const std::lock_guard lock(script_->mutex);
        script_->delay = by;
    }

    /// The number of batches so far, of all kinds.
    std::size_t batches() const {
        const std::lock_guard lock(script_->mutex);
        return script_->batches;
    }
    /// The targets of `fetch_optimizer_metrics` so far, in order.
    std::vector<VariantAutoscaling> variants_requested() const {
        const std::lock_guard lock(script_->mutex);
        return script_->variants_requested;
    }
    /// The targets of `fetch_replica_samples` so far, in order.
    std::vector<ModelKey> models_requested() const {
        const std::lock_guard lock(script_->mutex);
        return script_->models_requested;
    }
    /// The targets of `check_availability` so far, in order.
    std::vector<ModelKey> models_checked() const {
        const std::lock_guard lock(script_->mutex);
        return script_->models_checked;
    }
    /// The number of requests that wait for `release`.
    std::size_t waiting() const {
        const std::lock_guard lock(script_->mutex);
        return static_cast<std::size_t>(std::ranges::count_if(
            script_->gates, [](const auto& gate) { return !gate.expired(); }));
    }

    /// Answers as a test has scripted it.
    ///
    /// **Completes:** with the scripted answer for the model, after the delay and `release`.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        const auto script = script_;
        {
            const std::lock_guard lock(script->mutex);
            ++script->batches;
            script->models_checked.push_back(model);
        }
        co_await pass_gate(script);
        const std::lock_guard lock(script->mutex);
        co_return script->availability_of(model);
    }

    /// Answers as a test has scripted it.
    ///
    /// **Completes:** with one scripted answer per variant, in order, after the delay and
    /// `release`.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        const auto script = script_;
        {
            const std::lock_guard lock(script->mutex);
            ++script->batches;
            script->variants_requested.insert(script->variants_requested.end(), variants.begin(),
                                              variants.end());
        }
        co_await pass_gate(script);
        const std::lock_guard lock(script->mutex);
        std::vector<Result<OptimizerMetrics>> answers;
        answers.reserve(variants.size());
        for (const VariantAutoscaling& variant : variants)
            answers.push_back(script->optimizer_metrics_of(variant));
        co_return answers;
    }

    /// Answers as a test has scripted it.
    ///
    /// **Completes:** with one scripted answer per model, in order, after the delay and `release`.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        const auto script = script_;
        {
            const std::lock_guard lock(script->mutex);
            ++script->batches;
            script->models_requested.insert(script->models_requested.end(), models.begin(),
                                            models.end());
        }
        co_await pass_gate(script);
        const std::lock_guard lock(script->mutex);
        std::vector<Result<ReplicaSamples>> answers;
        answers.reserve(models.size());
        for (const ModelKey& model : models)
            answers.push_back(script->replica_samples_of(model));
        co_return answers;
    }

private:
    /// Waits until the answer may be sent.
    static asio::awaitable<void> pass_gate(std::shared_ptr<detail::BackendScript> script) {
        const auto executor = co_await asio::this_coro::executor;
        std::shared_ptr<asio::steady_timer> gate;
        Duration delay{};
        {
            const std::lock_guard lock(script->mutex);
            delay = script->delay;
            if (script->held) {
                gate = std::make_shared<asio::steady_timer>(executor,
                                                            asio::steady_timer::time_point::max());
                script->gates.push_back(gate);
            }
        }
        if (gate)
            co_await gate->async_wait(asio::as_tuple(asio::use_awaitable));
        if (delay > Duration::zero()) {
            Timer timer(executor);
            timer.expires_at(Timer::clock_type::now() + delay);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    std::shared_ptr<detail::BackendScript> script_;
};

} // namespace wva_metrics::testing
