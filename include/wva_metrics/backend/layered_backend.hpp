// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/ask_layers.hpp"
#include "wva_metrics/backend/detail/can_diagnose.hpp"
#include "wva_metrics/backend/detail/merge_diagnoses.hpp"
#include "wva_metrics/backend/detail/merge_layers.hpp"
#include "wva_metrics/backend/detail/run_on_strand.hpp"
#include "wva_metrics/backend/layered_config.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/cannot_diagnose.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/resilience/protection_listeners.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Several sources of the same metrics behind one: each reading is the freshest that one of them has,
/// and by the order of the backends where two are equally fresh; a lower bound yields to a higher value
/// that is none. `Reading::layer()` says whose it is.
///
/// For a source that is fresh and sees less, such as the pods, before one that is slower and sees
/// more, such as Prometheus. A pod is listed if one of them lists it. Not for regions, whose loads
/// would have to be added.
///
/// All sources are asked at once. What one lacks another one gives, so the answer is as complete as
/// their sum; a source that fails, or that has not answered `LayeredConfig::patience` after the first
/// good answer, is left out, and a warning says so. An answer is good if it has something of every target:
/// one of which a source could read nothing waits for the others. An answer is `partial` if a source that
/// it uses says so of its own.
///
/// **Errors:** of a target of which no source has an answer: that of the first backend, with what the
/// others said.
///
/// **Cancellation:** terminal: passed on to all.
///
/// **Threads:** safe, as the backends inside. Copies share them.
template <MetricsBackend First, MetricsBackend... Others>
class LayeredBackend {
public:
    /// Takes over the backends, the preferred one first. Throws `ResultError` with
    /// `Errc::invalid_config` and all problems that `validate(config)` finds, or if there are more
    /// names than backends.
    explicit LayeredBackend(LayeredConfig config, First first, Others... others)
        : impl_(std::make_shared<Impl>(
              Impl{checked_names(detail::checked(std::move(config), "layered backend")),
                   {std::move(first), std::move(others)...}})) {}

    /// The configuration passed to the constructor. Thread-safe.
    const LayeredConfig& config() const noexcept { return impl_->config; }

    /// Checks whether one of the sources has recent metrics of a model.
    ///
    /// **Completes:** with the most favourable verdict.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        return check(impl_, std::move(model));
    }

    /// Fetches the metrics of variants from all sources.
    ///
    /// **Completes:** with one answer per variant, in order.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants,
                            Priority priority = Priority::interactive) {
        const std::size_t targets = variants.size();
        return ask<OptimizerMetrics>(
            impl_, targets, [variants = std::move(variants), priority](auto& backend) {
                if constexpr (PrioritizingBackend<std::remove_cvref_t<decltype(backend)>>)
                    return backend.fetch_optimizer_metrics(variants, priority);
                else
                    return backend.fetch_optimizer_metrics(variants);
            });
    }

    /// Fetches the pods of models from all sources.
    ///
    /// **Completes:** with one answer per model, in order.
    ///
    /// **Errors, cancellation, threads:** see the class.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models, Priority priority = Priority::interactive) {
        const std::size_t targets = models.size();
        return ask<ReplicaSamples>(
            impl_, targets, [models = std::move(models), priority](auto& backend) {
                if constexpr (PrioritizingBackend<std::remove_cvref_t<decltype(backend)>>)
                    return backend.fetch_replica_samples(models, priority);
                else
                    return backend.fetch_replica_samples(models);
            });
    }

    /// Finds out why a model has no numbers, or not all of them: what each source that can tell says.
    /// The texts begin with the name of the source. A source that fails is a finding too.
    ///
    /// **Parameters:** see `PrometheusBackend::diagnose`.
    ///
    /// **Completes:** when all sources have, with problems before remarks.
    ///
    /// **Errors:** `invalid_config` if none of the sources can tell.
    ///
    /// **Cancellation, threads:** see the class.
    asio::awaitable<Result<Diagnosis>>
    diagnose(ModelKey model, std::vector<VariantAutoscaling> variants = {}) requires(
        DiagnosingBackend<First> || ... || DiagnosingBackend<Others>) {
        return diagnose_all(impl_, can_diagnose(), std::move(model), std::move(variants));
    }
    /// True if one of the sources can say why a model has no metrics. Any thread.
    bool can_diagnose() const noexcept {
        return std::apply(
            [](const auto&... backends) { return (detail::can_diagnose(backends) || ...); },
            impl_->backends);
    }

    /// Tells a listener what happens to the protection of the sources' servers. Any thread.
    void add_protection_listener(std::weak_ptr<const resilience::ProtectionListener> listener) {
        std::apply([&](auto&... backends) { (listen(backends, listener), ...); }, impl_->backends);
    }

private:
    static constexpr std::size_t count = 1 + sizeof...(Others);

    template <typename T>
    using Answers = std::vector<Result<T>>;

    /// What the coroutines share and that outlives the object.
    struct Impl {
        LayeredConfig config;
        std::tuple<First, Others...> backends;
    };

    static LayeredConfig checked_names(LayeredConfig config) {
        if (config.names.size() > count)
            throw ResultError(Error(Errc::invalid_config,
                                    "invalid configuration of the layered backend: names has " +
                                        std::to_string(config.names.size()) + " names for " +
                                        std::to_string(count) + " backends"));
        return config;
    }

    static asio::awaitable<Result<Availability>> check(std::shared_ptr<Impl> impl, ModelKey model) {
        asio::awaitable<Answers<Availability>> asking =
            ask<Availability>(std::move(impl), 1, [model = std::move(model)](auto& backend) {
                return check_one(backend, model);
            });
        Answers<Availability> answers = co_await std::move(asking);
        co_return std::move(answers.front());
    }
    template <typename Backend>
    static asio::awaitable<Answers<Availability>> check_one(Backend& backend, ModelKey model) {
        Result<Availability> answer = co_await backend.check_availability(model);
        Answers<Availability> answers;
        answers.push_back(std::move(answer));
        co_return answers;
    }

    static asio::awaitable<Result<Diagnosis>>
    diagnose_all(std::shared_ptr<Impl> impl, bool can_diagnose, ModelKey model,
                 std::vector<VariantAutoscaling> variants) {
        if (!can_diagnose)
            co_return detail::cannot_diagnose();
        const auto layers = std::make_shared<std::vector<std::optional<Answers<Diagnosis>>>>();
        auto fetch = [model, variants = std::move(variants)](auto& backend) {
            return diagnose_one(backend, model, variants);
        };
        // Each source is awaited: another one cannot tell what is wrong with it.
        asio::awaitable<void> asking =
            ask_all<Diagnosis>(impl, std::move(fetch), layers, Duration::max());
        co_await detail::run_on_strand(std::move(asking));
        const detail::LayerMerger merger(impl->config, std::chrono::steady_clock::now());
        co_return detail::merge_diagnoses(merger, model, *layers);
    }
    template <typename Backend>
    static asio::awaitable<Answers<Diagnosis>>
    diagnose_one(Backend& backend, ModelKey model, std::vector<VariantAutoscaling> variants) {
        Answers<Diagnosis> answers;
        if constexpr (DiagnosingBackend<Backend>)
            if (detail::can_diagnose(backend)) {
                Result<Diagnosis> answer =
                    co_await backend.diagnose(std::move(model), std::move(variants));
                answers.push_back(std::move(answer));
            }
        co_return answers;
    }

    template <typename Backend>
    static void listen(Backend& backend,
                       const std::weak_ptr<const resilience::ProtectionListener>& listener) {
        if constexpr (ProtectedBackend<Backend>)
            backend.add_protection_listener(listener);
    }

    /// `fetch(backend)` is the call of one backend. The arguments of its coroutine must outlive it,
    /// so the functions are kept until all have ended.
    template <typename T, typename Fetch>
    static asio::awaitable<Answers<T>> ask(std::shared_ptr<Impl> impl, std::size_t targets,
                                           Fetch fetch) {
        using Layers = std::vector<std::optional<Answers<T>>>;
        const auto layers = std::make_shared<Layers>();
        asio::awaitable<void> asking =
            ask_all<T>(impl, std::move(fetch), layers, impl->config.patience);
        co_await detail::run_on_strand(std::move(asking));
        layers->resize(count);
        const detail::LayerMerger merger(impl->config, std::chrono::steady_clock::now());
        Answers<T> merged;
        merged.reserve(targets);
        for (std::size_t target = 0; target < targets; ++target)
            merged.push_back(merge<T>(merger, *layers, target, targets));
        co_return merged;
    }

    template <typename T, typename Fetch, typename Layers>
    static asio::awaitable<void> ask_all(std::shared_ptr<Impl> impl, Fetch fetch,
                                         std::shared_ptr<Layers> layers, Duration patience) {
        std::vector<std::function<asio::awaitable<Answers<T>>()>> sources;
        const auto kept = std::make_shared<Fetch>(std::move(fetch));
        std::apply(
            [&](auto&... backends) {
                (sources.push_back([impl, kept, &backends] { return hold(impl, kept, backends); }),
                 ...);
            },
            impl->backends);
        auto answers = co_await detail::ask_layers<Answers<T>>(
            std::move(sources), patience,
            [](const std::exception_ptr& thrown) {
                return Answers<T>{detail::describe_exception(thrown)};
            },
            [](const Answers<T>& answer) {
                return !answer.empty() && std::ranges::all_of(answer, [](const Result<T>& one) {
                    return one.has_value() && detail::says_something(*one);
                });
            });
        *layers = std::move(answers);
    }

    /// Keeps the arguments of the backend's coroutine, and the backend.
    template <typename Fetch, typename Backend>
    static auto hold([[maybe_unused]] std::shared_ptr<Impl> impl, std::shared_ptr<Fetch> fetch,
                     Backend& backend) -> decltype((*fetch)(backend)) {
        auto answers = co_await (*fetch)(backend);
        co_return answers;
    }

    template <typename T>
    static Result<T> merge(const detail::LayerMerger& merger,
                           const std::vector<std::optional<Answers<T>>>& layers, std::size_t target,
                           std::size_t targets) {
        std::vector<const T*> values(layers.size(), nullptr);
        std::optional<Error> failure;
        std::vector<std::string> remarks;
        bool has_value = false;
        for (std::size_t i = 0; i < layers.size(); ++i) {
            std::optional<Error> error = detail::failure_of(layers[i], target, targets);
            if (!error) {
                values[i] = &*(*layers[i])[target];
                has_value = true;
                continue;
            }
            remarks.push_back(merger.name(i) + " failed: " + error->describe());
            if (!failure)
                failure = std::move(error);
        }
        if (!has_value) {
            for (std::size_t i = 1; i < remarks.size(); ++i)
                failure->message += "; " + remarks[i];
            return *failure;
        }
        T merged = merger.merge(std::span<const T* const>(values));
        if constexpr (requires { merged.warnings; })
            merged.warnings.insert(merged.warnings.end(), remarks.begin(), remarks.end());
        return merged;
    }

    std::shared_ptr<Impl> impl_;
};

} // namespace wva_metrics
