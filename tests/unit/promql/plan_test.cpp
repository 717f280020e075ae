// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/plan.hpp"

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

QueryPlan make_plan(const std::vector<ModelKey>& questions, const PlanLimits& limits = {}) {
    return QueryPlan(questions, vllm_profile(), {}, limits);
}

std::vector<ModelKey> many_models(std::size_t count, std::size_t namespaces = 1) {
    std::vector<ModelKey> models;
    for (std::size_t i = 0; i < count; ++i)
        models.push_back(
            {"ns-" + std::to_string(i % namespaces), "org/model-" + std::to_string(i) + "-7.5b"});
    return models;
}

std::vector<std::size_t> sizes(const QueryPlan& plan) {
    std::vector<std::size_t> sizes;
    for (const ModelChunk chunk : plan.chunks())
        sizes.push_back(chunk.size());
    return sizes;
}

/// All texts a round sends.
Texts texts(const QueryPlan& plan) {
    Texts texts;
    for (const ModelChunk chunk : plan.chunks()) {
        for (const Signal signal : all_signals)
            texts.push_back(
                build_signal_query(signal, plan.scope(chunk), vllm_profile(), {}).value().promql);
    }
    for (const NamespaceChunk chunk : plan.namespace_chunks())
        texts.push_back(
            build_pods_query(plan.namespaces(chunk), vllm_profile(), {}).value().promql);
    return texts;
}

/// Questions as they come: repeated, invalid, awkward.
std::vector<ModelKey> random_questions(std::mt19937& random) {
    static const Texts namespaces = {"", "prod", "dev", "a.b", "x|y", "bad\xFF", "\"q\""};
    static const Texts stems = {"m", "meta/L-3.1", "a|b",       "\\",    "\n",
                                "",  "\xC3",       "(((((((((", "\uFFFD"};
    std::uniform_int_distribution<std::size_t> count(0, 60);
    std::uniform_int_distribution<std::size_t> pick(0, 1000);
    std::vector<ModelKey> questions(count(random));
    for (ModelKey& question : questions) {
        question.namespace_name = namespaces[pick(random) % namespaces.size()];
        question.model_id = stems[pick(random) % stems.size()];
        if (pick(random) % 2 == 0)
            question.model_id += std::to_string(pick(random) % 30);
        if (pick(random) % 20 == 0)
            question.model_id.append(pick(random), 'x');
    }
    return questions;
}

bool is_sound(const ModelKey& key) {
    return !key.model_id.empty() && wva_metrics::detail::is_valid_utf8(key.model_id) &&
           wva_metrics::detail::is_valid_utf8(key.namespace_name);
}

} // namespace

TEST_CASE("2.2 row 21: a thousand models are one query per signal") {
    const QueryPlan plan = make_plan(many_models(1000, 4));
    CHECK(sizes(plan) == std::vector<std::size_t>{1000});
    CHECK(plan.namespace_chunks().size() == 1);
    CHECK(plan.namespaces().size() == 4);
    CHECK(plan.refused().empty());
    CHECK(texts(plan).size() == all_signals.size() + 1);
}

TEST_CASE("more models than fit make the fewest chunks, of nearly equal sizes") {
    CHECK(sizes(make_plan(many_models(1001))) == std::vector<std::size_t>{501, 500});
    CHECK(sizes(make_plan(many_models(3000))) == std::vector<std::size_t>{1000, 1000, 1000});
    CHECK(sizes(make_plan(many_models(10), {.max_models_per_query = 4})) ==
          std::vector<std::size_t>{4, 3, 3});
    CHECK(sizes(make_plan(many_models(3), {.max_models_per_query = 1})) ==
          std::vector<std::size_t>{1, 1, 1});
    CHECK(sizes(make_plan({})).empty());
    CHECK(make_plan({}).namespace_chunks().empty());
}

TEST_CASE("a chunk whose text would be too long is halved until it is not") {
    const PlanLimits limits{.max_models_per_query = 1000, .max_query_bytes = 8192};
    const QueryPlan plan = make_plan(many_models(400, 3), limits);
    CHECK(plan.chunks().size() > 4);
    for (const std::string& text : texts(plan))
        CHECK(text.size() <= limits.max_query_bytes);
    const auto chunk_sizes = sizes(plan);
    const auto [smallest, largest] = std::minmax_element(chunk_sizes.begin(), chunk_sizes.end());
    CHECK(*largest <= *smallest * 2 + 1);
}

TEST_CASE("many long namespaces are asked about their pods in several queries") {
    std::vector<ModelKey> questions;
    for (int i = 0; i < 300; ++i)
        questions.push_back({std::string(60, 'n') + std::to_string(i), "m"});
    const PlanLimits limits{.max_models_per_query = 200, .max_query_bytes = 16'384};
    const QueryPlan plan = make_plan(questions, limits);
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

TEST_CASE("models are sorted by namespace, so that a query is about few of them") {
    const QueryPlan plan = make_plan(many_models(40, 4), {.max_models_per_query = 10});
    REQUIRE(plan.chunks().size() == 4);
    for (const ModelChunk chunk : plan.chunks())
        CHECK(plan.scope(chunk).namespaces.size() == 1);
}

TEST_CASE("2.1 row 14: what cannot be asked is refused by itself, and the rest is asked") {
    const std::vector<ModelKey> questions = {{"prod", "good"},       {"prod", ""},
                                             {"prod", "ab\xFF"},     {"\xC3(", "m"},
                                             {"prod", "x\"} or up"}, {"", "m"}};
    const QueryPlan plan = make_plan(questions);
    REQUIRE(plan.refused().size() == 3);
    CHECK(plan.refused()[0].question == 1);
    CHECK(plan.refused()[0].error.message == "the model id is empty");
    CHECK(plan.refused()[1].question == 2);
    CHECK(plan.refused()[1].error.message ==
          "model id: text is not valid UTF-8: byte 0xff at offset 2 of 3");
    CHECK(plan.refused()[2].question == 3);
    CHECK(plan.refused()[2].error.message ==
          "namespace: text is not valid UTF-8: byte 0xc3 at offset 0 of 2");
    for (const RejectedTarget& refused : plan.refused())
        CHECK(refused.error.is(Errc::invalid_argument));
    REQUIRE(plan.models().size() == 3);
    CHECK(plan.models()[0] == ModelKey{"", "m"});
    // No pod is in the empty namespace.
    REQUIRE(plan.namespaces().size() == 1);
    CHECK(plan.namespaces()[0] == "prod");
}

TEST_CASE("a model id that no query can hold is refused, and the message says which bound it was") {
    const PlanLimits limits{.max_query_bytes = 4096};
    const QueryPlan plan = make_plan({{"prod", std::string(2000, 'x')}, {"prod", "m"}}, limits);
    REQUIRE(plan.refused().size() == 1);
    CHECK(plan.refused()[0].question == 0);
    CHECK(plan.refused()[0].error.is(Errc::invalid_argument));
    CHECK(plan.refused()[0].error.message.ends_with("limits.max_query_bytes allows 4096"));
    CHECK(plan.models().size() == 1);
    CHECK(make_plan({{"prod", std::string(2000, 'x')}}).refused().empty());
}

TEST_CASE("a model that several ask about is asked once and answered to all of them") {
    const QueryPlan plan = make_plan({{"b", "m"}, {"a", "m"}, {"b", "m"}, {"b", "n"}, {"a", "m"}});
    REQUIRE(plan.chunks().size() == 1);
    const ModelChunk chunk = plan.chunks()[0];
    const auto asked = [&](const char* name, const char* model) {
        const auto questions = plan.questions(plan.find(chunk, name, model).value());
        return std::vector<std::size_t>(questions.begin(), questions.end());
    };
    CHECK(plan.models().size() == 3);
    CHECK(asked("a", "m") == std::vector<std::size_t>{1, 4});
    CHECK(asked("b", "m") == std::vector<std::size_t>{0, 2});
    CHECK(asked("b", "n") == std::vector<std::size_t>{3});
}

TEST_CASE("2.1 row 6: a model in two namespaces never mixes, and a namesake nobody asked for is "
          "left out") {
    const QueryPlan plan = make_plan({{"prod", "m"}, {"dev", "m"}, {"dev", "n"}});
    const ModelChunk chunk = plan.chunks()[0];
    CHECK(plan.models()[plan.find(chunk, "prod", "m").value()] == ModelKey{"prod", "m"});
    CHECK(plan.models()[plan.find(chunk, "dev", "m").value()] == ModelKey{"dev", "m"});
    // The query's selector matches this one too.
    CHECK_FALSE(plan.find(chunk, "prod", "n"));
    CHECK_FALSE(plan.find(chunk, "", "m"));
    CHECK_FALSE(plan.find(chunk, "prod", ""));
}

TEST_CASE("a series that two chunks' queries match belongs to the one that asked for it") {
    // Both halves are about namespace b, so both queries match b's models of each other's.
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

TEST_CASE("2.1 row 15: the texts do not depend on the order of the questions") {
    std::mt19937 random(20'240'604);
    for (int round = 0; round < 20; ++round) {
        std::vector<ModelKey> questions = random_questions(random);
        const PlanLimits limits{.max_models_per_query = 7, .max_query_bytes = 16'384};
        const Texts expected = texts(make_plan(questions, limits));
        std::shuffle(questions.begin(), questions.end(), random);
        REQUIRE(texts(make_plan(questions, limits)) == expected);
    }
}

TEST_CASE("every sound question is in exactly one chunk, every other one is refused") {
    std::mt19937 random(20'240'605);
    for (int round = 0; round < 300; ++round) {
        const std::vector<ModelKey> questions = random_questions(random);
        const PlanLimits limits{.max_models_per_query = 1 + random() % 20, .max_query_bytes = 8192};
        const QueryPlan plan = make_plan(questions, limits);

        std::vector<int> answers(questions.size(), 0);
        std::set<ModelKey> planned;
        for (const ModelChunk chunk : plan.chunks()) {
            REQUIRE(chunk.size() >= 1);
            REQUIRE(chunk.size() <= limits.max_models_per_query);
            // As an answer would: everything in the cross product of what the query names.
            const QueryScope scope = plan.scope(chunk);
            std::set<ModelKey> found;
            for (const std::string& name : scope.namespaces) {
                for (const std::string& model : scope.models) {
                    const auto index = plan.find(chunk, name, model);
                    if (!index || !found.insert({name, model}).second)
                        continue;
                    REQUIRE(plan.models()[*index] == ModelKey{name, model});
                    for (const std::size_t question : plan.questions(*index)) {
                        REQUIRE(questions[question] == ModelKey{name, model});
                        ++answers[question];
                    }
                }
            }
            REQUIRE(found.size() == chunk.size());
            for (const ModelKey& key : found)
                REQUIRE(planned.insert(key).second);
        }
        std::set<std::size_t> refused;
        for (const RejectedTarget& question : plan.refused()) {
            refused.insert(question.question);
            ++answers[question.question];
        }
        REQUIRE(std::all_of(answers.begin(), answers.end(), [](int count) { return count == 1; }));
        for (std::size_t question = 0; question < questions.size(); ++question) {
            const bool is_short = questions[question].model_id.size() < 500;
            if (is_short)
                REQUIRE(refused.contains(question) == !is_sound(questions[question]));
        }
        for (const std::string& text : texts(plan))
            REQUIRE(text.size() <= limits.max_query_bytes);
    }
}

TEST_CASE("the limits of a plan are checked in words") {
    CHECK(validate(PlanLimits{}).empty());
    CHECK(validate(PlanLimits{.max_models_per_query = 0, .max_query_bytes = 100}) ==
          Texts{"limits.max_models_per_query must be positive",
                "limits.max_query_bytes must be at least 4096"});
}

TEST_CASE(
    "a chunk of many models takes its namespaces, unless the plan has most of them elsewhere") {
    const auto takes_namespaces = [](std::size_t models, std::size_t namespaces,
                                     std::size_t per_query) {
        const QueryPlan plan =
            make_plan(many_models(models, namespaces), {.max_models_per_query = per_query});
        std::vector<bool> each;
        for (const ModelChunk chunk : plan.chunks())
            each.push_back(plan.takes_namespaces(chunk));
        return each;
    };
    using Each = std::vector<bool>;
    CHECK(takes_namespaces(99, 1, 1000) == Each{false}); // So few are named.
    CHECK(takes_namespaces(100, 1, 1000) == Each{true});
    CHECK(takes_namespaces(1000, 4, 1000) == Each{true});
    CHECK(takes_namespaces(400, 4, 100) == Each{true, true, true, true});
    CHECK(takes_namespaces(200, 1, 100) == Each{true, true});
    CHECK(takes_namespaces(300, 1, 100) == Each{false, false, false});
}
