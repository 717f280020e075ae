// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/flight_table.hpp"

#include "support/flights.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace wva_metrics::test_support::flights;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint deadline = start + 10s;

} // namespace

TEST_CASE("callers join the flight of their key until it is settled") {
    FlightTable table;
    const ModelKey a = model("a");
    const FlightPtr flight = table.open(replicas_of(a), nullptr, deadline);
    CHECK(table.find(replica_key(a)) == flight);
    CHECK(!table.find(availability_key(a)));
    CHECK(table.is_open(flight));
    const WaiterPtr one = std::make_shared<SilentWaiter>();
    const WaiterPtr two = std::make_shared<SilentWaiter>();
    table.join(flight, one);
    table.join(flight, two);
    CHECK(table.waiting() == 2);
    CHECK(table.leave(one));
    CHECK(!table.leave(one));
    CHECK(table.settle(flight) == std::vector<WaiterPtr>{two});
    CHECK(!table.leave(two)); // It is being completed.
    CHECK(!table.is_open(flight));
    CHECK(table.settle(flight).empty());
    CHECK(!table.find(replica_key(a)));
    CHECK(table.waiting() == 0);
    CHECK(table.in_flight() == 0);
}

TEST_CASE("no caller joins a discarded flight, which still settles with its waiters") {
    FlightTable table;
    const ModelKey a = model("a");
    const FlightPtr before = table.open(replicas_of(a), nullptr, deadline);
    const WaiterPtr waiter = std::make_shared<SilentWaiter>();
    table.join(before, waiter);
    CHECK(table.discard(replica_key(a)));
    CHECK(!table.discard(replica_key(a)));
    const FlightPtr after = table.open(replicas_of(a), nullptr, deadline);
    CHECK(after != before);
    CHECK(before->discarded);
    CHECK(!after->discarded);
    CHECK(table.settle(before).size() == 1);
    CHECK(table.find(replica_key(a)) == after); // Settling the older one does not affect it.
}

TEST_CASE("a flight opened over another replaces it, and both are in flight") {
    FlightTable table;
    const TargetPtr a = replicas_of(model("a"));
    const FlightPtr before = table.open(a, nullptr, deadline);
    const FlightPtr after = table.open(replicas_of(model("a")), nullptr, deadline);
    CHECK(before->discarded);
    CHECK(!after->discarded);
    CHECK(table.find(replica_key(model("a"))) == after);
    CHECK(table.in_flight() == 2);
    table.settle(after);
    CHECK(table.in_flight() == 1);
    table.settle(before);
    CHECK(table.in_flight() == 0);
}

TEST_CASE("all flights can be settled at the end, discarded ones too") {
    FlightTable table;
    for (const char* id : {"a", "b", "c"}) {
        const ModelKey key = model(id);
        table.join(table.open(replicas_of(key), nullptr, deadline),
                   std::make_shared<SilentWaiter>());
    }
    table.discard_if([](const Target& target) { return key_of(target).name == "b"; });
    std::size_t waiters = 0;
    while (const FlightPtr flight = table.any())
        waiters += table.settle(flight).size();
    CHECK(waiters == 3);
    CHECK(table.waiting() == 0);
}

TEST_CASE("waiters leave in any order without a search") {
    constexpr std::size_t count = 1000;
    FlightTable table;
    const FlightPtr flight = table.open(replicas_of(model("a")), nullptr, deadline);
    std::vector<WaiterPtr> inside;
    for (std::size_t i = 0; i < count; ++i) {
        inside.push_back(std::make_shared<SilentWaiter>());
        table.join(flight, inside.back());
    }
    inside[0]->place = 1;
    CHECK_FALSE(table.leave(inside[0])); // A search would find it.
    inside[0]->place = 0;

    std::mt19937 random(42);
    std::shuffle(inside.begin(), inside.end(), random);
    while (!inside.empty()) {
        REQUIRE(table.leave(inside.back()));
        REQUIRE_FALSE(table.leave(inside.back()));
        inside.pop_back();
        REQUIRE(table.waiting() == inside.size());
        for (const WaiterPtr& waiter : inside) // Each knows its own place.
            if (flight->waiters.at(waiter->place) != waiter)
                FAIL("a waiter is not where it thinks");
    }
}
