// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("invalidating a scaled variant removes its entry and its model's replicas") {
    CollectorFixture f;
    const VariantAutoscaling scaled = variant("variant-name", "deployment-name");
    f.collect(scaled).value();
    f.collect(f.model, {scaled}).value();
    CHECK(f.collector->invalidate_variant(scaled) == 2);
    CHECK(!f.collector->find_optimizer_metrics(scaled.key()));
    CHECK(!f.collector->find_replica_metrics(f.model, {}));
    f.collect(scaled).value();
    CHECK(f.backend.batches() == 3);
}

TEST_CASE("invalidating a model removes its variants, replicas and availability, and nothing of a "
          "similar model") {
    CollectorFixture f;
    VariantAutoscaling other = variant("other");
    other.model_id = "meta/llama/2";
    f.collect(variant("v")).value();
    f.collect(other).value();
    f.collect(f.model, {}).value();
    f.check_availability(f.model).value();
    CHECK(f.collector->invalidate_model(f.model) == 3);
    CHECK(f.collector->find_optimizer_metrics(other.key()));
    CHECK(f.collector->invalidate_model({"llm/meta", "llama"}) == 0);
}

TEST_CASE("an answer in flight when its key is invalidated is not cached") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.backend.hold();
    const auto before = f.start(variant("v"));
    f.settle();
    f.collector->invalidate_variant(variant("v"));
    const auto after = f.start(variant("v")); // Does not join the older flight.
    f.settle();
    CHECK(f.backend.batches() == 2);
    f.backend.release();
    f.settle();
    CHECK(before->value().has_value());
    CHECK(after->value().has_value());
    CHECK(f.collector->stats().discarded == 1);

    f.collector->invalidate_prefix(key_prefix(EntryKind::optimizer, "llm"));
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
}

TEST_CASE("an answer in flight when its variant is untracked is not cached, and collecting tracks "
          "it again") {
    CollectorFixture f;
    f.backend.hold();
    const auto pending = f.start(variant("v"));
    f.settle();
    f.collector->untrack(VariantKey{"llm", "v"});
    f.backend.release();
    f.settle();
    CHECK(pending->value().has_value());
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
    CHECK(f.collector->stats().tracked_variants == 0);
    f.collect(variant("v")).value();
    CHECK(f.collector->stats().tracked_variants == 1);
}
