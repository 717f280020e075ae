// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/plan.hpp"

#include "planned_queries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::promql;

TEST_CASE("raw queries keep to the limit on bytes, whatever the matchers and names") {
    const PlannedQueries queries({{"cluster", MatchOperator::regex, std::string(1000, '"')}});
    std::mt19937 random(20'240'610);
    for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<ModelKey> targets(1 + random() % 100);
        for (ModelKey& target : targets) {
            target.namespace_name = std::string(random() % 60, 'n');
            target.model_id = "m" + std::string(random() % 200, "x.\"\n"[random() % 4]) +
                              std::to_string(random() % 50);
        }
        const PlanLimits limits{.max_models_per_query = 40, .max_query_bytes = 8192};
        const QueryPlan plan = queries.plan(targets, limits);
        REQUIRE(plan.rejected().empty());
        const auto texts = queries.texts(plan);
        for (const std::string& text : texts)
            REQUIRE(text.size() <= limits.max_query_bytes);
        std::shuffle(targets.begin(), targets.end(), random);
        REQUIRE(queries.texts(queries.plan(targets, limits)) == texts);
    }
}

TEST_CASE("a target that does not fit into a raw query with its matchers is rejected") {
    const PlannedQueries queries({{"cluster", MatchOperator::equal, std::string(2000, 'c')}});
    const PlanLimits limits{.max_query_bytes = 4096};
    const QueryPlan plan = queries.plan({{"prod", std::string(2000, 'x')}, {"prod", "m"}}, limits);
    REQUIRE(plan.rejected().size() == 1);
    CHECK(plan.rejected()[0].target == 0);
    CHECK(plan.rejected()[0].error.message.ends_with("limits.max_query_bytes allows 4096"));
    CHECK(plan.models().size() == 1);
}

TEST_CASE("chunks of models and of namespaces are as small as their answers' densities demand") {
    const PlannedQueries queries;
    const auto targets = numbered_models(100, 10);
    const AnswerBounds bounds{.max_series = 1000, .max_bytes = 1'000'000};
    using Sizes = std::vector<std::size_t>;

    const QueryPlan unknown = queries.plan(targets, {}, {}, bounds);
    CHECK(chunk_sizes(unknown.chunks()) == Sizes{100});
    CHECK(chunk_sizes(unknown.namespace_chunks()) == Sizes{10});

    const QueryPlan dense =
        queries.plan(targets, {}, {.models = {.series = 10}, .namespaces = {.bytes = 1e5}}, bounds);
    CHECK(chunk_sizes(dense.chunks()) == Sizes{50, 50});
    CHECK(chunk_sizes(dense.namespace_chunks()) == Sizes{5, 5});

    // The configured limit holds whatever the density.
    const QueryPlan limited = queries.plan(targets, {.max_models_per_query = 25},
                                           {.models = {.series = 10}, .namespaces = {}}, bounds);
    CHECK(chunk_sizes(limited.chunks()) == Sizes{25, 25, 25, 25});
}
