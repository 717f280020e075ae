// SPDX-License-Identifier: Apache-2.0
#include "../../../../examples/autoscaler_loop/saturation.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace saturation;
using Catch::Matchers::ContainsSubstring;

namespace {

const TimePoint now{10h};
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Reading<double> measured(double value, Duration ago = 1s) {
    return Reading<double>::measured(value, now - ago);
}

ReplicaMetrics replica(std::string pod, const Reading<double>& kv_cache,
                       const Reading<double>& queue) {
    ReplicaMetrics metrics;
    metrics.pod = std::move(pod);
    metrics.variant = "v";
    metrics.kv_cache_usage = kv_cache;
    metrics.queue_length = queue;
    return metrics;
}

/// Replicas with these KV caches and queues, all of which report.
Observation loaded(const std::vector<std::pair<double, double>>& loads) {
    Observation seen{loads.size()};
    for (const auto& [kv_cache, queue] : loads)
        seen.replicas.push_back(replica("pod-" + std::to_string(seen.replicas.size()),
                                        measured(kv_cache), measured(queue)));
    return seen;
}

/// A history after which one replica fewer may go at once.
History patient() {
    return {.spare_since = now - 1h};
}

Decision decided(const Observation& seen, History history = {}, const Rule& rule = {}) {
    return decide(seen, rule, history, now);
}

} // namespace

TEST_CASE("a variant whose replicas have too little room left gets one more") {
    CHECK(decided(loaded({{0.75, 0}, {0.75, 0}})).wanted == 3);
    CHECK(decided(loaded({{0.1, 2.5}, {0.1, 2.5}})).wanted == 3);
    CHECK(decided(loaded({{0.95, 40}})).wanted == 2);
    CHECK_THAT(decided(loaded({{0.75, 0}})).reason, ContainsSubstring("KV cache has 5.0 % room"));
    CHECK_THAT(decided(loaded({{0.1, 4}})).reason, ContainsSubstring("queue has room for 1.0"));

    SECTION("but not while there is room, on average") {
        CHECK(decided(loaded({{0.69, 2}, {0.69, 2}})).wanted == 2);
        CHECK(decided(loaded({{0.99, 0}, {0.3, 0}, {0.3, 0}})).wanted == 3);
    }
    SECTION("a full replica has no room of the other kind either") {
        CHECK(decided(loaded({{0.05, 50}, {0.69, 0}, {0.69, 0}, {0.69, 0}, {0.69, 0}})).wanted ==
              6);
    }
}

TEST_CASE("one replica fewer is wanted once it would have sufficed for the stabilisation window") {
    const Rule rule{.stabilisation = 60s};
    History history;
    const Observation idle = loaded({{0.1, 0}, {0.1, 0}, {0.1, 0}});
    CHECK(decide(idle, rule, history, now - 60s).wanted == 3);
    CHECK(decide(idle, rule, history, now - 1s).wanted == 3);
    History interrupted = history;
    CHECK(decide(idle, rule, history, now).wanted == 2);

    SECTION("anything else begins the window anew") {
        const Observation busy = loaded({{0.5, 0}, {0.5, 0}, {0.5, 0}});
        CHECK(decide(busy, rule, interrupted, now - 1500ms).wanted == 3);
        CHECK(decide(idle, rule, interrupted, now - 1s).wanted == 3);
        CHECK(decide(idle, rule, interrupted, now + 59s).wanted == 2);
    }
    SECTION("doubt too") {
        Observation doubted = idle;
        doubted.doubt = "who knows";
        CHECK(decide(doubted, rule, interrupted, now - 500ms).wanted == 3);
        CHECK(decide(idle, rule, interrupted, now).wanted == 3);
    }
    SECTION("scaling too") {
        carried_out(3, 2, interrupted, now);
        CHECK(decide(loaded({{0.1, 0}, {0.1, 0}}), rule, interrupted, now + 1s).wanted == 2);
    }
}

TEST_CASE("one replica fewer must carry the whole load and keep its room") {
    CHECK(decided(loaded({{0.34, 0}, {0.34, 0}}), patient()).wanted == 1);
    CHECK(decided(loaded({{0.36, 0}, {0.36, 0}}), patient()).wanted == 2);
    CHECK(decided(loaded({{0.1, 1}, {0.1, 1}}), patient()).wanted == 1);
    CHECK(decided(loaded({{0.1, 1.1}, {0.1, 1.1}}), patient()).wanted == 2);
    // Little in all, but one replica has trouble.
    CHECK(decided(loaded({{0.9, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}), patient()).wanted == 5);
}

TEST_CASE("after scaling up, the next one waits until the replica shows its effect") {
    const Rule rule{.pause = 60s, .start_limit = 10min};
    Observation full = loaded({{0.9, 9}, {0.9, 9}});
    History history;
    CHECK(decide(full, rule, history, now - 60s).wanted == 3);
    carried_out(2, 3, history, now - 60s);

    full.current = 3;
    full.doubt = "2 of 3 replicas report";
    SECTION("as long as it starts") {
        const Decision decision = decide(full, rule, history, now);
        CHECK(decision.wanted == 3);
        CHECK_THAT(decision.reason, ContainsSubstring("1m0s ago and may be starting"));
    }
    SECTION("but not for ever") {
        CHECK(decide(full, rule, history, now + 9min - 1s).wanted == 3);
        for (ReplicaMetrics& each : full.replicas)
            each.kv_cache_usage = Reading<double>::measured(0.9, now + 9min);
        CHECK(decide(full, rule, history, now + 9min).wanted == 4);
    }
    SECTION("and less long when it has started") {
        full = loaded({{0.9, 9}, {0.9, 9}, {0.9, 9}});
        CHECK(decide(full, rule, history, now - 1s).wanted == 3);
        CHECK(decide(full, rule, history, now).wanted == 4);
    }
    SECTION("a replica that does not report keeps nothing from being scaled up otherwise") {
        CHECK(decided(full).wanted == 4);
    }
}

TEST_CASE("what is unknown is neither idle nor busy, and never scales down") {
    const auto nothing = Reading<double>::missing(ReadingReason::no_series);
    const auto idle = measured(0);
    struct Case {
        Reading<double> reading;
        std::string reason;
    };
    const std::vector<Case> cases{
        {nothing, "no_series"},
        {Reading<double>::missing(ReadingReason::backend_error), "backend_error"},
        {measured(not_a_number), "not_finite"},
        {measured(0, 61s), "too old"}};
    for (const Case& each : cases) {
        INFO(each.reason);
        Observation seen{3};
        seen.replicas = {replica("a", idle, idle), replica("b", each.reading, idle),
                         replica("c", idle, idle)};
        const Decision of_cache = decided(seen, patient());
        CHECK(of_cache.wanted == 3);
        CHECK(of_cache.reason == "KV cache of b is unknown: " + each.reason);

        seen.replicas[1] = replica("b", idle, each.reading);
        const Decision of_queue = decided(seen, patient());
        CHECK(of_queue.wanted == 3);
        CHECK(of_queue.reason == "queue of b is unknown: " + each.reason);

        // Nothing is known at all.
        for (ReplicaMetrics& replica : seen.replicas)
            replica.kv_cache_usage = replica.queue_length = each.reading;
        CHECK(decided(seen, patient()).wanted == 3);

        // What is known still scales up.
        for (ReplicaMetrics& replica : seen.replicas)
            replica.queue_length = measured(7);
        CHECK(decided(seen, patient()).wanted == 4);
    }
}

TEST_CASE("bounds hold, and what was scaled to zero stays there") {
    const Rule rule{.min_replicas = 2, .max_replicas = 3};
    CHECK(decided(loaded({{0, 0}, {0, 0}}), patient(), rule).wanted == 2);
    CHECK(decided(loaded({{1, 99}, {1, 99}, {1, 99}}), {}, rule).wanted == 3);
    CHECK(decided(loaded({{0, 0}}), {}, rule).wanted == 2);
    CHECK(decided(loaded({{1, 99}, {1, 99}, {1, 99}, {1, 99}}), {}, rule).wanted == 3);
    CHECK(decided(loaded({}), patient(), rule).wanted == 0);
    CHECK_THAT(decided(loaded({{1, 99}, {1, 99}, {1, 99}}), {}, rule).reason,
               ContainsSubstring("but that is the maximum"));
}

TEST_CASE(
    "a variant is observed with its own replicas and every reason to doubt that they are all") {
    ModelReplicas model;
    model.replicas = {replica("a", measured(0.1), measured(0)),
                      replica("b", measured(0.2), measured(0)),
                      replica("other", measured(0.9), measured(9))};
    model.replicas.back().variant = "w";
    Source source = Source::cache;
    const auto observed = [&](std::size_t current) {
        return observe(
            ReplicaSnapshot(std::make_shared<ModelReplicas>(model), now, Freshness::stale, source),
            "v", current);
    };
    CHECK(observed(2).current == 2);
    REQUIRE(observed(2).replicas.size() == 2);
    CHECK(observed(2).replicas[1].pod == "b");
    CHECK(observed(2).doubt.empty());
    CHECK(observed(3).doubt == "2 of 3 replicas report");
    CHECK(observed(1).doubt == "2 of 1 replicas report");

    model.unattributed_pods = {"whose"};
    CHECK(observed(2).doubt.empty());
    CHECK(observed(3).doubt == "2 of 3 replicas report, pod whose belongs to no variant");

    model.partial = true;
    CHECK(observed(2).doubt == "the answer is partial");
    model.warnings = {"one half is missing"};
    CHECK(observed(2).doubt == "the answer is partial: one half is missing");
    source = Source::stale_on_error;
    CHECK_THAT(observed(2).doubt, ContainsSubstring("last good numbers"));

    const Observation nothing = observe(Error(Errc::timeout, "no answer"), "v", 2);
    CHECK(nothing.doubt == "timeout: no answer");
    CHECK(nothing.replicas.empty());
    CHECK(decided(nothing, patient()).wanted == 2);
}

namespace {

/// Anything that a cluster could show, and much that it could not.
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
        rule.kv_cache_room = real(0, 0.5);
        rule.queue_room = real(0, 5);
        rule.stabilisation = std::chrono::seconds(number(0, 100));
        return rule;
    }
    History history() {
        History history;
        if (!one_in(3))
            history.spare_since = now - std::chrono::seconds(number(0, 200));
        if (one_in(3))
            history.scaled_up_at = now - std::chrono::seconds(number(0, 900));
        return history;
    }
    /// All of it known.
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
    CHECK(differences > trials / 20); // The trials try something.
}

TEST_CASE("doubt never scales down, whatever else is known") {
    Chance chance(2);
    int prevented = 0;
    for (int i = 0; i < trials; ++i) {
        const Rule rule = chance.rule();
        const History history = chance.history();
        Observation seen = chance.observation();
        if (seen.replicas.empty())
            continue;
        const std::size_t without_doubt = decided(seen, history, rule).wanted;
        ReplicaMetrics& doubtful = seen.replicas[chance.number(0, seen.replicas.size() - 1)];
        if (chance.one_in(2))
            seen.doubt = "because";
        else
            (chance.one_in(2) ? doubtful.kv_cache_usage : doubtful.queue_length) = chance.unknown();
        const Decision decision = decided(seen, history, rule);
        INFO("trial " << i << ": " << decision.reason);
        REQUIRE(decision.wanted >= std::min(seen.current, rule.max_replicas));
        prevented += without_doubt < decision.wanted;
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
            carried_out(current, wanted, history, time);
            current = wanted;
            changed = time;
        }
        INFO(kv_cache << " of KV cache, " << queue << " in queues: " << current);
        const auto each = static_cast<double>(current);
        CHECK(kv_cache / each <= rule.full_kv_cache - rule.kv_cache_room);
        CHECK(queue / each <= rule.full_queue - rule.queue_room);
        CHECK(changed < now + 1h);
    }
}
