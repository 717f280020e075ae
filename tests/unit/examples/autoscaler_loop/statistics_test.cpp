// SPDX-License-Identifier: Apache-2.0
#include "../examples/autoscaler_loop/log_line.hpp"
#include "support/observations.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring, Catch::Matchers::EndsWith;

namespace {

Reading<double> peak(double value, Duration ago, double latest, Duration latest_ago = 1s) {
    return Reading<double>::measured(value, now - ago, {},
                                     {.statistic = Statistic::peak,
                                      .window = 60s,
                                      .latest = latest,
                                      .last_sample_at = now - latest_ago});
}

Reading<double> at_least(double value) {
    return Reading<double>::measured(value, now - 1s, {}, {.is_lower_bound = true});
}

} // namespace

TEST_CASE("row 18: a fleet whose load has fallen is not scaled up because of the peak") {
    Observation fallen{2};
    for (const char* pod : {"a", "b"})
        fallen.replicas.push_back(replica(pod, peak(0.95, 50s, 0), peak(40, 50s, 0)));
    const Decision decision = decided(fallen, patient());
    CHECK(decision.wanted == 2);
    // Nor down: the peak was within the window.
    CHECK_THAT(decision.reason, EndsWith("is full: KV cache 95 % >= 80 %"));

    SECTION("but it is if the load is still there") {
        for (ReplicaMetrics& each : fallen.replicas)
            each.kv_cache_usage = peak(0.95, 50s, 0.9);
        CHECK(decided(fallen).wanted == 3);
    }
    SECTION("and it is scaled down when the window has passed") {
        for (ReplicaMetrics& each : fallen.replicas)
            each = replica(each.pod, peak(0.1, 50s, 0), peak(0, 50s, 0));
        CHECK(decided(fallen, patient()).wanted == 1);
    }
}

TEST_CASE("a peak is as recent as the last sample") {
    Observation seen{1};
    // The sample that holds the peak is older than `max_age`.
    seen.replicas = {replica("a", peak(0.95, 70s, 0.9), peak(9, 70s, 9))};
    CHECK(decided(seen).wanted == 2);
    seen.replicas = {replica("a", peak(0.95, 70s, 0.9, 61s), peak(9, 70s, 9, 61s))};
    CHECK(decided(seen).wanted == 1);
    CHECK_THAT(decided(seen).reason, ContainsSubstring("1m1s old > 1m0s"));
}

TEST_CASE("row 5: a lower bound never scales down, but may scale up") {
    Observation seen = loaded({{0.1, 0}, {0.1, 0}, {0.1, 0}});
    CHECK(decided(seen, patient()).wanted == 2);
    seen.replicas[1].queue_length = at_least(0);
    const Decision kept = decided(seen, patient());
    CHECK(kept.wanted == 3);
    CHECK_THAT(kept.reason, EndsWith("not fewer: a part of pod-1 is not measured"));
    seen.replicas[1] = replica("pod-1", at_least(0.1), measured(0));
    CHECK(decided(seen, patient()).wanted == 3);

    for (ReplicaMetrics& each : seen.replicas)
        each.queue_length = at_least(4);
    CHECK(decided(seen).wanted == 4);
}

TEST_CASE("row 19: after a crash the replicas that live can still be a reason to scale up") {
    // The second pod ended four seconds ago, or is remembered with what it last said.
    Observation crashed = loaded({{0.9, 9}});
    crashed.current = 2;
    crashed.why_incomplete = "1 of 2 replicas report";
    CHECK(decided(crashed).wanted == 3);
    crashed.replicas.push_back(replica("ended", measured(0.9, 64s), measured(9, 64s)));
    CHECK(decided(crashed).wanted == 3);
    // The load of the living one is low: nothing is certain, so nothing changes.
    crashed.replicas[0] = replica("alive", measured(0.1), measured(0));
    CHECK(decided(crashed, patient()).wanted == 2);
}

TEST_CASE("the line of a decision has a peak beside the last sample, and marks lower bounds") {
    Observation seen{2};
    seen.replicas = {replica("a", peak(0.95, 50s, 0), at_least(4)),
                     replica("b", measured(0.5), measured(0))};
    CHECK(saturation::describe_replicas(seen, Rule{}, now) ==
          "; KV cache 95 %/0 % 50 %, queue 4+ 0, samples up to 1s old");
}
