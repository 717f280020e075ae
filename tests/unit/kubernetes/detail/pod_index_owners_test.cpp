// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/pod_index.hpp"

#include "support/cluster_objects.hpp"

#include <catch2/catch_all.hpp>

#include <optional>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support::objects;
using kubernetes::detail::PodIndex;

TEST_CASE("a pod of a replica set belongs to its deployment") {
    PodIndex index{deleted_pods()};
    index.set(pod("p", "1", by("ReplicaSet", "web-5d", "rs")));
    // Until the replica set is known, it is the owner; its name contains the deployment's.
    CHECK(index.owner_of("llm", "p") == referred("ReplicaSet", "web-5d"));
    index.set(workload<ReplicaSet>("web-5d", "rs", by("Deployment", "web", "d")));
    CHECK(index.owner_of("llm", "p") == referred("Deployment", "web"));
    CHECK(index.owner_of("other", "p") == std::nullopt);
    CHECK(index.owner_of("llm", "q") == std::nullopt);
}

TEST_CASE("a manager of a deployment does not own its pods, but a manager of replica sets does") {
    PodIndex index{deleted_pods()};
    index.set(pod("p", "1", by("ReplicaSet", "web-5d", "rs")));
    index.set(workload<ReplicaSet>("web-5d", "rs", by("Deployment", "web", "d")));
    index.set(workload<Deployment>("web", "d", by("InferenceService", "svc", "s")));
    CHECK(index.owner_of("llm", "p") == referred("Deployment", "web"));
    index.set(workload<ReplicaSet>("web-5d", "rs", by("Rollout", "web", "r")));
    CHECK(index.owner_of("llm", "p") == referred("Rollout", "web"));
}

TEST_CASE("a pod of a stateful set belongs to it, or to its leader worker set") {
    PodIndex index{deleted_pods()};
    index.set(pod("big-0", "1", by("StatefulSet", "big", "sts")));
    index.set(workload<StatefulSet>("big", "sts", by("Database", "big", "x")));
    CHECK(index.owner_of("llm", "big-0") == referred("StatefulSet", "big"));
    index.set(workload<StatefulSet>("big", "sts", by("LeaderWorkerSet", "big", "lws")));
    CHECK(index.owner_of("llm", "big-0") == referred("LeaderWorkerSet", "big"));
    // A worker belongs to a stateful set that belongs to the leader.
    index.set(pod("big-0-1", "2", by("StatefulSet", "big-0", "workers")));
    index.set(workload<StatefulSet>("big-0", "workers", by("Pod", "big-0", "1")));
    CHECK(index.owner_of("llm", "big-0-1") == referred("LeaderWorkerSet", "big"));
}

TEST_CASE("a cycle of owners ends") {
    PodIndex index{deleted_pods()};
    index.set(pod("p", "1", by("ReplicaSet", "a", "a")));
    index.set(workload<ReplicaSet>("a", "a", by("ReplicaSet", "b", "b")));
    index.set(workload<ReplicaSet>("b", "b", by("ReplicaSet", "a", "a")));
    CHECK(index.owner_of("llm", "p").has_value());
}

TEST_CASE("a new pod with the name of an old one is another pod") {
    PodIndex index{deleted_pods()};
    const Pod old = pod("big-0", "1", by("StatefulSet", "big", "sts-1"));
    index.set(old);
    index.set(workload<StatefulSet>("big", "sts-1", by("LeaderWorkerSet", "old", "lws-1")));
    index.set(pod("big-0", "2", by("StatefulSet", "big", "sts-2")));
    CHECK(index.owner_of("llm", "big-0") == referred("StatefulSet", "big"));
    // The deletion of the old pod is reported late.
    index.erase(old, start);
    CHECK(index.state_of("llm", "big-0") == PodState::ready);
    CHECK(index.size() == 1);
    index.set(workload<StatefulSet>("big", "sts-2", by("LeaderWorkerSet", "new", "lws-2")));
    index.erase(workload<StatefulSet>("big", "sts-1"));
    CHECK(index.owner_of("llm", "big-0") == referred("LeaderWorkerSet", "new"));
}

TEST_CASE("a pod without a manager belongs to the only workload whose selector matches") {
    PodIndex index{deleted_pods()};
    Pod orphan = pod("p", "1");
    orphan.metadata.labels = {{"app", "web"}, {"tier", "a"}};
    index.set(orphan);
    CHECK(index.owner_of("llm", "p") == std::nullopt);
    index.set(selecting("web", {{"app", "web"}}));
    index.set(selecting("other", {{"app", "other"}}));
    index.set(selecting("everything", {}));
    CHECK(index.owner_of("llm", "p") == PodOwner{"Deployment", "web", OwnerSource::label_selector});
    index.set(selecting("tier", {{"tier", "a"}}));
    CHECK(index.owner_of("llm", "p") == std::nullopt);

    Pod member = pod("w", "2");
    member.metadata.labels = {{std::string(leader_worker_set_label), "big"}};
    index.set(member);
    CHECK(index.owner_of("llm", "w") ==
          PodOwner{"LeaderWorkerSet", "big", OwnerSource::label_selector});
}

TEST_CASE("objects without a uid are found by name and own nothing") {
    PodIndex index{deleted_pods()};
    index.set(pod("a", "", by("ReplicaSet", "r", "")));
    index.set(pod("b", ""));
    index.set(workload<ReplicaSet>("x", "", by("Deployment", "wrong", "")));
    CHECK(index.owner_of("llm", "a") == referred("ReplicaSet", "r"));
    index.erase(pod("a", ""), start);
    CHECK(index.size() == 1);
}
