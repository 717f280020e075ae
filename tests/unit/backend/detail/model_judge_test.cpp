// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/model_judge.hpp"

#include "kube_answer.hpp"
#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using samples::PodLife;
namespace simulated = wva_metrics::samples::simulated;

namespace {

const ModelKey judged_model("llm", "m0");
const TimePoint judge_start{24h};

/// Judges what a store answers about a cluster.
struct JudgedModel {
    ModelViews views_of(simulated::Cluster cluster) const {
        ModelViews result;
        auto views = cluster.views(store);
        result.now = samples::reference_time(simulated::now, views, cluster.others, rules);
        result.views = std::move(views[0]);
        result.clock = {simulated::now, TimePoint(100h)};
        return result;
    }
    ModelReport judge(ModelViews& views) const { return judge_.judge(judged_model, views, states); }
    ModelReport judge(const simulated::Cluster& cluster) const {
        ModelViews views = views_of(cluster);
        return judge(views);
    }
    static double rate(const ModelReport& report, std::size_t pod = 0) {
        return report.pods.at(pod).report[Signal::arrival_rate].value;
    }

    simulated::Store store =
        GENERATE(simulated::Store::prometheus, simulated::Store::victoria_metrics);
    samples::SampleRules rules;
    UndecidedPods undecided;
    wva_metrics::detail::PodStates states;
    ModelJudge judge_{simulated::vllm_metrics(), rules, undecided};
};

/// Two servers on two ports of one pod, which nothing but their identity tells apart.
struct TwoPorts {
    simulated::Cluster cluster(bool asks_identity = false) const {
        simulated::Cluster result;
        result.asks_identity = asks_identity;
        result.scrape({&one, simulated::pod_target("p", "10.0.0.1:8000")});
        result.scrape({&two, simulated::pod_target("p", "10.0.0.1:8001"), 15s, 9s});
        return result;
    }

    simulated::Server one{.per_second = 0, .queue = 5};
    simulated::Server two{.per_second = 0, .queue = 7, .started = 9min};
};

} // namespace

TEST_CASE_METHOD(JudgedModel, "a report has the pods with their states and owners, by name") {
    const simulated::Server server;
    simulated::Cluster cluster;
    cluster.scrape({&server, simulated::pod_target("b", "10.0.0.2:8000")});
    cluster.scrape({&server, simulated::pod_target("a", "10.0.0.1:8000"), 15s, 5s});
    states.add(test_support::judge({test_support::pod_info("a"), test_support::pod_ready("a", 1),
                                    test_support::pod_owner("a", "ReplicaSet", "r")}));
    const ModelReport report = judge(cluster);
    REQUIRE(report.pods.size() == 2);
    CHECK(report.pods[0].report.pod == "a");
    CHECK(report.pods[0].state == PodState::ready);
    CHECK(report.pods[0].owner == PodOwner{"ReplicaSet", "r", OwnerSource::kube_state_metrics});
    CHECK(report.pods[1].state == PodState::unknown);
    CHECK_FALSE(report.pods[1].owner.has_value());
    CHECK(report.clock.requested == TimePoint(100h));
    CHECK(report.warnings.empty());
    CHECK(report.partial_because.empty());
    CHECK_FALSE(report.failure.has_value());
}

TEST_CASE_METHOD(JudgedModel,
                 "what is not known of the namespace's pods makes its models partial") {
    const std::vector<std::string> ours = {"llm"};
    const std::vector<std::string> others = {"other"};
    states.add_warning(ours, "no answer");
    states.add_warning(others, "another");
    CHECK(judge(simulated::Cluster()).partial_because == std::set<std::string>{"no answer"});
}

TEST_CASE_METHOD(JudgedModel, "a process that ended before the window began is dropped") {
    const simulated::Server living;
    // Scraped every 15 s, 2 s ago: the last scrape that it answered is so much older.
    const auto [ended, last, is_kept] =
        GENERATE(table<samples::ServerDuration, samples::ServerDuration, bool>(
            {{30s, 32s, true}, {50s, 62s, false}, {100s, 107s, false}}));
    const simulated::Server over{.ended = ended};
    simulated::Cluster cluster;
    cluster.window = 5min;
    cluster.scrape({&living, simulated::pod_target("a", "10.0.0.1:8000")});
    cluster.scrape({&over, simulated::pod_target("b", "10.0.0.2:8000"), 15s, 2s, 0s, 1h, ended});
    ModelViews views = views_of(cluster);
    REQUIRE(views.views.size() == 2);
    CHECK(views.views[1].last() == simulated::now - last);
    const ModelReport report = judge(views);
    CHECK(report.pods.size() == (is_kept ? 2 : 1));
    CHECK(views.views.size() == (is_kept ? 2 : 1));
}

TEST_CASE_METHOD(JudgedModel,
                 "a process that cannot be read is kept, however long ago it answered") {
    const simulated::Server living;
    const simulated::Server busy{.busy_since = 2min};
    simulated::Cluster cluster;
    cluster.window = 5min;
    cluster.scrape({&living, simulated::pod_target("a", "10.0.0.1:8000")});
    cluster.scrape({&busy, simulated::pod_target("b", "10.0.0.2:8000")});
    const ModelReport report = judge(cluster);
    REQUIRE(report.pods.size() == 2);
    CHECK(report.pods[1].report.life == PodLife::unread);
    CHECK(report.pods[1].report[Signal::arrival_rate].reason == ReadingReason::unread);
}

TEST_CASE_METHOD(JudgedModel,
                 "a pod that is known to be gone is not missing, whatever its samples") {
    const simulated::Server busy{.busy_since = 40s};
    simulated::Cluster cluster;
    cluster.scrape({&busy, simulated::pod_target("p", "10.0.0.1:8000")});
    CHECK(judge(cluster).pods.at(0).report.life == PodLife::unread);
    states.add(test_support::judge(
        {test_support::pod_info("q"), test_support::pod_info("p", {.newest = 1min})}));
    const ModelReport report = judge(cluster);
    CHECK(report.pods.at(0).state == PodState::gone);
    CHECK(report.pods.at(0).report.life == PodLife::gone);
}

TEST_CASE_METHOD(JudgedModel, "a pod that may be one process or two is asked for once a minute") {
    const TwoPorts pod;
    ModelViews views = views_of(pod.cluster());
    const ModelReport report = judge(views);
    REQUIRE(report.pods.size() == 1);
    CHECK(report.pods[0].report.life == PodLife::ambiguous);
    CHECK(report.pods[0].report[Signal::queue_length].reason == ReadingReason::ambiguous);
    CHECK_FALSE(report.warnings.empty());

    const std::vector<promql::PodName> asked = {{"pod", "llm", "p"}};
    CHECK(judge_.to_ask(judged_model, views, judge_start) == asked);
    CHECK(judge_.to_ask(judged_model, views, judge_start + 59s).empty());
    CHECK(judge_.to_ask(judged_model, views, judge_start + 1min) == asked);
}

TEST_CASE_METHOD(JudgedModel, "a pod that two labels name is asked for by both") {
    ModelViews views;
    views.undecided = {{"exported_pod", "p"}, {"pod", "p"}, {"pod", "q"}};
    CHECK(judge_.to_ask(judged_model, views, judge_start) ==
          std::vector<promql::PodName>{
              {"exported_pod", "llm", "p"}, {"pod", "llm", "p"}, {"pod", "llm", "q"}});
    CHECK(judge_.to_ask(judged_model, views, judge_start).empty());
}

TEST_CASE_METHOD(JudgedModel, "an undecided pod is asked for by the labels of all of its views") {
    ModelViews views;
    views.undecided = {{"pod", "p"}};
    for (const auto& [pod, label] :
         {std::pair("p", "exported_pod"), std::pair("p", "pod"), std::pair("q", "pod_name")}) {
        samples::View& view = views.views.emplace_back();
        view.pod = pod;
        view.pod_label = label;
    }
    CHECK(judge_.to_ask(judged_model, views, judge_start) ==
          std::vector<promql::PodName>{{"exported_pod", "llm", "p"}, {"pod", "llm", "p"}});
    CHECK(judge_.to_ask(judged_model, views, judge_start).empty());
}

TEST_CASE_METHOD(JudgedModel, "what more samples decide holds in this round and in later ones") {
    const TwoPorts pod;
    ModelViews views = views_of(pod.cluster());
    judge(views);
    judge_.to_ask(judged_model, views, judge_start);
    judge_.learn(judged_model, views, {"p"}, views_of(pod.cluster(true)).views);
    const ModelReport decided = judge(views);
    REQUIRE(decided.pods.size() == 1);
    CHECK(decided.pods[0].report.life == PodLife::alive);
    CHECK(decided.pods[0].report[Signal::queue_length].value == 12);
    CHECK(decided.warnings.empty());

    // The next round, which asks for no identity.
    ModelViews later = views_of(pod.cluster());
    const ModelReport remembered = judge(later);
    CHECK(remembered.pods.at(0).report[Signal::queue_length].value == 12);
    CHECK(remembered.warnings.empty());
}

TEST_CASE_METHOD(JudgedModel, "a pod that more samples do not decide stays ambiguous") {
    const TwoPorts pod;
    ModelViews views = views_of(pod.cluster());
    judge(views);
    judge_.to_ask(judged_model, views, judge_start);
    judge_.learn(judged_model, views, {"p"}, views_of(pod.cluster()).views);
    CHECK(judge(views).pods.at(0).report.life == PodLife::ambiguous);
}

TEST_CASE_METHOD(JudgedModel, "more samples replace those of the pods that were asked for alone") {
    const simulated::Server server;
    const TwoPorts pod;
    simulated::Cluster cluster = pod.cluster();
    cluster.scrape({&server, simulated::pod_target("q", "10.0.0.2:8000")});
    ModelViews views = views_of(cluster);
    judge(views);
    judge_.to_ask(judged_model, views, judge_start);

    // The answer has a pod that was not asked for, and lacks one that is there.
    simulated::Cluster longer = pod.cluster(true);
    longer.scrape({&server, simulated::pod_target("r", "10.0.0.3:8000")});
    judge_.learn(judged_model, views, {"p"}, views_of(longer).views);
    const ModelReport report = judge(views);
    REQUIRE(report.pods.size() == 2);
    CHECK(report.pods[0].report.pod == "p");
    CHECK(report.pods[1].report.pod == "q");
    CHECK(rate(report, 1) > 0.9);
}

TEST_CASE_METHOD(JudgedModel, "two clusters are ambiguous, and no samples are asked for them") {
    const simulated::Server eu;
    const simulated::Server us{.per_second = 2, .queue = 7};
    simulated::Cluster cluster;
    cluster.scrape({&eu, simulated::pod_target("p", "10.0.0.1:8000", {{"cluster", "eu"}})});
    cluster.scrape({&us, simulated::pod_target("p", "10.1.0.1:8000", {{"cluster", "us"}})});
    ModelViews views = views_of(cluster);
    const ModelReport report = judge(views);
    CHECK(report.pods.at(0).report.life == PodLife::ambiguous);
    CHECK(judge_.to_ask(judged_model, views, judge_start).empty());
    REQUIRE(report.warnings.size() == 1);
    CHECK_THAT(report.warnings[0], ContainsSubstring("cluster") && ContainsSubstring("eu") &&
                                       ContainsSubstring("us") && ContainsSubstring("matchers"));
}
