// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/replica_flavors.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>

using namespace wva_metrics;
using detail::ReplicaFlavors;
using prometheus::Flavor;

TEST_CASE("each replica has its own make, and until it tells it, that of the others") {
    const TimePoint now{std::chrono::hours(1)};
    ReplicaFlavors flavors(Flavor::unknown, 3);
    CHECK(flavors.current(1) == Flavor::unknown);
    CHECK(flavors.of(0).claim(now));
    flavors.of(0).learn(Flavor::victoria_metrics, now);
    for (const std::size_t replica : {0U, 1U, 2U})
        CHECK(flavors.current(replica) == Flavor::victoria_metrics);
    CHECK_FALSE(flavors.of(0).claim(now));
    CHECK(flavors.of(1).claim(now));
    flavors.of(1).learn(Flavor::prometheus, now);
    CHECK(flavors.current(0) == Flavor::victoria_metrics);
    CHECK(flavors.current(1) == Flavor::prometheus);
}

TEST_CASE("a configured make holds for all replicas, and none is asked for it") {
    ReplicaFlavors flavors(Flavor::thanos, 2);
    for (const std::size_t replica : {0U, 1U}) {
        CHECK(flavors.current(replica) == Flavor::thanos);
        CHECK_FALSE(flavors.of(replica).claim(TimePoint{}));
    }
}
