// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/entry_factory.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const TimePoint start{24h};
const VariantAutoscaling tracked_variant("llm", "v", "m", "d");
const CacheKeyView its_key = optimizer_key("llm", "v");

TargetPtr metrics_of(const VariantAutoscaling& variant) {
    return std::make_shared<const Target>(OptimizerTarget{variant});
}

CacheEntryPtr entry_of(const VariantAutoscaling& variant, TimePoint collected_at) {
    CachePayload payload = OptimizerMetrics();
    stamp_identity(OptimizerTarget{variant}, payload);
    return make_entry(CacheConfig(), std::move(payload), collected_at);
}

struct SilentWaiter : Waiter {
    void complete(const Result<Answer>&) override {}
};

WaiterPtr make_waiter() {
    return std::make_shared<SilentWaiter>();
}

/// The variants that the next round fetches.
std::vector<FlightPtr> due_variants(Coordinator& coordinator, TimePoint at) {
    return coordinator.open_due(at).variants;
}

} // namespace

TEST_CASE("each round fetches the tracked targets themselves, not copies of them") {
    const CollectorConfig config;
    Coordinator coordinator(config);
    const VariantAutoscaling& variant = tracked_variant;
    coordinator.track(metrics_of(variant), start);
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
    const CollectorConfig config;
    Coordinator coordinator(config);
    coordinator.track(metrics_of(tracked_variant), start);
    const auto first = due_variants(coordinator, start);
    REQUIRE(first.size() == 1);
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    coordinator.settle(first[0], entry);
    CHECK(due_variants(coordinator, start + 1s).empty()); // Collected just now.
    const auto second = due_variants(coordinator, start + 15s);
    REQUIRE(second.size() == 1);
    CHECK(second[0]->previous == entry);
}

TEST_CASE("a variant that scales something else now is due, and carries nothing over") {
    const CollectorConfig config;
    Coordinator coordinator(config);
    coordinator.track(metrics_of(tracked_variant), start);
    const auto before = due_variants(coordinator, start);
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    coordinator.settle(before.at(0), entry);

    VariantAutoscaling changed = tracked_variant;
    changed.model_id = "larger";
    coordinator.track(metrics_of(changed), start + 1s);
    // A stale hit on the old entry fetches the target that is tracked now.
    REQUIRE(coordinator.revalidate(its_key, entry, start + 1s));
    const auto revalidated = coordinator.take_queued();
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
    const CollectorConfig config;
    Coordinator coordinator(config);
    coordinator.track(metrics_of(tracked_variant), start);
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
        coordinator.forget(its_key);
    }
    SECTION("by a prefix") {
        coordinator.forget_prefix("allocation:llm/");
    }
    SECTION("with the whole cache") {
        coordinator.forget_entries();
    }
    settle_due();
}

TEST_CASE("a call that is rejected because too many wait counts as a request") {
    const CollectorConfig config{.max_waiters = 0};
    Coordinator coordinator(config);
    coordinator.track(metrics_of(tracked_variant), start);
    const MissAction action = coordinator.miss(metrics_of(tracked_variant), nullptr, start + 9min);
    CHECK(action.step == MissAction::Step::complete_with_error);
    CHECK(action.error.is(Errc::too_costly));
    CHECK(coordinator.evict_idle(start + 19min).empty());
    CHECK(coordinator.evict_idle(start + 20min).size() == 1);
}

TEST_CASE("only the first of several misses must send the queue") {
    Coordinator coordinator{CollectorConfig()};
    const VariantAutoscaling other("llm", "other", "m", "d");
    const auto miss = [&](const VariantAutoscaling& variant) {
        return coordinator.miss(metrics_of(variant), make_waiter(), start);
    };
    CHECK(miss(tracked_variant).step == MissAction::Step::wait_and_send);
    CHECK(miss(other).step == MissAction::Step::wait);
    CHECK(coordinator.take_queued().size() == 2);
    CHECK(coordinator.take_queued().empty());
}

TEST_CASE("a miss joins the flight of its target, but not one of another target of the same key") {
    Coordinator coordinator{CollectorConfig()};
    const MissAction first = coordinator.miss(metrics_of(tracked_variant), make_waiter(), start);
    CHECK(first.newly_tracked);
    CHECK(!first.coalesced);

    VariantAutoscaling dearer = tracked_variant;
    dearer.cost = 99;
    const MissAction same = coordinator.miss(metrics_of(dearer), make_waiter(), start);
    CHECK(same.step == MissAction::Step::wait);
    CHECK(same.coalesced);
    CHECK(!same.newly_tracked);

    VariantAutoscaling changed = tracked_variant;
    changed.deployment = "another";
    CHECK(!coordinator.miss(metrics_of(changed), make_waiter(), start).coalesced);
    const auto flights = coordinator.take_queued();
    REQUIRE(flights.size() == 2);
    CHECK(flights[0]->waiters.size() == 2);
    CHECK(flights[0]->discarded);
}

TEST_CASE("a miss is answered with a recent failure, and waits again after negative_ttl") {
    Coordinator coordinator{CollectorConfig()};
    const auto miss = [&](TimePoint now) {
        return coordinator.miss(metrics_of(tracked_variant), make_waiter(), now);
    };
    miss(start);
    coordinator.settle(coordinator.take_queued().at(0), Error(Errc::timeout, "late"), start);
    const MissAction soon = miss(start + 1s);
    CHECK(soon.step == MissAction::Step::complete_with_error);
    CHECK(soon.error.is(Errc::timeout));
    CHECK(soon.negative_hit);
    CHECK(miss(start + 2s).step == MissAction::Step::wait_and_send);
}

TEST_CASE("a closed coordinator rejects every miss and returns its waiters once") {
    Coordinator coordinator{CollectorConfig()};
    coordinator.miss(metrics_of(tracked_variant), make_waiter(), start);
    CHECK(coordinator.close().size() == 1);
    CHECK(coordinator.close().empty());
    const MissAction action = coordinator.miss(metrics_of(tracked_variant), make_waiter(), start);
    CHECK(action.step == MissAction::Step::complete_with_error);
    CHECK(action.error.is(Errc::aborted));
    CHECK(!coordinator.track(metrics_of(tracked_variant), start));
}

TEST_CASE("other limits apply to the next decision") {
    Coordinator coordinator{CollectorConfig()};
    coordinator.track(metrics_of(tracked_variant), start);
    CHECK(coordinator.configure({.max_waiters = 0}).empty());
    CHECK(coordinator.miss(metrics_of(tracked_variant), make_waiter(), start)
              .error.is(Errc::too_costly));
    CHECK(coordinator.configure({.max_tracked = 0}).size() == 1);
}
