// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/failure_memory.hpp"
#include "wva_metrics/collector/detail/flight_table.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

struct SilentWaiter : Waiter {
    void complete(const Result<Answer>&) override {}
};

ModelKey model(const std::string& id) {
    return {"llm", id};
}

TargetPtr asking(const ModelKey& model) {
    return std::make_shared<const Target>(model);
}

} // namespace

TEST_CASE("callers join the flight of their key until it is settled") {
    FlightTable table;
    const ModelKey a = model("a");
    const FlightPtr flight = table.open(EntryKind::replica, asking(a), nullptr);
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
    CHECK(!table.leave(two)); // Its completion is on its way.
    CHECK(!table.find(replica_key(a)));
    CHECK(table.waiting() == 0);
    CHECK(table.in_flight() == 0);
}

TEST_CASE("a discarded flight is joined no more and still settles with its waiters") {
    FlightTable table;
    const ModelKey a = model("a");
    const FlightPtr before = table.open(EntryKind::replica, asking(a), nullptr);
    const WaiterPtr waiter = std::make_shared<SilentWaiter>();
    table.join(before, waiter);
    CHECK(table.discard(replica_key(a)));
    CHECK(!table.discard(replica_key(a)));
    const FlightPtr after = table.open(EntryKind::replica, asking(a), nullptr);
    CHECK(after != before);
    CHECK(before->discarded);
    CHECK(!after->discarded);
    CHECK(table.settle(before).size() == 1);
    CHECK(table.find(replica_key(a)) == after); // The older one's end leaves the newer one alone.
}

TEST_CASE(
    "opening first gives way to a flight under way, and to no other kind's or discarded one") {
    FlightTable table;
    const TargetPtr a = asking(model("a"));
    const FlightPtr first = table.open_first(EntryKind::replica, a, nullptr);
    REQUIRE(first);
    CHECK(first->target == a); // Not a copy.
    CHECK(table.open_first(EntryKind::replica, asking(model("a")), nullptr) == nullptr);
    CHECK(!first->discarded);
    CHECK(table.find(replica_key(model("a"))) == first);
    CHECK(table.open_first(EntryKind::availability, a, nullptr));
    table.discard(replica_key(model("a")));
    CHECK(table.open_first(EntryKind::replica, a, nullptr));
    CHECK(table.in_flight() == 3);
    table.settle(first);
    CHECK(table.in_flight() == 2);
}

TEST_CASE("a flight opened over another takes its place, and both are under way") {
    FlightTable table;
    const TargetPtr a = asking(model("a"));
    const FlightPtr before = table.open(EntryKind::replica, a, nullptr);
    const FlightPtr after = table.open(EntryKind::replica, asking(model("a")), nullptr);
    CHECK(before->discarded);
    CHECK(!after->discarded);
    CHECK(table.find(replica_key(model("a"))) == after);
    CHECK(table.in_flight() == 2);
    table.settle(after);
    CHECK(table.in_flight() == 1);
    table.settle(before);
    CHECK(table.in_flight() == 0);
}

TEST_CASE("everybody who waits is handed over at the end, discarded flights included") {
    FlightTable table;
    for (const char* id : {"a", "b", "c"}) {
        const ModelKey key = model(id);
        table.join(table.open(EntryKind::replica, asking(key), nullptr),
                   std::make_shared<SilentWaiter>());
    }
    table.discard_if([](const CacheKeyView& key) { return key.name == "b"; });
    CHECK(table.take_all_waiters().size() == 3);
    CHECK(table.take_all_waiters().empty());
    CHECK(table.waiting() == 0);
}

TEST_CASE("a failure is known until it is forgotten, and the memory is bounded") {
    FailureMemory memory(2);
    const TimePoint now{24h};
    const Error error(Errc::timeout, "late");
    for (const char* id : {"a", "b", "c"})
        memory.remember(replica_key(model(id)), error, now + 2s);
    std::size_t known = 0;
    for (const char* id : {"a", "b", "c"})
        known += memory.find(replica_key(model(id))) != nullptr ? 1U : 0U;
    CHECK(known == 2);
    const ModelKey last = model("c");
    REQUIRE(memory.find(replica_key(last)) != nullptr);
    CHECK(memory.find(replica_key(last))->ask_again_at == now + 2s);
    memory.forget(replica_key(last));
    CHECK(memory.find(replica_key(last)) == nullptr);
}
