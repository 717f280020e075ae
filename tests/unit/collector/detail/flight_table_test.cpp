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

TargetPtr availability_of(const ModelKey& model) {
    return std::make_shared<const Target>(AvailabilityTarget{model});
}

} // namespace

TEST_CASE("callers join the flight of their key until it is settled") {
    FlightTable table;
    const ModelKey a = model("a");
    const FlightPtr flight = table.open(replicas_of(a), nullptr);
    CHECK(table.find(replica_key(a)) == flight);
    CHECK(!table.find(availability_key(a)));
    const WaiterPtr one = std::make_shared<SilentWaiter>();
    const WaiterPtr two = std::make_shared<SilentWaiter>();
    table.join(flight, one);
    table.join(flight, two);
    CHECK(table.waiting() == 2);
    CHECK(table.leave(one));
    CHECK(!table.leave(one));
    CHECK(table.settle(flight) == std::vector<WaiterPtr>{two});
    CHECK(!table.leave(two)); // It is being completed.
    CHECK(!table.find(replica_key(a)));
    CHECK(table.waiting() == 0);
    CHECK(table.in_flight() == 0);
}

TEST_CASE("no caller joins a discarded flight, which still settles with its waiters") {
    FlightTable table;
    const ModelKey a = model("a");
    const FlightPtr before = table.open(replicas_of(a), nullptr);
    const WaiterPtr waiter = std::make_shared<SilentWaiter>();
    table.join(before, waiter);
    CHECK(table.discard(replica_key(a)));
    CHECK(!table.discard(replica_key(a)));
    const FlightPtr after = table.open(replicas_of(a), nullptr);
    CHECK(after != before);
    CHECK(before->discarded);
    CHECK(!after->discarded);
    CHECK(table.settle(before).size() == 1);
    CHECK(table.find(replica_key(a)) == after); // Settling the older one does not affect it.
}

TEST_CASE("opening first yields to a flight of the same key, except a discarded one") {
    FlightTable table;
    const TargetPtr a = replicas_of(model("a"));
    const FlightPtr first = table.open_first(a, nullptr);
    REQUIRE(first);
    CHECK(first->target == a); // Not a copy.
    CHECK(table.open_first(replicas_of(model("a")), nullptr) == nullptr);
    CHECK(!first->discarded);
    CHECK(table.find(replica_key(model("a"))) == first);
    CHECK(table.open_first(availability_of(model("a")), nullptr));
    table.discard(replica_key(model("a")));
    CHECK(table.open_first(a, nullptr));
    CHECK(table.in_flight() == 3);
    table.settle(first);
    CHECK(table.in_flight() == 2);
}

TEST_CASE("a flight opened over another replaces it, and both are in flight") {
    FlightTable table;
    const TargetPtr a = replicas_of(model("a"));
    const FlightPtr before = table.open(a, nullptr);
    const FlightPtr after = table.open(replicas_of(model("a")), nullptr);
    CHECK(before->discarded);
    CHECK(!after->discarded);
    CHECK(table.find(replica_key(model("a"))) == after);
    CHECK(table.in_flight() == 2);
    table.settle(after);
    CHECK(table.in_flight() == 1);
    table.settle(before);
    CHECK(table.in_flight() == 0);
}

TEST_CASE("all waiters are returned at the end, those of discarded flights too") {
    FlightTable table;
    for (const char* id : {"a", "b", "c"}) {
        const ModelKey key = model(id);
        table.join(table.open(replicas_of(key), nullptr), std::make_shared<SilentWaiter>());
    }
    table.discard_if([](const Target& target) { return key_of(target).name == "b"; });
    CHECK(table.take_all_waiters().size() == 3);
    CHECK(table.take_all_waiters().empty());
    CHECK(table.waiting() == 0);
}

TEST_CASE("waiters leave in any order without a search") {
    constexpr std::size_t count = 1000;
    FlightTable table;
    const FlightPtr flight = table.open(replicas_of(model("a")), nullptr);
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
