// SPDX-License-Identifier: Apache-2.0
//
// Shows how loaded the inference servers are that a Prometheus scrapes, as an autoscaler sees them.
//
// Made to be copied: one file, which needs only find_package(wva_metrics). The part up to main()
// uses the library; the rest reads the command line and prints.
#include <wva_metrics/wva_metrics.hpp>
#ifdef WVA_METRICS_WITH_TLS // Defined if wva_metrics::tls is linked.
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;

constexpr const char* usage_text =
    "usage: prometheus_poll --url URL --namespace NS --model ID... [--once] [--json]\n"
    "  [--deployment NAME[=VARIANT[:ACCELERATOR[:COST]]]]... [--interval 15s]\n"
    "  [--token-file F] [--ca-file F]\n";

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A value of `--deployment`: which variant a Deployment belongs to.
struct DeploymentOption {
    std::string deployment, variant, accelerator;
    double cost = default_variant_cost;
};

struct Options {
    std::string url, namespace_name;
    std::vector<std::string> models;
    std::vector<DeploymentOption> deployments;
    Duration interval{};
    std::optional<std::string> token_file;
    std::string ca_file; ///< Empty: the system's certificates.
    bool once = false, json = false;
};

struct VariantReport {
    VariantAutoscaling variant;
    OptimizerMetrics metrics; ///< All readings are missing if the collection failed.
};

/// Everything that is shown of one model.
struct Report {
    std::time_t time;
    ModelKey model;
    Availability availability;
    std::vector<VariantReport> variants;
    ReplicaSnapshot replicas;
    bool partial; ///< The replicas or the metrics of a variant are incomplete.
    std::set<std::string> warnings;
    CacheStats cache;
};

Options parse_options(int argc, const char* const* argv);
/// A table for people.
std::string to_text(const Report& report);
/// One line of JSON.
std::string to_json(const Report& report);

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

/// The model that each variant serves or served last, by the variant's name.
using ModelOfVariant = std::map<std::string, std::string>;

/// Collects what is shown of one model. Returns an error only if its replicas cannot be collected.
asio::awaitable<Result<Report>> collect(auto& collector, ModelKey model, const Options& options,
                                        ModelOfVariant& model_of) {
    std::vector<VariantAutoscaling> variants;
    for (const auto& [deployment, variant, accelerator, cost] : options.deployments)
        variants.emplace_back(model.namespace_name, variant, model.model_id, deployment,
                              accelerator, cost);
    const auto replicas = co_await collector.async_collect_replica_metrics(model, variants);
    if (!replicas)
        co_return replicas.error();
    const auto availability = co_await collector.async_validate_availability(model);
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
        const auto collected = co_await collector.async_collect_optimizer_metrics(variant);
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
    collector.start_background_fetching(); // Later rounds are answered from the cache.
    ModelOfVariant model_of;
    for (bool any_shown = false;;) {
        asio::steady_timer next_round(io, options.interval);
        std::string text, problem;
        for (const std::string& name : options.models) {
            const ModelKey model(options.namespace_name, name);
            const Result<Report> report = co_await collect(collector, model, options, model_of);
            if (report)
                text += (options.json ? to_json(*report) : to_text(*report)) + "\n";
            else
                problem = "prometheus_poll: " + report.error().describe() + "\n";
        }
        any_shown = any_shown || !text.empty();
        std::cout << (redraw && any_shown ? "\033[H\033[2J" : "") << text << std::flush;
        std::cerr << problem;
        if (options.once || !any_shown)
            co_return any_shown ? 0 : 1;
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

// ---- The command line

DeploymentOption parse_deployment(const std::string& text) {
    const std::regex pattern("([^=]+)(=([^:]+)(:([^:]*)(:([0-9]{1,9}([.][0-9]{1,9})?))?)?)?");
    std::smatch part;
    if (!std::regex_match(text, part, pattern))
        throw UsageError("--deployment must be NAME[=VARIANT[:ACCELERATOR[:COST]]], not '" + text +
                         "'");
    DeploymentOption option{part[1], part[part[3].matched ? 3 : 1], part[5]};
    if (part[7].matched)
        option.cost = std::stod(part[7]);
    return option;
}

Options parse_options(int argc, const char* const* argv) {
    const std::regex flag("--(once|json)");
    const std::regex with_value("--(url|namespace|model|deployment|interval|token-file|ca-file)");
    std::map<std::string, std::vector<std::string>> given; // Name: its values.
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const bool needs_value = std::regex_match(name, with_value);
        if (!needs_value && !std::regex_match(name, flag))
            throw UsageError("unknown option " + name);
        if (needs_value && ++i == argc)
            throw UsageError(name + " needs a value");
        given[name].emplace_back(argv[i]);
    }
    if (given.count("--url") + given.count("--namespace") + given.count("--model") < 3)
        throw UsageError("--url, --namespace and --model are required");

    const auto last = [&](const char* name, std::string by_default) {
        return given.contains(name) ? given[name].back() : by_default;
    };
    Options options;
    options.url = last("--url", "");
    options.namespace_name = last("--namespace", "");
    options.models = given["--model"];
    for (const std::string& text : given["--deployment"])
        options.deployments.push_back(parse_deployment(text));
    const std::string interval = last("--interval", "15s");
    const auto duration = parse_duration(interval);
    if (!duration || *duration < std::chrono::milliseconds(100))
        throw UsageError("--interval " + interval +
                         ": must be a duration of at least 100ms, e.g. 15s");
    options.interval = *duration;
    if (given.contains("--token-file"))
        options.token_file = given["--token-file"].back();
    options.ca_file = last("--ca-file", "");
    options.once = given.contains("--once");
    options.json = given.contains("--json");
    return options;
}

// ---- The table

/// Escaped as in JSON, so that names from outside cannot send control characters to the terminal.
std::string cell(const std::string& text) {
    const std::string quoted = boost::json::serialize(boost::json::string(text));
    return quoted.substr(1, quoted.size() - 2);
}

std::string cell(double number) {
    return (std::ostringstream() << number).str();
}

/// `42.07 (3s)`: the value and the age of its sample, or why there is none.
std::string cell(const Reading<double>& reading) {
    if (!reading)
        return std::string(to_string(reading.reason()));
    const std::chrono::duration<double> age = reading.age(std::chrono::steady_clock::now());
    char text[64];
    std::snprintf(text, sizeof text, "%.5g (%.0fs)", reading.value(), age.count());
    return text;
}

using Row = std::vector<std::string>;

/// Columns are as wide as their longest cell.
void print(std::ostream& out, const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            out << "  " << row[i] << std::string(widths[i] - row[i].size(), ' ');
        out << "\n";
    }
}

std::string to_text(const Report& report) {
    const ReplicaSnapshot& replicas = report.replicas;
    const bool is_bold = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    std::ostringstream out;
    out << (is_bold ? "\033[1m" : "") << cell(report.model.model_id) << (is_bold ? "\033[0m" : "")
        << "  replicas " << to_string(replicas.freshness()) << ", cache hit rate "
        << std::lround(100 * report.cache.hit_rate()) << " %\n";
    if (!report.availability.available)
        out << "  " << cell(report.availability.message) << "\n";

    std::vector<Row> rows{{"VARIANT", "ACCELERATOR", "COST", "REQUESTS/MIN", "TOKENS IN",
                           "TOKENS OUT", "TTFT s", "ITL s"}};
    for (const auto& [variant, metrics] : report.variants)
        rows.push_back({cell(variant.name), cell(variant.accelerator), cell(variant.cost),
                        cell(metrics.arrival_rate_per_minute), cell(metrics.avg_input_tokens),
                        cell(metrics.avg_output_tokens), cell(metrics.ttft_seconds),
                        cell(metrics.itl_seconds)});
    print(out, rows);

    rows = {{"REPLICA", "VARIANT", "KV CACHE", "QUEUE"}};
    for (const ReplicaMetrics& replica : replicas->replicas)
        rows.push_back({cell(replica.pod), cell(replica.variant), cell(replica.kv_cache_usage),
                        cell(replica.queue_length)});
    print(out, rows);

    for (const std::string& pod : replicas->unattributed_pods)
        out << "  unattributed_pods: " << cell(pod) << "\n";
    for (const std::string& warning : report.warnings)
        out << "  warnings: " << cell(warning) << "\n";
    return out.str();
}

// ---- JSON, written by hand because Boost.JSON writes 0.5 as 5E-1

/// `{"name":value,...}` of members `"name":value`.
std::string object(const auto&... members) {
    std::string text;
    ((text += (text.empty() ? "{" : ",") + members), ...);
    return text + "}";
}

/// `"name":text`
std::string member_of_json(const std::string& name, const std::string& text) {
    return '"' + name + "\":" + text;
}

std::string member(const std::string& name, const auto& value) {
    const boost::json::value converted = boost::json::value_from(value);
    if (!converted.is_double())
        return member_of_json(name, boost::json::serialize(converted));
    std::ostringstream number;
    number << std::setprecision(15) << converted.get_double();
    return member_of_json(name, number.str());
}

std::string member(const std::string& name, const Reading<double>& reading) {
    const std::string state = member("state", to_string(reading.state()));
    if (!reading)
        return member_of_json(name, object(member("value", nullptr), state,
                                           member("reason", to_string(reading.reason()))));
    const std::chrono::duration<double> age = reading.age(std::chrono::steady_clock::now());
    return member_of_json(name, object(member("value", reading.value()), state,
                                       member("age_seconds", std::round(age.count() * 1000) / 1000),
                                       member("metric", reading.metric())));
}

std::string to_json(const Availability& availability) {
    return object(member("available", availability.available),
                  member("reason", to_string(availability.reason)),
                  member("message", availability.message));
}

std::string to_json(const VariantReport& report) {
    const auto& [variant, metrics] = report;
    return object(member("variant", variant.name), member("deployment", variant.deployment),
                  member("accelerator", variant.accelerator), member("cost", variant.cost),
                  member("arrival_rate_per_minute", metrics.arrival_rate_per_minute),
                  member("avg_input_tokens", metrics.avg_input_tokens),
                  member("avg_output_tokens", metrics.avg_output_tokens),
                  member("ttft_seconds", metrics.ttft_seconds),
                  member("itl_seconds", metrics.itl_seconds));
}

std::string to_json(const ReplicaMetrics& replica) {
    return object(member("pod", replica.pod), member("variant", replica.variant),
                  member("kv_cache_usage", replica.kv_cache_usage),
                  member("queue_length", replica.queue_length));
}

std::string to_json(const CacheStats& cache) {
    return object(member("hits", cache.hits), member("stale_hits", cache.stale_hits),
                  member("misses", cache.misses), member("hit_rate", cache.hit_rate()));
}

/// `[element,...]`
template <typename Element>
std::string to_json(const std::vector<Element>& elements) {
    std::string text;
    for (const Element& element : elements)
        text += (text.empty() ? "" : ",") + to_json(element);
    return "[" + text + "]";
}

std::string to_json(const Report& report) {
    std::ostringstream time;
    time << std::put_time(std::gmtime(&report.time), "%FT%TZ");
    const ReplicaSnapshot& replicas = report.replicas;
    return object(member("time", time.str()), member("namespace", report.model.namespace_name),
                  member("model", report.model.model_id),
                  member_of_json("availability", to_json(report.availability)),
                  member_of_json("variants", to_json(report.variants)),
                  member_of_json("replicas", to_json(replicas->replicas)),
                  member("unattributed_pods", replicas->unattributed_pods),
                  member("freshness", to_string(replicas.freshness())),
                  member("source", to_string(replicas.source())), member("partial", report.partial),
                  member("warnings", report.warnings),
                  member_of_json("cache", to_json(report.cache)));
}
