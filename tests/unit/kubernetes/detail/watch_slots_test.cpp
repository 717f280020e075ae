// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/watch_slots.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>

using namespace wva_metrics;
using kubernetes::detail::WatchPlaces;

TEST_CASE("a place to watch is taken once, and free again when it is given back") {
    const auto places = std::make_shared<WatchPlaces>(2);
    WatchPlaces::Place first(places);
    std::optional<WatchPlaces::Place> second(std::in_place, places);
    WatchPlaces::Place third(places);
    CHECK(first.take());
    CHECK(first.take());
    CHECK(second->take());
    CHECK_FALSE(third.take());

    first.give_back();
    first.give_back();
    CHECK(third.take());
    CHECK_FALSE(first.take());
    second.reset();
    CHECK(first.take());
}

TEST_CASE("who gets no place to watch is told the bound and the number that is needed") {
    const auto places = std::make_shared<WatchPlaces>(1);
    const WatchPlaces::Place first(places);
    const WatchPlaces::Place second(places);
    { const WatchPlaces::Place passing(places); }
    CHECK(places->refusal("https://api").describe() ==
          "invalid_config: max_watches = 1 is too low for the 2 resources that are followed "
          "through this client; raise it to 2, or follow fewer namespaces (https://api)");
}
