// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/pod_states.hpp"

#include "kube_answer.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using samples::PodLife;

namespace {

constexpr auto all_lives = {PodLife::alive, PodLife::part, PodLife::unread,
                            PodLife::ended, PodLife::gone, PodLife::ambiguous};

/// What the API server reports, in any namespace.
struct ReportedPods {
    std::map<std::string, std::string, std::less<>> owners;
    std::map<std::string, PodState, std::less<>> states;

    std::optional<PodOwner> find(std::string_view, std::string_view pod) const {
        const auto found = owners.find(pod);
        if (found == owners.end())
            return std::nullopt;
        return PodOwner{"Deployment", found->second, OwnerSource::owner_references};
    }
    PodState state_of(std::string_view, std::string_view pod) const {
        const auto found = states.find(pod);
        return found == states.end() ? PodState::unknown : found->second;
    }
};

/// One pod for each thing that kube-state-metrics can say of one, named after it.
std::vector<KubeSeries> all_fates() {
    return {
        pod_info("exists"),
        pod_info("ready"),
        pod_ready("ready", 1),
        pod_info("not-ready"),
        pod_ready("not-ready", 0),
        pod_info("missed", {.newest = 15s}),
        pod_info("gone", {.newest = 5min}),
        pod_owner("gone", "ReplicaSet", "old", {.newest = 5min}),
        pod_info("unknown", {.newest = 5min}).from("an instance that is down"),
    };
}

wva_metrics::detail::PodStates states_by(const std::vector<KubeSeries>& answer,
                                         const KubeJudgement& how = {}) {
    wva_metrics::detail::PodStates states;
    states.add(judge(answer, how));
    return states;
}

} // namespace

TEST_CASE("a pod that answers is not gone, whatever kube-state-metrics says") {
    const wva_metrics::detail::PodStates states = states_by(all_fates());
    for (const PodLife life : {PodLife::alive, PodLife::part, PodLife::ambiguous}) {
        for (const std::string_view pod : {"exists", "missed", "gone", "unknown", "unseen"})
            CHECK(states.state_of("llm", pod, life) == PodState::unknown);
        CHECK(states.state_of("llm", "ready", life) == PodState::ready);
        CHECK(states.state_of("llm", "not-ready", life) == PodState::not_ready);
    }
}

TEST_CASE("a pod that answered but not the newest scrape is gone if kube-state-metrics lacks it") {
    const wva_metrics::detail::PodStates states = states_by(all_fates());
    for (const PodLife life : {PodLife::alive, PodLife::part, PodLife::ambiguous}) {
        for (const std::string_view pod : {"missed", "gone"})
            CHECK(states.state_of("llm", pod, life, true) == PodState::gone);
        for (const std::string_view pod : {"exists", "unknown", "unseen"})
            CHECK(states.state_of("llm", pod, life, true) == PodState::unknown);
    }
}

TEST_CASE("a pod that does not answer is gone only if kube-state-metrics lacks it") {
    const wva_metrics::detail::PodStates states = states_by(all_fates());
    for (const PodLife life : {PodLife::unread, PodLife::ended}) {
        for (const std::string_view pod : {"exists", "unknown", "unseen"})
            CHECK(states.state_of("llm", pod, life) == PodState::unknown);
        for (const std::string_view pod : {"missed", "gone"})
            CHECK(states.state_of("llm", pod, life) == PodState::gone);
        CHECK(states.state_of("other", "gone", life) == PodState::unknown);
        CHECK(states.state_of("llm", "ready", life) == PodState::ready);
        CHECK(states.state_of("llm", "not-ready", life) == PodState::not_ready);
    }
}

TEST_CASE("a pod that is no longer scraped is gone unless kube-state-metrics still reports it") {
    const wva_metrics::detail::PodStates states = states_by(all_fates());
    for (const std::string_view pod : {"missed", "gone", "unknown", "unseen"})
        CHECK(states.state_of("llm", pod, PodLife::gone) == PodState::gone);
    CHECK(states.state_of("llm", "exists", PodLife::gone) == PodState::unknown);
    CHECK(states.state_of("llm", "ready", PodLife::gone) == PodState::ready);
    CHECK(states.state_of("llm", "not-ready", PodLife::gone) == PodState::not_ready);
}

TEST_CASE("without kube-state-metrics a pod is gone only if it is no longer scraped") {
    wva_metrics::detail::PodStates states;
    if (GENERATE(false, true))
        states.add(judge({}));
    for (const PodLife life : all_lives)
        CHECK((states.state_of("llm", "a", life) == PodState::gone) == (life == PodLife::gone));
    CHECK_FALSE(states.owner_of("llm", "a"));
    CHECK_FALSE(states.exists_and_ready("llm", "a"));
}

TEST_CASE("an incomplete answer makes no pod gone and still gives its owner") {
    const wva_metrics::detail::PodStates states = states_by(all_fates(), {.is_complete = false});
    CHECK(states.state_of("llm", "gone", PodLife::ended) == PodState::unknown);
    CHECK(states.owner_of("llm", "gone").value().name == "old");
}

TEST_CASE("answers for several namespaces are merged") {
    wva_metrics::detail::PodStates states = states_by(all_fates());
    std::vector<KubeSeries> others;
    for (const KubeSeries& series : all_fates())
        others.push_back(series.with("namespace", "other"));
    states.add(judge(others));
    for (const std::string_view namespace_name : {"llm", "other"}) {
        CHECK(states.state_of(namespace_name, "gone", PodLife::ended) == PodState::gone);
        CHECK(states.exists_and_ready(namespace_name, "ready"));
        CHECK(states.owner_of(namespace_name, "gone").value().name == "old");
    }
}

TEST_CASE("a pod exists and is ready if kube-state-metrics says so, or says nothing of readiness") {
    const wva_metrics::detail::PodStates states = states_by(all_fates());
    for (const std::string_view pod : {"ready", "exists", "missed"})
        CHECK(states.exists_and_ready("llm", pod));
    for (const std::string_view pod : {"not-ready", "gone", "unknown", "unseen"})
        CHECK_FALSE(states.exists_and_ready("llm", pod));
    CHECK_FALSE(states.exists_and_ready("other", "ready"));
}

TEST_CASE("the states of configured owners take precedence over all else") {
    wva_metrics::detail::PodStates states = states_by(all_fates());
    const PodState preferred =
        GENERATE(PodState::gone, PodState::not_ready, PodState::ready, PodState::terminating);
    ReportedPods reported;
    for (const char* pod : {"exists", "ready", "not-ready", "missed", "gone", "unseen"})
        reported.states[pod] = preferred;
    states.set_preferred_owners(reported);
    for (const auto& [pod, state] : reported.states) {
        for (const PodLife life : all_lives)
            CHECK(states.state_of("llm", pod, life) == preferred);
        CHECK(states.exists_and_ready("llm", pod) == (preferred == PodState::ready));
    }
}

TEST_CASE("what the configured owners do not know, kube-state-metrics does") {
    wva_metrics::detail::PodStates states = states_by(all_fates());
    states.set_preferred_owners(ReportedPods{});
    CHECK(states.state_of("llm", "gone", PodLife::ended) == PodState::gone);
    CHECK(states.state_of("llm", "ready", PodLife::alive) == PodState::ready);
    CHECK(states.exists_and_ready("llm", "ready"));
    CHECK_FALSE(states.exists_and_ready("llm", "not-ready"));
}

TEST_CASE("a configured owner precedes that of kube-state-metrics") {
    wva_metrics::detail::PodStates states =
        states_by({pod_owner("a", "ReplicaSet", "x"), pod_owner("b", "ReplicaSet", "x")});
    states.set_preferred_owners(ReportedPods{{{"a", "known"}, {"c", "known"}}, {}});
    for (const std::string_view pod : {"a", "c"})
        CHECK(states.owner_of("llm", pod) ==
              PodOwner{"Deployment", "known", OwnerSource::owner_references});
    CHECK(states.owner_of("llm", "b") ==
          PodOwner{"ReplicaSet", "x", OwnerSource::kube_state_metrics});
    CHECK_FALSE(states.owner_of("llm", "d"));
}

TEST_CASE("an owner stays the same throughout a batch, even if the configured owners change") {
    const auto reported = std::make_shared<ReportedPods>();
    wva_metrics::detail::PodStates states = states_by({pod_owner("a", "ReplicaSet", "x")});
    states.set_preferred_owners(AnyPodOwners(reported));
    CHECK(states.owner_of("llm", "a").value().name == "x");
    CHECK_FALSE(states.owner_of("llm", "b"));
    for (const char* pod : {"a", "b", "c"})
        reported->owners[pod] = "late";
    CHECK(states.owner_of("llm", "a").value().name == "x");
    CHECK_FALSE(states.owner_of("llm", "b"));
    CHECK(states.owner_of("llm", "c").value().name == "late");
    CHECK(states.owner_of("other", "a").value().name == "late");
}

TEST_CASE("each of a namespace's warnings is listed once") {
    wva_metrics::detail::PodStates states;
    const std::vector<std::string> concerned = {"a", "b"};
    states.add_warning(concerned, "too much");
    states.add_warning(concerned, "too much");
    states.add_warning(std::vector<std::string>{"b"}, "incomplete");
    CHECK(states.warnings("a") == std::set<std::string>{"too much"});
    CHECK(states.warnings("b") == std::set<std::string>{"incomplete", "too much"});
    CHECK(states.warnings("c").empty());
}
