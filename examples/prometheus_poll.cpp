// SPDX-License-Identifier: Apache-2.0
//
// Shows how loaded the inference servers are that a Prometheus scrapes, as an autoscaler sees them.
//
// Made to be copied, with the folder prometheus_poll/ beside it: both need find_package(wva_metrics)
// and nothing else. This file uses the library; the folder reads options and prints.
#if !__has_include("prometheus_poll/report.hpp")
#error "copy the folder examples/prometheus_poll/ to the place of this file, too"
#endif
#include "prometheus_poll/json.hpp"
#include "prometheus_poll/options.hpp"
#include "prometheus_poll/report.hpp"
#include "prometheus_poll/text.hpp"

#include <wva_metrics/wva_metrics.hpp>
#ifdef WVA_METRICS_WITH_TLS // Defined if wva_metrics::tls is linked.
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio.hpp>

#include <ctime>
#include <iostream>
#include <map>
#include <unistd.h>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace prometheus_poll;

PrometheusBackend make_backend(asio::io_context& io, const Options& options) {
    PrometheusConfig config = PrometheusConfig::at(options.url);
    if (options.token_file)
        config.client.http.credentials = http::Credentials::bearer_file(*options.token_file);
#ifdef WVA_METRICS_WITH_TLS
    if (config.client.http.url.starts_with("https:"))
        config.client.http.transport =
            http::make_tls_transport({.ca_file = options.ca_file}).value();
#endif
    return PrometheusBackend(io.get_executor(), std::move(config));
}

/// Which model each variant serves, or last did.
using ModelOfVariant = std::map<std::string, std::string>;

/// What is known of a model now. An error only if nothing is known of its replicas.
asio::awaitable<Result<Report>> ask(auto& collector, ModelKey model, const Options& options,
                                    ModelOfVariant& model_of) {
    std::vector<VariantAutoscaling> variants;
    for (const auto& [deployment, variant, accelerator, cost] : options.deployments)
        variants.emplace_back(model.namespace_name, variant, model.model_id, deployment,
                              accelerator, cost);
    const auto replicas =
        co_await collector.async_collect_replica_metrics(model, variants, asio::use_awaitable);
    if (!replicas)
        co_return replicas.error();
    const auto availability =
        co_await collector.async_validate_availability(model, asio::use_awaitable);
    Report report{.time = std::time(nullptr),
                  .model = model,
                  .availability = availability.value(),
                  .variants = {},
                  .replicas = *replicas,
                  .partial = (*replicas)->partial,
                  .warnings = {(*replicas)->warnings.begin(), (*replicas)->warnings.end()},
                  .cache = {}};
    for (const ReplicaMetrics& replica : (*replicas)->replicas)
        model_of[replica.variant] = model.model_id;
    for (const VariantAutoscaling& variant : variants) {
        // With several models, a deployment is shown for the model that its pods serve.
        if (options.models.size() > 1 && model_of[variant.name] != model.model_id)
            continue;
        const auto collected =
            co_await collector.async_collect_optimizer_metrics(variant, asio::use_awaitable);
        const OptimizerMetrics metrics = collected ? **collected : OptimizerMetrics();
        report.partial = report.partial || !collected || metrics.partial;
        report.warnings.insert(metrics.warnings.begin(), metrics.warnings.end());
        if (!collected)
            report.warnings.insert(collected.error().describe());
        report.variants.push_back({variant, metrics});
    }
    report.cache = collector.stats().cache;
    co_return report;
}

/// The exit status: 1 if no model could be shown in the first round.
asio::awaitable<int> run(asio::io_context& io, Options options) {
    const bool redraw = isatty(STDOUT_FILENO) != 0 && !options.once && !options.json;
    Collector<PrometheusBackend, MemoryCache> collector(
        io.get_executor(), make_backend(io, options),
        {.cache = {.fetch_interval = options.interval}});
    collector.start_background_fetching(); // Later rounds hit the cache.
    ModelOfVariant model_of;
    for (bool is_known = false;;) {
        asio::steady_timer next_round(io, options.interval);
        std::string text, problem;
        for (const std::string& name : options.models) {
            const ModelKey model(options.namespace_name, name);
            const Result<Report> report = co_await ask(collector, model, options, model_of);
            if (report)
                text += (options.json ? to_json(*report) : to_text(*report)) + "\n";
            else
                problem = "prometheus_poll: " + report.error().describe() + "\n";
        }
        is_known = is_known || !text.empty();
        std::cout << (redraw && is_known ? "\033[H\033[2J" : "") << text << std::flush;
        std::cerr << problem;
        if (options.once || !is_known)
            co_return is_known ? 0 : 1;
        co_await next_round.async_wait(asio::use_awaitable);
    }
}

int main(int argc, char** argv) try {
    const Options options = parse_options(argc, argv);
    asio::io_context io;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](auto, int) { io.stop(); });
    int status = 0;
    asio::co_spawn(io, run(io, options), [&](std::exception_ptr failure, int result) {
        io.stop();
        if (failure)
            std::rethrow_exception(failure);
        status = result;
    });
    io.run();
    return status;
} catch (const UsageError& error) {
    std::cerr << "prometheus_poll: " << error.what() << "\n" << usage_text;
    return 2;
} catch (const std::exception& error) {
    std::cerr << "prometheus_poll: " << error.what() << "\n";
    return 1;
}
