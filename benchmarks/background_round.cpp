// SPDX-License-Identifier: Apache-2.0
//
// One background round of the collector over a real Prometheus, beside the queries that the Go
// original would ask for the same; and whether ten times as many variants cost more each.
#include "rounds/constant_backend.hpp"
#include "rounds/go_plan.hpp"
#include "rounds/numbered_variants.hpp"
#include "rounds/timed_rounds.hpp"
#include "rounds/written_prometheus.hpp"
#include "support/measurement.hpp"

#include <wva_metrics/backend/prometheus_backend.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <limits>
#include <string>

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
            "a round asks for everything and everything is answered");
    return round;
}

/// Everything that was written can be read.
template <typename Rounds>
void check_values(Rounds& rounds, const WrittenFleet& fleet) {
    for (std::size_t i = 0; i < fleet.variants; ++i) {
        const VariantAutoscaling variant = numbered_variant(i);
        const auto metrics = rounds->find_optimizer_metrics(variant.key());
        require(metrics.has_value() && (*metrics)->arrival_rate_per_minute.has_value() &&
                    (*metrics)->itl_seconds.has_value() && (*metrics)->warnings.empty(),
                "a variant's metrics are known");
        const std::array variants{variant};
        const auto replicas = rounds->find_replica_metrics(variant.model(), variants);
        require(replicas.has_value() && (*replicas)->replicas.size() == fleet.pods_each,
                "a model's replicas are known");
    }
}

CollectorConfig patient_config(std::size_t variants) {
    CollectorConfig config = roomy_config(variants);
    config.call_timeout = std::chrono::minutes(1);
    config.cache.ttl = std::chrono::minutes(3);
    return config;
}

auto rounds_over(const WrittenPrometheus& prometheus, std::size_t variants) {
    return TimedRounds<PrometheusBackend>(
        [&](const auto& executor) {
            PrometheusConfig config = PrometheusConfig::at(prometheus.url());
            config.client.http.timeouts.attempt = std::chrono::minutes(1);
            config.batch_timeout = std::chrono::seconds(55);
            return PrometheusBackend(executor, config);
        },
        patient_config(variants));
}

} // namespace
int main(int count, char** arguments) {
    const Options options = parse_options(count, arguments);
    const auto binary = find_prometheus();
    if (!binary) { say_prometheus_is_missing(path); return 0; }
    for (std::size_t n : {std::size_t(1000), std::size_t(10000)}) {
      if (options.smoke && n > 1000) break;
      WrittenFleet fleet{n};
      double t0 = seconds_now();
      WrittenPrometheus prometheus(*binary, fleet);
      std::fprintf(stderr, "written in %g s\n", seconds_now() - t0);
      auto rounds = rounds_over(prometheus, n);
      track_all(rounds, n);
      for (int i = 0; i < 4; ++i) {
        double q = prometheus.queries_asked();
        double before = prometheus.cpu_seconds();
        auto r = complete_round(rounds, n);
        double cpu = prometheus.cpu_seconds() - before;
        std::fprintf(stderr, "wall %g cpu %g us per variant, prometheus cpu %g, queries %g\n", r.wall_seconds, r.cpu_seconds*1e6/double(n), cpu, prometheus.queries_asked()-q);
      }
      check_values(rounds, fleet);
      GoPlan go(prometheus.port());
      double before = prometheus.cpu_seconds(), own = cpu_seconds(), w = seconds_now();
      for (std::size_t i = 0; i < n; ++i) { auto v = numbered_variant(i); go.ask(v); go.ask(v.model(), {v.deployment}); }
      std::fprintf(stderr, "go: wall %g own %g prometheus %g queries %zu answered %zu\n", seconds_now()-w, cpu_seconds()-own, prometheus.cpu_seconds()-before, go.queries(), go.answered());
    }
}
