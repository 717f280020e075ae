// SPDX-License-Identifier: Apache-2.0
#include "saturation_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace saturation;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a variant gets one more replica if its replicas have too little room") {
    CHECK(decided(loaded({{0.75, 0}, {0.75, 0}})).wanted == 3);
    CHECK(decided(loaded({{0.1, 2.5}, {0.1, 2.5}})).wanted == 3);
    CHECK(decided(loaded({{0.95, 40}})).wanted == 2);
    CHECK_THAT(decided(loaded({{0.75, 0}})).reason, ContainsSubstring("KV cache has 5.0 % room"));
    CHECK_THAT(decided(loaded({{0.1, 4}})).reason, ContainsSubstring("queue has room for 1.0"));

    SECTION("not if there is room on average") {
        CHECK(decided(loaded({{0.69, 2}, {0.69, 2}})).wanted == 2);
        CHECK(decided(loaded({{0.99, 0}, {0.3, 0}, {0.3, 0}})).wanted == 3);
    }
    SECTION("a replica that is full in one respect has no room in the other") {
        CHECK(decided(loaded({{0.05, 50}, {0.69, 0}, {0.69, 0}, {0.69, 0}, {0.69, 0}})).wanted ==
              6);
    }
}

TEST_CASE("a variant loses a replica after one fewer has sufficed for the stabilisation window") {
    const Rule rule{.stabilisation = 60s};
    History history;
    const Observation idle = loaded({{0.1, 0}, {0.1, 0}, {0.1, 0}});
    CHECK(decide(idle, rule, history, now - 60s).wanted == 3);
    CHECK(decide(idle, rule, history, now - 1s).wanted == 3);
    History interrupted = history;
    CHECK(decide(idle, rule, history, now).wanted == 2);

    SECTION("a higher load restarts the window") {
        const Observation busy = loaded({{0.5, 0}, {0.5, 0}, {0.5, 0}});
        CHECK(decide(busy, rule, interrupted, now - 1500ms).wanted == 3);
        CHECK(decide(idle, rule, interrupted, now - 1s).wanted == 3);
        CHECK(decide(idle, rule, interrupted, now + 59s).wanted == 2);
    }
    SECTION("doubt restarts the window") {
        Observation doubted = idle;
        doubted.doubt = "who knows";
        CHECK(decide(doubted, rule, interrupted, now - 500ms).wanted == 3);
        CHECK(decide(idle, rule, interrupted, now).wanted == 3);
    }
    SECTION("scaling restarts the window") {
        carried_out(3, 2, interrupted, now);
        CHECK(decide(loaded({{0.1, 0}, {0.1, 0}}), rule, interrupted, now + 1s).wanted == 2);
    }
}

TEST_CASE("one replica fewer must carry the whole load with enough room") {
    CHECK(decided(loaded({{0.34, 0}, {0.34, 0}}), patient()).wanted == 1);
    CHECK(decided(loaded({{0.36, 0}, {0.36, 0}}), patient()).wanted == 2);
    CHECK(decided(loaded({{0.1, 1}, {0.1, 1}}), patient()).wanted == 1);
    CHECK(decided(loaded({{0.1, 1.1}, {0.1, 1.1}}), patient()).wanted == 2);
    // The total load is small, but one replica is full.
    CHECK(decided(loaded({{0.9, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}), patient()).wanted == 5);
}

TEST_CASE("after scaling up, the next step waits until the new replica takes load") {
    const Rule rule{.pause = 60s, .start_limit = 10min};
    Observation full = loaded({{0.9, 9}, {0.9, 9}});
    History history;
    CHECK(decide(full, rule, history, now - 60s).wanted == 3);
    carried_out(2, 3, history, now - 60s);

    full.current = 3;
    full.doubt = "2 of 3 replicas report";
    SECTION("while it starts") {
        const Decision decision = decide(full, rule, history, now);
        CHECK(decision.wanted == 3);
        CHECK_THAT(decision.reason, ContainsSubstring("1m0s ago and may be starting"));
    }
    SECTION("but not longer than the start limit") {
        CHECK(decide(full, rule, history, now + 9min - 1s).wanted == 3);
        for (ReplicaMetrics& each : full.replicas)
            each.kv_cache_usage = Reading<double>::measured(0.9, now + 9min);
        CHECK(decide(full, rule, history, now + 9min).wanted == 4);
    }
    SECTION("and only for the pause if it has started") {
        full = loaded({{0.9, 9}, {0.9, 9}, {0.9, 9}});
        CHECK(decide(full, rule, history, now - 1s).wanted == 3);
        CHECK(decide(full, rule, history, now).wanted == 4);
    }
    SECTION("a replica that does not report does not prevent scaling up otherwise") {
        CHECK(decided(full).wanted == 4);
    }
}

TEST_CASE("an unknown value counts as neither idle nor busy, and never scales down") {
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

        // All values are unknown.
        for (ReplicaMetrics& replica : seen.replicas)
            replica.kv_cache_usage = replica.queue_length = each.reading;
        CHECK(decided(seen, patient()).wanted == 3);

        // Known values still scale up.
        for (ReplicaMetrics& replica : seen.replicas)
            replica.queue_length = measured(7);
        CHECK(decided(seen, patient()).wanted == 4);
    }
}

TEST_CASE("bounds hold, and a variant with zero replicas stays at zero") {
    const Rule rule{.min_replicas = 2, .max_replicas = 3};
    CHECK(decided(loaded({{0, 0}, {0, 0}}), patient(), rule).wanted == 2);
    CHECK(decided(loaded({{1, 99}, {1, 99}, {1, 99}}), {}, rule).wanted == 3);
    CHECK(decided(loaded({{0, 0}}), {}, rule).wanted == 2);
    CHECK(decided(loaded({{1, 99}, {1, 99}, {1, 99}, {1, 99}}), {}, rule).wanted == 3);
    CHECK(decided(loaded({}), patient(), rule).wanted == 0);
    CHECK_THAT(decided(loaded({{1, 99}, {1, 99}, {1, 99}}), {}, rule).reason,
               ContainsSubstring("but that is the maximum"));
}

TEST_CASE("an observation has the variant's own replicas and every reason to doubt that they are "
          "complete") {
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
