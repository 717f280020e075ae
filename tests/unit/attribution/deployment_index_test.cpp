// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/attribution/deployment_index.hpp"

#include "support/replica_samples.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support::replicas;

namespace {

/// The deployment that owns a pod, or "none".
std::string owner_of(const std::string& pod, const Names& deployments,
                     const std::optional<PodOwner>& owner = std::nullopt) {
    const std::vector<VariantAutoscaling> variants = variants_of(deployments);
    const VariantAutoscaling* found = DeploymentIndex(model, variants).owner_of(pod, owner);
    return found ? found->deployment : "none";
}

/// The variant, of several kinds, that owns a pod, or "none".
std::string owner_of(const std::string& pod, const std::vector<VariantAutoscaling>& variants,
                     const std::optional<PodOwner>& owner = std::nullopt) {
    const VariantAutoscaling* found = DeploymentIndex(model, variants).owner_of(pod, owner);
    return found ? found->name : "none";
}

} // namespace

TEST_CASE("a pod's name attributes it to the deployment that Kubernetes made it from") {
    struct Row {
        const char* pod;
        Names deployments;
        const char* expected;
    };
    const Row row = GENERATE(values<Row>({
        {"llama-7d9f8b6c5d-x2k4z", {"llama"}, "llama"},
        {"llama-5d4-abcde", {"llama"}, "llama"},
        {"llama-b-00000", {"llama"}, "llama"},
        {"llama-3025483541-abcde", {"llama"}, "llama"},
        {"llama-3.1-7d9f8b6c5d-x2k4z", {"llama-3.1", "llama-3x1"}, "llama-3.1"},
        // Of two that match, the one with the whole name.
        {"llama-large-7d9f8b6c5d-x2k4z", {"llama", "llama-large"}, "llama-large"},
        {"llama-7d9f8b6c5d-x2k4z", {"llama", "llama-large"}, "llama"},
        {"llama-7b-66b4c-x2k4z", {"llama", "llama-7b"}, "llama-7b"},
        {"llama-7b-66b4c-7d9f8b-x2k4z", {"llama-7b", "llama-7b-66b4c"}, "llama-7b-66b4c"},
        {"llama-7b-66b4c-7d9f8b-x2k4z", {"llama-7b", "llama"}, "none"},
        // A prefix alone proves nothing.
        {"llama-large-7d9f8b6c5d-x2k4z", {"llama"}, "none"},
        {"llama-large-x", {"llama"}, "none"},
        {"llama-0", {"llama"}, "none"},
        {"llama-7d9f8b6c5d", {"llama"}, "none"},
        {"llama", {"llama"}, "none"},
        {"llama-", {"llama"}, "none"},
        {"llama--x2k4z", {"llama"}, "none"},
        {"llamas-7d9f8b6c5d-x2k4z", {"llama"}, "none"},
        {"", {"llama"}, "none"},
        {"-7d9f8b6c5d-x2k4z", {"llama", ""}, "none"},
        {"x2k4z", {"llama"}, "none"},
        // The hash: 1 to 10 characters of its alphabet.
        {"llama-7d9f8b6c5dd-x2k4z", {"llama"}, "none"},
        {"llama-7d9a8b6c5d-x2k4z", {"llama"}, "none"},
        {"llama-7d9y8b6c5d-x2k4z", {"llama"}, "none"},
        {"llama-7D9F8B6C5D-x2k4z", {"llama"}, "none"},
        // The suffix: 5 lower-case letters or digits.
        {"llama-7d9f8b6c5d-x2k4", {"llama"}, "none"},
        {"llama-7d9f8b6c5d-x2k4zz", {"llama"}, "none"},
        {"llama-7d9f8b6c5d-x2K4z", {"llama"}, "none"},
        {"llama-7d9f8b6c5d-x.k4z", {"llama"}, "none"},
        {"llama-7d9f8b6c5d-x2k-z", {"llama"}, "none"},
    }));
    CAPTURE(row.pod, row.deployments);
    CHECK(owner_of(row.pod, row.deployments) == row.expected);
}

TEST_CASE("a pod with a truncated name is found, wherever the name is truncated") {
    const std::string hash = "7d9f8b6c5d";
    // From names that need no truncation to names that are truncated themselves.
    for (std::size_t length = 40; length <= 80; ++length) {
        const std::string deployment = "llama-" + std::string(length - 6, 'a');
        const std::string base = (deployment + "-" + hash + "-").substr(0, 58);
        CAPTURE(deployment, base);
        CHECK(owner_of(base + "x2k4z", {deployment}) == deployment);
        CHECK(owner_of(base + "x2k4z", {deployment, "llama"}) == deployment);
        CHECK(owner_of(base + "x2k4", {deployment}) == "none");
        CHECK(owner_of(base + "x2-4z", {deployment}) == "none");
        CHECK(owner_of(base.substr(0, 46) + "x2k4z", {deployment}) == "none");
    }
}

TEST_CASE(
    "a name truncated within its hash does not match a deployment with the same beginning only") {
    const std::string deployment = std::string(50, 'a');
    CHECK(owner_of(deployment + "-7d9f8b6" + "x2k4z", {deployment}) == deployment);
    CHECK(owner_of(deployment + "-7d9a8b6" + "x2k4z", {deployment}) == "none");
    // Shorter or longer than a truncated name, so it was not truncated.
    CHECK(owner_of(deployment + "-7d9f8b" + "x2k4z", {deployment}) == "none");
    CHECK(owner_of(deployment + "-7d9f8b6c" + "x2k4z", {deployment}) == "none");
    CHECK(owner_of(std::string(60, 'a') + "x2k4z", {std::string(70, 'a')}) == "none");
}

TEST_CASE("a truncated name matches the longest deployment name that explains it") {
    const std::string shorter = std::string(50, 'a');
    const std::string longer = shorter + "-7d9f8b6c5d";
    CHECK(owner_of(shorter + "-7d9f8b6" + "x2k4z", {shorter, longer}) == longer);
    const std::string whole = std::string(51, 'a');
    CHECK(owner_of(whole + "-66b4c-" + "x2k4z", {whole}) == whole);
    CHECK(owner_of(whole + "-66b4c-" + "x2k4z", {whole, whole + "-66b4c"}) == whole + "-66b4c");
}

TEST_CASE("a truncated name that matches two deployments equally well matches neither") {
    const std::string base(58, 'a');
    CHECK(owner_of(base + "x2k4z", {base + "-north"}) == base + "-north");
    CHECK(owner_of(base + "x2k4z", {base + "-north", base + "-south"}) == "none");
}

TEST_CASE("a known owner decides") {
    const Names deployments = {"llama", "llama-large", "llama-7d9f8b6c5d"};
    const std::string pod = "llama-7d9f8b6c5d-x2k4z";
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "llama-large-7d9f8b6c5d"}) ==
          "llama-large");
    CHECK(owner_of(pod, deployments, PodOwner{"Deployment", "llama-large"}) == "llama-large");
    CHECK(owner_of("llama-0", deployments, PodOwner{"StatefulSet", "llama"}) == "llama");
    CHECK(owner_of("llama-0-1", deployments, PodOwner{"LeaderWorkerSet", "llama"}) == "llama");
    // Only a ReplicaSet has a hash in its name.
    CHECK(owner_of(pod, deployments, PodOwner{"StatefulSet", "llama-7d9f8b6c5d"}) ==
          "llama-7d9f8b6c5d");
    CHECK(owner_of(pod, deployments, PodOwner{"StatefulSet", "llama-66b4c"}) == "none");
}

TEST_CASE("a pod whose owner is none of the deployments matches none, whatever its name is") {
    const std::string pod = "llama-7d9f8b6c5d-x2k4z";
    const Names deployments = {"llama"};
    CHECK(owner_of(pod, deployments) == "llama");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "other-7d9f8b6c5d"}) == "none");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "llama"}) == "none");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "llama-"}) == "none");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "llama-large"}) == "none");
    CHECK(owner_of(pod, deployments, PodOwner{"Deployment", "llama-7d9f8b6c5d"}) == "none");
    CHECK(owner_of(pod, deployments, PodOwner{"Job", "batch"}) == "none");
    CHECK(owner_of(pod, deployments, PodOwner{}) == "none");
}

TEST_CASE("the names of a workload's pods depend on its kind") {
    const VariantAutoscaling deployment = variant_of_kind("Deployment", "llama");
    const VariantAutoscaling rollout = variant_of_kind("Rollout", "llama");
    const VariantAutoscaling set = variant_of_kind("StatefulSet", "llama");
    const VariantAutoscaling group = variant_of_kind("LeaderWorkerSet", "llama");
    struct Row {
        const char* pod;
        bool of_deployment;
        bool of_set;
        bool of_group;
    };
    const Row row = GENERATE(values<Row>({
        {"llama-7d9f8b6c5d-x2k4z", true, false, false},
        {"llama-66b4c-24567", true, false, false},
        {"llama-12-24567", true, false, true},
        {"llama-0", false, true, true},
        {"llama-10", false, true, true},
        {"llama-4294967295", false, true, true},
        {"llama-0-1", false, false, true},
        {"llama-12-10", false, false, true},
        {"llama-01", false, false, false},
        {"llama-42949672951", false, false, false},
        {"llama-0-1-2", false, false, false},
        {"llama-x", false, false, false},
        {"llama-", false, false, false},
        {"llama", false, false, false},
        {"llama-0-", false, false, false},
        {"-0", false, false, false},
        {"llamas-0", false, false, false},
    }));
    CAPTURE(row.pod);
    CHECK((owner_of(row.pod, {deployment}) == deployment.name) == row.of_deployment);
    CHECK((owner_of(row.pod, {rollout}) == rollout.name) == row.of_deployment);
    CHECK((owner_of(row.pod, {set}) == set.name) == row.of_set);
    CHECK((owner_of(row.pod, {group}) == group.name) == row.of_group);
}

TEST_CASE("among workloads of several kinds the longest name that explains a pod's wins") {
    const VariantAutoscaling llama = variant_of_kind("Deployment", "llama");
    const VariantAutoscaling hashed = variant_of_kind("StatefulSet", "llama-66b4c");
    const VariantAutoscaling numbered = variant_of_kind("StatefulSet", "llama-0");
    const VariantAutoscaling group = variant_of_kind("LeaderWorkerSet", "llama");
    CHECK(owner_of("llama-66b4c-24567", {llama, hashed}) == hashed.name);
    CHECK(owner_of("llama-66b4c-x2k4z", {llama, hashed}) == llama.name);
    CHECK(owner_of("llama-0-1", {numbered, group}) == numbered.name);
    CHECK(owner_of("llama-1-1", {numbered, group}) == group.name);
    // Both could have a pod with this name.
    CHECK(owner_of("llama-12-24567", {llama, group}) == "none");
    const VariantAutoscaling set = variant_of_kind("StatefulSet", "llama");
    CHECK(owner_of("llama-0", {set, group}) == "none");
    CHECK(owner_of("llama-0-0", {set, group}) == group.name);
}

TEST_CASE("workloads with one name are distinguished by the kind of the owner") {
    const VariantAutoscaling deployment = variant_of_kind("Deployment", "llama");
    const VariantAutoscaling set = variant_of_kind("StatefulSet", "llama");
    const VariantAutoscaling group = variant_of_kind("LeaderWorkerSet", "llama");
    const VariantAutoscaling rollout = variant_of_kind("Rollout", "llama");
    const std::vector<VariantAutoscaling> all = {deployment, set, group, rollout};
    CHECK(owner_of("p", all, PodOwner{"Deployment", "llama"}) == deployment.name);
    CHECK(owner_of("p", all, PodOwner{"StatefulSet", "llama"}) == set.name);
    CHECK(owner_of("p", all, PodOwner{"LeaderWorkerSet", "llama"}) == group.name);
    CHECK(owner_of("p", all, PodOwner{"Rollout", "llama"}) == rollout.name);
    CHECK(owner_of("p", {deployment, set, group}, PodOwner{"ReplicaSet", "llama-66b4c"}) ==
          deployment.name);
    CHECK(owner_of("p", {rollout, set}, PodOwner{"ReplicaSet", "llama-66b4c"}) == rollout.name);
    // A ReplicaSet with this name may belong to either.
    CHECK(owner_of("p", all, PodOwner{"ReplicaSet", "llama-66b4c"}) == "none");
    CHECK(owner_of("p", {set, group}, PodOwner{"ReplicaSet", "llama-66b4c"}) == "none");
    CHECK(owner_of("p", {set, group}, PodOwner{"Deployment", "llama"}) == "none");
    CHECK(DeploymentIndex(model, all).warnings().empty());
}

TEST_CASE("the StatefulSets of a LeaderWorkerSet's groups belong to it") {
    const VariantAutoscaling group = variant_of_kind("LeaderWorkerSet", "llama");
    const VariantAutoscaling other = variant_of_kind("StatefulSet", "llama-1");
    CHECK(owner_of("llama-0", {group}, PodOwner{"StatefulSet", "llama"}) == group.name);
    CHECK(owner_of("llama-0-1", {group}, PodOwner{"StatefulSet", "llama-0"}) == group.name);
    CHECK(owner_of("llama-1-1", {group, other}, PodOwner{"StatefulSet", "llama-1"}) == other.name);
    CHECK(owner_of("llama-0-1", {group}, PodOwner{"StatefulSet", "llama-x"}) == "none");
    CHECK(owner_of("llama-0-1", {group}, PodOwner{"StatefulSet", "llama-0-1"}) == "none");
}
