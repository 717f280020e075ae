// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/detail/separate_compilation.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/observer/any_observer.hpp"
#include "wva_metrics/settings/collector_settings.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <concepts>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace wva_metrics {

/// Makes collectors from settings.
///
/// A collector is made of parts: its backend, its cache (the policies of `Collector`), and the
/// decorators of its backend. Each part is registered under a name, and the settings select it by
/// that name. Built in are the backends `prometheus`, `pods` and `epp`, and the caches `memory`,
/// `sharded` and `none`.
///
/// A backend's name may also be two or three registered names with `+` between, such as
/// `pods+prometheus`: then they are the layers of a `LayeredBackend`, the preferred one first.
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
    CollectorFactory();

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
                                        AnyObserver observer = {}) const;

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
WVA_METRICS_DECL Result<AnyCollector> make_collector(const asio::any_io_executor& executor,
                                                     const CollectorSettings& settings,
                                                     AnyObserver observer = {});

} // namespace wva_metrics

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#include "wva_metrics/settings/impl/collector_factory.hpp"
#endif
