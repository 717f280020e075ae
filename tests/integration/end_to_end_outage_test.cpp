// SPDX-License-Identifier: Apache-2.0
#include "support/blocking_collector.hpp"
#include "support/running_poll.hpp"
#include "support/watched_fleet.hpp"

#include <catch2/catch_all.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// A configuration with short times, so that an outage is noticed quickly.
CollectorConfig impatient() {
    CollectorConfig config;
    config.cache.ttl = 1s;
    config.cache.stale_while_revalidate = 0s;
    config.cache.fetch_interval = 500ms;
    config.cache.negative_ttl = 100ms;
    config.cache.freshness_thresholds.optimizer_metrics = 3s;
    config.cache.freshness_thresholds.replica_metrics = 3s;
    return config;
}

template <typename Snapshot>
bool is_held_and_stale(const Result<Snapshot>& snapshot) {
    return snapshot && snapshot->source() == Source::stale_on_error &&
           snapshot->freshness() == Freshness::stale;
}

template <typename Snapshot>
bool is_fresh_again(const Result<Snapshot>& snapshot) {
    return snapshot && snapshot->source() != Source::stale_on_error &&
           snapshot->freshness() == Freshness::fresh;
}

} // namespace

TEST_CASE(
    "in an outage of Prometheus the last good values are served as stale, until it recovers") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--models", "1"});
    watched.wait_for_requests();
    const FleetModel model = watched.fleet().models().at(0);
    const VariantAutoscaling variant = model.deployments.at(0).variant;
    BlockingCollector collector(watched.config(), impatient());
    REQUIRE(collector->start_background_fetching());
    const auto collect_variant = [&] { return collector.collect(variant); };
    const auto collect_model = [&] { return collector.collect(model.key, {variant}); };
    REQUIRE(collect_variant()->freshness() == Freshness::fresh);
    REQUIRE(collect_model()->freshness() == Freshness::fresh);
    CHECK(collector->health().healthy);

    watched.prometheus().stop();
    REQUIRE(eventually([&] { return is_held_and_stale(collect_variant()); }));
    REQUIRE(eventually([&] { return is_held_and_stale(collect_model()); }));
    const OptimizerSnapshot held = *collect_variant();
    const ReplicaSnapshot held_pods = *collect_model();
    REQUIRE(held->arrival_rate_per_minute.has_value());
    REQUIRE(held_pods->replicas.size() == 2);
    CHECK_FALSE(collector->health().healthy);
    // Unavailable once the circuit breaker has opened.
    CHECK((collector->health().last_error.is(Errc::unreachable) ||
           collector->health().last_error.is(Errc::unavailable)));

    // Further rounds fail and change nothing; the age is that of the samples.
    const std::uint64_t rounds = collector->stats().background_rounds;
    REQUIRE(eventually([&] { return collector->stats().background_rounds >= rounds + 3; }));
    const Result<OptimizerSnapshot> later = collect_variant();
    REQUIRE(is_held_and_stale(later));
    CHECK(later->shared() == held.shared());
    CHECK(later->collected_at() == held.collected_at());
    CHECK((*later)->arrival_rate_per_minute.age(std::chrono::steady_clock::now()) > 3s);
    const auto found = collector->find_replica_metrics(model.key, {&variant, 1});
    REQUIRE(found.has_value());
    CHECK(found->source() == Source::stale_on_error);
    CHECK((*found)->replicas.at(0).kv_cache_usage.sampled_at() ==
          held_pods->replicas.at(0).kv_cache_usage.sampled_at());

    watched.prometheus().start();
    REQUIRE(eventually([&] { return is_fresh_again(collect_variant()); }));
    REQUIRE(eventually([&] { return is_fresh_again(collect_model()); }));
    CHECK((*collect_variant())->arrival_rate_per_minute.sampled_at() >
          held->arrival_rate_per_minute.sampled_at());
    // The peak may still be that of before the outage.
    CHECK((*collect_model())->replicas.at(0).kv_cache_usage.last_sample_at() >
          held_pods->replicas.at(0).kv_cache_usage.last_sample_at());
    CHECK(eventually([&] { return collector->health().healthy; }));
}

TEST_CASE("prometheus_poll continues after a crash of Prometheus, and recovers by itself") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    if (!find_poll())
        SKIP(poll_missing);
    WatchedFleet watched({"--models", "1"});
    watched.wait_for_requests();
    std::vector<std::string> arguments = poll_arguments(watched.url(), watched.fleet().models());
    arguments.insert(arguments.end(), {"--json", "--interval", "1s"});
    RunningPoll poll(find_poll().value(), arguments);

    // The age in the last line.
    const auto age = [&] {
        const auto lines = poll.lines();
        return lines.empty() ? -1.0
                             : lines.back()
                                   .at("replicas")
                                   .at(0)
                                   .at("kv_cache_usage")
                                   .at("age_seconds")
                                   .to_number<double>();
    };
    REQUIRE(eventually([&] { return poll.lines().size() >= 2; }));
    const double age_before_crash = age();
    CHECK(age_before_crash < 3);

    watched.prometheus().kill_hard();
    REQUIRE(eventually([&] { return age() > age_before_crash + 3; }));
    const std::size_t lines = poll.lines().size();
    REQUIRE(eventually([&] { return poll.lines().size() >= lines + 2; }));
    const auto last = poll.lines().back();
    CHECK(last.at("replicas").as_array().size() == 2);
    CHECK(last.at("variants").at(0).at("arrival_rate_per_minute").at("state") == "present");

    watched.prometheus().start();
    CHECK(eventually([&] { return age() < 3; }));
    CHECK(poll.stop() == 0);
}
