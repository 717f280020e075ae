// SPDX-License-Identifier: Apache-2.0
//
// Shows the load of inference servers that Prometheus scrapes, as an autoscaler sees it. To be
// copied: it needs find_package(wva_metrics) and nothing else. `class Poller` talks to the library,
// the rest prints.
#include <wva_metrics/backend/prometheus_backend.hpp>
#include <wva_metrics/cache/memory_cache.hpp>
#include <wva_metrics/collector.hpp>
#ifdef WVA_METRICS_WITH_TLS // Defined where wva_metrics::tls is linked.
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <unistd.h>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using namespace wva_metrics;

struct Options {
    std::string url, namespace_name, token_file, ca_file;
    std::vector<std::string> models;
    std::vector<VariantAutoscaling> deployments; // Of whichever model their pods serve.
    std::chrono::milliseconds interval = 15s;
    bool once = false, json = false;
};

json::object to_json(const Reading<double>& reading) {
    json::object out{{"value", nullptr}, {"state", to_string(reading.state())}};
    if (reading)
        out["value"] = reading.value();
    else
        out["reason"] = to_string(reading.reason());
    if (reading.state() != ReadingState::missing) {
        const Duration age = reading.age(std::chrono::steady_clock::now());
        out["age_seconds"] = std::chrono::duration<double>(age).count();
    }
    if (!reading.metric().empty())
        out["metric"] = reading.metric();
    return out;
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    return text;
}

class Poller {
public:
    Poller(asio::io_context& io, const Options& options)
        : options_(options), collector_(io.get_executor(), make_backend(io, options),
                                        {.cache = {.fetch_interval = std::min<Duration>(
                                                       options.interval, 15s)}}) {
        // What was collected once is renewed in the background: later rounds hit the cache.
        if (!options.once)
            collector_.start_background_fetching();
    }

    /// What is known of a model now; an error only where nothing is.
    asio::awaitable<Result<json::object>> poll(ModelKey model) {
        std::vector<VariantAutoscaling> variants = options_.deployments;
        for (VariantAutoscaling& variant : variants)
            variant.model_id = model.model_id;
        const auto available =
            co_await collector_.async_validate_availability(model, asio::use_awaitable);
        const auto replicas = co_await collector_.async_collect_replica_metrics(
            model, variants, asio::use_awaitable);
        if (!replicas)
            co_return replicas.error();

        json::array replica_list, variant_list;
        json::array warnings((*replicas)->warnings.begin(), (*replicas)->warnings.end());
        bool partial = (*replicas)->partial;
        for (const ReplicaMetrics& replica : (*replicas)->replicas)
            replica_list.push_back({{"pod", replica.pod},
                                    {"variant", replica.variant},
                                    {"kv_cache_usage", to_json(replica.kv_cache_usage)},
                                    {"queue_length", to_json(replica.queue_length)}});
        for (const VariantAutoscaling& variant : variants) {
            // With several models, a deployment is listed under the one that its pods serve.
            const auto is_its = [&](const auto& replica) { return replica.variant == variant.name; };
            if (options_.models.size() > 1 && std::ranges::none_of((*replicas)->replicas, is_its))
                continue;
            const auto collected = co_await collector_.async_collect_optimizer_metrics(
                variant, asio::use_awaitable);
            const OptimizerMetrics metrics = collected ? **collected : OptimizerMetrics();
            partial = partial || !collected || metrics.partial;
            warnings.insert(warnings.end(), metrics.warnings.begin(), metrics.warnings.end());
            if (!collected)
                warnings.emplace_back(collected.error().describe());
            variant_list.push_back(
                {{"variant", variant.name},
                 {"deployment", variant.deployment},
                 {"accelerator", variant.accelerator},
                 {"cost", variant.cost},
                 {"arrival_rate_per_minute", to_json(metrics.arrival_rate_per_minute)},
                 {"avg_input_tokens", to_json(metrics.avg_input_tokens)},
                 {"avg_output_tokens", to_json(metrics.avg_output_tokens)},
                 {"ttft_seconds", to_json(metrics.ttft_seconds)},
                 {"itl_seconds", to_json(metrics.itl_seconds)}});
        }
        const auto& unattributed = (*replicas)->unattributed_pods;
        const CacheStats cache = collector_.stats().cache;
        co_return json::object{
            {"time", utc_now()},
            {"namespace", model.namespace_name},
            {"model", model.model_id},
            {"availability",
             {{"available", available->available},
              {"reason", to_string(available->reason)},
              {"message", available->message}}},
            {"variants", variant_list},
            {"replicas", replica_list},
            {"unattributed_pods", json::array(unattributed.begin(), unattributed.end())},
            {"freshness", to_string(replicas->freshness())},
            {"source", to_string(replicas->source())},
            {"partial", partial},
            {"warnings", warnings},
            {"cache",
             {{"hits", cache.hits},
              {"stale_hits", cache.stale_hits},
              {"misses", cache.misses},
              {"hit_rate", cache.hit_rate()}}}};
    }
    double hit_rate() const { return collector_.stats().cache.hit_rate(); }

private:
    static PrometheusBackend make_backend(asio::io_context& io, const Options& options) {
        PrometheusConfig config = PrometheusConfig::at(options.url);
        if (!options.token_file.empty())
            config.client.http.credentials = http::Credentials::bearer_file(options.token_file);
#ifdef WVA_METRICS_WITH_TLS
        if (options.url.starts_with("https"))
            config.client.http.transport =
                http::make_tls_transport({.ca_file = options.ca_file}).value();
#endif
        return PrometheusBackend(io.get_executor(), std::move(config));
    }
    Options options_;
    Collector<PrometheusBackend, MemoryCache> collector_;
};

/// `42.07 (3s)`: a value and the age of its sample, or why there is none; else the text itself.
std::string cell(const json::value& value) {
    char text[64];
    if (value.is_string())
        return std::string(value.get_string());
    if (value.is_number())
        std::snprintf(text, sizeof text, "%.2f", value.to_number<double>());
    else if (value.at("value").is_null())
        return std::string(value.at("reason").get_string());
    else
        std::snprintf(text, sizeof text, "%.4g (%.0fs)", value.at("value").to_number<double>(),
                      value.at("age_seconds").to_number<double>());
    return text;
}

/// `columns` are names in the report and the titles above them, in turn.
void print_list(const json::value& list, const std::vector<const char*>& columns) {
    const auto width = [&](std::size_t i) { return i == 0 ? 42 : i == 2 && columns.size() == 8 ? 28 : 15; };
    for (std::size_t i = 0; i < columns.size(); i += 2)
        std::printf("  %-*s", width(i), columns[i + 1]);
    for (const json::value& row : list.get_array()) {
        std::printf("\n");
        for (std::size_t i = 0; i < columns.size(); i += 2)
            std::printf("  %-*s", width(i), cell(row.at(columns[i])).c_str());
    }
    std::printf("\n");
}

void print_table(const json::value& report) {
    const bool bold = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    std::printf("\n%s%s%s  %s\n", bold ? "\033[1m" : "", cell(report.at("model")).c_str(),
                bold ? "\033[0m" : "", cell(report.at("freshness")).c_str());
    if (!report.at("availability").at("available").get_bool())
        std::printf("  %s\n", cell(report.at("availability").at("message")).c_str());
    print_list(report.at("variants"),
               {"variant", "VARIANT", "accelerator", "ACCELERATOR", "cost", "COST",
                "arrival_rate_per_minute", "REQUESTS/MIN", "avg_input_tokens", "TOKENS IN",
                "avg_output_tokens", "TOKENS OUT", "ttft_seconds", "TTFT s", "itl_seconds", "ITL s"});
    print_list(report.at("replicas"), {"pod", "REPLICA", "variant", "VARIANT", "kv_cache_usage",
                                       "KV CACHE", "queue_length", "QUEUE"});
    for (const json::value& pod : report.at("unattributed_pods").get_array())
        std::printf("  %-42s  of none of these deployments\n", cell(pod).c_str());
}

[[noreturn]] void usage(const std::string& problem) {
    std::cerr << "prometheus_poll: " << problem
              << "\nusage: prometheus_poll --url URL --namespace NS --model ID...\n"
                 "  [--deployment NAME[=VARIANT[:ACCELERATOR[:COST]]]...]\n"
                 "  [--interval 15s] [--once] [--json] [--token-file F] [--ca-file F]\n";
    std::exit(2);
}

double number(const std::string& text, std::string_view unit) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || end != unit || !(value >= 0 && value <= 1e6))
        usage("'" + text + "' is no number" + (unit.empty() ? "" : " of seconds, such as 15s"));
    return value;
}

VariantAutoscaling parse_deployment(const std::string& text) {
    VariantAutoscaling variant;
    std::istringstream rest(text);
    std::getline(rest, variant.deployment, '=');
    if (!std::getline(rest, variant.name, ':'))
        variant.name = variant.deployment;
    std::getline(rest, variant.accelerator, ':');
    if (std::string cost; std::getline(rest, cost))
        variant.cost = number(cost, "");
    return variant;
}

Options parse(const std::vector<std::string>& arguments) {
    Options options;
    const std::map<std::string, std::string*> texts{{"--url", &options.url},
                                                    {"--namespace", &options.namespace_name},
                                                    {"--token-file", &options.token_file},
                                                    {"--ca-file", &options.ca_file}};
    for (auto it = arguments.begin(); it != arguments.end(); ++it) {
        const std::string& name = *it;
        const auto value = [&] {
            return ++it != arguments.end() ? *it : (usage(name + " needs a value"), "");
        };
        if (name == "--once" || name == "--json")
            (name == "--once" ? options.once : options.json) = true;
        else if (const auto text = texts.find(name); text != texts.end())
            *text->second = value();
        else if (name == "--model")
            options.models.push_back(value());
        else if (name == "--deployment")
            options.deployments.push_back(parse_deployment(value()));
        else if (name == "--interval")
            options.interval = std::chrono::milliseconds(std::llround(1000 * number(value(), "s")));
        else
            usage("unknown option: " + name);
    }
    if (options.url.empty() || options.namespace_name.empty() || options.models.empty())
        usage("--url, --namespace and at least one --model are needed");
    for (VariantAutoscaling& variant : options.deployments)
        variant.namespace_name = options.namespace_name;
    return options;
}

asio::awaitable<int> run(asio::io_context& io, Options options) {
    Poller poller(io, options);
    asio::steady_timer timer(io);
    for (bool known = false;;) {
        timer.expires_after(std::max(options.interval, 100ms));
        std::vector<Result<json::object>> reports;
        for (const std::string& model : options.models)
            reports.push_back(co_await poller.poll({options.namespace_name, model}));
        if (isatty(STDOUT_FILENO) != 0 && !options.once && !options.json)
            std::printf("\033[H\033[2J"); // Redraw in place.
        if (!options.json)
            std::printf("%s  cache hit rate %.0f %%\n", utc_now().c_str(), 100 * poller.hit_rate());
        for (const Result<json::object>& report : reports) {
            known = known || report;
            if (!report)
                std::cerr << "prometheus_poll: " << report.error().describe() << std::endl;
            else if (options.json)
                std::cout << *report << std::endl;
            else
                print_table(*report);
        }
        std::fflush(stdout);
        if (options.once || !known)
            co_return known ? 0 : 1;
        co_await timer.async_wait(asio::use_awaitable);
    }
}

int main(int argc, char** argv) try {
    asio::io_context io;
    int status = 0;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](auto, int) { io.stop(); });
    asio::co_spawn(io, run(io, parse({argv + 1, argv + argc})),
                   [&](const std::exception_ptr& failure, int result) {
                       status = result;
                       io.stop();
                       if (failure)
                           std::rethrow_exception(failure);
                   });
    io.run();
    return status;
} catch (const std::exception& error) {
    std::cerr << "prometheus_poll: " << error.what() << "\n";
    return 1;
}
