// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/pod_index.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using kubernetes::detail::GonePods;
using kubernetes::detail::PodIndex;
using namespace std::chrono_literals;

namespace {

Metadata metadata(const std::string& name, const std::string& uid,
                  std::optional<OwnerReference> controller = std::nullopt) {
    Metadata made;
    made.namespace_name = "llm";
    made.name = name;
    made.uid = uid;
    if (controller)
        made.owners.push_back(*std::move(controller));
    return made;
}

OwnerReference by(const std::string& kind, const std::string& name, const std::string& uid) {
    return {kind, name, uid, true};
}

Pod pod(const std::string& name, const std::string& uid,
        std::optional<OwnerReference> controller = std::nullopt) {
    Pod made;
    made.metadata = metadata(name, uid, std::move(controller));
    made.ready = true;
    return made;
}

template <typename T>
T workload(const std::string& name, const std::string& uid,
           std::optional<OwnerReference> controller = std::nullopt) {
    T made;
    made.metadata = metadata(name, uid, std::move(controller));
    return made;
}

Deployment selecting(const std::string& name, const Labels& labels) {
    auto made = workload<Deployment>(name, "uid-" + name);
    made.selector.emplace().match_labels = labels;
    return made;
}

GonePods remembering(std::size_t most = 100) {
    return {10min, most};
}

/// When everything happens where the time does not matter.
constexpr TimePoint start{};

PodOwner referred(const std::string& kind, const std::string& name) {
    return {kind, name, OwnerSource::owner_references};
}

} // namespace

TEST_CASE("a pod of a replica set is its deployment's") {
    PodIndex index{remembering()};
    index.set(pod("p", "1", by("ReplicaSet", "web-5d", "rs")));
    // Before the replica set is known, it is the owner: its name still tells the deployment's.
    CHECK(index.owner_of("llm", "p") == referred("ReplicaSet", "web-5d"));
    index.set(workload<ReplicaSet>("web-5d", "rs", by("Deployment", "web", "d")));
    CHECK(index.owner_of("llm", "p") == referred("Deployment", "web"));
    CHECK(index.owner_of("other", "p") == std::nullopt);
    CHECK(index.owner_of("llm", "q") == std::nullopt);
}

TEST_CASE("what makes a deployment does not own its pods, what scales replica sets does") {
    PodIndex index{remembering()};
    index.set(pod("p", "1", by("ReplicaSet", "web-5d", "rs")));
    index.set(workload<ReplicaSet>("web-5d", "rs", by("Deployment", "web", "d")));
    index.set(workload<Deployment>("web", "d", by("InferenceService", "svc", "s")));
    CHECK(index.owner_of("llm", "p") == referred("Deployment", "web"));
    index.set(workload<ReplicaSet>("web-5d", "rs", by("Rollout", "web", "r")));
    CHECK(index.owner_of("llm", "p") == referred("Rollout", "web"));
}

TEST_CASE("a pod of a stateful set is that one's, or its leader worker set's") {
    PodIndex index{remembering()};
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

TEST_CASE("owners that own each other come to an end") {
    PodIndex index{remembering()};
    index.set(pod("p", "1", by("ReplicaSet", "a", "a")));
    index.set(workload<ReplicaSet>("a", "a", by("ReplicaSet", "b", "b")));
    index.set(workload<ReplicaSet>("b", "b", by("ReplicaSet", "a", "a")));
    CHECK(index.owner_of("llm", "p").has_value());
}

TEST_CASE("a pod that is made anew under its old name is another pod") {
    PodIndex index{remembering()};
    const Pod old = pod("big-0", "1", by("StatefulSet", "big", "sts-1"));
    index.set(old);
    index.set(workload<StatefulSet>("big", "sts-1", by("LeaderWorkerSet", "old", "lws-1")));
    index.set(pod("big-0", "2", by("StatefulSet", "big", "sts-2")));
    CHECK(index.owner_of("llm", "big-0") == referred("StatefulSet", "big"));
    // News of the old one's end comes late.
    index.erase(old, start);
    CHECK(index.state_of("llm", "big-0") == PodState::ready);
    CHECK(index.size() == 1);
    index.set(workload<StatefulSet>("big", "sts-2", by("LeaderWorkerSet", "new", "lws-2")));
    index.erase(workload<StatefulSet>("big", "sts-1"));
    CHECK(index.owner_of("llm", "big-0") == referred("LeaderWorkerSet", "new"));
}

TEST_CASE("a pod that nobody manages is whose selector alone fits") {
    PodIndex index{remembering()};
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

TEST_CASE("a pod's state follows its condition and its end") {
    PodIndex index{remembering()};
    Pod changing = pod("p", "1");
    changing.ready = false;
    index.set(changing);
    CHECK(index.state_of("llm", "p") == PodState::not_ready);
    changing.ready = true;
    index.set(changing);
    CHECK(index.state_of("llm", "p") == PodState::ready);
    changing.metadata.being_deleted = true;
    index.set(changing);
    CHECK(index.state_of("llm", "p") == PodState::terminating);
    index.erase(changing, start);
    CHECK(index.state_of("llm", "p") == std::nullopt);
}

TEST_CASE("a list replaces what was known in its namespace, and nothing else") {
    PodIndex index{remembering()};
    Pod elsewhere = pod("e", "9");
    elsewhere.metadata.namespace_name = "other";
    index.set(elsewhere);
    index.set(pod("a", "1"));
    index.set_all("llm", std::vector{pod("b", "2")}, true, start);
    CHECK(index.state_of("llm", "a") == std::nullopt);
    CHECK(index.state_of("llm", "b") == PodState::ready);
    CHECK(index.state_of("other", "e") == PodState::ready);
    index.set_all("", std::vector<Pod>{}, true, start);
    CHECK(index.size() == 0);
}

TEST_CASE(
    "a pod that was never seen is not gone, one that was deleted is until it is there again") {
    PodIndex index{remembering()};
    CHECK_FALSE(index.is_gone("llm", "big-0", start));
    index.set(pod("big-0", "1"));
    CHECK_FALSE(index.is_gone("llm", "big-0", start));
    index.erase(pod("big-0", "1"), start);
    CHECK(index.is_gone("llm", "big-0", start));
    CHECK_FALSE(index.is_gone("llm", "big-1", start));
    CHECK_FALSE(index.is_gone("other", "big-0", start));

    index.set(pod("big-0", "2"));
    CHECK(index.state_of("llm", "big-0") == PodState::ready);
    CHECK_FALSE(index.is_gone("llm", "big-0", start));
    // News of the old one's end comes late.
    index.erase(pod("big-0", "1"), start);
    CHECK_FALSE(index.is_gone("llm", "big-0", start));
    // That one whom nobody knew has ended says nothing of who was measured.
    index.erase(pod("unknown", "3"), start);
    CHECK_FALSE(index.is_gone("llm", "unknown", start));
}

TEST_CASE("a pod that a complete list of its namespace lacks is gone, and one that it has is not") {
    PodIndex index{remembering()};
    for (const char* const name : {"stays", "ends", "unreadable"})
        index.set(pod(name, name));
    Pod elsewhere = pod("elsewhere", "9");
    elsewhere.metadata.namespace_name = "other";
    index.set(elsewhere);

    index.set_all("llm", std::vector{pod("stays", "stays"), pod("unreadable", "unreadable")}, true,
                  start);
    CHECK(index.is_gone("llm", "ends", start));
    CHECK_FALSE(index.is_gone("llm", "stays", start));
    CHECK_FALSE(index.is_gone("other", "elsewhere", start));
    // A list that lacks something that exists.
    index.set_all("llm", std::vector{pod("stays", "stays")}, false, start);
    CHECK(index.state_of("llm", "unreadable") == std::nullopt);
    CHECK_FALSE(index.is_gone("llm", "unreadable", start));
    index.set_all("llm", std::vector{pod("ends", "anew")}, true, start);
    CHECK_FALSE(index.is_gone("llm", "ends", start));
    CHECK(index.is_gone("llm", "stays", start));
    index.set_all("", std::vector<Pod>{}, true, start);
    CHECK(index.is_gone("llm", "ends", start));
    CHECK(index.is_gone("other", "elsewhere", start));
}

TEST_CASE("a list of many pods that are there crowds out none that are gone") {
    PodIndex index{remembering(1)};
    std::vector<Pod> all;
    for (const char* const name : {"a", "b", "c"})
        all.push_back(pod(name, name));
    index.set_all("llm", all, true, start);
    index.set(pod("gone", "1"));
    index.erase(pod("gone", "1"), start);
    index.set_all("llm", all, true, start);
    CHECK(index.is_gone("llm", "gone", start));
}

TEST_CASE("objects without a uid are found by name and own nothing") {
    PodIndex index{remembering()};
    index.set(pod("a", "", by("ReplicaSet", "r", "")));
    index.set(pod("b", ""));
    index.set(workload<ReplicaSet>("x", "", by("Deployment", "wrong", "")));
    CHECK(index.owner_of("llm", "a") == referred("ReplicaSet", "r"));
    index.erase(pod("a", ""), start);
    CHECK(index.size() == 1);
}

TEST_CASE("whatever happens in whatever order, the index answers as one that looks at everything") {
    std::mt19937 random(20260101);
    const auto below = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most - 1)(random);
    };
    PodIndex index{remembering()};
    // All that is, by name.
    std::map<std::string, Pod> pods;
    std::map<std::string, ReplicaSet> replica_sets;
    std::map<std::string, StatefulSet> stateful_sets;
    const auto owner_among = [&](const auto& objects,
                                 const OwnerReference& reference) -> std::optional<OwnerReference> {
        for (const auto& [name, object] : objects)
            if (object.metadata.uid == reference.uid && object.metadata.controller())
                return *object.metadata.controller();
        return std::nullopt;
    };
    const auto expected = [&](const std::string& name) -> std::optional<PodOwner> {
        const auto found = pods.find(name);
        if (found == pods.end() || !found->second.metadata.controller())
            return std::nullopt;
        OwnerReference at = *found->second.metadata.controller();
        for (int i = 0; i < 8; ++i) {
            std::optional<OwnerReference> next;
            if (at.kind == "Pod")
                next = owner_among(pods, at);
            else if (at.kind == "ReplicaSet")
                next = owner_among(replica_sets, at);
            else if (at.kind == "StatefulSet")
                next = owner_among(stateful_sets, at);
            if (!next || (at.kind == "StatefulSet" && next->kind != "LeaderWorkerSet" &&
                          next->kind != "Pod"))
                break;
            at = *next;
        }
        return referred(at.kind, at.name);
    };
    std::size_t next_uid = 0;
    const auto random_owner = [&]() -> std::optional<OwnerReference> {
        const std::string name = "o" + std::to_string(below(4));
        const auto uid_of = [&](const auto& objects) {
            const auto found = objects.find(name);
            return found == objects.end() ? "none" : found->second.metadata.uid;
        };
        switch (below(6)) {
        case 0:
            return std::nullopt;
        case 1:
            return by("ReplicaSet", name, uid_of(replica_sets));
        case 2:
            return by("StatefulSet", name, uid_of(stateful_sets));
        case 3:
            return by("Pod", name, uid_of(pods));
        case 4:
            return by("LeaderWorkerSet", name, "l" + name);
        default:
            return by("Deployment", name, "d" + name);
        }
    };
    const auto change = [&](auto& objects, auto made) {
        const std::string name = "o" + std::to_string(below(4));
        const auto known = objects.find(name);
        if (known != objects.end() && below(3) == 0) {
            if constexpr (std::is_same_v<decltype(made), Pod>)
                index.erase(known->second, start);
            else
                index.erase(known->second);
            objects.erase(known);
            return;
        }
        const bool is_same = known != objects.end() && below(2) == 0;
        made.metadata =
            metadata(name, is_same ? known->second.metadata.uid : std::to_string(++next_uid),
                     random_owner());
        index.set(made);
        objects.insert_or_assign(name, made);
    };
    for (int step = 0; step < 20'000; ++step) {
        switch (below(3)) {
        case 0:
            change(pods, Pod{});
            break;
        case 1:
            change(replica_sets, ReplicaSet{});
            break;
        default:
            change(stateful_sets, StatefulSet{});
        }
        if (below(50) == 0) {
            std::vector<ReplicaSet> all;
            for (const auto& [name, object] : replica_sets)
                all.push_back(object);
            index.set_all("llm", all);
        }
        for (int i = 0; i < 4; ++i) {
            const std::string name = "o" + std::to_string(i);
            CAPTURE(step, name);
            REQUIRE(index.owner_of("llm", name) == expected(name));
        }
        REQUIRE(index.size() == pods.size());
    }
}
