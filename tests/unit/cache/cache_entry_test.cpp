// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/cache_entry.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;

TEST_CASE("an entry is fresh up to its TTL and kept up to its last moment, both included") {
    constexpr Duration tick(1);
    const CacheEntryPtr entry = make_entry(at(0s), 30s, 90s);
    CHECK(entry->is_fresh(at(0s)));
    CHECK(entry->is_fresh(at(30s)));
    CHECK_FALSE(entry->is_fresh(at(30s) + tick));
    CHECK_FALSE(entry->is_expired(at(90s)));
    CHECK(entry->is_expired(at(90s) + tick));
}

TEST_CASE("the age of an entry counts from its collection and is never negative") {
    const CacheEntryPtr entry = make_entry(at(10s));
    CHECK(entry->age(at(70s)) == 60s);
    CHECK(entry->age(at(10s)) == 0s);
    CHECK(entry->age(at(3s)) == 0s);
}

TEST_CASE("an entry returns its answer only as the kind that it holds") {
    const CacheEntry entry(Availability{true, AvailabilityReason::metrics_found, "ok"}, at(0s),
                           at(1s), at(2s));
    REQUIRE(entry.get<Availability>() != nullptr);
    CHECK(entry.get<Availability>()->message == "ok");
    CHECK(entry.get<OptimizerMetrics>() == nullptr);
    CHECK(entry.get<ReplicaSamples>() == nullptr);
}

TEST_CASE("an entry counts the memory of its texts and lists") {
    const std::size_t empty = make_entry(at(0s), 1s, 1s, 0)->bytes();
    CHECK(empty >= sizeof(CacheEntry));
    CHECK(make_entry(at(0s), 1s, 1s, 1000)->bytes() >= empty + 1000);

    ReplicaSamples samples;
    const std::size_t bare = CacheEntry(samples, at(0s), at(0s), at(0s)).bytes();
    samples.pods.resize(10);
    const std::size_t with_pods = CacheEntry(samples, at(0s), at(0s), at(0s)).bytes();
    CHECK(with_pods >= bare + 10 * sizeof(ReplicaSample));
    samples.pods.front().owner = PodOwner{"ReplicaSet", std::string(500, 'r')};
    samples.gone_pods.emplace_back(200, 'g');
    CHECK(CacheEntry(samples, at(0s), at(0s), at(0s)).bytes() >= with_pods + 700);
}

TEST_CASE("an entry records its last use to within a second") {
    const CacheEntryPtr entry = make_entry(at(0s));
    CHECK(entry->last_used() == TimePoint());
    entry->mark_used(at(5s));
    CHECK(entry->last_used() == at(5s));
    entry->mark_used(at(5900ms));
    CHECK(entry->last_used() == at(5s));
    entry->mark_used(at(6s));
    CHECK(entry->last_used() == at(6s));
    entry->mark_used(at(2s));
    CHECK(entry->last_used() == at(6s));
}
