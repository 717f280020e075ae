// SPDX-License-Identifier: Apache-2.0
#include <wva_metrics/detail/collector_books.hpp>

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

TEST_CASE("each round asks what is tracked by the question itself, not by a copy of its names") {
    const CollectorConfig config;
    CollectorBooks books(config);
    const TimePoint start{24h};
    const VariantAutoscaling variant("llm", "v", "m", "d");
    books.track(allocation_key(variant.key()), variant, start);
    books.track(replica_key(variant.model()), variant.model(), start);

    const CollectorBooks::Due first = books.open_due(start);
    REQUIRE(first.variants.size() == 1);
    REQUIRE(first.models.size() == 1);
    CHECK(first.variants[0]->key() == allocation_key(variant.key()));
    CHECK(first.models[0]->key() == replica_key(variant.model()));
    CHECK(books.open_due(start).variants.empty()); // It is under way.
    CHECK(books.open_due(start).models.empty());

    const Error failed(Errc::timeout, "late");
    books.settle(first.variants[0], failed, start);
    books.settle(first.models[0], failed, start);
    const CollectorBooks::Due second = books.open_due(start + 15s);
    REQUIRE(second.variants.size() == 1);
    REQUIRE(second.models.size() == 1);
    CHECK(second.variants[0]->question == first.variants[0]->question);
    CHECK(second.models[0]->question == first.models[0]->question);
}
