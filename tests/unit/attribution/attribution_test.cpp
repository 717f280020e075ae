// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/attribution/attribution.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using Names = std::vector<std::string>;

namespace {

const ModelKey model{"prod", "meta-llama/Llama-3.1-8B"};

VariantAutoscaling variant_of(const std::string& deployment, const std::string& name = "",
                              double cost = 10.0) {
    return {model.namespace_name,
            name.empty() ? deployment : name,
            model.model_id,
            deployment,
            "A100",
            cost};
}

std::vector<VariantAutoscaling> variants_of(const Names& deployments) {
    std::vector<VariantAutoscaling> variants;
    for (const std::string& deployment : deployments)
        variants.push_back(variant_of(deployment));
    return variants;
}

ReplicaSample sample_of(const std::string& pod, std::optional<PodOwner> owner = std::nullopt) {
    ReplicaSample sample;
    sample.pod = pod;
    sample.owner = std::move(owner);
    return sample;
}

ReplicaSamples samples_of(const Names& pods) {
    ReplicaSamples samples;
    samples.model = model;
    for (const std::string& pod : pods)
        samples.pods.push_back(sample_of(pod));
    return samples;
}

/// The deployment that is found for a pod, or "nobody".
std::string owner_of(const std::string& pod, const Names& deployments,
                     const std::optional<PodOwner>& owner = std::nullopt) {
    const std::vector<VariantAutoscaling> variants = variants_of(deployments);
    const VariantAutoscaling* found = DeploymentIndex(model, variants).owner_of(pod, owner);
    return found ? found->deployment : "nobody";
}

VariantAutoscaling variant_of_kind(const std::string& kind, const std::string& deployment) {
    VariantAutoscaling variant = variant_of(deployment, kind + " " + deployment);
    variant.target_kind = kind;
    return variant;
}

/// The variant, of those of several kinds, that is found for a pod, or "nobody".
std::string owner_of(const std::string& pod, const std::vector<VariantAutoscaling>& variants,
                     const std::optional<PodOwner>& owner = std::nullopt) {
    const VariantAutoscaling* found = DeploymentIndex(model, variants).owner_of(pod, owner);
    return found ? found->name : "nobody";
}

/// Knows some pods of the namespace "prod".
struct KnownOwners {
    std::map<std::string, PodOwner, std::less<>> owners;

    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const {
        const auto found = owners.find(pod);
        if (namespace_name != "prod" || found == owners.end())
            return std::nullopt;
        return found->second;
    }
};

} // namespace

TEST_CASE("a pod's name gives it to the deployment that Kubernetes made it from") {
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
        // Of two that fit, the one whose whole name is there.
        {"llama-large-7d9f8b6c5d-x2k4z", {"llama", "llama-large"}, "llama-large"},
        {"llama-7d9f8b6c5d-x2k4z", {"llama", "llama-large"}, "llama"},
        {"llama-7b-66b4c-x2k4z", {"llama", "llama-7b"}, "llama-7b"},
        {"llama-7b-66b4c-7d9f8b-x2k4z", {"llama-7b", "llama-7b-66b4c"}, "llama-7b-66b4c"},
        {"llama-7b-66b4c-7d9f8b-x2k4z", {"llama-7b", "llama"}, "nobody"},
        // A prefix alone proves nothing.
        {"llama-large-7d9f8b6c5d-x2k4z", {"llama"}, "nobody"},
        {"llama-large-x", {"llama"}, "nobody"},
        {"llama-0", {"llama"}, "nobody"},
        {"llama-7d9f8b6c5d", {"llama"}, "nobody"},
        {"llama", {"llama"}, "nobody"},
        {"llama-", {"llama"}, "nobody"},
        {"llama--x2k4z", {"llama"}, "nobody"},
        {"llamas-7d9f8b6c5d-x2k4z", {"llama"}, "nobody"},
        {"", {"llama"}, "nobody"},
        {"-7d9f8b6c5d-x2k4z", {"llama", ""}, "nobody"},
        {"x2k4z", {"llama"}, "nobody"},
        // The hash: 1 to 10 of what Kubernetes spells it with.
        {"llama-7d9f8b6c5dd-x2k4z", {"llama"}, "nobody"},
        {"llama-7d9a8b6c5d-x2k4z", {"llama"}, "nobody"},
        {"llama-7d9y8b6c5d-x2k4z", {"llama"}, "nobody"},
        {"llama-7D9F8B6C5D-x2k4z", {"llama"}, "nobody"},
        // The suffix: 5 small letters or digits.
        {"llama-7d9f8b6c5d-x2k4", {"llama"}, "nobody"},
        {"llama-7d9f8b6c5d-x2k4zz", {"llama"}, "nobody"},
        {"llama-7d9f8b6c5d-x2K4z", {"llama"}, "nobody"},
        {"llama-7d9f8b6c5d-x.k4z", {"llama"}, "nobody"},
        {"llama-7d9f8b6c5d-x2k-z", {"llama"}, "nobody"},
    }));
    CAPTURE(row.pod, row.deployments);
    CHECK(owner_of(row.pod, row.deployments) == row.expected);
}

TEST_CASE("a pod whose name had to be cut is still found, wherever the cut is") {
    const std::string hash = "7d9f8b6c5d";
    // From the longest deployment name that leaves everything whole to one that is cut itself.
    for (std::size_t length = 40; length <= 80; ++length) {
        const std::string deployment = "llama-" + std::string(length - 6, 'a');
        const std::string base = (deployment + "-" + hash + "-").substr(0, 58);
        CAPTURE(deployment, base);
        CHECK(owner_of(base + "x2k4z", {deployment}) == deployment);
        CHECK(owner_of(base + "x2k4z", {deployment, "llama"}) == deployment);
        CHECK(owner_of(base + "x2k4", {deployment}) == "nobody");
        CHECK(owner_of(base + "x2-4z", {deployment}) == "nobody");
        CHECK(owner_of(base.substr(0, 46) + "x2k4z", {deployment}) == "nobody");
    }
}

TEST_CASE("a name cut inside its hash goes to no deployment that merely begins alike") {
    const std::string deployment = std::string(50, 'a');
    CHECK(owner_of(deployment + "-7d9f8b6" + "x2k4z", {deployment}) == deployment);
    CHECK(owner_of(deployment + "-7d9a8b6" + "x2k4z", {deployment}) == "nobody");
    // Shorter or longer than a cut name is, so it was not cut.
    CHECK(owner_of(deployment + "-7d9f8b" + "x2k4z", {deployment}) == "nobody");
    CHECK(owner_of(deployment + "-7d9f8b6c" + "x2k4z", {deployment}) == "nobody");
    CHECK(owner_of(std::string(60, 'a') + "x2k4z", {std::string(70, 'a')}) == "nobody");
}

TEST_CASE("a cut name goes to the longest deployment name that explains it") {
    const std::string shorter = std::string(50, 'a');
    const std::string longer = shorter + "-7d9f8b6c5d";
    CHECK(owner_of(shorter + "-7d9f8b6" + "x2k4z", {shorter, longer}) == longer);
    const std::string whole = std::string(51, 'a');
    CHECK(owner_of(whole + "-66b4c-" + "x2k4z", {whole}) == whole);
    CHECK(owner_of(whole + "-66b4c-" + "x2k4z", {whole, whole + "-66b4c"}) == whole + "-66b4c");
}

TEST_CASE("a cut name that fits two deployments equally well is nobody's") {
    const std::string base(58, 'a');
    CHECK(owner_of(base + "x2k4z", {base + "-north"}) == base + "-north");
    CHECK(owner_of(base + "x2k4z", {base + "-north", base + "-south"}) == "nobody");
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
    CHECK(owner_of(pod, deployments, PodOwner{"StatefulSet", "llama-66b4c"}) == "nobody");
}

TEST_CASE(
    "a pod whose owner is none of the deployments is nobody's, whatever its name looks like") {
    const std::string pod = "llama-7d9f8b6c5d-x2k4z";
    const Names deployments = {"llama"};
    CHECK(owner_of(pod, deployments) == "llama");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "other-7d9f8b6c5d"}) == "nobody");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "llama"}) == "nobody");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "llama-"}) == "nobody");
    CHECK(owner_of(pod, deployments, PodOwner{"ReplicaSet", "llama-large"}) == "nobody");
    CHECK(owner_of(pod, deployments, PodOwner{"Deployment", "llama-7d9f8b6c5d"}) == "nobody");
    CHECK(owner_of(pod, deployments, PodOwner{"Job", "batch"}) == "nobody");
    CHECK(owner_of(pod, deployments, PodOwner{}) == "nobody");
}

TEST_CASE("the pods of a workload are known by the names that its kind gives them") {
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

TEST_CASE("of workloads of several kinds the longest name that explains a pod's has it") {
    const VariantAutoscaling llama = variant_of_kind("Deployment", "llama");
    const VariantAutoscaling hashed = variant_of_kind("StatefulSet", "llama-66b4c");
    const VariantAutoscaling numbered = variant_of_kind("StatefulSet", "llama-0");
    const VariantAutoscaling group = variant_of_kind("LeaderWorkerSet", "llama");
    CHECK(owner_of("llama-66b4c-24567", {llama, hashed}) == hashed.name);
    CHECK(owner_of("llama-66b4c-x2k4z", {llama, hashed}) == llama.name);
    CHECK(owner_of("llama-0-1", {numbered, group}) == numbered.name);
    CHECK(owner_of("llama-1-1", {numbered, group}) == group.name);
    // Both could have made this name.
    CHECK(owner_of("llama-12-24567", {llama, group}) == "nobody");
    const VariantAutoscaling set = variant_of_kind("StatefulSet", "llama");
    CHECK(owner_of("llama-0", {set, group}) == "nobody");
    CHECK(owner_of("llama-0-0", {set, group}) == group.name);
}

TEST_CASE("workloads of one name are told apart by the kind of the owner") {
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
    // A ReplicaSet of that name may be either's.
    CHECK(owner_of("p", all, PodOwner{"ReplicaSet", "llama-66b4c"}) == "nobody");
    CHECK(owner_of("p", {set, group}, PodOwner{"ReplicaSet", "llama-66b4c"}) == "nobody");
    CHECK(owner_of("p", {set, group}, PodOwner{"Deployment", "llama"}) == "nobody");
    CHECK(DeploymentIndex(model, all).warnings().empty());
}

TEST_CASE("the StatefulSets of a LeaderWorkerSet's groups are its own") {
    const VariantAutoscaling group = variant_of_kind("LeaderWorkerSet", "llama");
    const VariantAutoscaling other = variant_of_kind("StatefulSet", "llama-1");
    CHECK(owner_of("llama-0", {group}, PodOwner{"StatefulSet", "llama"}) == group.name);
    CHECK(owner_of("llama-0-1", {group}, PodOwner{"StatefulSet", "llama-0"}) == group.name);
    CHECK(owner_of("llama-1-1", {group, other}, PodOwner{"StatefulSet", "llama-1"}) == other.name);
    CHECK(owner_of("llama-0-1", {group}, PodOwner{"StatefulSet", "llama-x"}) == "nobody");
    CHECK(owner_of("llama-0-1", {group}, PodOwner{"StatefulSet", "llama-0-1"}) == "nobody");
}

TEST_CASE("two variants of one workload bring a warning that names its kind") {
    VariantAutoscaling first = variant_of_kind("StatefulSet", "llama");
    VariantAutoscaling second = first;
    second.name = "Another";
    const std::vector<VariantAutoscaling> variants = {first, second};
    const ModelReplicas joined = attribute(samples_of({"llama-0"}), variants);
    REQUIRE(joined.warnings.size() == 1);
    CHECK_THAT(joined.warnings[0], Catch::Matchers::StartsWith("StatefulSet 'llama'"));
    CHECK(joined.replicas.at(0).variant == "Another");
}

TEST_CASE("each replica says who attributed it, and what is known of its life") {
    ReplicaSamples samples;
    samples.model = model;
    samples.pods.push_back(
        sample_of("llama-66b4c-aaaaa",
                  PodOwner{"ReplicaSet", "llama-66b4c", OwnerSource::kube_state_metrics}));
    samples.pods.push_back(sample_of("llama-66b4c-bbbbb"));
    samples.pods.push_back(sample_of("llama-66b4c-ccccc"));
    samples.pods.back().state = PodState::terminating;
    samples.pods.push_back(sample_of("llama-66b4c-ddddd", PodOwner{"Deployment", "llama"}));
    const KnownOwners owners{
        {{"llama-66b4c-ccccc", {"Deployment", "llama", OwnerSource::owner_references}}}};
    const auto variants = variants_of({"llama"});

    const ModelReplicas joined = attribute(samples, variants, owners);
    REQUIRE(joined.replicas.size() == 4);
    CHECK(joined.replicas[0].attributed_by == OwnerSource::kube_state_metrics);
    CHECK(joined.replicas[0].state == PodState::unknown);
    CHECK(joined.replicas[1].attributed_by == OwnerSource::pod_name);
    CHECK(joined.replicas[2].attributed_by == OwnerSource::owner_references);
    CHECK(joined.replicas[2].state == PodState::terminating);
    CHECK(joined.replicas[3].attributed_by == OwnerSource::unknown);
}

TEST_CASE("owners that know of the pods' lives are believed before the samples") {
    struct Lives {
        std::map<std::string, PodState, std::less<>> states;
        std::optional<PodOwner> find(std::string_view, std::string_view) const { return {}; }
        PodState state_of(std::string_view, std::string_view pod) const {
            const auto found = states.find(pod);
            return found == states.end() ? PodState::unknown : found->second;
        }
    };
    ReplicaSamples samples =
        samples_of({"llama-66b4c-aaaaa", "llama-66b4c-bbbbb", "llama-66b4c-ccccc"});
    for (ReplicaSample& sample : samples.pods)
        sample.state = PodState::ready;
    samples.gone_pods = {"llama-66b4c-zzzzz"};
    const Lives lives{
        {{"llama-66b4c-aaaaa", PodState::terminating}, {"llama-66b4c-bbbbb", PodState::gone}}};
    const auto variants = variants_of({"llama"});

    const ModelReplicas joined = attribute(samples, variants, lives);
    REQUIRE(joined.replicas.size() == 2);
    CHECK(joined.replicas[0].state == PodState::terminating);
    CHECK(joined.replicas[1].state == PodState::ready);
    CHECK(joined.gone_pods == Names{"llama-66b4c-bbbbb", "llama-66b4c-zzzzz"});
    CHECK(joined.unattributed_pods.empty());
}

TEST_CASE("the caller's knowledge of owners goes before the sample's, and that before the name") {
    ReplicaSamples samples;
    samples.model = model;
    const PodOwner by_sample{"ReplicaSet", "by-sample-66b4c"};
    samples.pods.push_back(sample_of("by-name-66b4c-aaaaa", by_sample));
    samples.pods.push_back(sample_of("by-name-66b4c-bbbbb", by_sample));
    samples.pods.push_back(sample_of("by-name-66b4c-ccccc"));
    samples.pods.push_back(sample_of("by-name-66b4c-ddddd", by_sample));
    const KnownOwners owners{{{"by-name-66b4c-aaaaa", {"Deployment", "by-caller"}},
                              {"by-name-66b4c-ddddd", {"Deployment", "somebody-else"}}}};
    const auto variants = variants_of({"by-caller", "by-sample", "by-name"});

    const ModelReplicas joined = attribute(samples, variants, owners);
    REQUIRE(joined.replicas.size() == 3);
    CHECK(joined.replicas[0].deployment == "by-caller");
    CHECK(joined.replicas[0].pod == "by-name-66b4c-aaaaa");
    CHECK(joined.replicas[1].deployment == "by-name");
    CHECK(joined.replicas[1].pod == "by-name-66b4c-ccccc");
    CHECK(joined.replicas[2].deployment == "by-sample");
    CHECK(joined.replicas[2].pod == "by-name-66b4c-bbbbb");
    CHECK(joined.unattributed_pods == Names{"by-name-66b4c-ddddd"});
}

TEST_CASE("cost, accelerator and names are those of the caller's own variant") {
    const ReplicaSamples samples = samples_of({"llama-66b4c-x2k4z"});
    std::vector<VariantAutoscaling> mine = {variant_of("llama", "mine", 12.5)};
    std::vector<VariantAutoscaling> yours = {variant_of("llama", "yours", 40.0)};
    yours.front().accelerator = "H100";

    const ReplicaMetrics first = attribute(samples, mine).replicas.at(0);
    const ReplicaMetrics second = attribute(samples, yours).replicas.at(0);
    CHECK(first.variant == "mine");
    CHECK(first.cost == 12.5);
    CHECK(first.accelerator == "A100");
    CHECK(second.variant == "yours");
    CHECK(second.cost == 40.0);
    CHECK(second.accelerator == "H100");
    CHECK(second.deployment == "llama");
    CHECK(second.pod == "llama-66b4c-x2k4z");
    CHECK(second.namespace_name == model.namespace_name);
    CHECK(second.model_id == model.model_id);
}

TEST_CASE("each group of variants gets its own pods from the same samples") {
    // One accelerator's variants at a time, as an autoscaler may ask.
    const ReplicaSamples samples = samples_of({"on-a100-66b4c-aaaaa", "on-h100-66b4c-bbbbb"});
    const ModelReplicas a100 = attribute(samples, variants_of({"on-a100"}));
    const ModelReplicas h100 = attribute(samples, variants_of({"on-h100"}));
    REQUIRE(a100.replicas.size() == 1);
    CHECK(a100.replicas[0].pod == "on-a100-66b4c-aaaaa");
    CHECK(a100.unattributed_pods == Names{"on-h100-66b4c-bbbbb"});
    REQUIRE(h100.replicas.size() == 1);
    CHECK(h100.replicas[0].pod == "on-h100-66b4c-bbbbb");
    CHECK(h100.unattributed_pods == Names{"on-a100-66b4c-aaaaa"});
}

TEST_CASE("a reading that is missing or invalid stays so, and is no zero") {
    ReplicaSamples samples = samples_of({"llama-66b4c-x2k4z"});
    samples.pods[0].kv_cache_usage = Reading<double>::measured(
        std::numeric_limits<double>::quiet_NaN(), TimePoint(std::chrono::hours(1)));
    samples.pods[0].queue_length = Reading<double>::missing(ReadingReason::no_series);
    const ModelReplicas joined = attribute(samples, variants_of({"llama"}));
    CHECK(joined.replicas.at(0).kv_cache_usage.state() == ReadingState::invalid);
    CHECK(joined.replicas.at(0).queue_length.state() == ReadingState::missing);
    CHECK(joined.replicas.at(0).queue_length.reason() == ReadingReason::no_series);
}

TEST_CASE("what is known of the whole answer is handed on") {
    ReplicaSamples samples;
    samples.model = model;
    samples.gone_pods = {"llama-66b4c-aaaaa", "llama-66b4c-bbbbb"};
    samples.partial = true;
    samples.warnings = {"only a part"};
    const ModelReplicas joined = attribute(samples, variants_of({"llama"}));
    CHECK(joined.model == model);
    // All pods are gone: then there are no replicas, and none come back.
    CHECK(joined.replicas.empty());
    CHECK(joined.gone_pods == samples.gone_pods);
    CHECK(joined.partial);
    CHECK(joined.warnings == Names{"only a part"});
}

TEST_CASE("variants of another model or namespace get none of the pods") {
    VariantAutoscaling other_namespace = variant_of("llama");
    other_namespace.namespace_name = "staging";
    VariantAutoscaling other_model = variant_of("llama");
    other_model.model_id = "meta-llama/Llama";
    const std::vector<VariantAutoscaling> variants = {other_namespace, other_model};
    const ModelReplicas joined = attribute(samples_of({"llama-66b4c-x2k4z"}), variants);
    CHECK(joined.replicas.empty());
    CHECK(joined.unattributed_pods == Names{"llama-66b4c-x2k4z"});
    CHECK(joined.warnings.empty());
}

TEST_CASE("without variants every pod is unattributed") {
    const ModelReplicas joined = attribute(samples_of({"b-66b4c-x2k4z", "a"}), {});
    CHECK(joined.unattributed_pods == Names{"a", "b-66b4c-x2k4z"});
}

TEST_CASE(
    "of two variants of one deployment the first by name has the pods, and a warning says so") {
    const std::vector<VariantAutoscaling> variants = {
        variant_of("llama", "zeta"), variant_of("llama", "alpha"), variant_of("other", "beta")};
    const ModelReplicas joined = attribute(samples_of({"llama-66b4c-x2k4z"}), variants);
    REQUIRE(joined.replicas.size() == 1);
    CHECK(joined.replicas[0].variant == "alpha");
    REQUIRE(joined.warnings.size() == 1);
    CHECK_THAT(joined.warnings[0], Catch::Matchers::ContainsSubstring("'llama'") &&
                                       Catch::Matchers::ContainsSubstring("'alpha' and 'zeta'"));
}

TEST_CASE(
    "a variant that is given twice alike is one, and one given with two costs brings a warning") {
    const ReplicaSamples samples = samples_of({"llama-66b4c-x2k4z"});
    std::vector<VariantAutoscaling> variants = {variant_of("llama"), variant_of("llama")};
    CHECK(attribute(samples, variants).warnings.empty());
    CHECK(attribute(samples, variants).replicas.size() == 1);
    variants[0].cost = std::numeric_limits<double>::quiet_NaN();
    variants.push_back(variant_of("llama", "llama", 20.0));
    CHECK(attribute(samples, variants).warnings.size() == 2);
    CHECK(attribute(samples, variants).replicas.size() == 1);
}

TEST_CASE("a pod that is listed twice counts once") {
    ReplicaSamples samples =
        samples_of({"llama-66b4c-bbbbb", "x", "llama-66b4c-aaaaa", "x", "llama-66b4c-bbbbb"});
    const TimePoint now(std::chrono::hours(1));
    samples.pods.front().queue_length = Reading<double>::measured(1, now);
    samples.pods.back().queue_length = Reading<double>::measured(2, now);
    const ModelReplicas joined = attribute(samples, variants_of({"llama"}));
    REQUIRE(joined.replicas.size() == 2);
    CHECK(joined.replicas[0].pod == "llama-66b4c-aaaaa");
    CHECK(joined.replicas[1].pod == "llama-66b4c-bbbbb");
    CHECK(joined.replicas[1].queue_length.value() == 1);
    CHECK(joined.unattributed_pods == Names{"x"});
}

TEST_CASE("the order in which variants are given changes nothing") {
    const unsigned seed = GENERATE(range(0U, 50U));
    std::mt19937 random(seed);
    const Names names = {"llama",    "llama-7b",           "llama-7b-66b4c",     "llama-large",
                         "llama-66", std::string(57, 'a'), std::string(60, 'a'), "llama-7b-7b"};
    std::vector<VariantAutoscaling> variants;
    for (int i = 0; i < 12; ++i) {
        VariantAutoscaling variant =
            variant_of(names[random() % names.size()], "v" + std::to_string(random() % 3),
                       static_cast<double>(random() % 2));
        if (random() % 2 == 0)
            variant.accelerator = "H100";
        if (random() % 8 == 0)
            variant.model_id = "another";
        if (random() % 3 == 0)
            variant.target_kind = random() % 2 == 0 ? "StatefulSet" : "LeaderWorkerSet";
        variants.push_back(variant);
    }
    Names pods;
    for (const std::string& name : names) {
        for (const char* rest : {"-66b4c-", "-7d9f8b6c5d-", "-7b-", "-"})
            pods.push_back((name + rest).substr(0, 58) + "x2k4z");
        for (const char* rest : {"-0", "-12-24567"})
            pods.push_back(name + rest);
    }
    const ReplicaSamples samples = samples_of(pods);
    const ModelReplicas expected = attribute(samples, variants);
    for (int i = 0; i < 20; ++i) {
        std::shuffle(variants.begin(), variants.end(), random);
        const ModelReplicas joined = attribute(samples, variants);
        REQUIRE(joined.replicas.size() == expected.replicas.size());
        for (std::size_t j = 0; j < joined.replicas.size(); ++j) {
            REQUIRE(joined.replicas[j].pod == expected.replicas[j].pod);
            REQUIRE(joined.replicas[j].variant == expected.replicas[j].variant);
            REQUIRE(joined.replicas[j].deployment == expected.replicas[j].deployment);
            REQUIRE(joined.replicas[j].accelerator == expected.replicas[j].accelerator);
            REQUIRE(joined.replicas[j].cost == expected.replicas[j].cost);
        }
        REQUIRE(joined.unattributed_pods == expected.unattributed_pods);
        REQUIRE(joined.warnings == expected.warnings);
    }
}
