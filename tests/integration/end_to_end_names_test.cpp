// SPDX-License-Identifier: Apache-2.0
#include "support/collected_fleet.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

const std::vector<std::string> model_ids = {
    "org/team/model",
    "say \"hi\" 'now' `so`",
    "C:\\models\\n\\\\",
    "two\nlines\tand\rmore",
    ".*",
    "a.b",
    "axb",
    "^(llama|qwen)[0-9]{2}\\d+?$",
    "llama",
    "llama|qwen",
    "{model_name=~\".+\"}",
    "50%+1&query=up;#",
    "модель/模型/e\xcc\x81-\xf0\x9f\xa6\x99",
    " leading and trailing ",
};

std::vector<std::string> fleet_options() {
    std::vector<std::string> options{"--namespace", "east", "--namespace", "west",
                                     "--same-model-everywhere"};
    for (const std::string& id : model_ids) {
        options.emplace_back("--model");
        options.push_back(id);
    }
    return options;
}

} // namespace

TEST_CASE("a model id with any characters selects that model only, in its namespace only") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched(fleet_options());
    watched.fleet().control({{"load", "*"}, {"factor", "3"}, {"namespace", "east"}});
    watched.wait_for_requests();
    const std::vector<FleetModel> models = watched.fleet().models();
    REQUIRE(models.size() == 2 * model_ids.size());

    // All models at once, so that all ids are in one query.
    const CollectedFleet together = collect_at_one_moment(watched, models);
    CHECK(check_all(watched, together) == static_cast<int>(models.size()) * (5 + 2 * 2));
    for (std::size_t i = 0; i < models.size(); ++i)
        check_owners(models[i], **together.models[i]);

    // Each model alone, so that no other one can hide a wrong selector.
    BlockingCollector collector(watched.config());
    for (const FleetModel& model : models) {
        const Result<Availability> availability = collector.check_availability(model.key);
        INFO(availability->message);
        CHECK(availability->available);
        CHECK(availability->reason == AvailabilityReason::metrics_found);
        check_owners(model, **collector.collect(model.key, model.variants()));
        CHECK((*collector.collect(model.deployments[0].variant))->arrival_rate_per_minute);
    }
}

TEST_CASE("the same model in two namespaces is not mixed, and an error in a third one names both") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--model", "meta/llama", "--namespace", "idle", "--namespace", "busy",
                          "--same-model-everywhere", "--warm-up", "0", "--control",
                          "load=*&factor=0&namespace=idle"});
    watched.wait_for("sum(rate(vllm:request_success_total{namespace=\"busy\"}[1m])) and "
                     "count(rate(vllm:request_success_total{namespace=\"idle\"}[1m]))");
    const std::vector<FleetModel> models = watched.fleet().models();
    // With different names, the test would prove nothing.
    REQUIRE(models[0].deployments[0].variant.deployment ==
            models[1].deployments[0].variant.deployment);

    const CollectedFleet collected = collect_at_one_moment(watched, models);
    CHECK((*collected.variants[0])->arrival_rate_per_minute.value() == 0);
    CHECK((*collected.variants[0])->avg_input_tokens.reason() == ReadingReason::no_requests);
    CHECK((*collected.variants[1])->arrival_rate_per_minute.value() > 0);
    CHECK((*collected.variants[1])->avg_input_tokens.has_value());
    for (std::size_t i = 0; i < models.size(); ++i)
        check_owners(models[i], **collected.models[i]);

    BlockingCollector collector(watched.config());
    const Result<Availability> misplaced = collector.check_availability({"staging", "meta/llama"});
    CHECK_FALSE(misplaced->available);
    CHECK(misplaced->reason == AvailabilityReason::metrics_missing);
    for (const char* name : {"'staging'", "'idle'", "'busy'"})
        CHECK_THAT(misplaced->message, Catch::Matchers::ContainsSubstring(name));

    const Result<Availability> misspelt = collector.check_availability({"busy", "meta/lama"});
    CHECK_FALSE(misspelt->available);
    CHECK(misspelt->reason == AvailabilityReason::metrics_missing);
    CHECK_THAT(misspelt->message, Catch::Matchers::ContainsSubstring("meta/lama"));

    const VariantAutoscaling variant("staging", "v", "meta/llama", "llama-a100");
    const Result<OptimizerSnapshot> nothing = collector.collect(variant);
    CHECK(nothing->freshness() == Freshness::unavailable);
    CHECK((*nothing)->arrival_rate_per_minute.reason() == ReadingReason::no_series);
    CHECK((*collector.collect(variant.model(), {variant}))->replicas.empty());
}
