// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/kube_pod_series.hpp"

#include "kube_answer.hpp"

#include <catch2/catch_all.hpp>

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the labels and values of a series say of its pod.

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using wva_metrics::detail::KubePods;

namespace {

std::optional<std::string> owner_name(const std::vector<KubeSeries>& answer,
                                      const std::string& pod = "a") {
    const KubePods pods = judge(answer);
    const KubePods::Pod* known = pods.find("llm", pod);
    if (known == nullptr || !known->owner)
        return std::nullopt;
    return known->owner->kind + "/" + known->owner->name;
}

std::optional<bool> ready(const std::vector<KubeSeries>& answer) {
    const KubePods pods = judge(answer);
    const KubePods::Pod* known = pods.find("llm", "a");
    REQUIRE(known != nullptr);
    return known->ready;
}

} // namespace

TEST_CASE("a pod's owner is that of kube-state-metrics") {
    const KubePods pods = judge({pod_info("a"), pod_owner("a", "ReplicaSet", "x-1")});
    CHECK(pods.find("llm", "a")->owner ==
          PodOwner{"ReplicaSet", "x-1", OwnerSource::kube_state_metrics});
}

TEST_CASE("a pod without an owner has none") {
    CHECK_FALSE(owner_name({pod_info("a")}));
    CHECK_FALSE(owner_name({pod_info("a"), pod_owner("a", "", "")}));
    CHECK_FALSE(owner_name({pod_info("a"), pod_owner("a", "<none>", "<none>")}));
    CHECK_FALSE(owner_name({pod_info("a").with("owner_name", "x")}));
}

TEST_CASE("of several owners the newest living one counts, then the first by kind and name") {
    const Scrapes older{.newest = 15s};
    const auto check_both_orders = [](const KubeSeries& one, const KubeSeries& other,
                                      const std::string& expected) {
        CHECK(owner_name({one, other}) == expected);
        CHECK(owner_name({other, one}) == expected);
    };
    check_both_orders(pod_owner("a", "A", "a", older), pod_owner("a", "B", "b"), "B/b");
    check_both_orders(pod_owner("a", "A", "z"), pod_owner("a", "B", "b"), "A/z");
    check_both_orders(pod_owner("a", "A", "z"), pod_owner("a", "A", "y"), "A/y");
    check_both_orders(pod_owner("a", "A", "z"), pod_owner("a", "", ""), "A/z");
    check_both_orders(pod_owner("a", "A", "a", {.newest = 5min}),
                      pod_owner("a", "B", "b", {.newest = 4min}), "B/b");
}

TEST_CASE("a living owner precedes one of an instance that is down, although it is older") {
    const Scrapes rare{.newest = 80s, .spacing = 60s};
    const Scrapes down{.newest = 40s};
    CHECK(owner_name({pod_owner("a", "B", "living", rare).from("1"),
                      pod_owner("a", "A", "down", down).from("2"), pod_info("b").from("3")}) ==
          "B/living");
}

TEST_CASE("a pod that is gone keeps its owner") {
    CHECK(owner_name({pod_owner("a", "ReplicaSet", "x", {.newest = 5min}), pod_info("b")}) ==
          "ReplicaSet/x");
}

TEST_CASE("a pod is ready if kube-state-metrics says so, and unknown if it does not say") {
    CHECK(ready({pod_info("a"), pod_ready("a", 1)}) == true);
    CHECK(ready({pod_info("a"), pod_ready("a", 0)}) == false); // Evicted, or starting.
    CHECK(ready({pod_info("a")}) == std::nullopt);
    CHECK(ready({pod_ready("a", 2)}) == std::nullopt);
    CHECK(ready({pod_ready("a", std::numeric_limits<double>::quiet_NaN())}) == std::nullopt);
}

TEST_CASE("only the condition `true` shows whether a pod is ready") {
    CHECK(ready({pod_ready("a", 1).with("condition", "false"),
                 pod_ready("a", 0).with("condition", "true")}) == false);
    CHECK(ready({pod_ready("a", 1).with("condition", "unknown")}) == std::nullopt);
    CHECK(ready({pod_ready("a", 1).with("condition", "")}) == std::nullopt);
}

TEST_CASE("only the last sample of a pod's readiness counts") {
    KubeSeries started = pod_ready("a", 0);
    started.samples.back().value = 1;
    CHECK(ready({started}) == true);
}

TEST_CASE("nothing is ready that does not exist") {
    CHECK(ready({pod_ready("a", 1, {.newest = 5min}), pod_info("b")}) == std::nullopt);
    CHECK(ready({pod_ready("a", 1, {.newest = 5min})}) == std::nullopt);
    CHECK(ready({pod_ready("a", 1, {.newest = 5min}), pod_info("a")}) == std::nullopt);
}

TEST_CASE("of several living series of readiness the newest counts, and else not ready") {
    const KubeSeries old = pod_ready("a", 1, {.newest = 15s});
    const KubeSeries successor = pod_ready("a", 0, {.oldest = 0s}).with("uid", "new");
    CHECK(ready({old, successor}) == false);
    CHECK(ready({successor, old}) == false);
    const KubeSeries yes = pod_ready("a", 1);
    const KubeSeries no = pod_ready("a", 0).with("prometheus_replica", "b");
    CHECK(ready({yes, no}) == false);
    CHECK(ready({no, yes}) == false);
}

TEST_CASE("pods are found if the scrape of kube-state-metrics does not honour labels") {
    KubeJudgement how;
    if (GENERATE(false, true))
        how.names = promql::without_honor_labels(how.names);
    const KubeSeries series = pod_owner("kube-state-metrics-0", "ReplicaSet", "x")
                                  .with("namespace", "monitoring")
                                  .with("exported_namespace", "llm")
                                  .with("exported_pod", "a");
    const KubePods pods = judge({series}, how);
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "kube-state-metrics-0", "monitoring") == "unseen");
    CHECK(pods.find("llm", "a")->owner->name == "x");
    // The target has one of the two labels only.
    CHECK(fate_of(
              judge({pod_info("b").with("namespace", "x").with("exported_namespace", "llm")}, how),
              "b") == "exists");
    CHECK(fate_of(judge({pod_info("x").with("exported_pod", "b")}, how), "b") == "exists");
    CHECK(fate_of(judge({pod_info("b")}, how), "b") == "exists");
}

TEST_CASE("all names can be configured") {
    const KubeStateNames names{.pod_info = "cluster:pods",
                               .pod_owner = "cluster:owners",
                               .namespace_name = "ns",
                               .pod = "pod_name",
                               .owner_kind = "kind",
                               .owner_name = "name"};
    const auto renamed = [](const std::string& metric) {
        return pod_info("").with("__name__", metric).with("ns", "llm").with("pod_name", "a");
    };
    const KubePods pods = judge(
        {renamed("cluster:pods"), renamed("cluster:owners").with("kind", "K").with("name", "n")},
        {.names = names});
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(pods.find("llm", "a")->owner == PodOwner{"K", "n", OwnerSource::kube_state_metrics});
}

TEST_CASE("what is not a series of a pod is ignored") {
    KubeSeries without_samples = pod_info("a");
    without_samples.samples.clear();
    const KubePods pods =
        judge({kube_series("kube_pod_labels", "a", {}), pod_info("a").with("__name__", ""),
               pod_info("").with("pod", ""), without_samples});
    CHECK(pods.empty());
    CHECK_FALSE(pods.is_reporting());
    CHECK_FALSE(judge({pod_info("a")}).empty());
}

TEST_CASE("a pod without a namespace is in the one without a name") {
    CHECK(fate_of(judge({pod_info("a").with("namespace", "")}), "a", "") == "exists");
}
