// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/undecided_pods.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using samples::ModelProcesses;
using samples::Process;
using samples::ProcessStatus;
using samples::View;
namespace measured = wva_metrics::samples::measured;

namespace {

const ModelKey undecided_model("llm", "m");
const TimePoint undecided_start{24h};

/// A view of a pod by a scraper, with a counter that grows by `steps`.
View view_by(const std::string& job, std::vector<double> values = {100, 110, 120, 130}) {
    View view = measured::make_view({{measured::finished, measured::spaced(15s, 0s, values)}});
    view.labels = {{"job", job}, {"pod", "p"}};
    view.pod = "p";
    view.pod_label = "pod";
    return view;
}

Process process_of(std::vector<const View*> copies, ProcessStatus status = ProcessStatus::counted) {
    return {"p", std::move(copies), {"said"}, status};
}

ModelProcesses ambiguous(const std::vector<View>& views) {
    ModelProcesses found;
    Process& process = found.processes.emplace_back();
    process = process_of({}, ProcessStatus::ambiguous);
    for (const View& view : views)
        process.copies.push_back(&view);
    return found;
}

/// A memory that knows that the views of two jobs are copies of one process, or two of them.
struct DecidedPod {
    DecidedPod() { pods.ask(undecided_model, "p", undecided_start); }

    void learn_copies() {
        const Process one = process_of({&views[0], &views[1]});
        pods.learn(undecided_model, "p", {&one}, measured::now);
    }
    void learn_two() {
        const Process first = process_of({&views[0]}, ProcessStatus::predecessor);
        const Process second = process_of({&views[1]});
        pods.learn(undecided_model, "p", {&first, &second}, measured::now);
    }
    ModelProcesses apply(const std::vector<View>& later) const {
        ModelProcesses found = ambiguous(later);
        pods.apply(undecided_model, measured::vllm_metrics(), found);
        return found;
    }

    UndecidedPods pods;
    std::vector<View> views = {view_by("a"), view_by("b")};
};

} // namespace

TEST_CASE("a pod is asked for once a minute") {
    UndecidedPods pods;
    CHECK(pods.ask(undecided_model, "p", undecided_start));
    CHECK_FALSE(pods.ask(undecided_model, "p", undecided_start));
    CHECK_FALSE(pods.ask(undecided_model, "p", undecided_start + 59'999ms));
    CHECK(pods.ask(undecided_model, "p", undecided_start + 1min));
    CHECK_FALSE(pods.ask(undecided_model, "p", undecided_start + 119s));
    CHECK(pods.ask(undecided_model, "q", undecided_start));
    CHECK(pods.ask({"other", "m"}, "p", undecided_start));
}

TEST_CASE("no more pods are asked for than are remembered, until some are forgotten") {
    UndecidedPods pods;
    for (std::size_t i = 0; i < UndecidedPods::max_pods; ++i)
        REQUIRE(pods.ask(undecided_model, std::to_string(i), undecided_start));
    CHECK_FALSE(pods.ask(undecided_model, "p", undecided_start + 9min));
    CHECK(pods.ask(undecided_model, "7", undecided_start + 9min));
    const TimePoint later = undecided_start + 9min + UndecidedPods::forget_after;
    CHECK(pods.ask(undecided_model, "p", later));
}

TEST_CASE("what is not known changes nothing") {
    UndecidedPods pods;
    const std::vector<View> views = {view_by("a"), view_by("b")};
    ModelProcesses found = ambiguous(views);
    pods.apply(undecided_model, measured::vllm_metrics(), found);
    CHECK(found.processes.at(0).status == ProcessStatus::ambiguous);
    pods.ask(undecided_model, "p", undecided_start); // Asked, and not decided.
    pods.apply(undecided_model, measured::vllm_metrics(), found);
    REQUIRE(found.processes.size() == 1);
    CHECK(found.processes[0].status == ProcessStatus::ambiguous);
    CHECK(found.processes[0].copies.size() == 2);
}

TEST_CASE_METHOD(DecidedPod, "what was decided holds for later views with the same labels") {
    SECTION("that they are copies") {
        learn_copies();
        const std::vector<View> later = {view_by("a", {110, 120, 130}), view_by("b", {115, 125})};
        const ModelProcesses found = apply(later);
        REQUIRE(found.processes.size() == 1);
        CHECK(found.processes[0].status == ProcessStatus::counted);
        CHECK(found.processes[0].pod == "p");
        CHECK(found.processes[0].evidence == std::vector<std::string>{"said"});
        CHECK(found.processes[0].copies == std::vector<const View*>{&later[0], &later[1]});
    }
    SECTION("that they are two, one of which does not count") {
        learn_two();
        const std::vector<View> later = {view_by("a"), view_by("b")};
        const ModelProcesses found = apply(later);
        REQUIRE(found.processes.size() == 2);
        CHECK(found.processes[0].status == ProcessStatus::predecessor);
        CHECK(found.processes[1].status == ProcessStatus::counted);
        CHECK(found.processes[1].copies == std::vector<const View*>{&later[1]});
    }
}

TEST_CASE_METHOD(DecidedPod, "a process whose views are all gone is left out") {
    learn_two();
    const std::vector<View> later = {view_by("b")};
    const ModelProcesses found = apply(later);
    REQUIRE(found.processes.size() == 1);
    CHECK(found.processes[0].status == ProcessStatus::counted);
}

TEST_CASE_METHOD(DecidedPod, "a view that was not there makes the pod ambiguous again") {
    learn_copies();
    const std::vector<View> later = {view_by("a"), view_by("b"), view_by("c")};
    const ModelProcesses found = apply(later);
    REQUIRE(found.processes.size() == 1);
    CHECK(found.processes[0].status == ProcessStatus::ambiguous);
    CHECK(found.processes[0].copies.size() == 3);
}

TEST_CASE_METHOD(DecidedPod, "a counter that began anew since makes the pod ambiguous again") {
    learn_copies();
    std::vector<View> later = {view_by("a"), view_by("b", {100, 110, 3, 4})};
    SECTION("after the decision") {
        for (samples::Sample& sample : later[1].series[0].samples)
            sample.time += 1min;
        CHECK(apply(later).processes.at(0).status == ProcessStatus::ambiguous);
    }
    SECTION("but not if it did so before") {
        CHECK(apply(later).processes.at(0).status == ProcessStatus::counted);
    }
    SECTION("nor if it is a gauge that fell") {
        later[1] =
            measured::make_view({{measured::queue, measured::spaced(15s, -1min, {9, 8, 7, 6})}});
        later[1].labels = views[1].labels;
        later[1].pod = "p";
        CHECK(apply(later).processes.at(0).status == ProcessStatus::counted);
    }
}

TEST_CASE_METHOD(DecidedPod, "what the samples decide by themselves is left alone") {
    learn_copies();
    ModelProcesses found;
    found.processes = {process_of({&views[0]}), process_of({&views[1]})};
    pods.apply(undecided_model, measured::vllm_metrics(), found);
    CHECK(found.processes.size() == 2);
}

TEST_CASE_METHOD(DecidedPod, "the pods before and after a decided one stay as they are") {
    learn_two();
    ModelProcesses found = ambiguous(views);
    Process before = process_of({&views[0]});
    before.pod = "a";
    Process after = process_of({&views[1]}, ProcessStatus::ambiguous);
    after.pod = "z";
    found.processes.insert(found.processes.begin(), before);
    found.processes.push_back(after);
    pods.apply(undecided_model, measured::vllm_metrics(), found);
    REQUIRE(found.processes.size() == 4);
    CHECK(found.processes[0].pod == "a");
    CHECK(found.processes[1].pod == "p");
    CHECK(found.processes[2].pod == "p");
    CHECK(found.processes[2].status == ProcessStatus::counted);
    CHECK(found.processes[3].pod == "z");
    CHECK(found.processes[3].status == ProcessStatus::ambiguous);
}

TEST_CASE_METHOD(DecidedPod, "a newer decision replaces the older one") {
    learn_copies();
    learn_two();
    CHECK(apply(views).processes.size() == 2);
    learn_copies();
    CHECK(apply(views).processes.size() == 1);
}

TEST_CASE_METHOD(DecidedPod, "a decision is forgotten with its pod") {
    learn_copies();
    pods.ask(undecided_model, "q", undecided_start + UndecidedPods::forget_after - 1ms);
    CHECK(apply(views).processes.at(0).status == ProcessStatus::counted);
    pods.ask(undecided_model, "q", undecided_start + UndecidedPods::forget_after + 1min);
    CHECK(apply(views).processes.at(0).status == ProcessStatus::ambiguous);
}
