// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/merge_layers.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using detail::LayerMerger;

namespace {

const TimePoint merged_at{24h};

Reading<double> seen_ago(double value, Duration age, Statistic statistic = Statistic::peak) {
    ReadingDetails<double> details;
    details.statistic = statistic;
    return Reading<double>::measured(value, merged_at - age, {}, details);
}
const Reading<double> nothing = Reading<double>::missing(ReadingReason::no_series);

Reading<double> choose(const LayeredConfig& config, const std::vector<Reading<double>>& readings) {
    std::vector<const Reading<double>*> pointers;
    for (const Reading<double>& reading : readings)
        pointers.push_back(&reading);
    return LayerMerger(config, merged_at).choose(pointers);
}

ReplicaSample pod_with(const std::string& name, double usage, Duration age) {
    ReplicaSample pod;
    pod.pod = name;
    pod.kv_cache_usage = seen_ago(usage, age);
    pod.last_sample_at = merged_at - age;
    return pod;
}

ReplicaSamples merge(const LayeredConfig& config, const std::vector<ReplicaSamples>& answers) {
    std::vector<const ReplicaSamples*> pointers;
    for (const ReplicaSamples& answer : answers)
        pointers.push_back(&answer);
    return LayerMerger(config, merged_at).merge(std::span<const ReplicaSamples* const>(pointers));
}

} // namespace

TEST_CASE("the freshest reading is taken, and the preferred one of two that are equally fresh") {
    const LayeredConfig config;
    CHECK(choose(config, {seen_ago(1, 20s), seen_ago(2, 1s)}).value() == 2);
    CHECK(choose(config, {seen_ago(1, 20s), seen_ago(2, 1s)}).layer() == 2);
    CHECK(choose(config, {seen_ago(1, 3s), seen_ago(2, 1s)}).value() == 1);
    CHECK(choose(config, {seen_ago(1, 3001ms), seen_ago(2, 1s)}).value() == 2);
    CHECK(choose(config, {nothing, seen_ago(2, 60s)}).value() == 2);
    CHECK(choose(config, {seen_ago(0, 1s), seen_ago(5, 20s)}).value() == 0); // Zero is a value.
}

TEST_CASE("without a value the preferred source says why") {
    const Reading<double> unread = Reading<double>::missing(ReadingReason::unread);
    CHECK(choose({}, {unread, nothing}).reason() == ReadingReason::unread);
    CHECK(choose({}, {nothing, unread}).reason() == ReadingReason::no_series);
    CHECK(choose({}, {nothing, unread}).layer() == 1);
    const std::array<const Reading<double>*, 2> one = {nullptr, &unread};
    const LayeredConfig config;
    CHECK(LayerMerger(config, merged_at).choose(one).layer() == 2);
}

TEST_CASE("of any readings, the chosen one is the freshest but for what counts as equally fresh") {
    unsigned state = 7;
    const auto below = [&state](unsigned bound) {
        state = state * 1664525U + 1013904223U;
        return (state >> 8U) % bound;
    };
    const LayeredConfig config{.equally_fresh = 3s};
    for (int round = 0; round < 5000; ++round) {
        std::vector<Reading<double>> readings;
        for (unsigned i = 0, size = 1 + below(4); i < size; ++i)
            readings.push_back(below(4) == 0 ? nothing
                                             : seen_ago(i, std::chrono::seconds(below(10))));
        const Reading<double> chosen = choose(config, readings);
        REQUIRE(chosen.layer() >= 1);
        const std::size_t at = chosen.layer() - 1U;
        for (std::size_t i = 0; i < readings.size(); ++i) {
            if (!readings[i].has_value())
                continue;
            REQUIRE(chosen.has_value());
            // Nobody is fresher by more than each step allows, and nobody before it is fresher.
            if (i < at)
                REQUIRE(chosen.latest_at() > readings[i].latest_at());
            else
                REQUIRE(readings[i].latest_at() <= chosen.latest_at() + 3s);
        }
    }
}

TEST_CASE("values that are too different are disputed, if they can be compared") {
    LayeredConfig config{.tolerance = 0.1, .least_difference = 0.05};
    const auto is_disputed = [&](const Reading<double>& a, const Reading<double>& b) {
        return choose(config, {a, b}).is_disputed();
    };
    CHECK(is_disputed(seen_ago(0.5, 1s), seen_ago(0.9, 1s)));
    CHECK_FALSE(is_disputed(seen_ago(0.85, 1s), seen_ago(0.9, 1s)));  // Within the tolerance.
    CHECK_FALSE(is_disputed(seen_ago(0.01, 1s), seen_ago(0.04, 1s))); // A small difference.
    CHECK_FALSE(is_disputed(seen_ago(0.5, 1s), seen_ago(0.9, 20s)));  // At different times.
    CHECK_FALSE(is_disputed(seen_ago(0.5, 1s), nothing));             // Nothing to compare.
    CHECK_FALSE(is_disputed(seen_ago(0.5, 1s), seen_ago(0.9, 1s, Statistic::rate)));
    config.tolerance = 0;
    CHECK_FALSE(is_disputed(seen_ago(0.5, 1s), seen_ago(0.9, 1s)));
}

TEST_CASE("a disputed reading is kept, is the highest or is missing, as the caller says") {
    LayeredConfig config{.tolerance = 0.1};
    const std::vector<Reading<double>> readings = {seen_ago(0.2, 1s), seen_ago(0.9, 1s)};
    CHECK(choose(config, readings).value() == 0.2);
    CHECK(choose(config, readings).is_disputed());
    config.on_dispute = OnDispute::highest;
    CHECK(choose(config, readings).value() == 0.9);
    CHECK(choose(config, readings).layer() == 2);
    CHECK(choose(config, readings).is_disputed());
    config.on_dispute = OnDispute::missing;
    CHECK(choose(config, readings).reason() == ReadingReason::disputed);
    CHECK(choose(config, readings).last_sample_at() == merged_at - 1s);
}

TEST_CASE("the pods of all sources are listed, each reading from the one that has it") {
    ReplicaSamples pods{.model = {"llm", "m"}, .pods = {pod_with("b", 0.5, 1s)}};
    ReplicaSamples prometheus{.model = {"llm", "m"},
                              .pods = {pod_with("a", 0.1, 20s), pod_with("b", 0.2, 20s)}};
    prometheus.pods[1].queue_length = seen_ago(7, 20s);
    prometheus.pods[1].owner = PodOwner{"Deployment", "llama", OwnerSource::kube_state_metrics};
    prometheus.pods[1].state = PodState::ready;
    prometheus.partial = true;
    prometheus.warnings = {"something"};
    const LayeredConfig config{.names = {"pods", "prometheus"}};
    const ReplicaSamples merged = merge(config, {pods, prometheus});
    REQUIRE(merged.pods.size() == 2);
    CHECK(merged.pods[0].pod == "a");
    CHECK(merged.pods[0].kv_cache_usage.layer() == 2);
    CHECK(merged.pods[1].kv_cache_usage.value() == 0.5);
    CHECK(merged.pods[1].queue_length.value() == 7);
    CHECK(merged.pods[1].owner->name == "llama");
    CHECK(merged.pods[1].state == PodState::ready);
    CHECK(merged.pods[1].last_sample_at == merged_at - 1s);
    CHECK(merged.partial);
    CHECK(merged.warnings == std::vector<std::string>{"prometheus: something"});
}

TEST_CASE("a pod that one source calls deleted is kept only if another one has just seen it") {
    const ReplicaSamples says_gone{.model = {"llm", "m"}, .gone_pods = {"llama-0"}};
    ReplicaSamples sees{.model = {"llm", "m"}, .pods = {pod_with("llama-0", 0.5, 1s)}};
    CHECK(merge({}, {sees, says_gone}).pods.size() == 1);
    CHECK(merge({}, {sees, says_gone}).gone_pods.empty());
    sees.pods = {pod_with("llama-0", 0.5, 11s)};
    CHECK(merge({}, {sees, says_gone}).pods.empty());
    CHECK(merge({}, {sees, says_gone}).gone_pods == std::vector<std::string>{"llama-0"});
}

TEST_CASE("a source whose readings are not used does not make an answer partial") {
    ReplicaSamples pods{.model = {"llm", "m"}, .pods = {pod_with("a", 0.5, 1s)}};
    pods.pods[0].queue_length = seen_ago(1, 1s);
    ReplicaSamples prometheus{.model = {"llm", "m"}, .pods = {pod_with("a", 0.1, 20s)}};
    prometheus.partial = true;
    CHECK_FALSE(merge({}, {pods, prometheus}).partial);
    // Without any pods, both say so, and neither may be right.
    pods.pods.clear();
    prometheus.pods.clear();
    CHECK(merge({}, {pods, prometheus}).partial);
}

TEST_CASE("a lower bound yields to a higher value that is none") {
    ReadingDetails<double> details;
    details.is_lower_bound = true;
    const Reading<double> at_least = Reading<double>::measured(60, merged_at - 1s, {}, details);
    CHECK(choose({}, {at_least, seen_ago(90, 20s)}).value() == 90);
    CHECK(choose({}, {at_least, seen_ago(90, 20s)}).layer() == 2);
    CHECK(choose({}, {at_least, seen_ago(30, 20s)}).value() == 60);
    CHECK(choose({}, {at_least, seen_ago(90, 20s), seen_ago(80, 5s)}).value() == 80);
    CHECK(choose({}, {at_least, nothing}).value() == 60);
}

TEST_CASE("a pod keeps the kind of its server and its role") {
    ReplicaSamples pods{.model = {"llm", "m"}, .pods = {pod_with("a", 0.5, 1s)}};
    ReplicaSamples prometheus = pods;
    prometheus.pods.front().engine = "sglang";
    prometheus.pods.front().role = ReplicaRole::decode;
    const ReplicaSamples merged = merge({}, {pods, prometheus});
    CHECK(merged.pods.front().engine == "sglang");
    CHECK(merged.pods.front().role == ReplicaRole::decode);
}

TEST_CASE("an optional reading is taken from the freshest of the sources that have it") {
    const LayeredConfig config;
    std::vector<ReplicaSamples> answers(2);
    answers[0].pods = {pod_with("a", 0.5, 1s)};
    answers[1].pods = {pod_with("a", 0.5, 1s)};
    CHECK(merge(config, answers).pods.at(0).optional.empty());
    OptionalReadings& first = answers[0].pods[0].optional;
    OptionalReadings& second = answers[1].pods[0].optional;
    first.set(OptionalReading::running_requests, seen_ago(3, 30s));
    second.set(OptionalReading::running_requests, seen_ago(4, 1s));
    second.set(OptionalReading::ttft_p90_seconds, nothing);
    answers[1].warnings = {"only in part"};
    const ReplicaSamples merged = merge(config, answers);
    const OptionalReadings& optional = merged.pods.at(0).optional;
    CHECK(optional.entries().size() == 2);
    CHECK(optional.find(OptionalReading::running_requests).value() == 4);
    CHECK(optional.find(OptionalReading::running_requests).layer() == 2);
    CHECK(optional.find(OptionalReading::ttft_p90_seconds).reason() == ReadingReason::no_series);
    CHECK(merged.warnings == std::vector<std::string>{"source 2: only in part"});
}
