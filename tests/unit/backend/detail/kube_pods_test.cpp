// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/kube_pods.hpp"

#include "kube_answer.hpp"

#include <catch2/catch_all.hpp>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using wva_metrics::detail::KubePods;

TEST_CASE("a pod that is reported exists, and one that was never reported is not known") {
    const KubePods pods = judge({pod_info("a")});
    CHECK(fate_of(pods, "a") == "exists");
    CHECK(fate_of(pods, "b") == "unseen");
    CHECK(fate_of(pods, "a", "other") == "unseen");
    CHECK(pods.find("llm", "a")->last == kube_now);
    CHECK(pods.is_reporting());
}

TEST_CASE("a pod is gone if more scrapes lack it than a scrape can be late") {
    const auto fate_after = [](samples::ServerDuration age) {
        return fate_of(judge({pod_info("a", {.newest = age}), pod_info("b")}), "a");
    };
    CHECK(fate_after(0s) == "exists");
    CHECK(fate_after(7499ms) == "exists");
    CHECK(fate_after(7500ms) == "missed");
    CHECK(fate_after(15s) == "missed");
    CHECK(fate_after(37500ms) == "missed");
    CHECK(fate_after(37501ms) == "gone");
    CHECK(fate_after(10min) == "gone");
}

TEST_CASE("a pod with one sample is judged by how often the other pods are reported") {
    const auto fate_after = [](samples::ServerDuration age) {
        const Scrapes once{.oldest = age, .newest = age};
        return fate_of(judge({pod_info("a", once), pod_info("b")}), "a");
    };
    CHECK(fate_after(0s) == "exists");
    CHECK(fate_after(37500ms) == "missed");
    CHECK(fate_after(37501ms) == "gone");
}

TEST_CASE("without any spacing a pod is gone after the window of rates") {
    const auto fate_after = [](samples::ServerDuration age) {
        return fate_of(judge({pod_info("a", {.oldest = age, .newest = age}),
                              pod_info("b", {.oldest = 0s, .newest = 0s})}),
                       "a");
    };
    CHECK(fate_after(59'999ms) == "missed");
    CHECK(fate_after(1min) == "gone");
}

TEST_CASE("no pod is gone while kube-state-metrics does not report") {
    const auto judge_after = [](samples::ServerDuration age) {
        return judge({pod_info("a", {.newest = age + 2min}), pod_info("b", {.newest = age})});
    };
    const KubePods reported = judge_after(37500ms);
    CHECK(reported.is_reporting());
    CHECK(fate_of(reported, "a") == "gone");
    CHECK(fate_of(reported, "b") == "exists");
    const KubePods silent = judge_after(37501ms);
    CHECK_FALSE(silent.is_reporting());
    CHECK(fate_of(silent, "a") == "unknown");
    CHECK(fate_of(silent, "b") == "unknown");
    CHECK(silent.existing_pods("llm").empty());
}

TEST_CASE("without an answer nothing is known, whether or not other pods are reported") {
    const bool reports_other_pods = GENERATE(false, true);
    const KubePods pods = judge({}, {.reports_other_pods = reports_other_pods});
    CHECK(pods.empty());
    CHECK(pods.is_reporting() == reports_other_pods);
    CHECK(fate_of(pods, "a") == "unseen");
}

TEST_CASE("samples that are newer than the time by which is judged are as good as others") {
    const KubePods pods =
        judge({pod_info("a", {.newest = 1min}), pod_info("b")}, {.now = kube_now - 30s});
    CHECK(fate_of(pods, "a") == "gone");
    CHECK(fate_of(pods, "b") == "exists");
}

TEST_CASE("the last pods of the namespaces are gone only if other pods are reported") {
    const std::vector answer = {pod_info("a", {.newest = 5min}), pod_info("b", {.newest = 1min})};
    const KubePods others = judge(answer, {.reports_other_pods = true});
    CHECK(fate_of(others, "a") == "gone");
    CHECK(fate_of(others, "b") == "gone");
    CHECK(others.is_reporting());
    const KubePods silent = judge(answer);
    CHECK(fate_of(silent, "a") == "unknown");
    CHECK(fate_of(silent, "b") == "unknown");
}

TEST_CASE("in an incomplete answer pods exist, but none is gone") {
    const KubePods pods = judge({pod_info("a", {.newest = 5min}), pod_info("b"),
                                 pod_owner("a", "ReplicaSet", "x", {.newest = 5min})},
                                {.is_complete = false});
    CHECK(fate_of(pods, "a") == "unknown");
    CHECK(fate_of(pods, "b") == "exists");
    CHECK(pods.find("llm", "a")->owner->name == "x");
}

TEST_CASE("VictoriaMetrics' marker ends a series at once") {
    const std::vector answer = {pod_info("a", {.newest = 15s}).ended(0s), pod_info("b")};
    CHECK(fate_of(judge(answer, {.nan_ends_series = true}), "a") == "gone");
    CHECK(judge(answer, {.nan_ends_series = true}).find("llm", "a")->last == kube_now - 15s);
    CHECK(fate_of(judge(answer), "a") == "exists");
}

TEST_CASE("a series of which only the marker is left has ended") {
    KubeSeries marker = pod_info("a");
    marker.samples.clear();
    const KubePods pods = judge({marker.ended(9min), pod_info("b")}, {.nan_ends_series = true});
    CHECK(fate_of(pods, "a") == "gone");
    CHECK(pods.find("llm", "a")->last == kube_now - 9min);
}

TEST_CASE("a series that continues after a marker has not ended") {
    KubeSeries series = pod_info("a");
    series.samples[20].value = std::numeric_limits<double>::quiet_NaN();
    CHECK(fate_of(judge({series}, {.nan_ends_series = true}), "a") == "exists");
}

TEST_CASE("a failed scrape on VictoriaMetrics, which ends all series, makes no pod gone") {
    // For half a minute an instant query does not show the end.
    const bool seems_to_report = GENERATE(false, true);
    const std::vector answer = {pod_info("a", {.newest = 15s}).ended(0s),
                                pod_info("b", {.newest = 15s}).ended(0s)};
    const KubePods pods =
        judge(answer, {.nan_ends_series = true, .reports_other_pods = seems_to_report});
    CHECK(fate_of(pods, "a") == "unknown");
    CHECK(fate_of(pods, "b") == "unknown");
    CHECK(pods.is_reporting() == seems_to_report);
}

TEST_CASE("the last pod is gone on VictoriaMetrics as soon as an instant query can be trusted") {
    const auto fate_after = [](samples::ServerDuration age) {
        return fate_of(judge({pod_info("a", {.newest = age}).ended(age - 15s)},
                             {.nan_ends_series = true, .reports_other_pods = true}),
                       "a");
    };
    CHECK(fate_after(67500ms) == "unknown");
    CHECK(fate_after(67501ms) == "gone");
}

TEST_CASE("a StatefulSet's pod that was recreated exists") {
    const KubeSeries successor = pod_info("a", {.oldest = 30s}).with("uid", "new");
    CHECK(fate_of(judge({pod_info("a", {.newest = 2min}), successor}), "a") == "exists");
    CHECK(fate_of(judge({pod_info("a", {.newest = 2min}).ended(105s), successor},
                        {.nan_ends_series = true}),
                  "a") == "exists");
}

TEST_CASE("a pod whose labels changed, e.g. since it was scheduled, exists") {
    CHECK(fate_of(judge({pod_info("a", {.newest = 15s}),
                         pod_info("a", {.oldest = 0s}).with("node", "worker-1")}),
                  "a") == "exists");
}

TEST_CASE("any of the metrics shows that a pod exists") {
    const KubeSeries metric = GENERATE(pod_info("a"), pod_owner("a", "ReplicaSet", "x"),
                                       pod_owner("a", "", ""), pod_ready("a", 0));
    CHECK(fate_of(judge({metric}), "a") == "exists");
    const KubeSeries ended = GENERATE(pod_info("b", {.newest = 1min}),
                                      pod_owner("b", "ReplicaSet", "x", {.newest = 1min}),
                                      pod_ready("b", 1, {.newest = 1min}));
    CHECK(fate_of(judge({metric, ended}), "b") == "gone");
}

TEST_CASE("the existing pods of a namespace are sorted, each once") {
    const KubePods pods =
        judge({pod_info("c"), pod_info("a"), pod_info("b", {.newest = 5min}),
               pod_owner("a", "ReplicaSet", "x"), pod_info("d").with("namespace", "other")});
    CHECK(pods.existing_pods("llm") == std::vector<std::string_view>{"a", "c"});
    CHECK(pods.existing_pods("other") == std::vector<std::string_view>{"d"});
    CHECK(pods.existing_pods("none").empty());
}

TEST_CASE("answers are merged by pod, and the newer report counts") {
    KubePods pods = judge({pod_info("a", {.newest = 5min}), pod_info("b"), pod_info("c")});
    pods.merge(judge({pod_info("a"), pod_info("b", {.newest = 5min}), pod_info("d"),
                      pod_info("e").with("namespace", "other")}));
    for (const std::string_view pod : {"a", "b", "c", "d"})
        CHECK(fate_of(pods, pod) == "exists");
    CHECK(fate_of(pods, "e", "other") == "exists");
    CHECK(pods.is_reporting());
}

TEST_CASE("of two answers with the same report, the one that knows whether a pod is gone counts") {
    const std::vector answer = {pod_info("a", {.newest = 1min}), pod_info("b", {.newest = 45s})};
    const auto judge_again = [&](int how) {
        // While the pod may only be late; when it is not; if series may be missing; in silence.
        switch (how) {
        case 0:
            return judge(answer, {.now = kube_now - 45s});
        case 1:
            return judge(answer, {.reports_other_pods = true});
        case 2:
            return judge(answer, {.reports_other_pods = true, .is_complete = false});
        default:
            return judge(answer);
        }
    };
    const int other = GENERATE(0, 2, 3);
    const bool is_first = GENERATE(false, true);
    CHECK(fate_of(judge_again(other), "a") == (other == 0 ? "missed" : "unknown"));
    KubePods pods = judge_again(is_first ? 1 : other);
    pods.merge(judge_again(is_first ? other : 1));
    CHECK(fate_of(pods, "a") == "gone");
}

TEST_CASE("if one of the merged answers reports, kube-state-metrics reports") {
    const bool is_first = GENERATE(false, true);
    KubePods pods = judge({}, {.reports_other_pods = is_first});
    pods.merge(judge({}, {.reports_other_pods = !is_first}));
    CHECK(pods.is_reporting());
    CHECK(pods.empty());
}
