// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/pod_facts.hpp"

#include "support/labelled_series.hpp"

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
using namespace wva_metrics::detail;

namespace {

void add(PodFacts& pods, const std::string& part, const std::string& pod = "",
         const std::string& kind = "", const std::string& owner = "",
         const std::string& namespace_name = "llm") {
    const std::vector<std::string> columns = {"wva_part", "namespace", "pod", "owner_kind",
                                              "owner_name"};
    const std::vector<std::string_view> labels = {part, namespace_name, pod, kind, owner};
    test_support::with_series(columns, labels, 1, [&](const prometheus::SeriesView& series) {
        pods.add(series, columns);
    });
}

constexpr bool series_living = true;
constexpr bool series_ended = false;

bool is_gone(const PodFacts& pods, const std::string& namespace_name, const std::string& pod,
             bool series = series_ended) {
    return pods.state_of(namespace_name, pod, series) == PodState::gone;
}

/// Owners and states of pods in any namespace.
struct KnownOwners {
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

} // namespace

TEST_CASE(
    "a pod is gone if kube-state-metrics reports, but not this pod, and its series have ended") {
    const bool gone = GENERATE(false, true);
    const bool reporting = GENERATE(false, true);
    const bool series = GENERATE(series_ended, series_living);
    PodFacts pods;
    if (gone)
        add(pods, "gone0", "p-0");
    if (reporting)
        add(pods, "reporting0");
    CHECK(is_gone(pods, "llm", "p-0", series) == (gone && reporting && series == series_ended));
    CHECK_FALSE(is_gone(pods, "other", "p-0", series));
    CHECK_FALSE(is_gone(pods, "llm", "p-1", series));
}

TEST_CASE("an incomplete answer makes no pod gone and still gives owners") {
    PodFacts pods;
    add(pods, "gone0", "p-0");
    add(pods, "owner0", "p-0", "StatefulSet", "llama");
    add(pods, "reporting0");
    pods.mark_incomplete();
    CHECK_FALSE(is_gone(pods, "llm", "p-0"));
    CHECK(pods.owner_of("llm", "p-0") ==
          PodOwner{"StatefulSet", "llama", OwnerSource::kube_state_metrics});
}

TEST_CASE("of several owners the same one is used in any order") {
    const bool swapped = GENERATE(false, true);
    PodFacts pods;
    add(pods, "owner0", "p-0", swapped ? "Workload" : "ReplicaSet", "b");
    add(pods, "owner0", "p-0", swapped ? "ReplicaSet" : "Workload", "b");
    add(pods, "owner0", "p-0", "", "");
    CHECK(pods.owner_of("llm", "p-0") ==
          PodOwner{"ReplicaSet", "b", OwnerSource::kube_state_metrics});
    CHECK_FALSE(pods.owner_of("other", "p-0").has_value());
}

TEST_CASE("facts of several queries are merged") {
    PodFacts all;
    PodFacts first;
    add(first, "gone0", "p-0", "", "", "a");
    PodFacts second;
    add(second, "owner0", "p-0", "ReplicaSet", "b", "b");
    add(second, "reporting0");
    all.merge(std::move(first));
    all.merge(std::move(second));
    CHECK(is_gone(all, "a", "p-0"));
    CHECK_FALSE(is_gone(all, "b", "p-0"));
}

TEST_CASE("a warning is listed once for each of its namespaces") {
    PodFacts pods;
    const std::vector<std::string> concerned = {"a", "b"};
    pods.add_warning(concerned, "too much");
    pods.add_warning(concerned, "too much");
    CHECK(pods.warnings("a") == std::set<std::string>{"too much"});
    CHECK(pods.warnings("b") == std::set<std::string>{"too much"});
    CHECK(pods.warnings("c").empty());
}

TEST_CASE("series without a known part or a pod are ignored") {
    PodFacts pods;
    add(pods, "reporting0");
    add(pods, "", "p-0");
    add(pods, "value0", "p-0");
    add(pods, "gone", "p-0");
    add(pods, "gone0", "");
    CHECK_FALSE(is_gone(pods, "llm", "p-0"));
    CHECK_FALSE(is_gone(pods, "llm", ""));
}

TEST_CASE("configured owners take precedence over kube-state-metrics") {
    PodFacts pods;
    add(pods, "reporting0");
    for (const char* pod : {"p-0", "p-1", "p-2"}) {
        add(pods, "gone0", pod);
        add(pods, "owner0", pod, "ReplicaSet", "by-series-66b4c");
    }
    pods.set_preferred_owners(
        KnownOwners{{{"p-0", "known"}}, {{"p-1", PodState::terminating}, {"p-9", PodState::gone}}});
    CHECK(pods.owner_of("llm", "p-0") ==
          PodOwner{"Deployment", "known", OwnerSource::owner_references});
    CHECK(pods.owner_of("llm", "p-1") ==
          PodOwner{"ReplicaSet", "by-series-66b4c", OwnerSource::kube_state_metrics});
    CHECK_FALSE(pods.owner_of("llm", "p-9").has_value());
    for (const bool series : {series_living, series_ended}) {
        CHECK(pods.state_of("llm", "p-1", series) == PodState::terminating);
        CHECK(pods.state_of("llm", "p-9", series) == PodState::gone);
        CHECK(pods.state_of("llm", "p-8", series) == PodState::unknown);
    }
    CHECK(pods.state_of("llm", "p-2", series_ended) == PodState::gone);
}

TEST_CASE("an owner is the same throughout a batch, even if the configured owners change") {
    const auto owners = std::make_shared<KnownOwners>();
    PodFacts pods;
    pods.set_preferred_owners(AnyPodOwners(owners));
    CHECK_FALSE(pods.owner_of("llm", "p-0").has_value());
    owners->owners["p-0"] = owners->owners["p-1"] = "late";
    CHECK_FALSE(pods.owner_of("llm", "p-0").has_value());
    CHECK(pods.owner_of("llm", "p-1").value().name == "late");
}
