// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a variant that no cluster can have is refused before any request, with the bound") {
    struct Row {
        std::function<void(VariantAutoscaling&)> spoil;
        std::string reason;
    };
    static const std::string huge(2'000'000, 'x');
    const auto row = GENERATE_COPY(values<Row>({
        {[&](auto& v) { v.model_id = huge; }, "the model id has 2000000 bytes, more than 4096"},
        {[&](auto& v) { v.model_id = std::string(4097, 'm'); }, "4097 bytes, more than 4096"},
        {[&](auto& v) { v.namespace_name = huge; }, "2000000 bytes, more than 253"},
        {[&](auto& v) { v.name = std::string(254, 'n'); }, "254 bytes, more than 253"},
        {[&](auto& v) { v.deployment = huge; }, "2000000 bytes, more than 253"},
        {[&](auto& v) { v.target_kind = huge; }, "2000000 bytes, more than 253"},
        {[&](auto& v) { v.model_id = "a\xff"; }, "not UTF-8 from byte 1"},
        {[&](auto& v) { v.name = "a\nb"; }, "control character at byte 1"},
        {[&](auto& v) { v.namespace_name = std::string("a\0b", 3); }, "control character"},
        {[&](auto& v) { v.deployment = "\x7f"; }, "control character at byte 0"},
        {[&](auto& v) { v.name.clear(); }, "the name of a variant of model 'meta/llama' is empty"},
    }));
    VariantAutoscaling spoilt = variant("v");
    row.spoil(spoilt);
    CollectorFixture f;
    const Error error = f.collect(spoilt).error();
    CHECK(error.is(Errc::invalid_argument));
    CHECK_THAT(error.message, ContainsSubstring(row.reason));
    CHECK(error.message.size() < 500);
    CHECK_FALSE(f.collector->track(spoilt));
    CHECK(f.collector->stats().tracking_refused == 1);
    CHECK(f.collector->stats().tracked_variants == 0);
    CHECK(!f.collector->find_optimizer_metrics(spoilt.key()));
    CHECK(f.backend.batches() == 0);
}

TEST_CASE("a model that no cluster can have is refused by every operation") {
    CollectorFixture f;
    for (const ModelKey& model :
         {ModelKey("llm", std::string(5000, 'm')), ModelKey(std::string(254, 'n'), "m"),
          ModelKey("l\x1b[2J", "m"), ModelKey("llm", "\xc3"), ModelKey("", "m")}) {
        CHECK(f.collect(model, {}).error().is(Errc::invalid_argument));
        CHECK(f.check_availability(model).error().is(Errc::invalid_argument));
        CHECK(!f.collector->track(model));
        CHECK(!f.collector->find_replica_metrics(model, {}));
    }
    CHECK(f.backend.batches() == 0);
}

TEST_CASE("the longest names are accepted") {
    CollectorFixture f;
    VariantAutoscaling longest = variant(std::string(253, 'v'), std::string(253, 'd'));
    longest.namespace_name = std::string(253, 'n');
    longest.model_id = std::string(4096, 'm');
    CHECK(f.collect(longest).has_value());
    CHECK(f.collector->track(longest));
    CHECK(f.collector->find_optimizer_metrics(longest.key()));
}
