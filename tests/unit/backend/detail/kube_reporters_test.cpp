// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/kube_reporters.hpp"

#include "kube_answer.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

// Several instances of kube-state-metrics: shards, restarts, copies.

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using wva_metrics::detail::KubePods;

namespace {

const std::string first_instance = "10.0.0.1:8080";
const std::string second_instance = "10.0.0.2:8080";

} // namespace

TEST_CASE("each instance of kube-state-metrics has its own spacing") {
    const auto fates_after = [](samples::ServerDuration age) {
        const KubePods pods = judge({
            pod_info("often", {.newest = age}).from(first_instance),
            pod_info("a").from(first_instance),
            pod_info("rarely", {.newest = 20s + age, .spacing = 60s}).from(second_instance),
            pod_info("b", {.newest = 20s, .spacing = 60s}).from(second_instance),
        });
        CHECK(fate_of(pods, "a") == "exists");
        CHECK(fate_of(pods, "b") == "exists");
        return std::vector{fate_of(pods, "often"), fate_of(pods, "rarely")};
    };
    CHECK(fates_after(30s) == std::vector<std::string_view>{"missed", "missed"});
    CHECK(fates_after(60s) == std::vector<std::string_view>{"gone", "missed"});
    CHECK(fates_after(180s) == std::vector<std::string_view>{"gone", "gone"});
}

TEST_CASE("two targets that no label tells apart are judged by the spacing of each series") {
    const KubePods pods = judge({
        pod_info("often", {.spacing = 5s}).from(""),
        pod_info("rarely", {.newest = 55s, .spacing = 60s}).from(""),
        pod_info("gone", {.newest = 55s, .spacing = 5s}).from(""),
    });
    CHECK(fate_of(pods, "often") == "exists");
    CHECK(fate_of(pods, "rarely") == "missed");
    CHECK(fate_of(pods, "gone") == "gone");
}

TEST_CASE("the pods of an instance that is down are not gone while another shard reports") {
    // Each shard has its own pods.
    const KubePods pods = judge({
        pod_info("a").from(first_instance),
        pod_info("b", {.newest = 5min}).from(first_instance),
        pod_info("c", {.newest = 1min}).from(second_instance),
        pod_info("d", {.newest = 5min}).from(second_instance),
    });
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "b") == "gone");
    CHECK(fate_of(pods, "c") == "unknown");
    CHECK(fate_of(pods, "d") == "unknown");
    CHECK(pods.is_reporting());
}

TEST_CASE("an instance counts as down once it is later than its own scrapes can be") {
    const auto fate_after = [](samples::ServerDuration age) {
        return fate_of(judge({
                           pod_info("a").from(first_instance),
                           pod_info("b", {.newest = age}).from(second_instance),
                       }),
                       "b");
    };
    CHECK(fate_after(37500ms) == "exists");
    CHECK(fate_after(37501ms) == "unknown");
}

TEST_CASE("after a restart the new instance knows which pods are gone") {
    const Scrapes before{.newest = 2min};
    const Scrapes after{.oldest = 90s};
    const std::vector answer = {
        pod_info("a", before).from(first_instance), pod_info("gone", before).from(first_instance),
        pod_info("early", {.newest = 5min}).from(first_instance),
        pod_info("a", after).from(second_instance), pod_info("new", after).from(second_instance)};
    const KubePods pods = judge(answer);
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "new") == "exists");
    CHECK(fate_of(pods, "gone") == "gone");
    CHECK(fate_of(pods, "early") == "gone");
}

TEST_CASE("an instance takes the place of another if they have a pod in common") {
    const Scrapes before{.newest = 2min};
    const KubeSeries mine = pod_info("a", before).from(first_instance);
    const KubeSeries ended = pod_info("b", before).from(first_instance);
    const KubeSeries common = pod_info("a", {.oldest = 90s}).from(second_instance);
    SECTION("of the same uid") {
        CHECK(fate_of(judge({mine, ended, common}), "b") == "gone");
    }
    SECTION("where no uid is exposed") {
        CHECK(fate_of(judge({mine.with("uid", ""), ended, common.with("uid", "")}), "b") == "gone");
    }
    SECTION("but not of another uid: the other one may only have the successor") {
        CHECK(fate_of(judge({mine, ended, common.with("uid", "new")}), "b") == "unknown");
    }
    SECTION("but not in another namespace: it may watch others") {
        CHECK(fate_of(judge({mine.with("namespace", "other"), ended,
                             common.with("namespace", "other")}),
                      "b") == "unknown");
    }
    SECTION("but not if the common pod has ended in both") {
        const KubeSeries short_lived =
            pod_info("a", {.oldest = 90s, .newest = 60s}).from(second_instance);
        const KubeSeries other = pod_info("c").from(second_instance);
        CHECK(fate_of(judge({mine, ended, short_lived, other}), "b") == "unknown");
    }
}

TEST_CASE("a pod that moved to an instance that is now down is not gone") {
    const KubePods pods = judge({
        pod_info("a").from(first_instance),
        pod_info("moved", {.newest = 5min}).from(first_instance),
        pod_info("moved", {.oldest = 285s, .newest = 1min}).from(second_instance),
        pod_info("b", {.newest = 1min}).from(second_instance),
    });
    CHECK(fate_of(pods, "moved") == "unknown");
}

TEST_CASE("a pod that moved from an instance that is now down is gone when its new one says so") {
    const KubePods pods = judge({
        pod_info("a").from(first_instance),
        pod_info("moved", {.newest = 5min}).from(second_instance),
        pod_info("moved", {.oldest = 285s, .newest = 1min}).from(first_instance),
    });
    CHECK(fate_of(pods, "moved") == "gone");
}

TEST_CASE("a pod exists while any instance reports it") {
    const KubeSeries ended = pod_info("a", {.newest = 5min}).from(first_instance);
    const KubeSeries living = pod_info("a").from(second_instance);
    const KubeSeries other = pod_info("b").from(first_instance);
    CHECK(fate_of(judge({ended, living, other}), "a") == "exists");
    CHECK(fate_of(judge({living, other, ended}), "a") == "exists");
    CHECK(fate_of(judge({ended.ended(285s), living, other}, {.nan_ends_series = true}), "a") ==
          "exists");
}

TEST_CASE("two instances that report the same pods agree on those that are gone") {
    const Scrapes late{.newest = 7s};
    const KubePods pods = judge({
        pod_info("a").from(first_instance),
        pod_info("a", late).from(second_instance),
        pod_info("gone", {.newest = 60s}).from(first_instance),
        pod_info("gone", {.newest = 67s}).from(second_instance),
        pod_info("half", {.newest = 60s}).from(first_instance),
        pod_info("half", late).from(second_instance),
    });
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "gone") == "gone");
    CHECK(fate_of(pods, "half") == "exists");
}

TEST_CASE("copies by two Prometheus servers, one of them behind, are one instance") {
    const auto from = [](const KubeSeries& series, const std::string& replica) {
        return series.with("prometheus_replica", replica);
    };
    const Scrapes behind{.newest = 50s};
    const KubePods pods = judge({
        from(pod_info("a"), "a"),
        from(pod_info("a", behind), "b"),
        from(pod_info("gone", {.newest = 60s}), "a"),
        from(pod_info("gone", behind), "b"),
    });
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "gone") == "gone");
}

TEST_CASE("kube-state-metrics of two clusters at the same address are two instances") {
    const auto in = [](const KubeSeries& series, const std::string& cluster) {
        return series.with("cluster", cluster);
    };
    const KubePods pods = judge({
        in(pod_info("a"), "east"),
        in(pod_info("b", {.newest = 2min}), "west"),
    });
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "b") == "unknown");
}

TEST_CASE("a marker of VictoriaMetrics does not tell a shard that is down from one without pods") {
    const KubePods pods = judge(
        {
            pod_info("a").from(first_instance),
            pod_info("b", {.newest = 15s}).ended(0s).from(second_instance),
        },
        {.nan_ends_series = true});
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "b") == "unknown");
}

TEST_CASE("if no instance reports these namespaces, those that did so last decide") {
    const KubePods pods = judge(
        {
            pod_info("a", {.newest = 2min}).from(first_instance),
            pod_info("b", {.newest = 150s}).from(second_instance),
            pod_info("c", {.newest = 5min}).from("10.0.0.3:8080"),
        },
        {.reports_other_pods = true});
    CHECK(fate_of(pods, "a") == "gone");
    CHECK(fate_of(pods, "b") == "gone");
    CHECK(fate_of(pods, "c") == "unknown");
}

TEST_CASE("the address of an instance is the exported one, if there is one") {
    const auto behind = [](const KubeSeries& series, const std::string& instance) {
        return series.with("exported_instance", instance).from("10.0.0.9:9090");
    };
    const KubePods pods = judge({
        behind(pod_info("a"), first_instance),
        behind(pod_info("b", {.newest = 2min}), second_instance),
    });
    CHECK(fate_of(pods, "b") == "unknown");
}
