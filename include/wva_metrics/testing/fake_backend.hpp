// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"
#include "wva_metrics/metrics.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace wva_metrics::testing {

/// A backend that answers what a test tells it to, when the test tells it to.
///
/// Copies share one script, so a test keeps a copy of what it moves into a collector. Thread-safe.
/// What was not set is answered with readings that are missing because of `no_series`, as a real
/// backend would.
///
/// `Timer` is what delays are measured with: `ManualTimer` beside a collector that has one.
template <typename Timer = asio::steady_timer>
class FakeBackend {
public:
    FakeBackend() : script_(std::make_shared<Script>()) {}

    /// Answers for one variant, model, or model's availability from now on.
    void set(OptimizerMetrics metrics) {
        const std::lock_guard lock(script_->mutex);
        VariantKey key{metrics.namespace_name, metrics.variant};
        script_->optimizer.insert_or_assign(std::move(key), std::move(metrics));
    }
    /// What the model's pods report from now on.
    void set(ReplicaSamples samples) {
        const std::lock_guard lock(script_->mutex);
        ModelKey key = samples.model;
        script_->replicas.insert_or_assign(std::move(key), std::move(samples));
    }
    /// What `validate` says of a model from now on.
    void set(const ModelKey& model, Availability availability) {
        const std::lock_guard lock(script_->mutex);
        script_->availability.insert_or_assign(model, std::move(availability));
    }

    /// Every question fails like this, until `recover`.
    void fail(Error error) {
        const std::lock_guard lock(script_->mutex);
        script_->failure = std::move(error);
    }
    /// Questions about this variant or model fail like this, until `recover`.
    void fail(const VariantKey& variant, Error error) {
        const std::lock_guard lock(script_->mutex);
        script_->failing_variants.insert_or_assign(variant, std::move(error));
    }
    /// Questions about the model fail from now on.
    void fail(const ModelKey& model, Error error) {
        const std::lock_guard lock(script_->mutex);
        script_->failing_models.insert_or_assign(model, std::move(error));
    }
    /// Every question throws this, until `recover`.
    void throw_always(std::exception_ptr exception) {
        const std::lock_guard lock(script_->mutex);
        script_->exception = std::move(exception);
    }
    /// Nothing fails any more.
    void recover() {
        const std::lock_guard lock(script_->mutex);
        script_->failure.reset();
        script_->failing_variants.clear();
        script_->failing_models.clear();
        script_->exception = nullptr;
    }

    /// Answers wait until `release`.
    void hold() {
        const std::lock_guard lock(script_->mutex);
        script_->held = true;
    }
    /// Lets every waiting answer go, and all later ones through.
    void release() {
        const std::lock_guard lock(script_->mutex);
        script_->held = false;
        for (const auto& waiting : script_->gates)
            if (const auto gate = waiting.lock())
                asio::post(gate->get_executor(), [gate] { gate->cancel(); });
        script_->gates.clear();
    }
    /// Every answer takes this long.
    void delay(Duration by) {
        const std::lock_guard lock(script_->mutex);
        script_->delay = by;
    }

    /// How many batches of each kind were asked, and every question in order.
    std::size_t batches() const {
        const std::lock_guard lock(script_->mutex);
        return script_->batches;
    }
    /// What it was asked for so far, in order.
    std::vector<VariantAutoscaling> variants_asked() const {
        const std::lock_guard lock(script_->mutex);
        return script_->variants_asked;
    }
    /// What it was asked for so far, in order.
    std::vector<ModelKey> models_asked() const {
        const std::lock_guard lock(script_->mutex);
        return script_->models_asked;
    }
    /// What it was asked for so far, in order.
    std::vector<ModelKey> models_validated() const {
        const std::lock_guard lock(script_->mutex);
        return script_->models_validated;
    }
    /// Questions that wait for `release` now.
    std::size_t waiting() const {
        const std::lock_guard lock(script_->mutex);
        return static_cast<std::size_t>(std::ranges::count_if(
            script_->gates, [](const auto& gate) { return !gate.expired(); }));
    }

    /// As scripted.
    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        const auto script = script_;
        {
            const std::lock_guard lock(script->mutex);
            ++script->batches;
            script->models_validated.push_back(model);
        }
        co_await pass_gate(script);
        const std::lock_guard lock(script->mutex);
        co_return script->answer(script->availability, script->failing_models, model, [] {
            return Availability{true, AvailabilityReason::metrics_found,
                                "the fake has not been told otherwise"};
        });
    }

    /// As scripted.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        const auto script = script_;
        {
            const std::lock_guard lock(script->mutex);
            ++script->batches;
            script->variants_asked.insert(script->variants_asked.end(), variants.begin(),
                                          variants.end());
        }
        co_await pass_gate(script);
        const std::lock_guard lock(script->mutex);
        std::vector<Result<OptimizerMetrics>> answers;
        for (const VariantAutoscaling& variant : variants)
            answers.push_back(
                script->answer(script->optimizer, script->failing_variants, variant.key(), [&] {
                    const auto nothing = Reading<double>::missing(ReadingReason::no_series);
                    return OptimizerMetrics{variant.namespace_name,
                                            variant.name,
                                            variant.model_id,
                                            variant.deployment,
                                            nothing,
                                            nothing,
                                            nothing,
                                            nothing,
                                            nothing,
                                            false,
                                            {},
                                            variant.target_kind};
                }));
        for (std::size_t i = 0; i < answers.size(); ++i) {
            // The collector compares what it asked with what it has: the fake need not be told the
            // deployment.
            if (answers[i].has_value()) {
                answers[i]->model_id = variants[i].model_id;
                answers[i]->deployment = variants[i].deployment;
                answers[i]->target_kind = variants[i].target_kind;
            }
        }
        co_return answers;
    }

    /// As scripted.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        const auto script = script_;
        {
            const std::lock_guard lock(script->mutex);
            ++script->batches;
            script->models_asked.insert(script->models_asked.end(), models.begin(), models.end());
        }
        co_await pass_gate(script);
        const std::lock_guard lock(script->mutex);
        std::vector<Result<ReplicaSamples>> answers;
        for (const ModelKey& model : models)
            answers.push_back(script->answer(script->replicas, script->failing_models, model, [&] {
                return ReplicaSamples{model, {}, {}, false, {}};
            }));
        co_return answers;
    }

private:
    struct Script {
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
        // Owned by who waits: a timer must not outlive its io_context, and the script may.
        std::vector<std::weak_ptr<asio::steady_timer>> gates;
        std::size_t batches = 0;
        std::vector<VariantAutoscaling> variants_asked;
        std::vector<ModelKey> models_asked;
        std::vector<ModelKey> models_validated;

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
    };

    static asio::awaitable<void> pass_gate(std::shared_ptr<Script> script) {
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

    std::shared_ptr<Script> script_;
};

} // namespace wva_metrics::testing
