// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/unread_pods.hpp"

#include "kube_answer.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using detail::SeenPods;
using samples::PodLife;

namespace {

const ModelKey unread_model("llm", "meta/llama");
const TimePoint unread_start{24h};

/// Rounds of one model, each with its own answers.
struct Rounds {
    SeenPods memory;
    TimePoint now = unread_start;
    std::vector<KubeSeries> kube_answer;
    /// By pod: whether the scrapes of its targets succeed.
    std::multimap<std::string, bool> ups;
    AnyPodOwners owners;

    /// The pods of the round, with their lives.
    std::map<std::string, PodLife> run(const std::map<std::string, PodLife>& measured) {
        std::map<std::string, PodLife> result;
        for (const detail::JudgedPod& pod : round(measured).pods)
            result[pod.report.pod] = pod.report.life;
        return result;
    }

    detail::ModelReport round(const std::map<std::string, PodLife>& measured) {
        detail::PodStates states;
        states.set_preferred_owners(owners);
        states.add(judge(kube_answer));
        detail::ModelReport report;
        for (const auto& [name, life] : measured) {
            detail::JudgedPod& pod = report.pods.emplace_back();
            pod.report.pod = name;
            pod.report.life = life;
            pod.report.last_sample = kube_now;
            if (!name.empty())
                pod.state = states.state_of("llm", name, life);
        }
        add_unread_pods(unread_model, report, targets(), states, memory, now);
        CHECK(std::ranges::is_sorted(
            report.pods, {}, [](const auto& pod) -> const std::string& { return pod.report.pod; }));
        now += 15s;
        return report;
    }

    detail::EmptyTargets targets() const {
        std::vector<samples::TargetUp> all;
        for (const auto& [pod, is_up] : ups)
            all.push_back({{{"namespace", "llm"}, {"pod", pod}},
                           {{kube_now, is_up ? 1.0 : 0.0}},
                           pod,
                           "pod",
                           ""});
        detail::EmptyTargets result;
        result.add(all, "namespace");
        return result;
    }
};

using Lives = std::map<std::string, PodLife>;

} // namespace

TEST_CASE_METHOD(Rounds, "a pod that is scraped in vain is unread when its series are gone") {
    const PodLife life =
        GENERATE(PodLife::alive, PodLife::part, PodLife::unread, PodLife::ambiguous);
    CHECK(run({{"a", PodLife::alive}, {"b", life}}).size() == 2);
    ups = {{"b", false}};
    CHECK(run({{"a", PodLife::alive}}) == Lives{{"a", PodLife::alive}, {"b", PodLife::unread}});
    CHECK(run({{"a", PodLife::alive}}) == Lives{{"a", PodLife::alive}, {"b", PodLife::unread}});
    // It answers again.
    CHECK(run({{"b", PodLife::alive}}) == Lives{{"b", PodLife::alive}});
}

TEST_CASE_METHOD(Rounds, "an unread pod has no values, its state and the time of its last sample") {
    run({{"a", PodLife::alive}});
    ups = {{"a", false}};
    kube_answer = {pod_info("a"), pod_ready("a", 0), pod_owner("a", "ReplicaSet", "r")};
    const detail::ModelReport found = round({});
    REQUIRE(found.pods.size() == 1);
    CHECK(found.pods[0].state == PodState::not_ready);
    CHECK(found.pods[0].owner == PodOwner{"ReplicaSet", "r", OwnerSource::kube_state_metrics});
    CHECK(found.pods[0].report.last_sample == kube_now);
    for (const samples::SignalValue& value : found.pods[0].report.values) {
        CHECK(value.reason == ReadingReason::unread);
        CHECK(value.time == kube_now);
    }
}

TEST_CASE_METHOD(Rounds, "a pod that is not scraped is unread if it is known to be ready") {
    run({{"a", PodLife::alive}});
    CHECK(run({}).empty());
    kube_answer = {pod_info("a")};
    CHECK(run({}) == Lives{{"a", PodLife::unread}});
    kube_answer.push_back(pod_ready("a", 0));
    CHECK(run({}).empty());
    kube_answer.back() = pod_ready("a", 1);
    CHECK(run({}) == Lives{{"a", PodLife::unread}});
}

TEST_CASE_METHOD(Rounds, "a pod that answers without this model is not unread") {
    kube_answer = {pod_info("a"), pod_ready("a", 1)};
    run({{"a", PodLife::alive}});
    ups = {{"a", true}, {"a", false}};
    CHECK(run({}).size() == 1); // It has another target that cannot be read.
    ups = {{"a", true}, {"a", true}};
    CHECK(run({}).empty());
    ups.clear();
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "a pod that is gone does not come back") {
    run({{"a", PodLife::alive}, {"b", PodLife::alive}});
    ups = {{"b", false}};
    kube_answer = {pod_info("a"), pod_info("b", {.newest = 1min})};
    SECTION("when its series are gone") {
        CHECK(run({{"a", PodLife::alive}}) == Lives{{"a", PodLife::alive}});
    }
    SECTION("when it still has series") {
        run({{"a", PodLife::alive}, {"b", PodLife::ended}});
    }
    SECTION("when it is no longer scraped, and kube-state-metrics does not know it") {
        kube_answer.clear();
        run({{"a", PodLife::alive}, {"b", PodLife::gone}});
    }
    kube_answer.clear();
    CHECK(run({{"a", PodLife::alive}}) == Lives{{"a", PodLife::alive}});
}

TEST_CASE_METHOD(Rounds, "a pod that is there by another source alone is unread until forgotten") {
    run({{"a", PodLife::alive}});
    kube_answer = {pod_info("a")};
    now = unread_start + 10min - 1ms;
    CHECK(run({}) == Lives{{"a", PodLife::unread}});
    now = unread_start + 10min;
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "a pod whose target fails is unread as long as that lasts") {
    run({{"a", PodLife::alive}});
    ups = {{"a", false}};
    for (const Duration passed : {9min, 18min, 27min}) {
        now = unread_start + passed;
        CHECK(run({}) == Lives{{"a", PodLife::unread}});
    }
    now = unread_start + 37min;
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "pods that were never seen are not added") {
    ups = {{"a", false}};
    kube_answer = {pod_info("a"), pod_info("b")};
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "series without a pod are neither remembered nor asked for") {
    ups = {{"", false}};
    CHECK(run({{"", PodLife::gone}}).size() == 1);
    CHECK(run({{"", PodLife::alive}}).size() == 1);
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "the configured owners know best whether a pod is gone") {
    struct GoneOwners {
        std::optional<PodOwner> find(std::string_view, std::string_view) const { return {}; }
        PodState state_of(std::string_view, std::string_view pod) const {
            return pod == "a" ? PodState::gone : PodState::ready;
        }
    };
    run({{"a", PodLife::alive}, {"b", PodLife::alive}});
    ups = {{"a", false}};
    owners = GoneOwners{};
    CHECK(run({}) == Lives{{"b", PodLife::unread}});
}
