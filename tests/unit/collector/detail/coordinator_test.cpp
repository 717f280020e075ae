// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/coordinator.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
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

CacheEntryPtr entry_of(const VariantAutoscaling& variant, TimePoint collected_at) {
    CachePayload payload = OptimizerMetrics();
    identify(variant, payload);
    return make_entry(CacheConfig(), std::move(payload), collected_at);
}

/// What the next round asks about variants.
std::vector<FlightPtr> due_variants(Coordinator& books, TimePoint at) {
    return books.open_due(at).variants;
}

} // namespace

TEST_CASE("each round asks what is tracked by the target itself, not by a copy of its names") {
    const CollectorConfig config;
    Coordinator books(config);
    const VariantAutoscaling& variant = tracked_variant;
    books.track(optimizer_key(variant.key()), variant, start);
    books.track(replica_key(variant.model()), variant.model(), start);

    const Coordinator::Due first = books.open_due(start);
    REQUIRE(first.variants.size() == 1);
    REQUIRE(first.models.size() == 1);
    CHECK(first.variants[0]->key() == optimizer_key(variant.key()));
    CHECK(first.models[0]->key() == replica_key(variant.model()));
    CHECK(books.open_due(start).variants.empty()); // It is under way.
    CHECK(books.open_due(start).models.empty());

    const Error failed(Errc::timeout, "late");
    books.settle(first.variants[0], failed, start);
    books.settle(first.models[0], failed, start);
    const Coordinator::Due second = books.open_due(start + 15s);
    REQUIRE(second.variants.size() == 1);
    REQUIRE(second.models.size() == 1);
    CHECK(second.variants[0]->target == first.variants[0]->target);
    CHECK(second.models[0]->target == first.models[0]->target);
}

TEST_CASE("a round renews what it knows, and carries over from it") {
    const CollectorConfig config;
    Coordinator books(config);
    books.track(its_key, tracked_variant, start);
    const auto first = due_variants(books, start);
    REQUIRE(first.size() == 1);
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    books.settle(first[0], entry);
    CHECK(due_variants(books, start + 1s).empty()); // Collected just now.
    const auto second = due_variants(books, start + 15s);
    REQUIRE(second.size() == 1);
    CHECK(second[0]->previous == entry);
}

TEST_CASE("a variant that scales something else now is due, and keeps nothing of what it was") {
    const CollectorConfig config;
    Coordinator books(config);
    books.track(its_key, tracked_variant, start);
    const auto before = due_variants(books, start);
    const CacheEntryPtr entry = entry_of(tracked_variant, start);
    books.settle(before.at(0), entry);

    VariantAutoscaling changed = tracked_variant;
    changed.model_id = "larger";
    books.track(its_key, changed, start + 1s);
    // Who finds the old entry when it is stale asks for what is tracked today.
    REQUIRE(books.renew(its_key, entry, start + 1s));
    const auto renewed = books.take_queued();
    REQUIRE(renewed.size() == 1);
    CHECK(std::get<VariantAutoscaling>(*renewed[0]->target).model_id == "larger");
    CHECK(renewed[0]->previous == nullptr);
    books.settle(renewed[0], Error(Errc::timeout, "late"), start + 1s);

    const auto after = due_variants(books, start + 1s);
    REQUIRE(after.size() == 1);
    CHECK(std::get<VariantAutoscaling>(*after[0]->target).model_id == "larger");
    CHECK(after[0]->previous == nullptr);
}

TEST_CASE("what was invalidated is not known any more, though somebody still holds it") {
    const CollectorConfig config;
    Coordinator books(config);
    books.track(its_key, tracked_variant, start);
    const CacheEntryPtr held = entry_of(tracked_variant, start);
    const auto settle_due = [&] {
        const auto due = due_variants(books, start);
        REQUIRE(due.size() == 1);
        CHECK(due[0]->previous == nullptr);
        books.settle(due[0], held);
        REQUIRE(due_variants(books, start).empty());
    };
    settle_due();
    SECTION("by its key") {
        books.forget(its_key);
    }
    SECTION("by a prefix") {
        books.forget_prefix("allocation:llm/");
    }
    SECTION("with the whole cache") {
        books.forget_entries();
    }
    settle_due();
}

TEST_CASE("who is refused because too many wait has asked all the same") {
    const CollectorConfig config{.max_waiters = 0};
    Coordinator books(config);
    books.track(its_key, tracked_variant, start);
    CHECK(books.miss(its_key, tracked_variant, nullptr, start + 9min).refused.has_value());
    CHECK(books.take_idle(start + 19min).empty());
    CHECK(books.take_idle(start + 20min).size() == 1);
}
