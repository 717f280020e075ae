// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/measure.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

using Catch::Matchers::WithinRel;

namespace {

SignalValue rate(const View& view, Signal signal = Signal::arrival_rate,
                 const SampleRules& rules = {}) {
    return measure(view, signal, vllm_metrics(), now, rules);
}

View of_counter(std::vector<double> values, ServerDuration spacing = 15s, ServerDuration age = 0s) {
    return make_view({{finished, spaced(spacing, age, std::move(values))}});
}

} // namespace

TEST_CASE("a rate is per second, over the window, and as old as its newest sample") {
    const SignalValue value = rate(of_counter(rising(10, 30), 15s, 4s));
    CHECK(value.reason == ReadingReason::none);
    CHECK_THAT(value.value, WithinRel(2.0, 1e-12));
    CHECK(value.time == now - 4s);
    CHECK(value.window == 60s);
    CHECK(value.spacing == 15s);
    CHECK(value.weight == 1);
}

TEST_CASE("a covered window has the rate that Prometheus computes of the same samples") {
    std::mt19937 random(21);
    for (int i = 0; i < 300; ++i) {
        const int step = static_cast<int>(random() % 50);
        const View view =
            of_counter(rising(80, step, static_cast<double>(random() % 100)),
                       ServerDuration(1000 + random() % 28'000), ServerDuration(random() % 2000));
        const auto inside = samples_within(view.series[0].samples, now - 60s, now);
        CHECK(rate(view).value == rate_per_second(inside, now - 60s, now));
        CHECK(rate(view).window == 60s);
    }
}

TEST_CASE("a minute of which 25 s are known has the rate of these 25 s") {
    const SignalValue value = rate(of_counter(rising(6, 15), 5s));
    CHECK_THAT(value.value, WithinRel(3.0, 1e-12));
    CHECK(value.window == 25s);
    CHECK(value.time == now);
}

TEST_CASE("a series that is younger than its process was zero before") {
    const View view = make_view({{finished, spaced(15s, 0s, rising(10, 0)), "0"},
                                 {finished, spaced(15s, 0s, {2, 8}), "1"}});
    const SignalValue value = rate(view);
    CHECK(value.window == 60s);
    // Six in 15 s, and not before the counter's zero, 5 s earlier.
    CHECK_THAT(value.value, WithinRel(8.0 / 60, 1e-12));
}

TEST_CASE("a target that is scraped once a minute has the rate of a wider window") {
    const SignalValue value = rate(of_counter(rising(5, 120), 60s, 20s));
    CHECK_THAT(value.value, WithinRel(2.0, 1e-12));
    CHECK(value.window == 240s);
    CHECK(value.spacing == 60s);
    CHECK(value.time == now - 20s);
}

TEST_CASE("a target that is scraped too rarely has no rate but a reason and its spacing") {
    const SignalValue value = rate(of_counter(rising(3, 1), 10min, 1min));
    CHECK(value.reason == ReadingReason::window_too_short);
    CHECK(value.spacing == 10min);
    CHECK(value.time == now - 1min);

    View once = of_counter({5}, 60s, 40s);
    once.up = spaced(60s, 40s, {1, 1});
    CHECK(rate(once).reason == ReadingReason::window_too_short);
    CHECK(rate(once).spacing == 60s);
}

TEST_CASE("the first sample of a process is warming up") {
    const SignalValue value = rate(of_counter({5}, 15s, 3s));
    CHECK(value.reason == ReadingReason::warming_up);
    CHECK(value.time == now - 3s);
    const View first_request =
        make_view({{queue, spaced(15s, 0s, rising(10, 0))}, {finished, spaced(15s, 0s, {1})}});
    CHECK(rate(first_request).reason == ReadingReason::warming_up);
}

TEST_CASE("one restart in the window counts, and more show several servers behind one series") {
    const SignalValue once = rate(of_counter({800, 810, 820, 5, 15, 25}));
    CHECK(once.reason == ReadingReason::none);
    CHECK(once.value > 0);
    const SignalValue twice = rate(of_counter({800, 810, 5, 820, 15}));
    CHECK(twice.reason == ReadingReason::inconsistent);
    CHECK(twice.time == now);
    // Only one of these resets is in the window.
    CHECK(rate(of_counter({800, 0, 800, 0, 1, 2, 3})).reason == ReadingReason::none);

    SampleRules rules;
    rules.max_resets = 2;
    CHECK(rate(of_counter({800, 810, 5, 820, 15}), Signal::arrival_rate, rules).reason ==
          ReadingReason::none);
    rules.max_resets = 0;
    CHECK(rate(of_counter({800, 810, 820, 5, 15}), Signal::arrival_rate, rules).reason ==
          ReadingReason::inconsistent);
}

TEST_CASE("a counter that falls a little is no restart, unless the process began anew") {
    View view = of_counter({80, 90, 100, 95, 105});
    CHECK_THAT(rate(view).value, WithinRel(15.0 / 45, 1e-12));
    // The last sample is the lower one.
    CHECK_THAT(rate(of_counter({80, 90, 100, 110, 105})).value, WithinRel(20.0 / 45, 1e-12));
    // A fall by an eighth is a restart.
    CHECK(rate(of_counter({80, 90, 104, 91, 105})).value > 1);
    view.identity = {{"process_start_time_seconds", 1000}};
    CHECK_THAT(rate(view).value, WithinRel(15.0 / 45, 1e-12));
    view.identity.push_back({"process_start_time_seconds", 2000});
    CHECK_THAT(rate(view).value, WithinRel(115.0 / 45, 1e-12));
    // Each series has a start of its own.
    view.identity = {{"x_created", 1000}, {"x_created", 2000}};
    CHECK_THAT(rate(view).value, WithinRel(15.0 / 45, 1e-12));
}

TEST_CASE("the engines that restart with their process are one restart") {
    const View view = make_view({{finished, spaced(15s, 0s, {800, 810, 5, 15, 25}), "0"},
                                 {finished, spaced(15s, 0s, {900, 910, 5, 15, 25}), "1"}});
    CHECK(rate(view).reason == ReadingReason::none);
}

TEST_CASE("the rates of all series of a process are added up, also of one that ended") {
    const View view = make_view({{finished, spaced(15s, 0s, rising(10, 15)), "0"},
                                 {finished, spaced(15s, 0s, rising(10, 30)), "1"},
                                 {finished, spaced(15s, 15s, rising(10, 30)), "2", true}});
    const auto ended = samples_within(view.series[2].samples, now - 60s, now);
    const SignalValue value = rate(view);
    CHECK_THAT(value.value, WithinRel(3.0 + *rate_per_second(ended, now - 60s, now), 1e-12));
    CHECK(value.time == now);
}

TEST_CASE("a counter whose last sample is no number has no rate, but an older one is ignored") {
    for (const double bad : {not_a_number, infinity, -infinity}) {
        CHECK(rate(of_counter({1, 2, 3, bad})).reason == ReadingReason::not_finite);
        const SignalValue value = rate(of_counter({990, 1000, bad, 1020, 1030}));
        CHECK_THAT(value.value, WithinRel(10.0 / 15, 1e-12));
        CHECK(rate(of_counter({bad, bad, bad, 1})).reason == ReadingReason::warming_up);
        const View engines = make_view({{finished, spaced(15s, 0s, rising(10, 15)), "0"},
                                        {finished, spaced(15s, 0s, {1, bad}), "1"}});
        CHECK(rate(engines).reason == ReadingReason::not_finite);
        const View left = make_view({{finished, spaced(15s, 0s, rising(10, 15)), "0"},
                                     {finished, spaced(15s, 15s, {1, bad}), "1", true}});
        CHECK_THAT(rate(left).value, WithinRel(1.0, 1e-12));
    }
}

TEST_CASE("a rate that is too large for a number is no value") {
    const double huge = std::numeric_limits<double>::max();
    CHECK(rate(of_counter({-huge, -huge, -huge, huge})).reason == ReadingReason::not_finite);
}

TEST_CASE("an average is its sum and its count per second") {
    const View view = make_view(
        {{"vllm:time_to_first_token_seconds_sum", spaced(15s, 3s, rising(10, 3)), "0"},
         {"vllm:time_to_first_token_seconds_count", spaced(15s, 3s, rising(10, 30)), "0"},
         {"vllm:time_to_first_token_seconds_sum", spaced(15s, 3s, rising(10, 9)), "1"},
         {"vllm:time_to_first_token_seconds_count", spaced(15s, 3s, rising(10, 30)), "1"}});
    const SignalValue value = rate(view, Signal::ttft);
    CHECK(value.reason == ReadingReason::none);
    CHECK_THAT(value.value, WithinRel(0.8, 1e-12));
    CHECK_THAT(value.weight, WithinRel(4.0, 1e-12));
    CHECK(value.window == 60s);
    CHECK(value.time == now - 3s);
}

TEST_CASE("an average of no requests has no weight, and half a histogram has none") {
    const auto idle = spaced(15s, 0s, rising(5, 0));
    const std::string name = "vllm:time_to_first_token_seconds";
    const SignalValue value =
        rate(make_view({{name + "_sum", idle}, {name + "_count", idle}}), Signal::ttft);
    CHECK(value.reason == ReadingReason::none);
    CHECK(value.weight == 0);
    CHECK(rate(make_view({{name + "_sum", idle}}), Signal::ttft).reason ==
          ReadingReason::no_series);
    CHECK(rate(make_view({{name + "_count", idle}}), Signal::ttft).reason ==
          ReadingReason::no_series);
    const auto broken = spaced(15s, 0s, {1, 2, not_a_number});
    CHECK(
        rate(make_view({{name + "_sum", broken}, {name + "_count", idle}}), Signal::ttft).reason ==
        ReadingReason::not_finite);
}

TEST_CASE("an average has no value if its sum falls and its count does not") {
    const auto ttft = [](std::vector<double> sum, std::vector<double> count) {
        const View view = make_view(
            {{"vllm:time_to_first_token_seconds_sum", spaced(15s, 0s, std::move(sum))},
             {"vllm:time_to_first_token_seconds_count", spaced(15s, 0s, std::move(count))}});
        return measure(view, Signal::ttft, vllm_metrics(), now, {}).reason;
    };
    // A negative time was observed, or a restart is hidden in one of them.
    CHECK(ttft({800, 810, 809.9, 820, 830}, {80, 81, 82, 83, 84}) == ReadingReason::inconsistent);
    CHECK(ttft({80, 90, 1, 2, 3}, {2, 2, 3, 4, 5}) == ReadingReason::inconsistent);
    // A restart.
    CHECK(ttft({800, 810, 1, 2, 3}, {80, 81, 1, 2, 3}) == ReadingReason::none);
    // Only before the window.
    CHECK(ttft({900, 800, 810, 820, 830, 840}, {80, 81, 82, 83, 84, 85}) == ReadingReason::none);
}

TEST_CASE("a rate is that of a name that lives, or else that of one that ended in the window") {
    const auto add = [](std::vector<NewSeries>& all, bool is_older, std::vector<Sample> samples,
                        bool has_ended) {
        const std::string_view sum = is_older ? "vllm:time_per_output_token_seconds_sum"
                                              : "vllm:inter_token_latency_seconds_sum";
        const std::string_view count = is_older ? "vllm:time_per_output_token_seconds_count"
                                                : "vllm:inter_token_latency_seconds_count";
        all.push_back({sum, samples, "0", has_ended});
        all.push_back({count, samples, "0", has_ended});
    };
    const auto alias_of = [&](bool preferred_ended, bool older_ended, int count) {
        std::vector<NewSeries> all;
        add(all, false, spaced(15s, 0s, rising(preferred_ended ? 5 : count, 1)), preferred_ended);
        add(all, true, spaced(15s, 0s, rising(older_ended ? 5 : count, 1)), older_ended);
        all.push_back({queue, spaced(15s, 0s, rising(5, 0))});
        const SignalValue value = rate(make_view(std::move(all)), Signal::itl);
        CHECK(value.reason == ReadingReason::none);
        return value.alias;
    };
    CHECK(alias_of(false, false, 5) == 0);
    CHECK(alias_of(false, true, 5) == 0);
    CHECK(alias_of(true, false, 5) == 1);
    CHECK(alias_of(true, true, 5) == 0);
    // What lives has one sample.
    CHECK(alias_of(false, true, 1) == 1);
    CHECK(alias_of(true, false, 1) == 0);
}

TEST_CASE("views of few samples and windows of no length do not crash") {
    std::vector<SampleRules> all(4);
    all[1].window = 0s;
    all[1].peak = 0s;
    all[2].window = all[2].longest_window = 0s;
    all[3].widened_spacings = 0;
    for (const SampleRules& rules : all) {
        for (const ServerDuration age :
             {ServerDuration(-1h), ServerDuration(0), ServerDuration(1h)}) {
            for (int count = 1; count < 4; ++count) {
                const View view = make_view({{finished, spaced(1ms, age, rising(count, 1))},
                                             {queue, spaced(1ms, age, rising(count, 1))}});
                for (const Signal signal : all_signals) {
                    const SignalValue value = rate(view, signal, rules);
                    CHECK(std::isfinite(value.value));
                    CHECK(value.window >= 0s);
                }
            }
        }
    }
}

} // namespace wva_metrics::samples::measured
