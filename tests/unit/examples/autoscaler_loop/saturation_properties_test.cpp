// SPDX-License-Identifier: Apache-2.0
#include "support/observations.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Random rules, histories and observations, also ones that no cluster has.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : random_(seed) {}

    double real(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random_);
    }
    std::size_t number(std::size_t low, std::size_t high) {
        return std::uniform_int_distribution<std::size_t>(low, high)(random_);
    }
    bool one_in(std::size_t n) { return number(1, n) == 1; }

    Rule rule() {
        Rule rule;
        rule.min_replicas = number(1, 4);
        rule.max_replicas = rule.min_replicas + number(0, 5);
        rule.kv_cache_headroom = real(0, 0.5);
        rule.queue_headroom = real(0, 5);
        rule.stabilisation = std::chrono::seconds(number(0, 100));
        return rule;
    }
    History history() {
        History history;
        if (!one_in(3))
            history.scale_down_possible_since = now - std::chrono::seconds(number(0, 200));
        if (one_in(3))
            history.scaled_up_at = now - std::chrono::seconds(number(0, 900));
        return history;
    }
    /// All readings are present.
    Observation observation() {
        std::vector<std::pair<double, double>> loads;
        const double kv_cache = real(0, 1), queue = one_in(2) ? 0.5 : 8;
        for (std::size_t left = number(0, 8); left > 0; --left)
            loads.emplace_back(real(0, kv_cache), std::floor(real(0, queue)));
        return loaded(loads);
    }
    Reading<double> unknown() {
        switch (number(0, 3)) {
        case 0:
            return Reading<double>::missing(ReadingReason::no_series);
        case 1:
            return measured(std::numeric_limits<double>::infinity());
        case 2:
            return measured(not_a_number);
        default:
            return measured(real(0, 1), 2min);
        }
    }

private:
    std::mt19937_64 random_;
};

constexpr int trials = 20'000;

} // namespace

TEST_CASE("more load never gives fewer replicas, whatever the load was") {
    Chance chance(1);
    int differences = 0;
    for (int i = 0; i < trials; ++i) {
        const Rule rule = chance.rule();
        const History history = chance.history();
        const Observation some = chance.observation();
        Observation more = some;
        for (ReplicaMetrics& each : more.replicas) {
            if (chance.one_in(2))
                each.kv_cache_usage = measured(chance.real(each.kv_cache_usage.value(), 1));
            if (chance.one_in(2))
                each.queue_length = measured(each.queue_length.value() + chance.real(0, 6));
        }
        const std::size_t before = decided(some, history, rule).wanted;
        const std::size_t after = decided(more, history, rule).wanted;
        INFO("trial " << i << ": " << decided(some, history, rule).reason << " / "
                      << decided(more, history, rule).reason);
        REQUIRE(after >= before);
        differences += after > before;
    }
    CHECK(differences > trials / 20); // The trials cover such loads.
}

TEST_CASE("incomplete observations never scale down, whatever else is known") {
    Chance chance(2);
    int prevented = 0;
    for (int i = 0; i < trials; ++i) {
        const Rule rule = chance.rule();
        const History history = chance.history();
        Observation seen = chance.observation();
        if (seen.replicas.empty())
            continue;
        const std::size_t if_complete = decided(seen, history, rule).wanted;
        ReplicaMetrics& incomplete = seen.replicas[chance.number(0, seen.replicas.size() - 1)];
        if (chance.one_in(2))
            seen.why_incomplete = "some reason";
        else
            (chance.one_in(2) ? incomplete.kv_cache_usage : incomplete.queue_length) =
                chance.unknown();
        const Decision decision = decided(seen, history, rule);
        INFO("trial " << i << ": " << decision.reason);
        REQUIRE(decision.wanted >= std::min(seen.current, rule.max_replicas));
        prevented += if_complete < decision.wanted;
    }
    CHECK(prevented > trials / 50);
}

TEST_CASE("bounds hold and steps are of one, whatever is seen") {
    Chance chance(3);
    for (int i = 0; i < trials; ++i) {
        const Rule rule = chance.rule();
        History history = chance.history();
        Observation seen = chance.observation();
        if (chance.one_in(3))
            seen.current = chance.number(0, 12);
        for (ReplicaMetrics& each : seen.replicas)
            if (chance.one_in(6))
                each.kv_cache_usage = chance.unknown();
        const std::size_t wanted = decide(seen, rule, history, now).wanted;
        INFO("trial " << i << ": from " << seen.current << " to " << wanted);
        if (seen.current == 0) {
            REQUIRE(wanted == 0);
            continue;
        }
        REQUIRE(wanted >= rule.min_replicas);
        REQUIRE(wanted <= rule.max_replicas);
        if (seen.current >= rule.min_replicas && seen.current <= rule.max_replicas) {
            REQUIRE(wanted + 1 >= seen.current);
            REQUIRE(wanted <= seen.current + 1);
        }
    }
}

TEST_CASE("a steady load is met with enough replicas and then left alone") {
    Chance chance(4);
    for (int i = 0; i < 200; ++i) {
        const Rule rule{.min_replicas = 1,
                        .max_replicas = 20,
                        .pause = 60s,
                        .stabilisation = std::chrono::seconds(chance.number(0, 120))};
        const double kv_cache = chance.real(0, 8), queue = chance.real(0, 20);
        std::size_t current = chance.number(1, 20);
        History history;
        TimePoint time = now, changed = now;
        for (; time < now + 2h; time += 15s) {
            Observation seen{current};
            const auto each = static_cast<double>(current);
            seen.replicas.assign(
                current,
                replica("pod", Reading<double>::measured(std::min(1.0, kv_cache / each), time),
                        Reading<double>::measured(queue / each, time)));
            const std::size_t wanted = decide(seen, rule, history, time).wanted;
            if (wanted == current)
                continue;
            record_scaling(current, wanted, history, time);
            current = wanted;
            changed = time;
        }
        INFO(kv_cache << " of KV cache, " << queue << " in queues: " << current);
        const auto each = static_cast<double>(current);
        // The rule rounds what it compares to 0.1 % of a KV cache and 0.1 requests.
        CHECK(kv_cache / each <= rule.full_kv_cache - rule.kv_cache_headroom + 0.0005);
        CHECK(queue / each <= rule.full_queue - rule.queue_headroom + 0.05);
        CHECK(changed < now + 1h);
    }
}
