// SPDX-License-Identifier: Apache-2.0
//
// A small autoscaler: in each round it looks at the replicas of some variants and adds or removes
// one replica if the rule in autoscaler_loop/saturation.hpp says so, and prints why.
// Made to be copied, with the folder of the same name. Both need only find_package(wva_metrics).
// Replace Scaler by a class that scales your cluster: this one scales the simulated fleet,
// examples/vllm_fleet.cpp, which `sh examples/run.sh loop` starts. A collector that is configured by a
// document, also for pods or an endpoint picker (EPP), is in from_config.cpp.
#include "autoscaler_loop/log_line.hpp"
#include "autoscaler_loop/saturation.hpp"

#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace wva_metrics;
using namespace std::chrono_literals;

using Options = std::map<std::string, std::vector<std::string>>; // Name: its values.

constexpr const char* help_text =
    "usage: autoscaler_loop --url PROMETHEUS --namespace NS --variant DEPLOYMENT=MODEL...\n"
    "                       (--fleet URL | --dry-run) [option]...\n"
    "Adds or removes one replica of a variant at a time, and prints why.\n"
    "  --fleet URL          scales this vllm_fleet\n"
    "  --dry-run            scales nothing; the replicas that report are counted\n"
    "  --interval 15s       the time between two rounds\n"
    "  --rounds N           ends after so many rounds\n"
    "  --min 1, --max 10    bounds of each variant's replicas\n"
    "  --pause 1m           the least time between two additions\n"
    "  --stabilisation 5m   how long one replica fewer must have been enough\n"
    "  --max-age 1m         older samples count as unknown\n"
    "  --window 1m          the time over which Prometheus computes rates and peaks\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage.\n";

[[noreturn]] void usage(const std::string& problem) {
    std::cerr << "autoscaler_loop: " << problem << "; see --help\n";
    std::exit(2);
}

Options parse(int argc, char** argv) {
    const std::regex with_value("--(url|namespace|variant|fleet|interval|rounds|min|max|pause|"
                                "stabilisation|max-age|window)");
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--help") {
            std::cout << help_text;
            std::exit(0);
        }
        const bool needs_value = std::regex_match(name, with_value);
        if (!needs_value && name != "--dry-run")
            usage("unknown option " + name);
        if (needs_value && ++i == argc)
            usage(name + " needs a value");
        options[name].emplace_back(argv[i]);
    }
    if (options.count("--url") + options.count("--namespace") + options.count("--variant") < 3)
        usage("--url, --namespace and --variant are required");
    if (options.contains("--fleet") == options.contains("--dry-run"))
        usage("either --fleet or --dry-run is required");
    for (const char* name : {"--url", "--fleet"})
        if (options.contains(name))
            if (const auto url = http::parse_url(options.at(name).back()); !url)
                usage(std::string(name) + ": " + url.error().message);
    return options;
}

Duration duration(const Options& options, const std::string& name, Duration by_default) {
    if (!options.contains(name))
        return by_default;
    const auto given = parse_duration(options.at(name).back());
    if (!given || *given < 100ms)
        usage(name + " " + options.at(name).back() +
              ": must be a duration of at least 100ms, e.g. 15s");
    return *given;
}

std::size_t number(const Options& options, const std::string& name, std::size_t by_default) {
    if (!options.contains(name))
        return by_default;
    if (!std::regex_match(options.at(name).back(), std::regex("[1-9][0-9]{0,8}")))
        usage(name + " " + options.at(name).back() + ": must be a number from 1 to 999999999");
    return std::stoul(options.at(name).back());
}

/// Reads and sets the requested number of replicas, e.g. `spec.replicas` of a Deployment. This one
/// sends its requests to the simulated fleet.
class Scaler {
public:
    Scaler(const asio::any_io_executor& executor, std::string url)
        : client_(executor, {.url = std::move(url)}) {}

    asio::awaitable<Result<std::size_t>> replicas(VariantAutoscaling variant) {
        const auto answer = co_await send(http::Request::get("/state"));
        if (!answer)
            co_return answer.error();
        try {
            const json::value state = json::parse(answer->body);
            for (const json::value& model : state.at("models").as_array())
                for (const json::value& deployment : model.at("deployments").as_array())
                    if (model.at("namespace").as_string() == variant.namespace_name &&
                        deployment.at("deployment").as_string() == variant.deployment)
                        co_return deployment.at("replicas").to_number<std::size_t>();
        } catch (const std::exception& error) {
            co_return Error(Errc::bad_response, error.what(), client_.endpoint());
        }
        co_return Error(Errc::rejected,
                        "the fleet has no deployment " + variant.deployment + " in namespace " +
                            variant.namespace_name + "; its page /state lists what it has",
                        client_.endpoint());
    }

    asio::awaitable<Result<http::Response>> scale(VariantAutoscaling variant, std::size_t to) {
        co_return co_await send(http::Request::post("/control",
                                                    "scale=" + variant.deployment +
                                                        "&namespace=" + variant.namespace_name +
                                                        "&replicas=" + std::to_string(to),
                                                    "application/x-www-form-urlencoded"));
    }

private:
    asio::awaitable<Result<http::Response>> send(http::Request request) {
        auto answer =
            co_await client_.send(std::move(request), std::chrono::steady_clock::now() + 5s);
        if (answer && answer->status != 200)
            co_return Error(Errc::rejected, answer->body, client_.endpoint(), answer->status);
        co_return answer;
    }

    http::Client client_;
};

struct Settings {
    saturation::Rule rule;
    Duration interval;
    std::size_t rounds;
};

Settings settings_of(const Options& options) {
    const Settings settings{.rule = {.min_replicas = number(options, "--min", 1),
                                     .max_replicas = number(options, "--max", 10),
                                     .max_age = duration(options, "--max-age", 1min),
                                     .pause = duration(options, "--pause", 1min),
                                     .stabilisation = duration(options, "--stabilisation", 5min)},
                            .interval = duration(options, "--interval", 15s),
                            .rounds = number(options, "--rounds", SIZE_MAX)};
    if (settings.rule.min_replicas > settings.rule.max_replicas)
        usage("--min " + std::to_string(settings.rule.min_replicas) + " is more than --max " +
              std::to_string(settings.rule.max_replicas));
    return settings;
}

using MyCollector = Collector<PrometheusBackend, ShardedCache>;

/// Scales one model's variants, for ever or for `--rounds` rounds. Each model has its own loop, so
/// one slow answer delays no other model. Without a scaler it is a dry run.
asio::awaitable<void> reconcile(MyCollector& collector, Scaler* scaler, Settings settings,
                                std::vector<VariantAutoscaling> variants) {
    const auto [rule, interval, rounds] = settings;
    const ModelKey model = variants.front().model();
    const ModelHandle handle = collector.handle(model); // Read in every round.
    std::map<std::string, saturation::History> histories;
    for (std::size_t round = 1;; ++round) {
        asio::steady_timer next_round(collector.get_executor(), interval);
        // From the cache, except in the first round and after scaling.
        const auto snapshot = co_await collector.async_collect(handle, variants);
        std::string why_unavailable; // Often a wrong namespace or model.
        if (snapshot && (*snapshot)->replicas.empty())
            if (const auto found = co_await collector.async_validate_availability(model);
                found && !found->available)
                why_unavailable = "; " + found->message;
        for (const VariantAutoscaling& variant : variants) {
            std::optional<std::size_t> requested; // Empty in a dry run.
            if (scaler) {
                const Result<std::size_t> answer = co_await scaler->replicas(variant);
                if (!answer) {
                    std::cerr << variant.name << ": no decision: " << answer.error().describe()
                              << std::endl;
                    continue;
                }
                requested = *answer;
            }
            const saturation::Observation observed =
                saturation::observe(snapshot, variant.name, requested);
            const TimePoint now = std::chrono::steady_clock::now();
            saturation::History& history = histories[variant.name];
            const saturation::Decision decision = saturation::decide(observed, rule, history, now);
            const std::time_t clock = std::time(nullptr);
            std::cout << std::put_time(std::localtime(&clock), "%T ") << variant.name << ' '
                      << observed.current << " -> " << decision.wanted << ": " << decision.reason
                      << saturation::describe_replicas(observed, rule, now);
            if (snapshot)
                std::cout << ", " << to_string(snapshot->freshness()) << " from "
                          << to_string(snapshot->source());
            std::cout << why_unavailable << std::endl;
            if (!scaler || decision.wanted == observed.current)
                continue;
            if (const auto done = co_await scaler->scale(variant, decision.wanted); !done) {
                std::cerr << variant.name << ": not scaled: " << done.error().describe() << '\n';
                continue;
            }
            saturation::record_scaling(observed.current, decision.wanted, history, now);
            // The cached entry describes the pods before scaling.
            collector.invalidate_variant(variant);
        }
        if (round == rounds)
            co_return;
        co_await next_round.async_wait(asio::use_awaitable);
    }
}

int main(int argc, char** argv) try {
    const Options options = parse(argc, argv);
    const Settings settings = settings_of(options);
    asio::io_context io;
    asio::signal_set stop_signals(io, SIGINT, SIGTERM);
    stop_signals.async_wait([&](auto, int) { io.stop(); });

    PrometheusConfig prometheus = PrometheusConfig::at(options.at("--url").back());
    prometheus.windows.peak = prometheus.windows.rate = duration(options, "--window", 1min);
    CollectorConfig config{.cache = {.ttl = std::max<Duration>(2 * settings.interval, 1s),
                                     .fetch_interval = settings.interval}};
    MyCollector collector(io.get_executor(),
                          PrometheusBackend(io.get_executor(), std::move(prometheus)), config);
    collector.start_background_fetching(); // Keeps the cache filled for the next rounds.
    std::optional<Scaler> scaler;
    if (options.contains("--fleet"))
        scaler.emplace(io.get_executor(), options.at("--fleet").back());

    std::map<ModelKey, std::vector<VariantAutoscaling>> variants_by_model;
    std::set<std::string> names;
    for (const std::string& text : options.at("--variant")) {
        const std::size_t equals = text.find('=');
        if (equals == 0 || equals >= text.size() - 1)
            usage("--variant must be DEPLOYMENT=MODEL, not '" + text + "'");
        const std::string name = text.substr(0, equals);
        if (!names.insert(name).second)
            usage("--variant: the deployment " + name + " is given twice");
        const VariantAutoscaling variant(options.at("--namespace").back(), name,
                                         text.substr(equals + 1), name);
        variants_by_model[variant.model()].push_back(variant);
    }
    std::cout << saturation::describe(settings.rule)
              << (scaler ? "" : "dry run: nothing is scaled\n") << std::flush;
    std::size_t running_loops = variants_by_model.size();
    for (const auto& [model, variants] : variants_by_model)
        asio::co_spawn(io, reconcile(collector, scaler ? &*scaler : nullptr, settings, variants),
                       [&](std::exception_ptr failure) {
                           if (failure || --running_loops == 0)
                               io.stop();
                           if (failure)
                               std::rethrow_exception(failure);
                       });
    io.run();
} catch (const std::exception& error) {
    std::cerr << "autoscaler_loop: " << error.what() << "\n";
    return 1;
}
