// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/attribution/known_workloads.hpp"

#include <catch2/catch_all.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

const TimePoint first_seen = TimePoint(1h);
const ModelKey known_model("ns", "m");

VariantAutoscaling known_variant(const std::string& deployment, const std::string& kind = "") {
    return {"ns", "v-" + deployment, "m", deployment, "A100", 3, kind};
}

std::vector<std::string> names_of(const std::vector<VariantAutoscaling>& variants) {
    std::vector<std::string> names;
    for (const VariantAutoscaling& each : variants)
        names.push_back(each.deployment);
    return names;
}

} // namespace

TEST_CASE("the others are the known workloads of the model, except the caller's own") {
    KnownWorkloads known;
    CHECK(known.others(known_model, {}).empty());
    const std::vector all{known_variant("a"),
                          known_variant("b"),
                          known_variant("b", "StatefulSet"),
                          VariantAutoscaling("ns", "v", "other", "c"),
                          VariantAutoscaling("other", "v", "m", "d"),
                          VariantAutoscaling("ns", "v", "m", "")};
    known.remember(all, first_seen);
    CHECK(known.others(known_model, {}).size() == 3);
    // No kind is a Deployment.
    const std::vector own{known_variant("b", "Deployment")};
    const auto others = known.others(known_model, own);
    CHECK(names_of(others) == std::vector<std::string>{"a", "b"});
    CHECK(others[1].target_kind == "StatefulSet");
    CHECK(others[0].name.empty());
}

TEST_CASE("only what changes the known workloads counts as a change") {
    KnownWorkloads known({.retention = 1min, .max_workloads = 2, .max_models = 1});
    const std::vector a{known_variant("a")};
    const auto changes_by = [&](const auto& what) {
        const std::uint64_t before = known.changes();
        what();
        return known.changes() != before;
    };
    CHECK(changes_by([&] { known.remember(a, first_seen); }));
    CHECK(!changes_by([&] { known.remember(a, first_seen + 30s); }));
    CHECK(!changes_by([&] { known.forget(known_variant("b")); }));
    CHECK(changes_by([&] { known.forget(a[0]); }));
    CHECK(!changes_by([&] { known.forget(a[0]); }));
    CHECK(changes_by([&] { known.remember(a, first_seen + 40s); }));
    CHECK(!changes_by([&] { known.remember({}, first_seen + 100s); })); // Seen a minute ago.
    CHECK(changes_by([&] { known.remember({}, first_seen + 200s); }));
    CHECK(known.others(known_model, {}).empty());
}

TEST_CASE("the memory of known workloads is bounded") {
    KnownWorkloads known({.max_workloads = 2, .max_models = 1});
    for (const std::string name : {"a", "b", "c"})
        known.remember(std::vector{known_variant(name)}, first_seen);
    CHECK(names_of(known.others(known_model, {})) == std::vector<std::string>{"a", "b"});
    known.remember(std::vector{VariantAutoscaling("ns", "v", "other", "d")}, first_seen);
    CHECK(known.others({"ns", "other"}, {}).empty());
}

TEST_CASE("a workload belongs to a model by both names") {
    KnownWorkloads known;
    known.remember(std::vector{VariantAutoscaling("a", "v", "b", "ab"),
                               VariantAutoscaling("b", "v", "a", "ba"),
                               VariantAutoscaling("a", "v", "a", "aa", "A100", 3, "StatefulSet")},
                   first_seen);
    CHECK(names_of(known.others({"a", "b"}, {})) == std::vector<std::string>{"ab"});
    CHECK(names_of(known.others({"b", "a"}, {})) == std::vector<std::string>{"ba"});
    const auto others = known.others({"a", "a"}, {});
    REQUIRE(others.size() == 1);
    // All that an attribution needs, and nothing of the caller who named it.
    CHECK(others[0] ==
          VariantAutoscaling("a", "", "a", "aa", "", default_variant_cost, "StatefulSet"));
    known.forget(VariantAutoscaling("b", "v", "a", "ba"));
    CHECK(known.others({"b", "a"}, {}).empty());
    CHECK(known.others({"a", "b"}, {}).size() == 1);
}
