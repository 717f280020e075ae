// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/observer/any_observer.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/backend_names.hpp"
#include "wva_metrics/settings/detail/make_layered_backend.hpp"
#include "wva_metrics/settings/detail/make_prometheus_backend.hpp"
#include "wva_metrics/settings/make_epp_backend.hpp"
#include "wva_metrics/settings/make_pod_backend.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {

/// Returns null and adds a problem if the name is not registered.
template <typename Functions>
const typename Functions::mapped_type* find_part(const Functions& functions, const char* kind,
                                                 std::string_view name,
                                                 std::vector<std::string>& problems) {
    if (const auto found = functions.find(name); found != functions.end())
        return &found->second;
    std::string available;
    for (const auto& [other, function] : functions)
        available += (available.empty() ? "'" : ", '") + other + "'";
    problems.push_back(std::string("unknown ") + kind + " '" + clean_text(name, 100) + "'; " +
                       (available.empty() ? "none is registered" : "available: " + available));
    return nullptr;
}

/// Calls a factory function. Exceptions become errors, and errors name the part.
template <typename Make>
auto make_part(const char* kind, const std::string& name, Make&& make) -> decltype(make()) {
    Error error;
    try {
        decltype(make()) result = make();
        if (result)
            return result;
        error = std::move(result).error();
    } catch (const ResultError& thrown) {
        error = thrown.error();
    } catch (const std::exception& thrown) {
        error = Error(Errc::internal, thrown.what());
    } catch (...) {
        error = Error(Errc::internal, "the factory function threw a non-standard exception");
    }
    error.message = std::string("cannot make the ") + kind + " '" + name + "': " + error.message;
    return error;
}

/// The names of the backends in layers; one if the name is registered or has no `+`. Empty, with a
/// problem, if they cannot be layers.
template <typename Functions>
std::vector<std::string> find_layers(const Functions& functions, const std::string& name,
                                     std::vector<std::string>& problems) {
    if (functions.contains(name))
        return {name};
    const std::vector<std::string_view> found = layers_of(name);
    std::vector<std::string> names;
    const std::string quoted = "the backend '" + clean_text(name, 100) + '\'';
    if (found.size() > max_layers) {
        problems.push_back(quoted + " has " + std::to_string(found.size()) + " layers; at most " +
                           std::to_string(max_layers) + " are possible");
        return names;
    }
    for (const std::string_view layer : found) {
        if (std::find(names.begin(), names.end(), layer) != names.end())
            problems.push_back(quoted + " has the layer '" + clean_text(layer, 100) + "' twice");
        names.emplace_back(layer);
    }
    return names;
}

} // namespace detail

WVA_METRICS_DECL CollectorFactory::CollectorFactory() {
    register_backend(std::string(detail::prometheus_name), detail::make_prometheus);
    register_backend(std::string(detail::pods_name),
                     [](const asio::any_io_executor& executor,
                        const CollectorSettings& settings) -> Result<AnyBackend> {
                         return make_pod_backend(executor, settings.pods);
                     });
    register_backend(std::string(detail::epp_name),
                     [](const asio::any_io_executor& executor,
                        const CollectorSettings& settings) -> Result<AnyBackend> {
                         return make_epp_backend(executor, settings.epp);
                     });
    register_cache<MemoryCache>("memory");
    register_cache<ShardedCache>("sharded");
    register_cache<NoOpCache>("none");
}

WVA_METRICS_DECL Result<AnyCollector>
CollectorFactory::make_collector(const asio::any_io_executor& executor,
                                 const CollectorSettings& settings, AnyObserver observer) const {
    const CollectorSettings defaults;
    const std::string& backend_name =
        settings.backend.empty() ? defaults.backend : settings.backend;
    const std::string& cache_name = settings.cache.empty() ? defaults.cache : settings.cache;

    std::vector<std::string> problems;
    const std::vector<std::string> layers = detail::find_layers(backends_, backend_name, problems);
    std::vector<const BackendFunction*> make_layers;
    for (const std::string& name : layers) {
        make_layers.push_back(detail::find_part(backends_, "backend", name, problems));
        if (make_layers.back() == nullptr)
            problems.back() += ", or several as layers, e.g. 'pods+prometheus'";
    }
    const auto* make_with_cache = detail::find_part(caches_, "cache", cache_name, problems);
    std::vector<const DecoratorFunction*> decorate;
    for (const std::string& name : settings.decorators)
        decorate.push_back(detail::find_part(decorators_, "decorator", name, problems));
    for (const std::string& problem : validate(settings.collector))
        problems.push_back("collector." + problem);
    if (!problems.empty())
        return Error(Errc::invalid_config, detail::join_problems(problems));

    std::vector<AnyBackend> made;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        Result<AnyBackend> layer = detail::make_part(
            "backend", layers[i], [&] { return (*make_layers[i])(executor, settings); });
        if (!layer)
            return std::move(layer).error();
        made.push_back(*std::move(layer));
    }
    Result<AnyBackend> backend =
        detail::make_part("backend", backend_name, [&]() -> Result<AnyBackend> {
            if (made.size() == 1)
                return std::move(made.front());
            return detail::make_layered(settings.layered, layers, std::move(made));
        });
    for (std::size_t i = 0; i < decorate.size() && backend.has_value(); ++i)
        backend = detail::make_part("decorator", settings.decorators[i], [&] {
            return (*decorate[i])(*std::move(backend), executor, settings);
        });
    if (!backend)
        return std::move(backend).error();
    Result<AnyCollector> collector =
        detail::make_part("cache", cache_name, [&]() -> Result<AnyCollector> {
            return (*make_with_cache)(executor, *std::move(backend), settings.collector,
                                      std::move(observer));
        });
    if (collector) {
        for (const VariantAutoscaling& variant : settings.tracked.variants)
            collector->track(variant);
        for (const ModelKey& model : settings.tracked.models)
            collector->track(model);
    }
    return collector;
}

WVA_METRICS_DECL Result<AnyCollector> make_collector(const asio::any_io_executor& executor,
                                                     const CollectorSettings& settings,
                                                     AnyObserver observer) {
    if (!settings.plugins.empty())
        return Error(
            Errc::invalid_config,
            "plugins: this program does not load plugins; remove them, or load them into a "
            "CollectorFactory with load_plugins "
            "(wva_metrics/settings/plugin/load_plugin.hpp)");
    return CollectorFactory().make_collector(executor, settings, std::move(observer));
}

} // namespace wva_metrics
