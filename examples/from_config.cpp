// SPDX-License-Identifier: Apache-2.0
//
// Makes a collector from a JSON document and the environment, and prints what it collects. SIGHUP
// reads both again and applies the changes; the cache keeps its entries. Made to be copied: it
// needs only find_package(wva_metrics). examples/collector.json is a document to start with,
// examples/configuration.md describes every field.
#include <wva_metrics/settings/apply_settings.hpp>
#include <wva_metrics/settings/collector_factory.hpp>
#include <wva_metrics/settings/load_settings.hpp>
#include <wva_metrics/wva_metrics.hpp>
#ifdef WVA_METRICS_WITH_PLUGIN // Defined if wva_metrics::plugin is linked.
#include <wva_metrics/settings/plugin/load_plugin.hpp>
#endif

#include <boost/asio.hpp>

#include <chrono>
#include <csignal>
#include <iostream>
#include <string>

namespace asio = boost::asio;
using namespace wva_metrics;

constexpr const char* help_text =
    "usage: from_config [DOCUMENT] [--show-config] [--once]\n"
    "Makes a collector from a JSON document and the environment, and prints what it collects.\n"
    "  --show-config   prints every setting and its source, and ends\n"
    "  --once          one round\n"
    "SIGHUP reads the document and the environment again.\n"
    "Exit status: 0 success, 1 failure (with --once also if anything could not be\n"
    "collected), 2 wrong usage.\n";

/// Throws one error that lists all problems.
LoadedSettings load(const std::string& document) {
    // Without a document, the environment may have all settings that are required.
    LoadedSettings loaded =
        document.empty() ? load_settings("").value() : load_settings_file(document).value();
    for (const SettingsProblem& warning : loaded.warnings)
        std::cerr << "warning: " << warning.describe() << '\n';
    return loaded;
}

AnyCollector make(const asio::any_io_executor& executor, const CollectorSettings& settings) {
#ifdef WVA_METRICS_WITH_PLUGIN
    CollectorFactory factory; // A program with backends of its own registers them here.
    load_plugins(factory, settings.plugins).value();
    return factory.make_collector(executor, settings).value();
#else
    return make_collector(executor, settings).value();
#endif
}

asio::awaitable<void> reload(AnyCollector& collector, CollectorSettings& current,
                             std::string document) {
    asio::signal_set hangup(collector.get_executor(), SIGHUP);
    for (;;) {
        co_await hangup.async_wait(asio::use_awaitable);
        try {
            const CollectorSettings wanted = load(document).settings;
            const AppliedSettings result = apply_settings(collector, current, wanted).value();
            for (const std::string& path : result.applied)
                std::cerr << "applied: " << path << '\n';
            for (const std::string& path : result.needs_new_collector)
                std::cerr << "needs a restart: " << path << '\n';
            current = wanted;
        } catch (const ResultError& error) {
            std::cerr << "nothing was changed: " << error.error().describe() << '\n';
        }
    }
}

/// Returns false if something could not be collected.
asio::awaitable<bool> report(AnyCollector& collector, const CollectorSettings& current) {
    bool all_collected = true;
    const std::vector<VariantAutoscaling> variants = current.tracked.variants;
    for (const VariantAutoscaling& variant : variants) {
        const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
        all_collected = all_collected && metrics;
        std::cout << variant.name << ": ";
        if (!metrics)
            std::cout << metrics.error().describe() << '\n';
        else if (const Reading<double>& rate = (*metrics)->arrival_rate_per_minute)
            std::cout << rate.value() << " requests per minute, " << to_string(metrics->freshness())
                      << " from " << to_string(metrics->source()) << '\n';
        else
            std::cout << "the request rate is unknown: " << to_string(rate.reason()) << '\n';
    }
    const std::vector<ModelKey> models = current.tracked.models;
    for (const ModelKey& model : models) {
        const auto replicas = co_await collector.async_collect_replica_metrics(model, variants);
        all_collected = all_collected && replicas;
        if (replicas)
            std::cout << model.model_id << ": " << (*replicas)->replicas.size() << " replicas\n";
        else
            std::cout << model.model_id << ": " << replicas.error().describe() << '\n';
    }
    std::cout << std::flush;
    co_return all_collected;
}

/// Time between rounds if background fetching is off (interval 0).
constexpr Duration pause_without_fetching = std::chrono::seconds(15);

/// With `once` it ends after one round. Returns the exit status.
asio::awaitable<int> run(AnyCollector& collector, CollectorSettings& current, bool once) {
    for (;;) {
        const Duration interval = collector.config().cache.fetch_interval;
        asio::steady_timer next_round(collector.get_executor(), interval > Duration::zero()
                                                                    ? interval
                                                                    : pause_without_fetching);
        const bool all_collected = co_await report(collector, current);
        if (once)
            co_return all_collected ? 0 : 1;
        co_await next_round.async_wait(asio::use_awaitable);
    }
}

int main(int argc, char** argv) try {
    std::string document;
    bool show_config = false, once = false;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--show-config")
            show_config = true;
        else if (argument == "--once")
            once = true;
        else if (argument == "--help") {
            std::cout << help_text;
            return 0;
        } else if (!argument.starts_with('-') && document.empty())
            document = argument;
        else {
            std::cerr << "from_config: "
                      << (argument.starts_with('-') ? "unknown option " : "a second document: ")
                      << argument << "; see --help\n";
            return 2;
        }
    }
    LoadedSettings loaded = load(document);
    if (show_config) {
        std::cout << describe(loaded); // Every value and its source. Secrets are ***.
        return 0;
    }
    asio::io_context io;
    AnyCollector collector = make(io.get_executor(), loaded.settings);
    collector.start_background_fetching();
    asio::signal_set stop_signals(io, SIGINT, SIGTERM);
    stop_signals.async_wait([&](auto, int) { io.stop(); });
    asio::co_spawn(io, reload(collector, loaded.settings, document), asio::detached);
    int status = 0;
    asio::co_spawn(io, run(collector, loaded.settings, once),
                   [&](std::exception_ptr failure, int result) {
                       io.stop();
                       if (failure)
                           std::rethrow_exception(failure);
                       status = result;
                   });
    io.run();
    return status;
} catch (const std::exception& error) {
    std::cerr << "from_config: " << error.what() << '\n';
    return 1;
}
