// SPDX-License-Identifier: Apache-2.0
#include <wva_metrics/backend/detail/pod_knowledge.hpp>

#include <catch2/catch_all.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;

namespace {

void add(PodKnowledge& pods, const std::string& part, const std::string& pod = "",
         const std::string& kind = "", const std::string& owner = "",
         const std::string& namespace_name = "llm") {
    const std::vector<std::string> labels = {part, namespace_name, pod, kind, owner};
    pods.add({labels, 1, 0});
}

} // namespace

TEST_CASE("a pod is gone when it was seen, lives no more, and somebody reports") {
    const bool seen = GENERATE(false, true);
    const bool live = GENERATE(false, true);
    const bool reporting = GENERATE(false, true);
    PodKnowledge pods;
    if (seen)
        add(pods, "seen0", "p-0");
    if (live)
        add(pods, "live0", "p-0");
    if (reporting)
        add(pods, "reporting0");
    CHECK(pods.is_gone("llm", "p-0") == (seen && !live && reporting));
    CHECK_FALSE(pods.is_gone("other", "p-0"));
    CHECK_FALSE(pods.is_gone("llm", "p-1"));
}

TEST_CASE("an answer that may lack something calls no pod gone, and still names owners") {
    PodKnowledge pods;
    add(pods, "seen0", "p-0");
    add(pods, "owner0", "p-0", "StatefulSet", "llama");
    add(pods, "reporting0");
    pods.distrust_absence();
    CHECK_FALSE(pods.is_gone("llm", "p-0"));
    CHECK(pods.owner_of("llm", "p-0") ==
          PodOwner{"StatefulSet", "llama", OwnerSource::kube_state_metrics});
}

TEST_CASE("of several owners the same one is taken in any order") {
    const bool swapped = GENERATE(false, true);
    PodKnowledge pods;
    add(pods, "owner0", "p-0", swapped ? "Workload" : "ReplicaSet", "b");
    add(pods, "owner0", "p-0", swapped ? "ReplicaSet" : "Workload", "b");
    add(pods, "owner0", "p-0", "", "");
    CHECK(pods.owner_of("llm", "p-0") ==
          PodOwner{"ReplicaSet", "b", OwnerSource::kube_state_metrics});
    CHECK_FALSE(pods.owner_of("other", "p-0").has_value());
}

TEST_CASE("what one query learnt is added to what others did") {
    PodKnowledge all;
    PodKnowledge first;
    add(first, "seen0", "p-0", "", "", "a");
    PodKnowledge second;
    add(second, "seen0", "p-0", "", "", "b");
    add(second, "live0", "p-0", "", "", "b");
    add(second, "reporting0");
    all.merge(std::move(first));
    all.merge(std::move(second));
    CHECK(all.is_gone("a", "p-0"));
    CHECK_FALSE(all.is_gone("b", "p-0"));
}

TEST_CASE("a warning is told once, of the namespaces it concerns") {
    PodKnowledge pods;
    const std::vector<std::string> concerned = {"a", "b"};
    pods.add_warning(concerned, "too much");
    pods.add_warning(concerned, "too much");
    CHECK(pods.warnings("a") == std::set<std::string>{"too much"});
    CHECK(pods.warnings("b") == std::set<std::string>{"too much"});
    CHECK(pods.warnings("c").empty());
}

TEST_CASE("series that mean nothing here are passed over") {
    PodKnowledge pods;
    add(pods, "reporting0");
    add(pods, "", "p-0");
    add(pods, "value0", "p-0");
    add(pods, "seen", "p-0");
    add(pods, "seen0", "");
    CHECK_FALSE(pods.is_gone("llm", "p-0"));
    CHECK_FALSE(pods.is_gone("llm", ""));
}
