// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/unsampled_pods.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

using PodSet = std::set<std::string>;

const ModelKey unsampled_model("llm", "m");

LivingSeries living_of(std::size_t model, const samples::Labels& labels) {
    LivingSeries series;
    series.model = model;
    series.labels = labels;
    return series;
}

samples::View sampled_view(const std::string& pod) {
    samples::View view;
    view.pod = pod;
    return view;
}

std::vector<std::string> names_in(const ModelReport& report) {
    std::vector<std::string> names;
    for (const JudgedPod& pod : report.pods)
        names.push_back(pod.report.pod);
    return names;
}

} // namespace

TEST_CASE("a living pod without samples of its model is found, whichever label names it") {
    const std::vector<LivingSeries> living = {
        living_of(0, {{"pod", "a"}}),
        living_of(0, {{"pod", "b"}}),
        living_of(0, {{"pod", "exporter"}, {"exported_pod", "c"}}),
        living_of(0, {{"pod", "d"}, {"exported_pod", ""}}),
        living_of(1, {{"pod", "a"}}),
        living_of(2, {{"instance", "10.0.0.1:8000"}}),
    };
    std::map<std::size_t, std::vector<samples::View>> views;
    views[0] = {sampled_view("a"), sampled_view("")};
    const auto found = find_unsampled_pods(living, views, {});
    CHECK(found == std::map<std::size_t, PodSet>{{0, {"b", "c", "d"}}, {1, {"a"}}});
    CHECK(find_unsampled_pods({}, views, {}).empty());
}

TEST_CASE("a pod that had samples before is over, and not scraped rarely") {
    SeenPods memory;
    const TimePoint seen_at{24h};
    memory.remember(unsampled_model, {{"seen", {}}}, seen_at);
    PodSet pods = {"new", "seen"};
    remove_seen_pods(unsampled_model, pods, memory, seen_at + 1min);
    CHECK(pods == PodSet{"new"});
    pods = {"seen"};
    remove_seen_pods({"other", "m"}, pods, memory, seen_at + 1min);
    CHECK(pods == PodSet{"seen"});
}

TEST_CASE("a pod without samples lives, and its readings say that the window is too short") {
    ModelReport report;
    report.pods.resize(2);
    report.pods[0].report.pod = "b";
    report.pods[1].report.pod = "d";
    report.pods[1].report.life = samples::PodLife::unread;
    add_unsampled_pods(unsampled_model, {"a", "c", "d", "e"}, {}, report);
    REQUIRE(names_in(report) == std::vector<std::string>{"a", "b", "c", "d", "e"});
    CHECK(report.pods[0].report.life == samples::PodLife::alive);
    CHECK(report.pods[0].state == PodState::unknown);
    for (const samples::SignalValue& value : report.pods[0].report.values)
        CHECK(value.reason == ReadingReason::window_too_short);
    // What is known of a pod stays.
    CHECK(report.pods[3].report.life == samples::PodLife::unread);
}
