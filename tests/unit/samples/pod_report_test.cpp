// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/pod_report.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

using Catch::Matchers::WithinRel;

namespace {

/// A server with `per_second` finished requests, a constant queue and KV usage, whose last scrape
/// is `age` ago.
View server(double per_second, double waiting, ServerDuration age = 0s, double used = 0.5,
            int count = 10) {
    const auto constant = [&](double value) {
        return spaced(15s, age, std::vector<double>(static_cast<std::size_t>(count), value));
    };
    return make_view({{finished, spaced(15s, age, rising(count, 15 * per_second))},
                      {queue, constant(waiting)},
                      {kv_usage, constant(used)}});
}

View ended(View view) {
    for (Series& series : view.series)
        series.has_ended = true;
    view.has_ended = true;
    return view;
}

View with_up(View view, std::vector<double> up, ServerDuration age = 0s) {
    view.up = spaced(15s, age, std::move(up));
    return view;
}

/// Processes with views of their own.
class Fleet {
public:
    Process& add(std::string pod, std::vector<View> copies,
                 ProcessStatus status = ProcessStatus::counted) {
        Process process;
        process.pod = std::move(pod);
        process.status = status;
        for (View& copy : copies)
            process.copies.push_back(&views_.emplace_back(std::move(copy)));
        return found_.processes.emplace_back(std::move(process));
    }

    std::vector<PodReport> report(const SampleRules& rules = {},
                                  const MetricSet& metrics = vllm_metrics()) const {
        return report_pods(found_, metrics, now, rules);
    }

    PodReport only() const {
        const std::vector<PodReport> reports = report();
        REQUIRE(reports.size() == 1);
        return reports.front();
    }

private:
    std::deque<View> views_;
    ModelProcesses found_;
};

} // namespace

TEST_CASE("a pod of one process has its values") {
    Fleet fleet;
    fleet.add("a", {server(2, 3, 5s)});
    const PodReport pod = fleet.only();
    CHECK(pod.pod == "a");
    CHECK(pod.life == PodLife::alive);
    CHECK(pod.last_sample == now - 5s);
    CHECK_THAT(pod[Signal::arrival_rate].value, WithinRel(2.0, 1e-12));
    CHECK(pod[Signal::queue_length].value == 3);
    CHECK(pod[Signal::kv_cache_usage].value == 0.5);
    CHECK(pod[Signal::ttft].reason == ReadingReason::no_series);
}

TEST_CASE("without processes there are no pods") {
    CHECK(Fleet().report().empty());
}

TEST_CASE("pods are sorted, and the processes without a pod are one report") {
    Fleet fleet;
    fleet.add("b", {server(1, 1)});
    fleet.add("", {server(1, 5)}, ProcessStatus::unattributed);
    fleet.add("a", {server(1, 2)});
    fleet.add("", {server(1, 6)}, ProcessStatus::unattributed);
    const std::vector<PodReport> reports = fleet.report();
    REQUIRE(reports.size() == 3);
    CHECK(reports[0].pod.empty());
    CHECK(reports[0][Signal::queue_length].value == 11);
    CHECK(reports[1].pod == "a");
    CHECK(reports[2].pod == "b");
}

TEST_CASE("the processes of a pod are added up, and its highest KV usage counts") {
    Fleet fleet;
    fleet.add("a", {server(1, 5, 0s, 0.2)});
    fleet.add("a", {server(2, 7, 0s, 0.6)});
    const PodReport pod = fleet.only();
    CHECK_THAT(pod[Signal::arrival_rate].value, WithinRel(3.0, 1e-12));
    CHECK(pod[Signal::queue_length].value == 12);
    CHECK(pod[Signal::kv_cache_usage].value == 0.6);
}

TEST_CASE("copies of a process count once") {
    Fleet fleet;
    fleet.add("a", {server(1, 3), server(1, 3), server(1, 3, 7s)});
    const PodReport pod = fleet.only();
    CHECK_THAT(pod[Signal::arrival_rate].value, WithinRel(1.0, 1e-12));
    CHECK(pod[Signal::queue_length].value == 3);
    CHECK(pod[Signal::queue_length].time == now);
}

TEST_CASE("the chosen copy lives, has a rate, has most metrics, and is the newest") {
    const SampleRules rules;
    const auto chosen = [&](std::vector<View> copies) {
        std::vector<const View*> pointers;
        for (const View& copy : copies)
            pointers.push_back(&copy);
        return &choose_copy(pointers, now, rules) - copies.data();
    };
    const View rich = server(1, 1, 10s);
    const View poor = make_view({{finished, spaced(15s, 5s, rising(10, 1))},
                                 {finished, spaced(15s, 5s, rising(10, 1)), "1"},
                                 {finished, spaced(15s, 5s, rising(10, 1)), "2"},
                                 {finished, spaced(15s, 5s, rising(10, 1)), "3"}});
    const View young = server(1, 1, 0s, 0.5, 1);
    CHECK(chosen({rich}) == 0);
    CHECK(chosen({ended(rich), young}) == 1);
    CHECK(chosen({young, ended(rich)}) == 0);
    CHECK(chosen({young, poor}) == 1);
    CHECK(chosen({poor, rich}) == 1);
    CHECK(chosen({rich, poor}) == 0);
    CHECK(chosen({rich, server(1, 1, 9s)}) == 1);
    CHECK(chosen({rich, rich}) == 0);
}

TEST_CASE("what the chosen copy lacks is measured by another one") {
    const View gauges = make_view({{queue, spaced(15s, 5s, {4, 4, 4, 4})},
                                   {kv_usage, spaced(15s, 5s, {0.5, 0.5, 0.5, 0.5})}});
    const View counters =
        make_view({{finished, spaced(15s, 0s, rising(10, 15))},
                   {"vllm:request_prompt_tokens_sum", spaced(15s, 0s, rising(10, 1500))},
                   {"vllm:request_prompt_tokens_count", spaced(15s, 0s, rising(10, 15))}});
    for (const bool is_first : {true, false}) {
        Fleet fleet;
        fleet.add("a", is_first ? std::vector{gauges, counters} : std::vector{counters, gauges});
        const PodReport pod = fleet.only();
        CHECK(pod[Signal::queue_length].value == 4);
        CHECK(pod[Signal::queue_length].time == now - 5s);
        CHECK(pod[Signal::kv_cache_usage].value == 0.5);
        CHECK_THAT(pod[Signal::arrival_rate].value, WithinRel(1.0, 1e-9));
        CHECK(pod[Signal::ttft].reason == ReadingReason::no_series);
    }
    // One that has ended says nothing of a process that lives.
    Fleet fleet;
    fleet.add("a", {ended(gauges), counters});
    CHECK(fleet.only()[Signal::queue_length].reason == ReadingReason::no_series);
}

TEST_CASE("predecessors and aggregates do not count") {
    Fleet fleet;
    fleet.add("a", {server(1, 2)}).evidence = {"port"};
    fleet.add("a", {server(1, 40, 20s, 0.97)}, ProcessStatus::predecessor).evidence = {"times"};
    fleet.add("a", {server(9, 99)}, ProcessStatus::aggregate);
    fleet.add("b", {server(9, 99)}, ProcessStatus::aggregate);
    const PodReport pod = fleet.only();
    CHECK(pod[Signal::queue_length].value == 2);
    CHECK(pod[Signal::kv_cache_usage].value == 0.5);
    CHECK_THAT(pod[Signal::arrival_rate].value, WithinRel(1.0, 1e-12));
    CHECK(pod.evidence == std::vector<std::string>{"port"});
}

TEST_CASE("a pod with a predecessor in the window has not surely had no requests") {
    const MetricSet counting(vllm_profile(), {OptionalReading::requests_in_window});
    const auto requests_of = [&](double per_second, bool has_predecessor) {
        Fleet fleet;
        fleet.add("a", {server(per_second, 2)});
        if (has_predecessor)
            fleet.add("a", {server(3, 40, 20s)}, ProcessStatus::predecessor);
        return fleet.report({}, counting).at(0).requests.value();
    };
    CHECK(requests_of(0, false).reason == ReadingReason::none);
    CHECK(requests_of(0, false).value == 0);
    CHECK(requests_of(0, true).reason == ReadingReason::warming_up);
    // What it has finished itself is known.
    CHECK(requests_of(2, true).reason == ReadingReason::none);
    CHECK(requests_of(2, true).value == requests_of(2, false).value);
    CHECK(requests_of(2, true).value > 0);
}

TEST_CASE("the evidence of all processes of a pod is told, each once") {
    Fleet fleet;
    fleet.add("a", {server(1, 2)}).evidence = {"values", "address"};
    fleet.add("a", {server(1, 2)}).evidence = {"values"};
    CHECK(fleet.only().evidence == std::vector<std::string>{"address", "values"});
}

TEST_CASE("an ambiguous pod has no value at all") {
    Fleet fleet;
    fleet.add("a", {server(1, 2, 9s)});
    fleet.add("a", {server(1, 2, 5s)}, ProcessStatus::ambiguous);
    const PodReport pod = fleet.only();
    CHECK(pod.life == PodLife::ambiguous);
    CHECK(pod.last_sample == now - 5s);
    for (const Signal signal : all_signals) {
        CHECK(pod[signal].reason == ReadingReason::ambiguous);
        CHECK(pod[signal].time == now - 5s);
    }
}

TEST_CASE("an ended pod keeps its rate, with the time of its own samples") {
    Fleet fleet;
    fleet.add("a", {ended(server(2, 3, 4s))});
    fleet.add("b", {server(2, 3, 1s)});
    const std::vector<PodReport> pods = fleet.report();
    REQUIRE(pods.size() == 2);
    CHECK(pods[0].life == PodLife::ended);
    CHECK(pods[0].last_sample == now - 4s);
    CHECK_THAT(pods[0][Signal::arrival_rate].value, WithinRel(2.0, 1e-12));
    CHECK(pods[0][Signal::arrival_rate].time == now - 4s);
    CHECK(pods[0][Signal::queue_length].time == now - 4s);
    CHECK(pods[1].life == PodLife::alive);
}

TEST_CASE("the rate of an ended pod falls until its last samples have left the window") {
    double last = 2.1;
    for (const ServerDuration age : {0s, 20s, 30s, 40s}) {
        Fleet fleet;
        fleet.add("a", {ended(server(2, 3, age))});
        const SignalValue rate = fleet.only()[Signal::arrival_rate];
        CHECK(rate.reason == ReadingReason::none);
        CHECK(rate.value < last);
        last = rate.value;
    }
    Fleet fleet;
    fleet.add("a", {ended(server(2, 3, 50s))});
    CHECK(fleet.only()[Signal::arrival_rate].reason == ReadingReason::no_series);
}

TEST_CASE("the life of a pod that does not answer is told by `up`") {
    const View lost = ended(server(1, 60, 20s, 0.98));
    const auto life_of = [](std::vector<View> copies) {
        Fleet fleet;
        fleet.add("a", std::move(copies));
        return fleet.only().life;
    };
    CHECK(life_of({lost}) == PodLife::ended);
    CHECK(life_of({with_up(lost, {1, 1, 0})}) == PodLife::unread);
    CHECK(life_of({with_up(lost, {1, 1, 0}, 37s)}) == PodLife::unread);
    CHECK(life_of({with_up(lost, {1, 1, 0}, 38s)}) == PodLife::gone);
    CHECK(life_of({with_up(lost, {1, 1, 1}, 20s)}) == PodLife::gone);
    CHECK(life_of({with_up(lost, {1, 1, 1})}) == PodLife::gone);
    CHECK(life_of({lost, with_up(lost, {0})}) == PodLife::unread);
    CHECK(life_of({with_up(lost, {1}), with_up(lost, {0})}) == PodLife::unread);
    // A failed scrape by another target does not matter while one answers.
    CHECK(life_of({server(1, 1), with_up(lost, {0})}) == PodLife::alive);
}

TEST_CASE("what an unread pod last said is kept, and what it lacks has that reason") {
    const View busy = ended(make_view({{finished, spaced(15s, 50s, {100})},
                                       {queue, spaced(15s, 50s, {60})},
                                       {kv_usage, spaced(15s, 50s, {0.98})}}));
    Fleet fleet;
    fleet.add("a", {with_up(busy, {1, 0, 0, 0})});
    const PodReport pod = fleet.only();
    CHECK(pod.life == PodLife::unread);
    CHECK(pod[Signal::arrival_rate].reason == ReadingReason::unread);
    CHECK(pod[Signal::ttft].reason == ReadingReason::unread);
    CHECK(pod[Signal::queue_length].value == 60);
    CHECK(pod[Signal::queue_length].time == now - 50s);
    CHECK(pod[Signal::kv_cache_usage].value == 0.98);
}

TEST_CASE("a pod of which one process cannot be read is known in part") {
    Fleet fleet;
    fleet.add("a", {server(1, 5)});
    fleet.add("a", {with_up(ended(server(1, 40, 30s)), {1, 0, 0})});
    const PodReport pod = fleet.only();
    CHECK(pod.life == PodLife::part);
    CHECK(pod[Signal::queue_length].value == 5);
    CHECK(pod.last_sample == now);
}

TEST_CASE("a process that ended beside a living one counts for what it served") {
    Fleet fleet;
    fleet.add("a", {server(1, 5)});
    fleet.add("a", {ended(server(2, 40, 4s, 0.9))});
    const PodReport pod = fleet.only();
    CHECK(pod.life == PodLife::alive);
    CHECK(pod[Signal::queue_length].value == 5);
    CHECK(pod[Signal::kv_cache_usage].value == 0.5);
    CHECK_THAT(pod[Signal::arrival_rate].value, WithinRel(3.0, 1e-12));
    CHECK(pod[Signal::arrival_rate].time == now);

    for (const View& without_rate :
         {server(2, 40, 55s), make_view({{finished, spaced(15s, 15s, {1, 2, not_a_number})}})}) {
        Fleet other;
        other.add("a", {server(1, 5)});
        other.add("a", {ended(without_rate)});
        CHECK_THAT(other.only()[Signal::arrival_rate].value, WithinRel(1.0, 1e-12));
    }
}

TEST_CASE("a pod has no rate while one of its living processes warms up") {
    Fleet fleet;
    fleet.add("a", {server(1, 5)});
    fleet.add("a", {server(1, 7, 0s, 0.5, 1)});
    const PodReport pod = fleet.only();
    CHECK(pod[Signal::arrival_rate].reason == ReadingReason::warming_up);
    CHECK(pod[Signal::queue_length].value == 12);
}

} // namespace wva_metrics::samples::measured
