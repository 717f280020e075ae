// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/workload_refresh.hpp"

#include "wva_metrics/attribution/known_workloads.hpp"
#include "wva_metrics/workload.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace std::chrono_literals;
using detail::WorkloadRefresh;

namespace {

/// Workloads that rounds keep known.
struct RefreshedWorkloads {
    void round(TimePoint at) {
        if (!refresh.begin_if_due(at, known.changes()))
            return;
        ++refreshes;
        known.remember({&variant, 1}, at);
    }
    bool is_known() const { return known.others(variant.model(), {}).size() == 1; }

    const VariantAutoscaling variant{"llm", "v", "m", "d"};
    KnownWorkloads known;
    WorkloadRefresh refresh;
    int refreshes = 0;
};

} // namespace

TEST_CASE("workloads stay known while rounds pass, and few rounds remember them") {
    RefreshedWorkloads workloads;
    const TimePoint first_round{1h};
    workloads.known.remember({&workloads.variant, 1}, first_round);
    for (TimePoint at = first_round; at < first_round + 1h; at += 15s) {
        workloads.round(at);
        REQUIRE(workloads.is_known());
    }
    CHECK(workloads.refreshes >= 24);
    CHECK(workloads.refreshes <= 26);
}

TEST_CASE("a workload that was forgotten for one variant is known again after a round") {
    RefreshedWorkloads workloads;
    const TimePoint first_round{1h};
    workloads.round(first_round);
    workloads.round(first_round + 15s);
    workloads.round(first_round + 30s);
    REQUIRE(workloads.refreshes == 2); // The first of them made the workload known, a change.
    workloads.known.forget(VariantAutoscaling("llm", "sibling", "m", "d"));
    REQUIRE_FALSE(workloads.is_known());
    workloads.round(first_round + 45s);
    CHECK(workloads.is_known());
}
