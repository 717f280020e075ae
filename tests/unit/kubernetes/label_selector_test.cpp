// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/label_selector.hpp"

#include <catch2/catch_all.hpp>

using namespace wva_metrics::kubernetes;
using Operator = LabelRequirement::Operator;

namespace {

const Labels labels{{"app", "llama"}, {"tier", "gpu"}};

bool holds(LabelRequirement requirement) {
    const LabelSelector selector{.match_labels = {}, .match_expressions = {requirement}};
    CHECK(requirement.matches(labels) == selector.matches(labels));
    return selector.matches(labels);
}

} // namespace

TEST_CASE("a selector without conditions selects every object") {
    CHECK(LabelSelector{}.matches(labels));
    CHECK(LabelSelector{}.matches({}));
}

TEST_CASE("a label in a selector must exist with the same value") {
    const auto match = [](Labels wanted) {
        return LabelSelector{.match_labels = std::move(wanted), .match_expressions = {}}.matches(
            labels);
    };
    CHECK(match({{"app", "llama"}}));
    CHECK(match({{"app", "llama"}, {"tier", "gpu"}}));
    CHECK_FALSE(match({{"app", "mistral"}}));
    CHECK_FALSE(match({{"zone", "a"}}));
    CHECK_FALSE(match({{"app", "llama"}, {"zone", "a"}}));
}

TEST_CASE("a condition is tested as Kubernetes does it") {
    CHECK(holds({"app", Operator::in, {"mistral", "llama"}}));
    CHECK_FALSE(holds({"app", Operator::in, {"mistral"}}));
    CHECK_FALSE(holds({"zone", Operator::in, {"a"}}));
    CHECK(holds({"app", Operator::not_in, {"mistral"}}));
    CHECK_FALSE(holds({"app", Operator::not_in, {"mistral", "llama"}}));
    CHECK(holds({"zone", Operator::not_in, {"a"}}));
    CHECK(holds({"app", Operator::exists, {}}));
    CHECK_FALSE(holds({"zone", Operator::exists, {}}));
    CHECK(holds({"zone", Operator::does_not_exist, {}}));
    CHECK_FALSE(holds({"app", Operator::does_not_exist, {}}));
}

TEST_CASE("all conditions of a selector must be met") {
    const LabelSelector selector{
        .match_labels = {{"app", "llama"}},
        .match_expressions = {{"tier", Operator::exists, {}}, {"zone", Operator::exists, {}}}};
    CHECK_FALSE(selector.matches(labels));
    Labels more = labels;
    more["zone"] = "a";
    CHECK(selector.matches(more));
}
