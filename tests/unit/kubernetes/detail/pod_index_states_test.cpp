// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/pod_index.hpp"

#include "support/cluster_objects.hpp"

#include <catch2/catch_all.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support::objects;
using kubernetes::detail::PodIndex;
using kubernetes::detail::UnreadableNames;

namespace {

const UnreadableNames all_read;

UnreadableNames unreadable_pods(const std::vector<std::string>& names) {
    UnreadableObjects objects;
    for (const std::string& name : names)
        objects.add({"llm", name, "it is broken"});
    return UnreadableNames(objects);
}

} // namespace

TEST_CASE("a pod's state follows its condition and its deletion") {
    PodIndex index{deleted_pods()};
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

TEST_CASE("a list replaces the objects in its namespace, and no others") {
    PodIndex index{deleted_pods()};
    Pod elsewhere = pod("e", "9");
    elsewhere.metadata.namespace_name = "other";
    index.set(elsewhere);
    index.set(pod("a", "1"));
    index.set_all("llm", std::vector{pod("b", "2")}, all_read, start);
    CHECK(index.state_of("llm", "a") == std::nullopt);
    CHECK(index.state_of("llm", "b") == PodState::ready);
    CHECK(index.state_of("other", "e") == PodState::ready);
    index.set_all("", std::vector<Pod>{}, all_read, start);
    CHECK(index.size() == 0);
}

TEST_CASE("a pod counts as deleted after its deletion until a new one has its name, and never if "
          "it was not seen") {
    PodIndex index{deleted_pods()};
    CHECK_FALSE(index.is_deleted("llm", "big-0", start));
    index.set(pod("big-0", "1"));
    CHECK_FALSE(index.is_deleted("llm", "big-0", start));
    index.erase(pod("big-0", "1"), start);
    CHECK(index.is_deleted("llm", "big-0", start));
    CHECK_FALSE(index.is_deleted("llm", "big-1", start));
    CHECK_FALSE(index.is_deleted("other", "big-0", start));

    index.set(pod("big-0", "2"));
    CHECK(index.state_of("llm", "big-0") == PodState::ready);
    CHECK_FALSE(index.is_deleted("llm", "big-0", start));
    // The deletion of the old pod is reported late.
    index.erase(pod("big-0", "1"), start);
    CHECK_FALSE(index.is_deleted("llm", "big-0", start));
    // The deletion of a pod that was never known does not count.
    index.erase(pod("unknown", "3"), start);
    CHECK_FALSE(index.is_deleted("llm", "unknown", start));
}

TEST_CASE("a known pod that a complete list of its namespace lacks counts as deleted") {
    PodIndex index{deleted_pods()};
    for (const char* const name : {"stays", "ends", "unreadable"})
        index.set(pod(name, name));
    Pod elsewhere = pod("elsewhere", "9");
    elsewhere.metadata.namespace_name = "other";
    index.set(elsewhere);

    index.set_all("llm", std::vector{pod("stays", "stays"), pod("unreadable", "unreadable")},
                  all_read, start);
    CHECK(index.is_deleted("llm", "ends", start));
    CHECK_FALSE(index.is_deleted("llm", "stays", start));
    CHECK_FALSE(index.is_deleted("other", "elsewhere", start));
    // A list that may have it, without its name.
    index.set_all("llm", std::vector{pod("stays", "stays")}, unreadable_pods({""}), start);
    CHECK(index.state_of("llm", "unreadable") == std::nullopt);
    CHECK_FALSE(index.is_deleted("llm", "unreadable", start));
    index.set_all("llm", std::vector{pod("ends", "anew")}, all_read, start);
    CHECK_FALSE(index.is_deleted("llm", "ends", start));
    CHECK(index.is_deleted("llm", "stays", start));
    index.set_all("", std::vector<Pod>{}, all_read, start);
    CHECK(index.is_deleted("llm", "ends", start));
    CHECK(index.is_deleted("other", "elsewhere", start));
}

TEST_CASE("a pod that cannot be read exists, keeps its owner, and is in no known state") {
    PodIndex index{deleted_pods()};
    for (const char* const name : {"listed", "changed", "ends"})
        index.set(pod(name, name, by("StatefulSet", "set", "s")));
    index.erase(pod("ends", "ends"), start);
    index.set_unknown("llm", "changed");
    CHECK(index.state_of("llm", "changed") == PodState::unknown);

    index.set_all("llm", std::vector{pod("changed", "changed")},
                  unreadable_pods({"listed", "ends", "never seen"}), start);
    CHECK(index.state_of("llm", "changed") == PodState::ready);
    CHECK(index.state_of("llm", "listed") == PodState::unknown);
    CHECK(index.owner_of("llm", "listed") == referred("StatefulSet", "set"));
    for (const char* const name : {"listed", "ends", "never seen"})
        CHECK_FALSE(index.is_deleted("llm", name, start));
    // Readable again, and then deleted.
    index.set(pod("listed", "listed"));
    CHECK(index.state_of("llm", "listed") == PodState::ready);
    index.erase(pod("listed", "listed"), start);
    CHECK(index.is_deleted("llm", "listed", start));
}

TEST_CASE("a workload that cannot be read stays as it was") {
    PodIndex index{deleted_pods()};
    index.set(pod("p", "p", by("ReplicaSet", "rs", "r")));
    index.set(workload<ReplicaSet>("rs", "r", by("Deployment", "web", "d")));
    index.set_all("llm", std::vector<ReplicaSet>{}, unreadable_pods({"rs"}));
    CHECK(index.owner_of("llm", "p") == referred("Deployment", "web"));
    index.set_all("llm", std::vector<ReplicaSet>{}, all_read);
    CHECK(index.owner_of("llm", "p") == referred("ReplicaSet", "rs"));
}

TEST_CASE("a long list of live pods does not displace deleted ones") {
    PodIndex index{deleted_pods(1)};
    std::vector<Pod> all;
    for (const char* const name : {"a", "b", "c"})
        all.push_back(pod(name, name));
    index.set_all("llm", all, all_read, start);
    index.set(pod("deleted", "1"));
    index.erase(pod("deleted", "1"), start);
    index.set_all("llm", all, all_read, start);
    CHECK(index.is_deleted("llm", "deleted", start));
}
