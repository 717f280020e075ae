// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/tracked_set.hpp"

#include "support/flights.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <variant>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace wva_metrics::test_support::flights;
using namespace std::chrono_literals;

namespace {

TargetPtr metrics_of(const VariantAutoscaling& variant) {
    return std::make_shared<const Target>(OptimizerTarget{variant});
}

CacheEntryPtr entry_of(const std::string& id, TimePoint collected_at) {
    ReplicaSamples samples;
    samples.model = model(id);
    return std::make_shared<const CacheEntry>(samples, collected_at, collected_at + 30s,
                                              collected_at + 60s);
}

} // namespace

TEST_CASE("tracking is reported once, and again if a known target becomes tracked") {
    TrackedSet set(10);
    const ModelKey a = model("a");
    CHECK(set.track(replicas_of(a), false, start) == Tracking::unchanged);
    CHECK(set.in_background(EntryKind::replica) == 0);
    CHECK(set.track(replicas_of(a), true, start) == Tracking::begun);
    CHECK(set.track(replicas_of(a), true, start) == Tracking::unchanged);
    // Collecting does not untrack.
    CHECK(set.track(replicas_of(a), false, start) == Tracking::unchanged);
    CHECK(set.in_background(EntryKind::replica) == 1);
    CHECK(set.untrack(replica_key(a)));
    CHECK(!set.untrack(replica_key(a)));
}

TEST_CASE("a full set refuses new targets and updates the ones it has") {
    TrackedSet set(1);
    VariantAutoscaling variant("llm", "v", "m", "old");
    CHECK(set.track(metrics_of(variant), true, start) == Tracking::begun);
    const VariantAutoscaling other("llm", "w", "m", "d");
    CHECK(set.track(metrics_of(other), true, start) == Tracking::refused);
    CHECK(set.track(metrics_of(other), false, start) ==
          Tracking::unchanged); // Nobody asked for it.
    variant.deployment = "new";
    set.track(metrics_of(variant), true, start);
    CHECK(set.size() == 1);
    set.for_each([](const TrackedSet::Record& record) {
        CHECK(std::get<OptimizerTarget>(*record.target).variant.deployment == "new");
    });
}

TEST_CASE("a target is idle if it was neither collected nor hit for longer than the bound") {
    TrackedSet set(10);
    const ModelKey requested = model("requested");
    const ModelKey hit = model("hit");
    const ModelKey idle = model("idle");
    for (const ModelKey& each : {requested, hit, idle})
        set.track(replicas_of(each), true, start);
    set.track(replicas_of(requested), true, start + 50s);
    const CacheEntryPtr entry = entry_of("hit", start);
    set.set_latest(replica_key(hit), entry);
    entry->mark_used(start + 50s);
    set.set_latest(replica_key(idle), entry_of("idle", start + 60s)); // Fetched, but not read.

    CHECK(set.evict_idle(start + 60s, 60s).empty()); // The bound itself is not beyond it.
    const auto gone = set.evict_idle(start + 60s + 1ns, 60s);
    REQUIRE(gone.size() == 1);
    CHECK(CacheKeyView(gone[0]) == replica_key(idle));
    CHECK(set.size() == 2);
    CHECK(set.evict_idle(start + 24h, 0s).empty()); // Zero keeps everything.
}

TEST_CASE("the last use of an entry is kept when a newer one replaces it") {
    TrackedSet set(10);
    const ModelKey a = model("a");
    set.track(replicas_of(a), true, start);
    CacheEntryPtr first = entry_of("a", start);
    set.set_latest(replica_key(a), first);
    first->mark_used(start + 100s);
    CacheEntryPtr second = entry_of("a", start + 110s);
    set.set_latest(replica_key(a), second);
    first.reset();
    CHECK(set.evict_idle(start + 150s, 60s).empty());
    CHECK(set.evict_idle(start + 161s, 60s).size() == 1);
}

TEST_CASE("a lower capacity evicts the least recently requested targets, hits included") {
    TrackedSet set(10);
    const CacheEntryPtr entry = entry_of("a", start);
    for (int i = 0; i < 4; ++i) {
        const ModelKey m = model(std::string(1, static_cast<char>('a' + i)));
        set.track(replicas_of(m), true, start + i * 1s);
    }
    set.set_latest(replica_key(model("a")), entry);
    entry->mark_used(start + 1min);
    CHECK(set.set_capacity(4).empty());
    const std::vector<CacheKey> evicted = set.set_capacity(2);
    CHECK(evicted.size() == 2);
    CHECK(set.size() == 2);
    CHECK(set.untrack(replica_key(model("a"))));
    CHECK(set.untrack(replica_key(model("d"))));
    for (const CacheKey& key : evicted)
        CHECK(
            (key == CacheKey(replica_key(model("b"))) || key == CacheKey(replica_key(model("c")))));
    const ModelKey e = model("e");
    CHECK(set.track(replicas_of(e), true, start) == Tracking::begun);
    CHECK(set.set_capacity(0).size() == 1);
    CHECK(set.track(replicas_of(e), true, start) == Tracking::refused);
}

TEST_CASE("a request that finds nothing counts as a request") {
    TrackedSet set(10);
    const ModelKey a = model("a");
    set.track(replicas_of(a), true, start);
    set.touch(replica_key(a), start + 100s);
    set.touch(replica_key(a), start + 50s); // Reported late, by another thread.
    set.touch(replica_key(model("unknown")), start + 100s);
    CHECK(set.size() == 1);
    CHECK(set.evict_idle(start + 160s, 60s).empty());
    CHECK(set.evict_idle(start + 161s, 60s).size() == 1);
}

TEST_CASE("the latest entry can be forgotten, but not the time of its last request") {
    TrackedSet set(10);
    const CacheEntryPtr entry = entry_of("a", start);
    for (const char* id : {"a", "b"}) {
        set.track(replicas_of(model(id)), true, start);
        set.set_latest(replica_key(model(id)), entry);
    }
    entry->mark_used(start + 100s);
    set.forget_latest_if([](const Target& target) { return key_of(target).name == "a"; });
    CHECK(set.find(replica_key(model("a")))->latest.lock() == nullptr);
    CHECK(set.find(replica_key(model("b")))->latest.lock() == entry);
    CHECK(set.find(replica_key(model("unknown"))) == nullptr);
    CHECK(set.evict_idle(start + 160s, 60s).empty());
}

TEST_CASE("the capacity applies to each kind, and availability is never tracked") {
    TrackedSet set(1);
    CHECK(set.track(replicas_of(model("a")), true, start) == Tracking::begun);
    CHECK(set.track(metrics_of(VariantAutoscaling("llm", "v", "a", "d")), true, start) ==
          Tracking::begun);
    CHECK(set.track(std::make_shared<const Target>(AvailabilityTarget{model("a")}), true, start) ==
          Tracking::unchanged);
    CHECK(set.size() == 2);
    CHECK(set.in_background(EntryKind::optimizer) == 1);
    CHECK(set.set_capacity(0).size() == 2);
    CHECK(set.size() == 0);
}

TEST_CASE("the records are visited in the order in which they were added, and free ones are used") {
    TrackedSet set(10);
    const auto track_all = [&](std::initializer_list<const char*> ids) {
        for (const char* id : ids)
            REQUIRE(set.track(replicas_of(model(id)), true, start) == Tracking::begun);
    };
    const auto visited = [&] {
        std::string ids;
        set.for_each([&](const TrackedSet::Record& record) { ids += key_of(*record.target).name; });
        return ids;
    };
    track_all({"a", "b", "c", "d"});
    CHECK(visited() == "abcd");
    set.set_latest(replica_key(model("b")), entry_of("b", start));
    CHECK(set.untrack(replica_key(model("b"))));
    CHECK(set.untrack(replica_key(model("c"))));
    CHECK(visited() == "ad");
    CHECK(set.size() == 2);
    CHECK(set.in_background(EntryKind::replica) == 2);
    track_all({"e", "f", "g"});
    CHECK(visited() == "afedg");
    // Nothing of what was there before.
    CHECK(set.find(replica_key(model("f")))->current_entry() == nullptr);
    for (const char* id : {"a", "d", "e", "f", "g"})
        CHECK(key_of(*set.find(replica_key(model(id)))->target).name == id);
    for (const char* id : {"b", "c"})
        CHECK(set.find(replica_key(model(id))) == nullptr);
}
