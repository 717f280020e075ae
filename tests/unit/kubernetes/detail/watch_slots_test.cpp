// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/watch_slots.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>

using namespace wva_metrics;
using kubernetes::detail::WatchSlots;

TEST_CASE("a slot is acquired once, and free again after its release") {
    const auto slots = std::make_shared<WatchSlots>(2);
    WatchSlots::Slot first(slots);
    std::optional<WatchSlots::Slot> second(std::in_place, slots);
    WatchSlots::Slot third(slots);
    CHECK(first.acquire());
    CHECK(first.acquire());
    CHECK(second->acquire());
    CHECK_FALSE(third.acquire());

    first.release();
    first.release();
    CHECK(third.acquire());
    CHECK_FALSE(first.acquire());
    second.reset();
    CHECK(first.acquire());
}

TEST_CASE("the error of exhausted slots names the limit and the required number") {
    const auto slots = std::make_shared<WatchSlots>(1);
    const WatchSlots::Slot first(slots);
    const WatchSlots::Slot second(slots);
    { const WatchSlots::Slot temporary(slots); }
    CHECK(slots->exhausted("https://api").describe() ==
          "invalid_config: max_watches = 1 is too low for the 2 resources that are followed "
          "through this client; raise it to 2, or follow fewer namespaces (https://api)");
}
