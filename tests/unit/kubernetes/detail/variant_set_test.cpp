// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/variant_set.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using kubernetes::detail::parse_cost;
using kubernetes::detail::read_variant;
using kubernetes::detail::VariantSet;

namespace {

VariantAutoscalingObject object(const std::string& name, const std::string& model = "m") {
    VariantAutoscalingObject made;
    made.metadata.namespace_name = "llm";
    made.metadata.name = name;
    made.model_id = model;
    made.target_kind = "Deployment";
    made.target_name = name + "-deployment";
    made.accelerator = "A100";
    made.variant_cost = "40";
    return made;
}

} // namespace

TEST_CASE("a variant has all the fields of its object") {
    VariantAutoscalingObject full = object("a", "meta/llama");
    full.target_kind = "StatefulSet";
    full.variant_cost = "12.5";
    const auto read = read_variant(full);
    REQUIRE(read.variant);
    CHECK(*read.variant == VariantAutoscaling("llm", "a", "meta/llama", "a-deployment", "A100",
                                              12.5, "StatefulSet"));
    CHECK(read.warning.empty());
}

TEST_CASE("missing fields have defaults") {
    VariantAutoscalingObject bare = object("a");
    bare.variant_cost.reset();
    bare.target_kind.clear();
    bare.accelerator.clear();
    const auto read = read_variant(bare);
    REQUIRE(read.variant);
    CHECK(read.variant->cost == 10.0);
    CHECK(read.variant->target_kind == "Deployment");
    CHECK(read.warning.empty());
}

TEST_CASE("a cost that is not a non-negative number is the default, with a warning that names the "
          "object") {
    CHECK(parse_cost("0") == 0.0);
    CHECK(parse_cost("1e2") == 100.0);
    for (const std::string text : {"", "-1", "nan", "inf", "1e999", "40 EUR", "0x10", " 4"}) {
        CAPTURE(text);
        CHECK(parse_cost(text) == std::nullopt);
        VariantAutoscalingObject odd = object("a");
        odd.variant_cost = text;
        const auto read = read_variant(odd);
        REQUIRE(read.variant);
        CHECK(read.variant->cost == 10.0);
        CHECK_THAT(read.warning,
                   Catch::Matchers::ContainsSubstring("llm/a has a spec.variantCost"));
    }
}

TEST_CASE("an object without a model or a target is not a variant, and one warning says so") {
    VariantSet set;
    VariantAutoscalingObject odd = object("a");
    odd.target_name.clear();
    const VariantsChange first = set.set_all({odd, object("b")});
    REQUIRE(first.warnings.size() == 1);
    CHECK_THAT(first.warnings.front(),
               Catch::Matchers::ContainsSubstring("llm/a has no spec.scaleTargetRef.name"));
    CHECK(first.upserted.size() == 1);
    CHECK(set.set(odd).empty());
    CHECK(set.set_all({odd, object("b")}).empty());
    odd.model_id.clear();
    CHECK_THAT(set.set(odd).warnings.at(0), Catch::Matchers::ContainsSubstring("spec.modelID"));
    // A valid object that becomes invalid removes its variant.
    VariantAutoscalingObject worse = object("b");
    worse.model_id.clear();
    CHECK(set.set(worse).removed == std::vector{VariantKey("llm", "b")});
}

TEST_CASE("a field of the wrong type is as good as missing, and the warning says which") {
    VariantAutoscalingObject odd = object("a");
    odd.target_kind.clear();
    odd.problem = "spec.scaleTargetRef.kind is not a string";
    const auto read = read_variant(odd);
    REQUIRE(read.variant);
    CHECK(read.variant->target_kind == "Deployment");
    CHECK(read.warning == "variant autoscaling llm/a has a field of the wrong type "
                          "(spec.scaleTargetRef.kind is not a string); the default is used");
    odd.model_id.clear();
    odd.problem = "spec.modelID is not a string";
    CHECK(read_variant(odd).warning == "variant autoscaling llm/a has no spec.modelID "
                                       "(spec.modelID is not a string) and is ignored");
}

TEST_CASE("a variant whose object cannot be read stays as it was") {
    VariantSet set;
    set.set_all({object("a"), object("b"), object("c")});
    const UnreadableObject broken{"llm", "a", "llm/a cannot be read: it is broken"};
    CHECK(set.keep(broken).warnings ==
          std::vector<std::string>{"variant autoscaling: llm/a cannot be read: it is broken; its "
                                   "last known state stays"});
    CHECK(set.keep(broken).empty());

    UnreadableObjects unreadable;
    unreadable.add(broken);
    const VariantsChange change =
        set.set_all({object("b")}, kubernetes::detail::UnreadableNames(unreadable));
    CHECK(change.removed == std::vector{VariantKey("llm", "c")});
    CHECK(change.upserted.empty());
    CHECK(set.all().size() == 2);
    // One of those without a name may be any of them.
    unreadable.add({"", "", "an object cannot be read"});
    CHECK(set.set_all({}, kubernetes::detail::UnreadableNames(unreadable)).empty());
    CHECK(set.set_all({}).removed.size() == 2);
}

TEST_CASE("a model that loses its last variant and gets another in one change has not changed") {
    VariantSet set;
    set.set_all({object("a")});
    const VariantsChange change = set.set_all({object("b")});
    CHECK(change.removed.size() == 1);
    CHECK(change.upserted.size() == 1);
    CHECK(change.new_models.empty());
    CHECK(change.removed_models.empty());
}

TEST_CASE("changes list new and removed variants and models") {
    VariantSet set;
    const ModelKey m("llm", "m");
    const ModelKey n("llm", "n");

    VariantsChange change = set.set_all({object("a"), object("b")});
    CHECK(change.upserted.size() == 2);
    CHECK(change.new_models == std::vector{m});

    change = set.set(object("a"));
    CHECK(change.empty());

    VariantAutoscalingObject expensive = object("a");
    expensive.variant_cost = "50";
    change = set.set(expensive);
    CHECK(change.upserted.at(0).cost == 50);
    CHECK(change.new_models.empty());

    change = set.set(object("a", "n"));
    CHECK(change.new_models == std::vector{n});
    CHECK(change.removed_models.empty());
    CHECK(change.removed.empty());

    change = set.erase(object("b"));
    CHECK(change.removed == std::vector{VariantKey("llm", "b")});
    CHECK(change.removed_models == std::vector{m});
    CHECK(set.erase(object("b")).empty());

    change = set.set_all({object("c")});
    CHECK(change.removed == std::vector{VariantKey("llm", "a")});
    CHECK(change.removed_models == std::vector{n});
    CHECK(change.new_models == std::vector{m});
    CHECK(set.all().size() == 1);
}
