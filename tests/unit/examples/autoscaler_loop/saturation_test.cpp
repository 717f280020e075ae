// SPDX-License-Identifier: Apache-2.0
#include "support/observations.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring, Catch::Matchers::EndsWith;

TEST_CASE("a variant whose replicas have too little headroom gets one more") {
    CHECK(decided(loaded({{0.75, 0}, {0.75, 0}})).wanted == 3);
    CHECK(decided(loaded({{0.1, 2.5}, {0.1, 2.5}})).wanted == 3);
    CHECK(decided(loaded({{0.95, 40}})).wanted == 2);
    CHECK_THAT(decided(loaded({{0.75, 0}})).reason, ContainsSubstring("KV cache headroom 5.0 %"));
    CHECK_THAT(decided(loaded({{0.1, 4}})).reason,
               ContainsSubstring("queue headroom 1.0 < 3 requests"));

    SECTION("but not while there is enough headroom, on average") {
        CHECK(decided(loaded({{0.69, 2}, {0.69, 2}})).wanted == 2);
        CHECK(decided(loaded({{0.99, 0}, {0.3, 0}, {0.3, 0}})).wanted == 3);
    }
    SECTION("a full replica has no headroom in the other resource either") {
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
    SECTION("an incomplete observation too") {
        Observation incomplete = idle;
        incomplete.why_incomplete = "some reason";
        CHECK(decide(incomplete, rule, interrupted, now - 500ms).wanted == 3);
        CHECK(decide(idle, rule, interrupted, now).wanted == 3);
    }
    SECTION("scaling too") {
        record_scaling(3, 2, interrupted, now);
        CHECK(decide(loaded({{0.1, 0}, {0.1, 0}}), rule, interrupted, now + 1s).wanted == 2);
    }
}

TEST_CASE("one replica fewer must carry the whole load and keep its headroom") {
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
    record_scaling(2, 3, history, now - 60s);

    full.current = 3;
    full.why_incomplete = "2 of 3 replicas report";
    SECTION("as long as it starts") {
        const Decision decision = decide(full, rule, history, now);
        CHECK(decision.wanted == 3);
        CHECK_THAT(decision.reason,
                   ContainsSubstring("1m0s < 10m0s ago and may be starting: 2 of 3 replicas"));
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
        {measured(0, 61s), "1m1s old > 1m0s"}};
    for (const Case& each : cases) {
        INFO(each.reason);
        Observation seen{3};
        seen.replicas = {replica("a", idle, idle), replica("b", each.reading, idle),
                         replica("c", idle, idle)};
        const Decision of_cache = decided(seen, patient());
        CHECK(of_cache.wanted == 3);
        CHECK_THAT(of_cache.reason, EndsWith("KV cache of b is unknown: " + each.reason));

        seen.replicas[1] = replica("b", idle, each.reading);
        const Decision of_queue = decided(seen, patient());
        CHECK(of_queue.wanted == 3);
        CHECK_THAT(of_queue.reason, EndsWith("queue of b is unknown: " + each.reason));

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
               ContainsSubstring("but the maximum of 3 is reached"));
}

TEST_CASE("a variant is observed with its own replicas and why they may be incomplete") {
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
    CHECK(observed(2).why_incomplete.empty());
    CHECK(observed(3).why_incomplete == "2 of 3 replicas report");
    CHECK(observed(1).why_incomplete == "2 of 1 replicas report");

    model.unattributed_pods = {"whose"};
    CHECK(observed(2).why_incomplete.empty());
    CHECK(observed(3).why_incomplete == "2 of 3 replicas report, pod whose belongs to no variant");

    model.partial = true;
    CHECK(observed(2).why_incomplete == "the answer is partial");
    model.warnings = {"one half is missing"};
    CHECK(observed(2).why_incomplete == "the answer is partial: one half is missing");
    source = Source::stale_on_error;
    CHECK_THAT(observed(2).why_incomplete, ContainsSubstring("last good values"));

    const Observation nothing = observe(Error(Errc::timeout, "no answer"), "v", 2);
    CHECK(nothing.why_incomplete == "timeout: no answer");
    CHECK(nothing.replicas.empty());
    CHECK(decided(nothing, patient()).wanted == 2);
}
