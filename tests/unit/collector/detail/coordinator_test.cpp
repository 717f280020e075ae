// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/entry_factory.hpp"

#include "support/flights.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace wva_metrics::test_support::flights;
using namespace std::chrono_literals;

namespace {

const VariantAutoscaling tracked_variant("llm", "v", "m", "d");
const CacheKeyView tracked_key = optimizer_key("llm", "v");

TargetPtr target_for(const VariantAutoscaling& variant) {
    return std::make_shared<const Target>(OptimizerTarget{variant});
}

CacheEntryPtr entry_of(const VariantAutoscaling& variant, TimePoint collected_at) {
    OptimizerMetrics metrics;
    stamp_identity(OptimizerTarget{variant}, metrics);
    return make_entry(CacheConfig(), std::move(metrics), collected_at);
}

CollectorConfig with_interval(Duration fetch_interval) {
    return {.cache = {.ttl = 30s, .fetch_interval = fetch_interval}, .call_timeout = 10s};
}

WaiterPtr make_waiter() {
    return std::make_shared<SilentWaiter>();
}

/// The variants that the next round fetches.
std::vector<FlightPtr> due_variants(Coordinator& coordinator, TimePoint at) {
    return coordinator.open_due(at).variants;
}

} // namespace

TEST_CASE("each round fetches the tracked targets themselves, not copies of them") {
    Coordinator coordinator{with_interval(15s)};
    const VariantAutoscaling& variant = tracked_variant;
    coordinator.track(target_for(variant), start);
    coordinator.track(std::make_shared<const Target>(ReplicaTarget{variant.model()}), start);

    const Coordinator::Due first = coordinator.open_due(start);
    REQUIRE(first.variants.size() == 1);
    REQUIRE(first.models.size() == 1);
    CHECK(first.variants[0]->key() == optimizer_key(variant.key()));
    CHECK(first.models[0]->key() == replica_key(variant.model()));
    CHECK(coordinator.open_due(start).variants.empty()); // It is in flight.
    CHECK(coordinator.open_due(start).models.empty());

    const Error failed(Errc::timeout, "late");
    coordinator.settle(first.variants[0], failed, start);
    coordinator.settle(first.models[0], failed, start);
    const Coordinator::Due second = coordinator.open_due(start + 15s);
    REQUIRE(second.variants.size() == 1);
    REQUIRE(second.models.size() == 1);
    CHECK(second.variants[0]->target == first.variants[0]->target);
    CHECK(second.models[0]->target == first.models[0]->target);
}

TEST_CASE("a round fetches tracked targets again, and carries over from the entry before") {
    Coordinator coordinator{with_interval(15s)};
    coordinator.track(target_for(tracked_variant), start);
    const auto first = due_variants(coordinator, start);
    REQUIRE(first.size() == 1);
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    coordinator.settle(first[0], entry);
    CHECK(due_variants(coordinator, start + 1s).empty()); // Collected just now.
    const auto second = due_variants(coordinator, start + 15s);
    REQUIRE(second.size() == 1);
    CHECK(second[0]->previous == entry);
}

TEST_CASE("a round leaves out what was collected within the last half interval") {
    Coordinator coordinator{with_interval(10s)};
    coordinator.track(target_for(tracked_variant), start);
    const auto first = due_variants(coordinator, start);
    REQUIRE(first.size() == 1);
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    coordinator.settle(first[0], entry);
    CHECK(due_variants(coordinator, start + 5s - 1ns).empty());
    CHECK(due_variants(coordinator, start + 5s).size() == 1);
}

TEST_CASE("a variant that scales something else now is due, and carries nothing over") {
    Coordinator coordinator{CollectorConfig()};
    coordinator.track(target_for(tracked_variant), start);
    const auto before = due_variants(coordinator, start);
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    coordinator.settle(before.at(0), entry);

    VariantAutoscaling changed = tracked_variant;
    changed.model_id = "larger";
    coordinator.track(target_for(changed), start + 1s);
    // A stale hit on the old entry fetches the target that is tracked now.
    REQUIRE(coordinator.revalidate(tracked_key, entry, start + 1s));
    const auto revalidated = coordinator.queue().take();
    REQUIRE(revalidated.size() == 1);
    CHECK(std::get<OptimizerTarget>(*revalidated[0]->target).variant.model_id == "larger");
    CHECK(revalidated[0]->previous == nullptr);
    coordinator.settle(revalidated[0], Error(Errc::timeout, "late"), start + 1s);

    const auto after = due_variants(coordinator, start + 1s);
    REQUIRE(after.size() == 1);
    CHECK(std::get<OptimizerTarget>(*after[0]->target).variant.model_id == "larger");
    CHECK(after[0]->previous == nullptr);
}

TEST_CASE("an invalidated entry is forgotten, though a caller still holds it") {
    Coordinator coordinator{CollectorConfig()};
    coordinator.track(target_for(tracked_variant), start);
    const CacheEntryPtr held = entry_of(tracked_variant, start);
    const auto settle_due = [&] {
        const auto due = due_variants(coordinator, start);
        REQUIRE(due.size() == 1);
        CHECK(due[0]->previous == nullptr);
        coordinator.settle(due[0], held);
        REQUIRE(due_variants(coordinator, start).empty());
    };
    settle_due();
    SECTION("by its key") {
        coordinator.forget(tracked_key);
    }
    SECTION("by a prefix") {
        coordinator.forget_prefix(key_prefix(EntryKind::optimizer, "llm"));
    }
    SECTION("with the whole cache") {
        coordinator.forget_entries();
    }
    settle_due();
}

TEST_CASE("a call that is rejected because too many wait counts as a request") {
    const CollectorConfig config{.untrack_after = 10min, .max_waiters = 0};
    Coordinator coordinator(config);
    coordinator.track(target_for(tracked_variant), start);
    const MissAction action =
        coordinator.on_miss(target_for(tracked_variant), nullptr, start + 9min);
    CHECK(action.step == MissAction::Step::complete_with_error);
    CHECK(action.error.is(Errc::unavailable));
    CHECK(coordinator.evict_idle(start + 19min).empty());
    CHECK(coordinator.evict_idle(start + 20min).size() == 1);
}

TEST_CASE("only the first of several misses must send the queue") {
    Coordinator coordinator{CollectorConfig()};
    const VariantAutoscaling other("llm", "other", "m", "d");
    const auto miss = [&](const VariantAutoscaling& variant) {
        return coordinator.on_miss(target_for(variant), make_waiter(), start);
    };
    CHECK(miss(tracked_variant).step == MissAction::Step::wait_and_send);
    coordinator.queue().note_send_posted();
    CHECK(miss(other).step == MissAction::Step::wait);
    CHECK(coordinator.queue().take().size() == 2);
    CHECK(coordinator.queue().take().empty());
    CHECK(!coordinator.queue().must_send());
}

TEST_CASE("a miss joins the flight of its target, but not one of another target of the same key") {
    Coordinator coordinator{CollectorConfig()};
    const MissAction first = coordinator.on_miss(target_for(tracked_variant), make_waiter(), start);
    CHECK(first.tracking == Tracking::begun);
    CHECK(!first.coalesced);
    coordinator.queue().note_send_posted();

    VariantAutoscaling dearer = tracked_variant;
    dearer.cost = 99;
    const MissAction same = coordinator.on_miss(target_for(dearer), make_waiter(), start);
    CHECK(same.step == MissAction::Step::wait);
    CHECK(same.coalesced);
    CHECK(same.tracking == Tracking::unchanged);

    VariantAutoscaling changed = tracked_variant;
    changed.deployment = "another";
    CHECK(!coordinator.on_miss(target_for(changed), make_waiter(), start).coalesced);
    const auto flights = coordinator.queue().take();
    REQUIRE(flights.size() == 2);
    CHECK(flights[0]->waiters.size() == 2);
    CHECK(flights[0]->discarded);
}

TEST_CASE("a miss is answered with a recent failure, and waits again after negative_ttl") {
    Coordinator coordinator{{.cache = {.negative_ttl = 2s}}};
    const auto miss = [&](TimePoint now) {
        return coordinator.on_miss(target_for(tracked_variant), make_waiter(), now);
    };
    miss(start);
    coordinator.settle(coordinator.queue().take().at(0), Error(Errc::timeout, "late"), start);
    const MissAction soon = miss(start + 1s);
    CHECK(soon.step == MissAction::Step::complete_with_error);
    CHECK(soon.error.is(Errc::timeout));
    CHECK(soon.negative_hit);
    CHECK(miss(start + 2s).step == MissAction::Step::wait_and_send);
}

TEST_CASE("an answer or a failure whose target was invalidated meanwhile is not current") {
    Coordinator coordinator{{.cache = {.negative_ttl = 2s}}};
    const auto fetch = [&] {
        coordinator.on_miss(target_for(tracked_variant), make_waiter(), start);
        return coordinator.queue().take().at(0);
    };
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    const Error late(Errc::timeout, "late");
    CHECK(coordinator.settle(fetch(), entry).current);

    const FlightPtr answered = fetch();
    coordinator.forget(tracked_key);
    const Coordinator::Settled settled = coordinator.settle(answered, entry);
    CHECK(!settled.current);
    CHECK(settled.waiters.size() == 1);

    const FlightPtr failed = fetch();
    coordinator.forget(tracked_key);
    CHECK(!coordinator.settle(failed, late, start).current);
    CHECK(!coordinator.failures().contains(tracked_key));

    CHECK(coordinator.settle(fetch(), late, start).current);
    CHECK(coordinator.failures().contains(tracked_key));
}

TEST_CASE("a waiter leaves once, and its flight continues") {
    Coordinator coordinator{CollectorConfig()};
    const WaiterPtr waiter = make_waiter();
    coordinator.on_miss(target_for(tracked_variant), waiter, start);
    CHECK(coordinator.leave(waiter));
    CHECK(!coordinator.leave(waiter));
    const FlightPtr flight = coordinator.queue().take().at(0);
    const Coordinator::Settled settled =
        coordinator.settle(flight, entry_of(tracked_variant, start));
    CHECK(settled.waiters.empty());
    CHECK(settled.current);
}

TEST_CASE("a stale entry is revalidated only if no fetch is in flight or has just failed") {
    Coordinator coordinator{{.cache = {.negative_ttl = 2s}}};
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    CHECK(coordinator.revalidate(tracked_key, entry, start));
    const FlightPtr flight = coordinator.queue().take().at(0);
    CHECK(flight->previous == entry);
    CHECK(!coordinator.revalidate(tracked_key, entry, start));
    CHECK(coordinator.queue().take().empty());
    coordinator.settle(flight, Error(Errc::timeout, "late"), start);
    CHECK(!coordinator.revalidate(tracked_key, entry, start + 1s));
    CHECK(coordinator.revalidate(tracked_key, entry, start + 2s));
}

TEST_CASE("the health counts batches without an answer, and notes every failure") {
    Coordinator coordinator{CollectorConfig()};
    coordinator.note_batch(2, 2, start);
    coordinator.note_batch(1, 1, start + 1s);
    CHECK(!coordinator.health().healthy);
    CHECK(coordinator.health().consecutive_failures == 2);
    CHECK(!coordinator.health().last_success.has_value());
    CHECK(coordinator.health().last_failure == start + 1s);
    coordinator.note_batch(2, 1, start + 2s);
    CHECK(coordinator.health().healthy);
    CHECK(coordinator.health().consecutive_failures == 0);
    CHECK(coordinator.health().last_success == start + 2s);
    CHECK(coordinator.health().last_failure == start + 2s);
    coordinator.note_batch(1, 0, start + 3s);
    CHECK(coordinator.health().last_success == start + 3s);
    CHECK(coordinator.health().last_failure == start + 2s);
}

TEST_CASE("forgetting a model discards its flights, tracked or not, and no other model's") {
    Coordinator coordinator{{.track_on_collection = false, .max_tracked = 1}};
    const std::vector<TargetPtr> of_model = {
        target_for(tracked_variant), target_for({"llm", "not tracked", "m", "d"}),
        std::make_shared<const Target>(ReplicaTarget{{"llm", "m"}}),
        std::make_shared<const Target>(AvailabilityTarget{{"llm", "m"}})};
    const std::vector<TargetPtr> others = {
        target_for({"llm", "w", "other", "d"}), target_for({"other", "v", "m", "d"}),
        std::make_shared<const Target>(ReplicaTarget{{"other", "m"}})};
    for (const auto& targets : {of_model, others})
        for (const TargetPtr& target : targets)
            coordinator.on_miss(target, make_waiter(), start);
    coordinator.forget_model({"llm", "m"});
    for (const FlightPtr& flight : coordinator.queue().take()) {
        INFO(to_string(flight->key()));
        CHECK(flight->discarded == std::ranges::count(of_model, flight->target));
    }
}

TEST_CASE("a closed coordinator rejects every miss and gives up its flights") {
    Coordinator coordinator{CollectorConfig()};
    coordinator.on_miss(target_for(tracked_variant), make_waiter(), start);
    coordinator.close();
    CHECK(coordinator.settle_any().value().size() == 1);
    CHECK(!coordinator.settle_any());
    const MissAction action =
        coordinator.on_miss(target_for(tracked_variant), make_waiter(), start);
    CHECK(action.step == MissAction::Step::complete_with_error);
    CHECK(action.error.is(Errc::aborted));
}

TEST_CASE("other limits apply to the next decision") {
    Coordinator coordinator{CollectorConfig()};
    coordinator.track(target_for(tracked_variant), start);
    CHECK(coordinator.configure({.max_waiters = 0}).empty());
    CHECK(coordinator.on_miss(target_for(tracked_variant), make_waiter(), start)
              .error.is(Errc::unavailable));
    CHECK(coordinator.configure({.max_tracked = 0}).size() == 1);
}
