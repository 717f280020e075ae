// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/tracked_set.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

const TimePoint start{24h};

ModelKey model(const std::string& id) {
    return {"llm", id};
}

CacheEntryPtr entry_of(const std::string& id, TimePoint collected_at) {
    ReplicaSamples samples;
    samples.model = model(id);
    return std::make_shared<const CacheEntry>(samples, collected_at, collected_at + 30s,
                                              collected_at + 60s);
}

} // namespace

TEST_CASE("tracking says so once, and again only when mere knowing turns into tracking") {
    TrackedSet<ModelKey> set(10);
    const ModelKey a = model("a");
    CHECK(!set.track(replica_key(a), a, false, start));
    CHECK(set.in_background() == 0);
    CHECK(set.track(replica_key(a), a, true, start));
    CHECK(!set.track(replica_key(a), a, true, start));
    CHECK(!set.track(replica_key(a), a, false, start)); // Collecting does not untrack.
    CHECK(set.in_background() == 1);
    CHECK(set.untrack(replica_key(a)));
    CHECK(!set.untrack(replica_key(a)));
}

TEST_CASE("a full set refuses what it does not know and renews what it does") {
    TrackedSet<VariantAutoscaling> set(1);
    VariantAutoscaling variant("llm", "v", "m", "old");
    CHECK(set.track(optimizer_key(variant.key()), variant, true, start));
    const VariantAutoscaling other("llm", "w", "m", "d");
    CHECK(!set.track(optimizer_key(other.key()), other, true, start));
    variant.deployment = "new";
    set.track(optimizer_key(variant.key()), variant, true, start);
    CHECK(set.size() == 1);
    set.for_each(
        [](const CacheKeyView&, const auto& record) { CHECK(record.target.deployment == "new"); });
}

TEST_CASE("idle is what was neither collected nor hit for longer than the bound") {
    TrackedSet<ModelKey> set(10);
    const ModelKey asked = model("asked");
    const ModelKey hit = model("hit");
    const ModelKey idle = model("idle");
    for (const ModelKey& each : {asked, hit, idle})
        set.track(replica_key(each), each, true, start);
    set.track(replica_key(asked), asked, true, start + 50s);
    const CacheEntryPtr entry = entry_of("hit", start);
    set.set_latest(replica_key(hit), entry);
    entry->mark_used(start + 50s);
    set.set_latest(replica_key(idle),
                   entry_of("idle", start + 60s)); // Fetched, but nobody read it.

    CHECK(set.take_idle(start + 60s, 60s).empty()); // The bound itself is not beyond it.
    const auto gone = set.take_idle(start + 60s + 1ns, 60s);
    REQUIRE(gone.size() == 1);
    CHECK(CacheKeyView(gone[0]) == replica_key(idle));
    CHECK(set.size() == 2);
    CHECK(set.take_idle(start + 24h, 0s).empty()); // Zero keeps everything.
}

TEST_CASE("the last use of an entry is remembered when a newer one takes its place") {
    TrackedSet<ModelKey> set(10);
    const ModelKey a = model("a");
    set.track(replica_key(a), a, true, start);
    CacheEntryPtr first = entry_of("a", start);
    set.set_latest(replica_key(a), first);
    first->mark_used(start + 100s);
    CacheEntryPtr second = entry_of("a", start + 110s);
    set.set_latest(replica_key(a), second);
    first.reset();
    CHECK(set.take_idle(start + 150s, 60s).empty());
    CHECK(set.take_idle(start + 161s, 60s).size() == 1);
}

TEST_CASE("a lower bound removes what nobody has asked for the longest, hits included") {
    TrackedSet<ModelKey> set(10);
    const CacheEntryPtr entry = entry_of("a", start);
    for (int i = 0; i < 4; ++i) {
        const ModelKey m = model(std::string(1, static_cast<char>('a' + i)));
        set.track(replica_key(m), m, true, start + i * 1s);
    }
    set.set_latest(replica_key(model("a")), entry);
    entry->mark_used(start + 1min);
    CHECK(set.set_max_records(4).empty());
    const std::vector<CacheKey> surplus = set.set_max_records(2);
    CHECK(surplus.size() == 2);
    CHECK(set.size() == 2);
    CHECK(set.untrack(replica_key(model("a"))));
    CHECK(set.untrack(replica_key(model("d"))));
    for (const CacheKey& key : surplus)
        CHECK(
            (key == CacheKey(replica_key(model("b"))) || key == CacheKey(replica_key(model("c")))));
    const ModelKey e = model("e");
    CHECK(set.track(replica_key(e), e, true, start));
    CHECK(set.set_max_records(0).size() == 1);
    CHECK(!set.track(replica_key(e), e, true, start));
}

TEST_CASE("who asked and was given nothing has asked all the same") {
    TrackedSet<ModelKey> set(10);
    const ModelKey a = model("a");
    set.track(replica_key(a), a, true, start);
    set.note_asked(replica_key(a), start + 100s);
    set.note_asked(replica_key(a), start + 50s); // Another thread's, which comes late.
    set.note_asked(replica_key(model("unknown")), start + 100s);
    CHECK(set.size() == 1);
    CHECK(set.take_idle(start + 160s, 60s).empty());
    CHECK(set.take_idle(start + 161s, 60s).size() == 1);
}

TEST_CASE("what was collected is forgotten where it is told to be, but not who asked for it") {
    TrackedSet<ModelKey> set(10);
    const CacheEntryPtr entry = entry_of("a", start);
    for (const char* id : {"a", "b"}) {
        set.track(replica_key(model(id)), model(id), true, start);
        set.set_latest(replica_key(model(id)), entry);
    }
    entry->mark_used(start + 100s);
    set.forget_latest_if([](const CacheKeyView& key) { return key.name == "a"; });
    CHECK(set.find(replica_key(model("a")))->latest.lock() == nullptr);
    CHECK(set.find(replica_key(model("b")))->latest.lock() == entry);
    CHECK(set.find(replica_key(model("unknown"))) == nullptr);
    CHECK(set.take_idle(start + 160s, 60s).empty());
}
