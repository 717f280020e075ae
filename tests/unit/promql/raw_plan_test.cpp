// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/plan.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::promql;

namespace {

/// The queries of a round, and the plan of its targets.
struct RawRound {
    RawQueries models;
    KubeStateQueries pods;

    explicit RawRound(const std::vector<Matcher>& matchers = {})
        : models(vllm_profile(), matchers), pods(vllm_profile().kube_state, matchers) {}

    QueryPlan plan(const std::vector<ModelKey>& targets, const PlanLimits& limits = {},
                   const PlanDensity& density = {}, const AnswerBounds& bounds = {}) const {
        return {targets, models, pods, limits, density, bounds};
    }

    std::vector<std::string> texts(const QueryPlan& plan) const {
        std::vector<std::string> texts;
        for (const ModelChunk chunk : plan.chunks()) {
            texts.push_back(models.living(plan.scope(chunk)).value());
            texts.push_back(models.samples(plan.scope(chunk), 60s).value());
        }
        for (const NamespaceChunk chunk : plan.namespace_chunks())
            texts.push_back(pods.samples(plan.namespaces(chunk), 5min).value());
        return texts;
    }
};

std::vector<ModelKey> numbered_models(std::size_t count, std::size_t namespaces) {
    std::vector<ModelKey> models;
    for (std::size_t i = 0; i < count; ++i)
        models.push_back({"ns-" + std::to_string(i % namespaces), "m-" + std::to_string(i)});
    return models;
}

std::vector<std::size_t> chunk_sizes(const auto& chunks) {
    std::vector<std::size_t> sizes;
    for (const auto chunk : chunks)
        sizes.push_back(chunk.size());
    return sizes;
}

} // namespace

TEST_CASE("a thousand models are one query for living series, one for samples and one for pods") {
    const RawRound round;
    CHECK(round.texts(round.plan(numbered_models(1000, 4))).size() == 3);
}

TEST_CASE("raw queries keep to the limit on bytes, whatever the matchers and names") {
    const RawRound round({{"cluster", MatchOperator::regex, std::string(1000, '"')}});
    std::mt19937 random(20'240'610);
    for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<ModelKey> targets(1 + random() % 100);
        for (ModelKey& target : targets) {
            target.namespace_name = std::string(random() % 60, 'n');
            target.model_id = "m" + std::string(random() % 200, "x.\"\n"[random() % 4]) +
                              std::to_string(random() % 50);
        }
        const PlanLimits limits{.max_models_per_query = 40, .max_query_bytes = 8192};
        const QueryPlan plan = round.plan(targets, limits);
        REQUIRE(plan.rejected().empty());
        const auto texts = round.texts(plan);
        for (const std::string& text : texts)
            REQUIRE(text.size() <= limits.max_query_bytes);
        std::shuffle(targets.begin(), targets.end(), random);
        REQUIRE(round.texts(round.plan(targets, limits)) == texts);
    }
}

TEST_CASE("a target that does not fit into a raw query with its matchers is rejected") {
    const RawRound round({{"cluster", MatchOperator::equal, std::string(2000, 'c')}});
    const PlanLimits limits{.max_query_bytes = 4096};
    const QueryPlan plan = round.plan({{"prod", std::string(2000, 'x')}, {"prod", "m"}}, limits);
    REQUIRE(plan.rejected().size() == 1);
    CHECK(plan.rejected()[0].target == 0);
    CHECK(plan.rejected()[0].error.message.ends_with("limits.max_query_bytes allows 4096"));
    CHECK(plan.models().size() == 1);
}

TEST_CASE("chunks of models and of namespaces are as small as their answers' densities demand") {
    const RawRound round;
    const auto targets = numbered_models(100, 10);
    const AnswerBounds bounds{.max_series = 1000, .max_bytes = 1'000'000};
    using Sizes = std::vector<std::size_t>;

    const QueryPlan unknown = round.plan(targets, {}, {}, bounds);
    CHECK(chunk_sizes(unknown.chunks()) == Sizes{100});
    CHECK(chunk_sizes(unknown.namespace_chunks()) == Sizes{10});

    const QueryPlan dense =
        round.plan(targets, {}, {.models = {.series = 10}, .namespaces = {.bytes = 1e5}}, bounds);
    CHECK(chunk_sizes(dense.chunks()) == Sizes{50, 50});
    CHECK(chunk_sizes(dense.namespace_chunks()) == Sizes{5, 5});

    // The configured limit holds whatever the density.
    const QueryPlan limited = round.plan(targets, {.max_models_per_query = 25},
                                         {.models = {.series = 10}, .namespaces = {}}, bounds);
    CHECK(chunk_sizes(limited.chunks()) == Sizes{25, 25, 25, 25});
}
