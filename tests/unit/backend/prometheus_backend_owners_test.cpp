// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"
#include "wva_metrics/attribution/attribution.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

const std::string pod_c = "llama-7d9f8b6c5d-ccccc";

/// The pods of namespace "llm", as a cluster reports them.
struct Cluster {
    std::map<std::string, std::pair<PodOwner, PodState>, std::less<>> pods;
    bool knows_all = true;

    void add(const std::string& pod, const std::string& deployment,
             PodState state = PodState::ready) {
        pods[pod] = {PodOwner{"Deployment", deployment, OwnerSource::owner_references}, state};
    }
    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const {
        const auto found = pods.find(pod);
        if (namespace_name != "llm" || found == pods.end())
            return std::nullopt;
        return found->second.first;
    }
    PodState state_of(std::string_view namespace_name, std::string_view pod) const {
        const auto found = pods.find(pod);
        if (namespace_name != "llm" || (found == pods.end() && !knows_all))
            return PodState::unknown;
        return found == pods.end() ? PodState::gone : found->second.second;
    }
};

struct OwnersFixture : BackendFixture {
    OwnersFixture() { config.owners = cluster; }

    std::shared_ptr<Cluster> cluster = std::make_shared<Cluster>();
};

} // namespace

TEST_CASE_METHOD(OwnersFixture, "replicas have the owners and states that the cluster reports") {
    cluster->add(pod_a, "blue");
    cluster->add(pod_b, "green", PodState::terminating);
    set_kv({pod_a}, 0.5);
    set_kv({pod_b}, 0.6);
    set_owner(pod_a, "ReplicaSet", "other-66b4c");
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[0].owner == PodOwner{"Deployment", "blue", OwnerSource::owner_references});
    CHECK(samples.pods[0].state == PodState::ready);
    CHECK(samples.pods[1].owner == PodOwner{"Deployment", "green", OwnerSource::owner_references});
    CHECK(samples.pods[1].state == PodState::terminating);
}

TEST_CASE_METHOD(
    OwnersFixture,
    "a pod that the cluster does not have is gone, even if kube-state-metrics still reports it") {
    cluster->add(pod_b, "llama");
    set_kv({pod_a}, 0.5);
    set_kv({pod_b}, 0.6);
    add_pod(pod_a);
    add_pod(pod_b);
    const ReplicaSamples samples = replicas();
    CHECK(pod_names(samples) == std::vector{pod_b});
    CHECK(samples.gone_pods == std::vector{pod_a});
}

TEST_CASE_METHOD(
    OwnersFixture,
    "a pod that the cluster has exists, even if kube-state-metrics does not report it yet") {
    cluster->add("llama-0", "llama");
    set_ended_kv({"llama-0"}, 0.5);
    remove_pod("llama-0"); // A previous pod of the same name.
    add_pod("dns", "kube-system");
    CHECK(pod_names(replicas()) == std::vector<std::string>{"llama-0"});
}

TEST_CASE_METHOD(OwnersFixture, "the owner comes from the cluster, else from kube-state-metrics, "
                                "else from the pod's name, and each replica names its source") {
    cluster->knows_all = false;
    cluster->add(pod_a, "llama");
    for (const std::string& pod : {pod_a, pod_b, pod_c})
        set_kv({pod}, 0.5);
    set_owner(pod_b, "ReplicaSet", "llama-7d9f8b6c5d");
    const std::vector<VariantAutoscaling> variants{variant_of("llama")};
    const ModelReplicas attributed = attribute(replicas(), variants);
    REQUIRE(attributed.replicas.size() == 3);
    CHECK(attributed.replicas[0].attributed_by == OwnerSource::owner_references);
    CHECK(attributed.replicas[0].state == PodState::ready);
    CHECK(attributed.replicas[1].attributed_by == OwnerSource::kube_state_metrics);
    CHECK(attributed.replicas[1].state == PodState::unknown);
    CHECK(attributed.replicas[2].attributed_by == OwnerSource::pod_name);
}

TEST_CASE_METHOD(OwnersFixture,
                 "a variant's load is the load of the pods that the cluster attributes to it") {
    cluster->add(pod_a, "blue");
    cluster->add(pod_b, "green");
    set_load({pod_a}, 1);
    set_load({pod_b}, 3);
    set_owner(pod_b, "ReplicaSet", "blue-7d9f8b6c5d");
    const auto answers = optimizer({variant_of("blue"), variant_of("green"), variant_of("llama")});
    CHECK_THAT(answers[0].value().arrival_rate_per_minute.value(), WithinRel(60.0, 1e-9));
    CHECK_THAT(answers[1].value().arrival_rate_per_minute.value(), WithinRel(180.0, 1e-9));
    CHECK_FALSE(answers[2].value().arrival_rate_per_minute.has_value());
}

TEST_CASE_METHOD(OwnersFixture, "owners from the cluster do not need kube-state-metrics") {
    config.use_kube_state = false;
    cluster->add(pod_a, "llama", PodState::not_ready);
    set_kv({pod_a}, 0.5);
    set_kv({pod_b}, 0.5);
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].state == PodState::not_ready);
    CHECK(samples.gone_pods == std::vector{pod_b});
}
