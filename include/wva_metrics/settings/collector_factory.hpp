// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/observer/any_observer.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/make_prometheus_backend.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Makes collectors from settings.
///
/// A collector is made of parts: its backend, its cache (the policies of `Collector`), and the
/// decorators of its backend. Each part is registered under a name, and the settings select it by
/// that name. Built in are the backend `prometheus` and the caches `memory`, `sharded` and `none`.
///
/// **Threads:** not thread-safe, except that `make_collector` may be called concurrently with
/// itself.
class CollectorFactory {
public:
    /// Makes a backend from settings. The settings of a user's own backend are in
    /// `CollectorSettings::options`. May throw.
    using BackendFunction =
        std::function<Result<AnyBackend>(const asio::any_io_executor&, const CollectorSettings&)>;
    /// Makes a backend that wraps another one. May throw.
    using DecoratorFunction = std::function<Result<AnyBackend>(
        AnyBackend, const asio::any_io_executor&, const CollectorSettings&)>;

    /// Registers the built-in parts.
    CollectorFactory() {
        register_backend("prometheus", detail::make_prometheus);
        register_cache<MemoryCache>("memory");
        register_cache<ShardedCache>("sharded");
        register_cache<NoOpCache>("none");
    }

    /// Registers a backend under a name. Throws `ResultError` with `Errc::invalid_argument` if the
    /// name is empty or already registered.
    void register_backend(std::string name, BackendFunction function) {
        add(backends_, "backend", std::move(name), std::move(function));
    }
    /// Registers a cache under a name; otherwise like `register_backend`. Each collector has its
    /// own cache, made from its `CacheConfig`.
    template <MetricsCache Cache>
        requires std::constructible_from<Cache, const CacheConfig&>
    void register_cache(std::string name) {
        add(caches_, "cache", std::move(name),
            CacheFunction([](const asio::any_io_executor& executor, AnyBackend backend,
                             const CollectorConfig& config, AnyObserver observer) -> AnyCollector {
                return Collector<AnyBackend, Cache, AnyObserver>(executor, std::move(backend),
                                                                 config, std::move(observer));
            }));
    }
    /// Registers a decorator under a name; otherwise like `register_backend`.
    void register_decorator(std::string name, DecoratorFunction function) {
        add(decorators_, "decorator", std::move(name), std::move(function));
    }

    /// Makes a collector from settings. It tracks `settings.tracked`; background fetching is not
    /// started.
    ///
    /// An empty name selects the default. Plugins are not loaded; call `load_plugins` before
    /// (`wva_metrics/settings/plugin/load_plugin.hpp`).
    ///
    /// **Parameters:**
    /// - `executor`: the executor of the collector and its backend.
    /// - `settings`: the names of the parts and their configurations.
    /// - `observer`: receives the collector's events; by default nothing does.
    ///
    /// **Errors:**
    /// - `invalid_config`, with all unknown names, the available ones, and all problems of
    ///   `settings.collector`.
    /// - the error of the factory function of a part, with the name of the part.
    /// - `internal`: a factory function threw.
    ///
    /// **Threads:** any thread, but not concurrently with a `register_` function.
    Result<AnyCollector> make_collector(const asio::any_io_executor& executor,
                                        const CollectorSettings& settings,
                                        AnyObserver observer = {}) const {
        const CollectorSettings defaults;
        const std::string& backend_name =
            settings.backend.empty() ? defaults.backend : settings.backend;
        const std::string& cache_name = settings.cache.empty() ? defaults.cache : settings.cache;

        std::vector<std::string> problems;
        const auto* make_backend = find(backends_, "backend", backend_name, problems);
        const auto* make_with_cache = find(caches_, "cache", cache_name, problems);
        std::vector<const DecoratorFunction*> decorate;
        for (const std::string& name : settings.decorators)
            decorate.push_back(find(decorators_, "decorator", name, problems));
        for (const std::string& problem : validate(settings.collector))
            problems.push_back("collector." + problem);
        if (!problems.empty())
            return Error(Errc::invalid_config, detail::join_problems(problems));

        Result<AnyBackend> backend =
            made("backend", backend_name, [&] { return (*make_backend)(executor, settings); });
        for (std::size_t i = 0; i < decorate.size() && backend.has_value(); ++i)
            backend = made("decorator", settings.decorators[i],
                           [&] { return (*decorate[i])(*std::move(backend), executor, settings); });
        if (!backend)
            return std::move(backend).error();
        Result<AnyCollector> collector = made("cache", cache_name, [&]() -> Result<AnyCollector> {
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

private:
    using CacheFunction = std::function<AnyCollector(const asio::any_io_executor&, AnyBackend,
                                                     const CollectorConfig&, AnyObserver)>;
    template <typename Function>
    using Functions = std::map<std::string, Function, std::less<>>;

    template <typename Function>
    static void add(Functions<Function>& functions, const char* kind, std::string name,
                    Function function) {
        if (name.empty())
            throw ResultError(Error(Errc::invalid_argument,
                                    std::string("the name of a ") + kind + " must not be empty"));
        const auto [entry, is_new] = functions.try_emplace(std::move(name), std::move(function));
        if (!is_new)
            throw ResultError(Error(Errc::invalid_argument, std::string("the ") + kind + " '" +
                                                                entry->first +
                                                                "' is already registered"));
    }

    /// Returns null and adds a problem if the name is not registered.
    template <typename Function>
    static const Function* find(const Functions<Function>& functions, const char* kind,
                                std::string_view name, std::vector<std::string>& problems) {
        if (const auto found = functions.find(name); found != functions.end())
            return &found->second;
        std::string available;
        for (const auto& [other, function] : functions)
            available += (available.empty() ? "'" : ", '") + other + "'";
        problems.push_back(std::string("unknown ") + kind + " '" + std::string(name) + "'; " +
                           (available.empty() ? "none is registered" : "available: " + available));
        return nullptr;
    }

    /// Calls a factory function. Exceptions become errors, and errors name the part.
    template <typename Make>
    static auto made(const char* kind, const std::string& name, Make&& make) -> decltype(make()) {
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
        error.message =
            std::string("cannot make the ") + kind + " '" + name + "': " + error.message;
        return error;
    }

    Functions<BackendFunction> backends_;
    Functions<CacheFunction> caches_;
    Functions<DecoratorFunction> decorators_;
};

/// Makes a collector from built-in parts, like `CollectorFactory::make_collector`.
///
/// **Parameters:** see `CollectorFactory::make_collector`.
///
/// **Errors:** those of `CollectorFactory::make_collector`, and
/// - `invalid_config`: the settings have plugins, which this function does not load.
///
/// **Threads:** any thread.
inline Result<AnyCollector> make_collector(const asio::any_io_executor& executor,
                                           const CollectorSettings& settings,
                                           AnyObserver observer = {}) {
    if (!settings.plugins.empty())
        return Error(
            Errc::invalid_config,
            "plugins: this program does not load plugins; remove them, or load them into a "
            "CollectorFactory with load_plugins "
            "(wva_metrics/settings/plugin/load_plugin.hpp)");
    return CollectorFactory().make_collector(executor, settings, std::move(observer));
}

} // namespace wva_metrics
