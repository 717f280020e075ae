// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/plan.hpp"

#include "planned_queries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::promql;

namespace {

using Texts = std::vector<std::string>;

QueryPlan make_plan(const std::vector<ModelKey>& targets, const PlanLimits& limits = {}) {
    return PlannedQueries().plan(targets, limits);
}

Texts texts(const QueryPlan& plan) {
    return PlannedQueries().texts(plan);
}

/// Targets of all kinds: repeated, invalid, with special characters.
std::vector<ModelKey> random_targets(std::mt19937& random) {
    static const Texts namespaces = {"", "prod", "dev", "a.b", "x|y", "bad\xFF", "\"q\""};
    static const Texts stems = {"m", "meta/L-3.1", "a|b",       "\\",    "\n",
                                "",  "\xC3",       "(((((((((", "\uFFFD"};
    std::uniform_int_distribution<std::size_t> count(0, 60);
    std::uniform_int_distribution<std::size_t> pick(0, 1000);
    std::vector<ModelKey> targets(count(random));
    for (ModelKey& target : targets) {
        target.namespace_name = namespaces[pick(random) % namespaces.size()];
        target.model_id = stems[pick(random) % stems.size()];
        if (pick(random) % 2 == 0)
            target.model_id += std::to_string(pick(random) % 30);
        if (pick(random) % 20 == 0)
            target.model_id.append(pick(random), 'x');
    }
    return targets;
}

bool is_valid(const ModelKey& key) {
    return !key.model_id.empty() && wva_metrics::detail::is_valid_utf8(key.model_id) &&
           wva_metrics::detail::is_valid_utf8(key.namespace_name);
}

} // namespace

TEST_CASE("2.2 row 21: a thousand models are one query for living series, one for samples and one "
          "for pods") {
    const QueryPlan plan = make_plan(numbered_models(1000, 4));
    CHECK(chunk_sizes(plan.chunks()) == std::vector<std::size_t>{1000});
    CHECK(plan.namespace_chunks().size() == 1);
    CHECK(plan.namespaces().size() == 4);
    CHECK(plan.rejected().empty());
    CHECK(texts(plan).size() == 3);
}

TEST_CASE("models that exceed one chunk make the fewest chunks, of nearly equal sizes") {
    CHECK(chunk_sizes(make_plan(numbered_models(1001)).chunks()) ==
          std::vector<std::size_t>{501, 500});
    CHECK(chunk_sizes(make_plan(numbered_models(3000)).chunks()) ==
          std::vector<std::size_t>{1000, 1000, 1000});
    CHECK(chunk_sizes(make_plan(numbered_models(10), {.max_models_per_query = 4}).chunks()) ==
          std::vector<std::size_t>{4, 3, 3});
    CHECK(chunk_sizes(make_plan(numbered_models(3), {.max_models_per_query = 1}).chunks()) ==
          std::vector<std::size_t>{1, 1, 1});
    CHECK(chunk_sizes(make_plan({}).chunks()).empty());
    CHECK(make_plan({}).namespace_chunks().empty());
}

TEST_CASE("a chunk is halved until its query is short enough") {
    const PlanLimits limits{.max_models_per_query = 1000, .max_query_bytes = 8192};
    const QueryPlan plan = make_plan(numbered_models(1500, 3), limits);
    CHECK(plan.chunks().size() > 4);
    for (const std::string& text : texts(plan))
        CHECK(text.size() <= limits.max_query_bytes);
    const auto sizes = chunk_sizes(plan.chunks());
    const auto [smallest, largest] = std::minmax_element(sizes.begin(), sizes.end());
    CHECK(*largest <= *smallest * 2 + 1);
}

TEST_CASE("the pods of many long namespaces are queried in several chunks") {
    std::vector<ModelKey> targets;
    for (int i = 0; i < 300; ++i)
        targets.push_back({std::string(60, 'n') + std::to_string(i), "m"});
    const PlanLimits limits{.max_models_per_query = 200, .max_query_bytes = 8192};
    const QueryPlan plan = make_plan(targets, limits);
    Texts covered;
    for (const NamespaceChunk chunk : plan.namespace_chunks()) {
        CHECK(chunk.size() <= limits.max_models_per_query);
        const auto names = plan.namespaces(chunk);
        covered.insert(covered.end(), names.begin(), names.end());
    }
    CHECK(plan.namespace_chunks().size() > 2);
    CHECK(std::equal(covered.begin(), covered.end(), plan.namespaces().begin(),
                     plan.namespaces().end()));
    for (const std::string& text : texts(plan))
        CHECK(text.size() <= limits.max_query_bytes);
}

TEST_CASE("models are sorted by namespace, so that a query selects few namespaces") {
    const QueryPlan plan = make_plan(numbered_models(40, 4), {.max_models_per_query = 10});
    REQUIRE(plan.chunks().size() == 4);
    for (const ModelChunk chunk : plan.chunks())
        CHECK(plan.scope(chunk).namespaces.size() == 1);
}

TEST_CASE("2.1 row 14: an invalid target is rejected by itself, and the others are queried") {
    const std::vector<ModelKey> targets = {{"prod", "good"},       {"prod", ""},
                                           {"prod", "ab\xFF"},     {"\xC3(", "m"},
                                           {"prod", "x\"} or up"}, {"", "m"}};
    const QueryPlan plan = make_plan(targets);
    REQUIRE(plan.rejected().size() == 3);
    CHECK(plan.rejected()[0].target == 1);
    CHECK(plan.rejected()[0].error.message == "the model id is empty");
    CHECK(plan.rejected()[1].target == 2);
    CHECK(plan.rejected()[1].error.message ==
          "model id: text is not valid UTF-8: byte 0xff at offset 2 of 3");
    CHECK(plan.rejected()[2].target == 3);
    CHECK(plan.rejected()[2].error.message ==
          "namespace: text is not valid UTF-8: byte 0xc3 at offset 0 of 2");
    for (const RejectedTarget& rejected : plan.rejected())
        CHECK(rejected.error.is(Errc::invalid_argument));
    REQUIRE(plan.models().size() == 3);
    CHECK(plan.models()[0] == ModelKey{"", "m"});
    // No pod is in the empty namespace.
    REQUIRE(plan.namespaces().size() == 1);
    CHECK(plan.namespaces()[0] == "prod");
}

TEST_CASE(
    "a model id that is too long for any query is rejected, and the message names the bound") {
    const PlanLimits limits{.max_query_bytes = 4096};
    const QueryPlan plan = make_plan({{"prod", std::string(4000, 'x')}, {"prod", "m"}}, limits);
    REQUIRE(plan.rejected().size() == 1);
    CHECK(plan.rejected()[0].target == 0);
    CHECK(plan.rejected()[0].error.is(Errc::invalid_argument));
    CHECK(plan.rejected()[0].error.message.ends_with("limits.max_query_bytes allows 4096"));
    CHECK(plan.models().size() == 1);
    CHECK(make_plan({{"prod", std::string(2000, 'x')}}).rejected().empty());
}

TEST_CASE("a model of several targets is queried once and belongs to all of them") {
    const QueryPlan plan = make_plan({{"b", "m"}, {"a", "m"}, {"b", "m"}, {"b", "n"}, {"a", "m"}});
    REQUIRE(plan.chunks().size() == 1);
    const ModelChunk chunk = plan.chunks()[0];
    const auto targets_of = [&](const char* name, const char* model) {
        const auto targets = plan.targets(plan.find(chunk, name, model).value());
        return std::vector<std::size_t>(targets.begin(), targets.end());
    };
    CHECK(plan.models().size() == 3);
    CHECK(targets_of("a", "m") == std::vector<std::size_t>{1, 4});
    CHECK(targets_of("b", "m") == std::vector<std::size_t>{0, 2});
    CHECK(targets_of("b", "n") == std::vector<std::size_t>{3});
}

TEST_CASE(
    "2.1 row 6: models of the same name in two namespaces are kept apart, and a namesake that "
    "is no target is ignored") {
    const QueryPlan plan = make_plan({{"prod", "m"}, {"dev", "m"}, {"dev", "n"}});
    const ModelChunk chunk = plan.chunks()[0];
    CHECK(plan.models()[plan.find(chunk, "prod", "m").value()] == ModelKey{"prod", "m"});
    CHECK(plan.models()[plan.find(chunk, "dev", "m").value()] == ModelKey{"dev", "m"});
    // The selector of the query matches this one too.
    CHECK_FALSE(plan.find(chunk, "prod", "n"));
    CHECK_FALSE(plan.find(chunk, "", "m"));
    CHECK_FALSE(plan.find(chunk, "prod", ""));
}

TEST_CASE("a series that the queries of two chunks match belongs to the chunk with its model") {
    // Both chunks select namespace b, so each query matches the other chunk's models in b.
    const QueryPlan plan =
        make_plan({{"a", "m"}, {"b", "k"}, {"b", "m"}, {"c", "k"}}, {.max_models_per_query = 2});
    REQUIRE(plan.chunks().size() == 2);
    CHECK(plan.find(plan.chunks()[0], "b", "k"));
    CHECK_FALSE(plan.find(plan.chunks()[0], "b", "m"));
    CHECK(plan.find(plan.chunks()[1], "b", "m"));
    CHECK_FALSE(plan.find(plan.chunks()[1], "b", "k"));
    const auto halves = split(plan.chunks()[0]).value();
    CHECK_FALSE(plan.find(halves.first, "b", "k"));
    CHECK(plan.find(halves.second, "b", "k"));
}

TEST_CASE("2.1 row 15: the query texts do not depend on the order of the targets") {
    std::mt19937 random(20'240'604);
    for (int round = 0; round < 20; ++round) {
        std::vector<ModelKey> targets = random_targets(random);
        const PlanLimits limits{.max_models_per_query = 7, .max_query_bytes = 16'384};
        const Texts expected = texts(make_plan(targets, limits));
        std::shuffle(targets.begin(), targets.end(), random);
        REQUIRE(texts(make_plan(targets, limits)) == expected);
    }
}

TEST_CASE("every valid target is in exactly one chunk, and every other target is rejected") {
    std::mt19937 random(20'240'605);
    for (int round = 0; round < 300; ++round) {
        const std::vector<ModelKey> targets = random_targets(random);
        const PlanLimits limits{.max_models_per_query = 1 + random() % 20, .max_query_bytes = 8192};
        const QueryPlan plan = make_plan(targets, limits);

        std::vector<int> answers(targets.size(), 0);
        std::set<ModelKey> planned;
        for (const ModelChunk chunk : plan.chunks()) {
            REQUIRE(chunk.size() >= 1);
            REQUIRE(chunk.size() <= limits.max_models_per_query);
            // The answer may contain every combination of the query's namespaces and models.
            const QueryScope scope = plan.scope(chunk);
            std::set<ModelKey> found;
            for (const std::string& name : scope.namespaces) {
                for (const std::string& model : scope.models) {
                    const auto index = plan.find(chunk, name, model);
                    if (!index || !found.insert({name, model}).second)
                        continue;
                    REQUIRE(plan.models()[*index] == ModelKey{name, model});
                    for (const std::size_t target : plan.targets(*index)) {
                        REQUIRE(targets[target] == ModelKey{name, model});
                        ++answers[target];
                    }
                }
            }
            REQUIRE(found.size() == chunk.size());
            for (const ModelKey& key : found)
                REQUIRE(planned.insert(key).second);
        }
        std::set<std::size_t> rejected_targets;
        for (const RejectedTarget& rejected : plan.rejected()) {
            rejected_targets.insert(rejected.target);
            ++answers[rejected.target];
        }
        REQUIRE(std::all_of(answers.begin(), answers.end(), [](int count) { return count == 1; }));
        for (std::size_t target = 0; target < targets.size(); ++target) {
            const bool is_short = targets[target].model_id.size() < 500;
            if (is_short)
                REQUIRE(rejected_targets.contains(target) == !is_valid(targets[target]));
        }
        for (const std::string& text : texts(plan))
            REQUIRE(text.size() <= limits.max_query_bytes);
    }
}

TEST_CASE("all problems of the limits of a plan are described") {
    CHECK(validate(PlanLimits{}).empty());
    CHECK(validate(PlanLimits{.max_models_per_query = 0, .max_query_bytes = 100}) ==
          Texts{"limits.max_models_per_query must be positive",
                "limits.max_query_bytes must be at least 4096"});
}

TEST_CASE(
    "a chunk of many models selects whole namespaces, unless most of their models are in other "
    "chunks") {
    const auto takes_namespaces = [](std::size_t models, std::size_t namespaces,
                                     std::size_t per_query) {
        const QueryPlan plan =
            make_plan(numbered_models(models, namespaces), {.max_models_per_query = per_query});
        std::vector<bool> each;
        for (const ModelChunk chunk : plan.chunks())
            each.push_back(plan.takes_namespaces(chunk));
        return each;
    };
    using Each = std::vector<bool>;
    CHECK(takes_namespaces(99, 1, 1000) == Each{false}); // Few enough to list.
    CHECK(takes_namespaces(100, 1, 1000) == Each{true});
    CHECK(takes_namespaces(1000, 4, 1000) == Each{true});
    CHECK(takes_namespaces(400, 4, 100) == Each{true, true, true, true});
    CHECK(takes_namespaces(200, 1, 100) == Each{true, true});
    CHECK(takes_namespaces(300, 1, 100) == Each{false, false, false});
}
