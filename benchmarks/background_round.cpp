// SPDX-License-Identifier: Apache-2.0
//
// One background round of the collector against a real Prometheus, compared with the queries that
// the Go original sends for the same data, and with grouped queries; and the cost per variant for ten
// times as many variants.
#include "rounds/constant_backend.hpp"
#include "rounds/go_plan.hpp"
#include "rounds/grouped_plan.hpp"
#include "rounds/numbered_variants.hpp"
#include "rounds/timed_rounds.hpp"
#include "rounds/written_prometheus.hpp"
#include "support/measurement.hpp"

#include <wva_metrics/backend/prometheus_backend.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <unistd.h>

using namespace wva_metrics;
using namespace bench;

namespace {

constexpr const char* path = "background round";

template <typename Rounds>
void track_all(Rounds& rounds, std::size_t variants) {
    for (std::size_t i = 0; i < variants; ++i) {
        const VariantAutoscaling variant = numbered_variant(i);
        rounds->track(variant);
        rounds->track(variant.model());
    }
}

template <typename Rounds>
auto complete_round(Rounds& rounds, std::size_t variants) {
    const auto round = rounds.run();
    require(round.variants == variants && round.models == variants && round.failed == 0,
            "a round did not fetch everything");
    return round;
}

double per_variant(double value, std::size_t variants) {
    return value / static_cast<double>(variants);
}

/// The collector's own cost per variant, for a number of variants and for ten times as many. In
/// both cases there is one answer per variant and one per model.
void compare_sizes(const Options& options) {
    const auto few = options.pick<std::size_t>(1000, 1000, 100);
    const std::size_t many = 10 * few;
    const auto make = [](const auto&) { return ConstantBackend(); };
    TimedRounds<ConstantBackend> rounds_of_few(make, roomy_config(few));
    TimedRounds<ConstantBackend> rounds_of_many(make, roomy_config(many));
    track_all(rounds_of_few, few);
    track_all(rounds_of_many, many);
    complete_round(rounds_of_few, few);
    complete_round(rounds_of_many, many);
    double least_of_few = std::numeric_limits<double>::max();
    double least_of_many = least_of_few;
    for (int i = 0; i < options.pick(100, 30, 2); ++i) {
        least_of_few = std::min(least_of_few, complete_round(rounds_of_few, few).cpu_seconds);
        least_of_many = std::min(least_of_many, complete_round(rounds_of_many, many).cpu_seconds);
    }
    const double us_of_few = per_variant(least_of_few, few) * 1e6;
    const double us_of_many = per_variant(least_of_many, many) * 1e6;
    const std::string variants = " variants, a backend that answers at once: CPU per variant";
    Row(path, grouped(few) + variants, "us", Better::less).ours(us_of_few);
    Row(path, grouped(many) + variants, "us", Better::less).ours(us_of_many);
    const Row growth(path, grouped(many) + variants + ", over that of " + grouped(few), "x",
                     Better::less);
    growth.ours(us_of_many / us_of_few);
    // Only the memory that is walked over grows: it no longer fits into the core's own cache.
    growth.target_at_most(1.5);
}

/// Checks that everything that was written can be read.
template <typename Rounds>
void check_values(Rounds& rounds, const WrittenFleet& fleet) {
    for (std::size_t i = 0; i < fleet.variants; ++i) {
        const VariantAutoscaling variant = numbered_variant(i);
        const auto metrics = rounds->find_optimizer_metrics(variant.key());
        require(metrics.has_value() && (*metrics)->arrival_rate_per_minute.has_value() &&
                    (*metrics)->itl_seconds.has_value() && (*metrics)->warnings.empty(),
                "a variant's metrics are missing");
        const std::array variants{variant};
        const auto replicas = rounds->find_replica_metrics(variant.model(), variants);
        require(replicas.has_value() && (*replicas)->replicas.size() == fleet.pods_each,
                "a model's replicas are missing");
    }
}

/// Long timeouts, because the machine may be busy and Prometheus slow: nothing is to fail here.
TimedRounds<PrometheusBackend> rounds_over(const WrittenPrometheus& prometheus,
                                           std::size_t variants) {
    CollectorConfig config = roomy_config(variants);
    config.call_timeout = std::chrono::minutes(2);
    config.cache.ttl = std::chrono::minutes(10);
    const auto make = [&](const auto& executor) {
        PrometheusConfig prometheus_config = PrometheusConfig::at(prometheus.url());
        prometheus_config.client.http.timeouts.attempt = std::chrono::minutes(1);
        prometheus_config.batch_timeout = std::chrono::seconds(110);
        return PrometheusBackend(executor, prometheus_config);
    };
    return TimedRounds<PrometheusBackend>(make, config);
}

struct Cost {
    double requests = 0;
    double bytes = 0;
    double prometheus_cpu_seconds = 0;
    double own_cpu_seconds = 0;
    double wall_seconds = 0;
};

/// The cost of one round, on average.
Cost cost_of_rounds(const WrittenPrometheus& prometheus, const WrittenFleet& fleet, int repeated) {
    TimedRounds<PrometheusBackend> rounds = rounds_over(prometheus, fleet.variants);
    track_all(rounds, fleet.variants);
    complete_round(rounds, fleet.variants); // Connects.
    check_values(rounds, fleet);
    Cost cost;
    const double requests_before = prometheus.query_count();
    const double bytes_before = prometheus.answer_bytes();
    for (int i = 0; i < repeated; ++i) {
        const double cpu_before = prometheus.cpu_seconds();
        const auto round = complete_round(rounds, fleet.variants);
        cost.prometheus_cpu_seconds += (prometheus.cpu_seconds() - cpu_before) / repeated;
        cost.own_cpu_seconds += round.cpu_seconds / repeated;
        cost.wall_seconds += round.wall_seconds / repeated;
    }
    cost.requests = (prometheus.query_count() - requests_before) / repeated;
    cost.bytes = (prometheus.answer_bytes() - bytes_before) / repeated;
    check_values(rounds, fleet);
    return cost;
}

Cost cost_of_go_plan(const WrittenPrometheus& prometheus, const WrittenFleet& fleet) {
    GoPlan plan(prometheus.port());
    const double bytes_before = prometheus.answer_bytes();
    const double wall_before = seconds_now();
    const double cpu_before = cpu_seconds();
    const double prometheus_before = prometheus.cpu_seconds();
    for (std::size_t i = 0; i < fleet.variants; ++i) {
        const VariantAutoscaling variant = numbered_variant(i);
        plan.ask(variant);
        plan.ask(variant.model(), {variant.deployment});
    }
    require(plan.queries() == 8 * fleet.variants && plan.answered() == plan.queries(),
            "a query of the Go plan has no answer");
    Cost cost;
    cost.wall_seconds = seconds_now() - wall_before;
    cost.own_cpu_seconds = cpu_seconds() - cpu_before;
    cost.prometheus_cpu_seconds = prometheus.cpu_seconds() - prometheus_before;
    cost.requests = static_cast<double>(plan.queries());
    cost.bytes = prometheus.answer_bytes() - bytes_before;
    return cost;
}

/// The cost of one round of grouped queries, on average.
Cost cost_of_grouped_plan(const WrittenPrometheus& prometheus, const WrittenFleet& fleet,
                          int repeated) {
    std::set<std::string> namespaces;
    for (std::size_t i = 0; i < fleet.variants; ++i)
        namespaces.insert(numbered_variant(i).namespace_name);
    GroupedPlan plan(prometheus.url(), namespaces);
    plan.run(); // Connects.
    Cost cost;
    const double requests_before = prometheus.query_count();
    const double bytes_before = prometheus.answer_bytes();
    for (int i = 0; i < repeated; ++i) {
        const double wall_before = seconds_now();
        const double cpu_before = cpu_seconds();
        const double prometheus_before = prometheus.cpu_seconds();
        plan.run();
        cost.prometheus_cpu_seconds += (prometheus.cpu_seconds() - prometheus_before) / repeated;
        cost.own_cpu_seconds += (cpu_seconds() - cpu_before) / repeated;
        cost.wall_seconds += (seconds_now() - wall_before) / repeated;
    }
    cost.requests = (prometheus.query_count() - requests_before) / repeated;
    cost.bytes = (prometheus.answer_bytes() - bytes_before) / repeated;
    return cost;
}

/// Compares one round with those of the peers. Returns what it costs.
Cost compare_plans(const std::string& binary, const WrittenFleet& fleet, const Options& options) {
    const WrittenPrometheus prometheus(binary, fleet);
    const int repeated = options.pick(8, 3, 1);
    const Cost ours = cost_of_rounds(prometheus, fleet, repeated);
    const Cost grouped_plan = cost_of_grouped_plan(prometheus, fleet, repeated);
    const Cost go = cost_of_go_plan(prometheus, fleet);

    const bool is_full = fleet.labels == TargetLabels::full;
    std::printf("%s, %s target labels: against Prometheus %s\n", path, is_full ? "14" : "4",
                prometheus.version().c_str());
    const std::string work = grouped(fleet.variants) + " variants of " + grouped(fleet.variants) +
                             " models, a pod each, " + (is_full ? "14" : "4") + " target labels: ";
    // The targets are how many times better than each peer; 0: none.
    const auto compare = [&](const char* what, const char* unit, double Cost::*value, double factor,
                             double over_grouped = 0, double over_go = 0) {
        Row row(path, work + what, unit, Better::less);
        row.ours(ours.*value * factor);
        row.peer("grouped queries", grouped_plan.*value * factor, over_grouped);
        row.peer("the Go original's plan, replayed", go.*value * factor, over_go);
        return row;
    };
    compare("requests", "requests", &Cost::requests, 1).target_at_most(4);
    compare("bytes of the answers", "MB", &Cost::bytes, 1e-6);
    compare("Prometheus' CPU", "ms", &Cost::prometheus_cpu_seconds, 1e3, is_full ? 1 / 0.6 : 0,
            is_full ? 0 : 10);
    compare("wall time", "ms", &Cost::wall_seconds, 1e3, 0, 10);
    compare("own CPU", "ms", &Cost::own_cpu_seconds, 1e3);
    return ours;
}

void compare_with_peers(const std::string& binary, const Options& options) {
    WrittenFleet fleet{options.pick<std::size_t>(1000, 1000, 50)};
    fleet.labels = TargetLabels::full;
    compare_plans(binary, fleet, options);
    fleet.labels = TargetLabels::few;
    const Cost ours = compare_plans(binary, fleet, options);

    if (options.quick || options.smoke)
        return;
    const WrittenFleet tenfold{10 * fleet.variants};
    const WrittenPrometheus larger(binary, tenfold);
    const Cost of_tenfold = cost_of_rounds(larger, tenfold, 2);
    const Row growth(path, "10 000 variants: own CPU per variant, over that of 1 000", "x",
                     Better::less);
    growth.ours(of_tenfold.own_cpu_seconds / ours.own_cpu_seconds / 10);
    growth.target_at_most(1.5);
    const Row load(path, "10 000 variants: Prometheus' CPU per variant, over that of 1 000", "x",
                   Better::less);
    load.ours(of_tenfold.prometheus_cpu_seconds / ours.prometheus_cpu_seconds / 10);
}

constexpr Help help{
    "One background round of the collector against a real Prometheus, compared with the queries\n"
    "that the Go original sends for the same data, and with grouped queries; and the cost per\n"
    "variant for ten times as many variants. Without an option for it, the Prometheus is the one\n"
    "that the environment variable WVA_METRICS_PROMETHEUS names.",
    "  --prometheus=FILE  the Prometheus program to measure with, of any version from 2.42 on\n"};

} // namespace

int main(int count, char** arguments) {
    std::optional<std::string> named;
    const auto take_prometheus = [&named](std::string_view argument) {
        constexpr std::string_view option = "--prometheus=";
        const bool is_known = argument.starts_with(option);
        if (is_known)
            named = argument.substr(option.size());
        return is_known;
    };
    const Options options = parse_options(count, arguments, help, take_prometheus);
    require(!named || ::access(named->c_str(), X_OK) == 0,
            "--prometheus names no file that can be executed");
    compare_sizes(options);
    if (const auto binary = named ? named : find_prometheus())
        compare_with_peers(*binary, options);
    else
        say_prometheus_is_missing(path);
}
