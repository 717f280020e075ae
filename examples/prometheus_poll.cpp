// SPDX-License-Identifier: Apache-2.0
//
// Shows how loaded the inference servers are that a Prometheus scrapes, as an autoscaler sees them.
// Made to be copied: it needs find_package(wva_metrics) and nothing else. ask() and run() use the
// library, the rest reads options and prints.
#include <wva_metrics/wva_metrics.hpp>
#ifdef WVA_METRICS_WITH_TLS // Defined where wva_metrics::tls is linked.
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <iomanip>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <unistd.h>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace wva_metrics;

using Options = std::map<std::string, std::vector<std::string>>; // Each with its values.

[[noreturn]] void usage(const std::string& problem) {
    std::cerr << "prometheus_poll: " << problem << "\n"
              << "usage: prometheus_poll --url URL --namespace NS --model ID... [--once] [--json]\n"
                 "  [--deployment NAME[=VARIANT[:ACCELERATOR[:COST]]]]... [--interval 15s]\n"
                 "  [--token-file F] [--ca-file F]\n";
    std::exit(2);
}

Options parse(int argc, char** argv) {
    const std::regex flag("--(once|json)");
    const std::regex valued("--(url|namespace|model|deployment|interval|token-file|ca-file)");
    Options options{{"--deployment", {}}, {"--interval", {"15s"}}, {"--ca-file", {""}}};
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (!std::regex_match(name, flag) && (!std::regex_match(name, valued) || ++i == argc))
            usage(name + " is unknown or lacks its value");
        options[name].emplace_back(argv[i]);
    }
    if (options.count("--url") + options.count("--namespace") + options.count("--model") < 3)
        usage("--url, --namespace and --model are needed");
    return options;
}

VariantAutoscaling to_variant(const std::string& text, const ModelKey& model) {
    const std::regex form("([^=]+)(=([^:]+)(:([^:]*)(:([0-9]{1,9}([.][0-9]{1,9})?))?)?)?");
    std::smatch part;
    if (!std::regex_match(text, part, form))
        usage("--deployment takes NAME[=VARIANT[:ACCELERATOR[:COST]]], not '" + text + "'");
    const std::string name = part[part[3].matched ? 3 : 1];
    const double cost = part[7].matched ? std::stod(part[7]) : default_variant_cost;
    return {model.namespace_name, name, model.model_id, part[1], part[5], cost};
}

PrometheusBackend make_backend(asio::io_context& io, const Options& options) {
    PrometheusConfig config = PrometheusConfig::at(options.at("--url").back());
    if (options.contains("--token-file"))
        config.client.http.credentials =
            http::Credentials::bearer_file(options.at("--token-file").back());
#ifdef WVA_METRICS_WITH_TLS
    if (config.client.http.url.starts_with("https:"))
        config.client.http.transport =
            http::make_tls_transport({.ca_file = options.at("--ca-file").back()}).value();
#endif
    return PrometheusBackend(io.get_executor(), std::move(config));
}

/// `{"name":value,...}` of members `"name":value`.
std::string object(const auto&... members) {
    std::string text;
    ((text += (text.empty() ? "{" : ",") + members), ...);
    return text + "}";
}

/// `"name":value`. Boost.JSON itself writes 0.5 as 5E-1, which no person likes to read.
std::string member(const std::string& name, const auto& value) {
    const json::value converted = json::value_from(value);
    std::ostringstream number;
    if (converted.is_double())
        number << std::setprecision(15) << converted.get_double();
    return '"' + name + "\":" + (converted.is_double() ? number.str() : json::serialize(converted));
}

std::string member(const std::string& name, const Reading<double>& reading) {
    const std::string start = '"' + name + "\":",
                      state = member("state", to_string(reading.state()));
    if (!reading)
        return start + object(member("value", nullptr), state,
                              member("reason", to_string(reading.reason())));
    const std::chrono::duration<double> age = reading.age(std::chrono::steady_clock::now());
    return start + object(member("value", reading.value()), state,
                          member("age_seconds", std::round(age.count() * 1000) / 1000),
                          member("metric", reading.metric()));
}

/// One line of JSON with what is known of a model now; an error only where nothing is.
asio::awaitable<Result<std::string>> ask(auto& collector, ModelKey model, const Options& options,
                                         std::map<std::string, std::string>& model_of) {
    std::vector<VariantAutoscaling> variants;
    for (const std::string& deployment : options.at("--deployment"))
        variants.push_back(to_variant(deployment, model));
    const auto replicas =
        co_await collector.async_collect_replica_metrics(model, variants, asio::use_awaitable);
    if (!replicas)
        co_return replicas.error();
    const auto verdict = co_await collector.async_validate_availability(model, asio::use_awaitable);
    const ModelReplicas& found = **replicas;
    bool partial = found.partial;
    std::set<std::string> warnings(found.warnings.begin(), found.warnings.end());
    std::string variant_list, replica_list;
    for (const ReplicaMetrics& replica : found.replicas) {
        model_of[replica.variant] = model.model_id;
        replica_list += (replica_list.empty() ? "" : ",") +
                        object(member("pod", replica.pod), member("variant", replica.variant),
                               member("kv_cache_usage", replica.kv_cache_usage),
                               member("queue_length", replica.queue_length));
    }
    for (const VariantAutoscaling& variant : variants) {
        if (options.at("--model").size() > 1 && model_of[variant.name] != model.model_id)
            continue;
        const auto collected =
            co_await collector.async_collect_optimizer_metrics(variant, asio::use_awaitable);
        const OptimizerMetrics metrics = collected ? **collected : OptimizerMetrics();
        partial = partial || !collected || metrics.partial;
        warnings.insert(metrics.warnings.begin(), metrics.warnings.end());
        if (!collected)
            warnings.insert(collected.error().describe());
        variant_list +=
            (variant_list.empty() ? "" : ",") +
            object(member("variant", variant.name), member("deployment", variant.deployment),
                   member("accelerator", variant.accelerator), member("cost", variant.cost),
                   member("arrival_rate_per_minute", metrics.arrival_rate_per_minute),
                   member("avg_input_tokens", metrics.avg_input_tokens),
                   member("avg_output_tokens", metrics.avg_output_tokens),
                   member("ttft_seconds", metrics.ttft_seconds),
                   member("itl_seconds", metrics.itl_seconds));
    }
    const CacheStats cache = collector.stats().cache;
    const std::time_t now = std::time(nullptr);
    co_return object(
        member("time", (std::ostringstream() << std::put_time(std::gmtime(&now), "%FT%TZ")).str()),
        member("namespace", model.namespace_name), member("model", model.model_id),
        "\"availability\":" + object(member("available", verdict->available),
                                     member("reason", to_string(verdict->reason)),
                                     member("message", verdict->message)),
        "\"variants\":[" + variant_list + "]", "\"replicas\":[" + replica_list + "]",
        member("unattributed_pods", found.unattributed_pods),
        member("freshness", to_string(replicas->freshness())),
        member("source", to_string(replicas->source())), member("partial", partial),
        member("warnings", warnings),
        "\"cache\":" + object(member("hits", cache.hits), member("stale_hits", cache.stale_hits),
                              member("misses", cache.misses),
                              member("hit_rate", cache.hit_rate())));
}

/// `42.07 (3s)`: a value and the age of its sample, or why there is none; else the text or number.
std::string cell(const json::value& value) {
    if (value.is_string()) // Escaped, lest it upset the terminal.
        return json::serialize(value).substr(1, json::serialize(value).size() - 2);
    if (value.is_number())
        return (std::ostringstream() << value.to_number<double>()).str();
    if (value.at("value").is_null())
        return cell(value.at("reason"));
    char text[64];
    std::snprintf(text, sizeof text, "%.5g (%.0fs)", value.at("value").to_number<double>(),
                  value.at("age_seconds").to_number<double>());
    return text;
}

/// A line per element of the list, in columns `TITLE:member` as wide as their longest cell.
void print(std::ostream& out, const json::value& list, const std::vector<std::string>& columns) {
    std::vector<std::string> lines(list.get_array().size() + 1);
    for (const std::string& column : columns) {
        const std::size_t colon = column.find(':');
        std::vector<std::string> cells{column.substr(0, colon)};
        for (const json::value& element : list.get_array())
            cells.push_back(cell(element.at(column.substr(colon + 1))));
        const std::size_t width = std::ranges::max(cells, {}, &std::string::size).size();
        for (std::size_t i = 0; i < lines.size(); ++i)
            lines[i] += "  " + cells[i] + std::string(width - cells[i].size(), ' ');
    }
    for (const std::string& line : lines)
        out << line << "\n";
}

std::string to_text(const json::value& report) {
    const bool bold = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    std::ostringstream out;
    out << (bold ? "\033[1m" : "") << cell(report.at("model")) << (bold ? "\033[0m" : "")
        << "  replicas " << cell(report.at("freshness")) << ", cache hit rate "
        << std::lround(100 * report.at("cache").at("hit_rate").to_number<double>()) << " %\n";
    if (!report.at("availability").at("available").get_bool())
        out << "  " << cell(report.at("availability").at("message")) << "\n";
    print(out, report.at("variants"),
          {"VARIANT:variant", "ACCELERATOR:accelerator", "COST:cost",
           "REQUESTS/MIN:arrival_rate_per_minute", "TOKENS IN:avg_input_tokens",
           "TOKENS OUT:avg_output_tokens", "TTFT s:ttft_seconds", "ITL s:itl_seconds"});
    print(out, report.at("replicas"),
          {"REPLICA:pod", "VARIANT:variant", "KV CACHE:kv_cache_usage", "QUEUE:queue_length"});
    for (const char* notes : {"unattributed_pods", "warnings"})
        for (const json::value& note : report.at(notes).get_array())
            out << "  " << notes << ": " << cell(note) << "\n";
    return out.str();
}

asio::awaitable<int> run(asio::io_context& io, Options options) {
    const auto interval = parse_duration(options.at("--interval").back());
    if (!interval || *interval < std::chrono::milliseconds(100))
        usage("--interval " + options.at("--interval").back() + ": no time such as 500ms or 15s");
    const bool once = options.contains("--once"), as_json = options.contains("--json");
    const bool redraw = isatty(STDOUT_FILENO) != 0 && !once && !as_json;
    Collector<PrometheusBackend, MemoryCache> collector(
        io.get_executor(), make_backend(io, options), {.cache = {.fetch_interval = *interval}});
    collector.start_background_fetching(); // Renews what was collected: later rounds hit the cache.
    std::map<std::string, std::string> model_of; // What each variant serves, or last did.
    for (bool known = false;;) {
        asio::steady_timer next_round(io, *interval);
        std::string text, problem;
        for (const std::string& name : options.at("--model")) {
            const ModelKey model(options.at("--namespace").back(), name);
            const Result<std::string> report = co_await ask(collector, model, options, model_of);
            if (report)
                text += (as_json ? *report : to_text(json::parse(*report))) + "\n";
            else
                problem = "prometheus_poll: " + report.error().describe() + "\n";
        }
        known = known || !text.empty();
        std::cout << (redraw && known ? "\033[H\033[2J" : "") << text << std::flush;
        std::cerr << problem;
        if (once || !known)
            co_return known ? 0 : 1;
        co_await next_round.async_wait(asio::use_awaitable);
    }
}

int main(int argc, char** argv) try {
    asio::io_context io;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([](auto, int) { std::exit(0); });
    auto status = asio::co_spawn(io, run(io, parse(argc, argv)), asio::use_future);
    while (status.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        io.run_one();
    return status.get();
} catch (const std::exception& error) {
    std::cerr << "prometheus_poll: " << error.what() << "\n";
    return 1;
}
