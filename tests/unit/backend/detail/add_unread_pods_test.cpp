// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/add_unread_pods.hpp"

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
using samples::PodLife;
using wva_metrics::detail::SeenPods;

namespace {

const ModelKey unread_model("llm", "meta/llama");
const TimePoint unread_start{24h};

/// Rounds of one model, each with its own answers.
struct Rounds {
    SeenPods memory;
    TimePoint now = unread_start;
    std::vector<KubeSeries> kube_answer;
    std::map<std::string, bool, std::less<>> ups;
    AnyPodOwners owners;

    /// The pods of the round, with their lives.
    std::map<std::string, PodLife> run(const std::map<std::string, PodLife>& measured) {
        std::map<std::string, PodLife> result;
        for (const samples::PodReport& report : reports(measured))
            result[report.pod] = report.life;
        return result;
    }

    std::vector<samples::PodReport> reports(const std::map<std::string, PodLife>& measured) {
        wva_metrics::detail::PodStates states;
        states.set_preferred_owners(owners);
        states.add(judge(kube_answer));
        std::vector<samples::PodReport> reports;
        for (const auto& [pod, life] : measured) {
            reports.emplace_back();
            reports.back().pod = pod;
            reports.back().life = life;
            reports.back().last_sample = kube_now;
        }
        const auto up_of = [this](std::string_view pod) -> std::optional<bool> {
            const auto found = ups.find(pod);
            return found == ups.end() ? std::nullopt : std::optional(found->second);
        };
        add_unread_pods(reports, unread_model, memory, states, up_of, now);
        CHECK(std::ranges::is_sorted(reports, {}, &samples::PodReport::pod));
        now += 15s;
        return reports;
    }
};

using Lives = std::map<std::string, PodLife>;

} // namespace

TEST_CASE_METHOD(Rounds, "a pod that is scraped in vain is unread when its series are gone") {
    const PodLife life =
        GENERATE(PodLife::alive, PodLife::part, PodLife::unread, PodLife::ambiguous);
    CHECK(run({{"a", PodLife::alive}, {"b", life}}).size() == 2);
    ups["b"] = false;
    CHECK(run({{"a", PodLife::alive}}) == Lives{{"a", PodLife::alive}, {"b", PodLife::unread}});
    CHECK(run({{"a", PodLife::alive}}) == Lives{{"a", PodLife::alive}, {"b", PodLife::unread}});
    // It answers again.
    CHECK(run({{"b", PodLife::alive}}) == Lives{{"b", PodLife::alive}});
}

TEST_CASE_METHOD(Rounds, "an unread pod has no values and the time of its last sample") {
    run({{"a", PodLife::alive}});
    ups["a"] = false;
    const std::vector<samples::PodReport> found = reports({});
    REQUIRE(found.size() == 1);
    CHECK(found[0].last_sample == kube_now);
    for (const samples::SignalValue& value : found[0].values) {
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
    ups["a"] = true;
    CHECK(run({}).empty());
    ups.clear();
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "a pod that is gone does not come back") {
    run({{"a", PodLife::alive}, {"b", PodLife::alive}});
    ups["b"] = false;
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

TEST_CASE_METHOD(Rounds, "a pod is unread until it is forgotten") {
    run({{"a", PodLife::alive}});
    ups["a"] = false;
    now = unread_start + 10min - 1ms;
    CHECK(run({}) == Lives{{"a", PodLife::unread}});
    now = unread_start + 10min;
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "pods that were never seen are not added") {
    ups["a"] = false;
    kube_answer = {pod_info("a"), pod_info("b")};
    CHECK(run({}).empty());
}

TEST_CASE_METHOD(Rounds, "series without a pod are neither remembered nor asked for") {
    ups[""] = false;
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
    ups["a"] = false;
    owners = GoneOwners{};
    CHECK(run({}) == Lives{{"b", PodLife::unread}});
}
