// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/measure.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

SignalValue gauge(const View& view, Signal signal = Signal::queue_length,
                  const SampleRules& rules = {}) {
    return measure(view, signal, vllm_metrics(), now, rules);
}

View of_queue(std::vector<double> values, ServerDuration spacing = 15s, ServerDuration age = 0s) {
    return make_view({{queue, spaced(spacing, age, std::move(values))}});
}

} // namespace

TEST_CASE("a gauge is the peak of its window with its time, and the last sample beside it") {
    const SignalValue value = gauge(of_queue({99, 4, 40, 7, 0}));
    CHECK(value.reason == ReadingReason::none);
    CHECK(value.value == 40);
    CHECK(value.time == now - 30s);
    CHECK(value.latest == 0);
    CHECK(value.latest_at == now);
    CHECK(value.window == 60s);
    CHECK(value.spacing == 15s);
    CHECK(value.weight == 1);
}

TEST_CASE("of two equal peaks the newer counts") {
    CHECK(gauge(of_queue({1, 5, 5, 2})).time == now - 15s);
    CHECK(gauge(of_queue({5, 5, 5, 5})).time == now);
    CHECK(gauge(of_queue({-5, -3, -3, -4})).time == now - 15s);
}

TEST_CASE("a peak window of zero stands for the last sample") {
    SampleRules rules;
    rules.peak = 0s;
    const SignalValue value = gauge(of_queue({99, 4, 40, 7}, 15s, 3s), Signal::queue_length, rules);
    CHECK(value.value == 7);
    CHECK(value.latest == 7);
    CHECK(value.time == now - 3s);
    CHECK(value.window == 0s);
}

TEST_CASE("a window without samples leaves the last one, with its age") {
    const SignalValue value = gauge(of_queue({99, 4}, 15s, 70s));
    CHECK(value.value == 4);
    CHECK(value.time == now - 70s);
    CHECK(value.window == 0s);
}

TEST_CASE("a gauge whose last sample is no number has no value, but an older one is ignored") {
    for (const double bad : {not_a_number, infinity, -infinity}) {
        const SignalValue broken = gauge(of_queue({1, 2, bad}));
        CHECK(broken.reason == ReadingReason::not_finite);
        CHECK(broken.time == now);
        const SignalValue recovered = gauge(of_queue({1, bad, 5, bad, 2}));
        CHECK(recovered.reason == ReadingReason::none);
        CHECK(recovered.value == 5);
        CHECK(recovered.latest == 2);
    }
}

TEST_CASE("a gauge that cannot be true has no value, and hides in no sum") {
    const auto reason_of = [](std::string_view metric, std::vector<double> values,
                              Signal signal = Signal::queue_length) {
        return gauge(make_view({{metric, spaced(15s, 0s, std::move(values))}}), signal).reason;
    };
    CHECK(reason_of(queue, {3, 2, -1}) == ReadingReason::implausible);
    CHECK(reason_of(queue, {-1, -1}) == ReadingReason::implausible);
    CHECK(reason_of(queue, {-1, 2}) == ReadingReason::none);
    CHECK(reason_of(queue, {2, 1e9}) == ReadingReason::none);
    CHECK(reason_of(queue, {0, -0.0}) == ReadingReason::none);
    // Per cent, or a negative number, is no fraction. A digit of rounding is.
    CHECK(reason_of(kv_usage, {0.5, 87}, Signal::kv_cache_usage) == ReadingReason::implausible);
    CHECK(reason_of(kv_usage, {87, 0.5}, Signal::kv_cache_usage) == ReadingReason::implausible);
    CHECK(reason_of(kv_usage, {0.5, -0.1}, Signal::kv_cache_usage) == ReadingReason::implausible);
    CHECK(reason_of(kv_usage, {1, 1.0000000001}, Signal::kv_cache_usage) == ReadingReason::none);
    CHECK(gauge(make_view({{queue, spaced(15s, 0s, {5, 5}), "0"},
                           {queue, spaced(15s, 0s, {-2, -2}), "1"}}))
              .reason == ReadingReason::implausible);
    // An older name stands in.
    CHECK(gauge(make_view({{kv_usage, spaced(15s, 0s, {-1, -1})},
                           {older_kv_usage, spaced(15s, 0s, {0.25, 0.25})}}),
                Signal::kv_cache_usage)
              .value == 0.25);
}

TEST_CASE("a metric is compared with the highest value in its own unit") {
    EngineProfile profile = vllm_profile();
    profile.kv_cache_usage = {"vllm:kv_cache_usage_perc * 0.01"};
    const MetricSet in_per_cent(profile);
    const auto used = [&](double value) {
        View view = make_view({{kv_usage, spaced(15s, 0s, {value, value})}});
        for (Series& series : view.series)
            series.metric = *in_per_cent.find(kv_usage);
        return measure(view, Signal::kv_cache_usage, in_per_cent, now, {});
    };
    CHECK(used(87).reason == ReadingReason::none);
    CHECK(std::abs(used(87).value - 0.87) < 1e-12);
    CHECK(used(101).reason == ReadingReason::implausible);
}

TEST_CASE("gauges of several servers behind one series are those of none") {
    const auto of_counter_and_queue = [](std::vector<double> counter) {
        const std::vector<double> waiting(counter.size(), 40);
        return make_view({{finished, spaced(15s, 0s, std::move(counter))},
                          {queue, spaced(15s, 0s, waiting)},
                          {running, spaced(15s, 0s, waiting)}});
    };
    const View behind_balancer = of_counter_and_queue({800, 810, 5, 820, 15});
    CHECK(gauge(behind_balancer).reason == ReadingReason::inconsistent);
    CHECK(gauge(behind_balancer, Signal::running).reason == ReadingReason::none);
    CHECK(gauge(of_counter_and_queue({800, 810, 5, 15, 25})).value == 40);
}

TEST_CASE("several engines of a process are added up or the highest counts") {
    const View view = make_view({{queue, spaced(15s, 0s, {9, 3, 1}), "0"},
                                 {queue, spaced(15s, 0s, {2, 8, 2}), "1"},
                                 {kv_usage, spaced(15s, 0s, {0.9, 0.3, 0.1}), "0"},
                                 {kv_usage, spaced(15s, 0s, {0.2, 0.8, 0.2}), "1"}});
    const SignalValue waiting = gauge(view);
    CHECK(waiting.value == 17);
    CHECK(waiting.time == now - 30s);
    CHECK(waiting.latest == 3);
    CHECK(waiting.latest_at == now);
    const SignalValue used = gauge(view, Signal::kv_cache_usage);
    CHECK(used.value == 0.9);
    CHECK(used.time == now - 30s);
    CHECK(used.latest == 0.2);
}

TEST_CASE("one engine without a number leaves the process without one") {
    const View view = make_view({{queue, spaced(15s, 0s, {9, 3, 1}), "0"},
                                 {queue, spaced(15s, 0s, {2, 8, not_a_number}), "1"}});
    CHECK(gauge(view).reason == ReadingReason::not_finite);
}

TEST_CASE("an engine that ended does not count beside one that lives") {
    View view = make_view({{queue, spaced(15s, 15s, {50, 50, 50}), "0", true},
                           {queue, spaced(15s, 0s, {1, 2, 1}), "1"}});
    CHECK(gauge(view).value == 2);
    CHECK(gauge(view).time == now - 15s);

    for (Series& series : view.series)
        series.has_ended = true;
    view.has_ended = true;
    CHECK(gauge(view).value == 52);
}

TEST_CASE("a gauge counts from the last reset of a counter on") {
    const View view = make_view({{queue, spaced(15s, 0s, {40, 40, 40, 3, 1})},
                                 {kv_usage, spaced(15s, 0s, {0.97, 0.97, 0.97, 0.01, 0.01})},
                                 {finished, spaced(15s, 0s, {800, 810, 820, 0, 1})}});
    const SignalValue waiting = gauge(view);
    CHECK(waiting.value == 3);
    CHECK(waiting.time == now - 15s);
    CHECK(waiting.window == 15s);
    const SignalValue used = gauge(view, Signal::kv_cache_usage);
    CHECK(used.value == 0.01);
    CHECK(used.time == now);
}

TEST_CASE("the last of several resets counts, in whichever counter, also between two windows") {
    const View restarted_twice =
        make_view({{queue, spaced(15s, 0s, {40, 9, 9, 5, 1})},
                   {finished, spaced(15s, 0s, {800, 0, 1, 2, 3})},
                   {"vllm:request_prompt_tokens_sum", spaced(15s, 0s, {800, 900, 950, 2, 3})}});
    CHECK(gauge(restarted_twice).value == 5);
    const View restarted_before = make_view({{queue, spaced(15s, 0s, {99, 40, 9, 9, 5, 1})},
                                             {finished, spaced(15s, 0s, {800, 0, 1, 2, 3, 4})}});
    CHECK(gauge(restarted_before).value == 9);
    CHECK(gauge(restarted_before).window == 60s);
}

TEST_CASE("a falling gauge is no restart") {
    const View view = make_view(
        {{queue, spaced(15s, 0s, {40, 30, 20, 10})}, {running, spaced(15s, 0s, {4, 3, 2, 1})}});
    CHECK(gauge(view).value == 40);
}

TEST_CASE("a peak says over how long it was looked for") {
    CHECK(gauge(of_queue({1, 2}, 15s, 5s)).window == 20s);
    CHECK(gauge(of_queue({1, 2, 3, 4}, 15s, 5s)).window == 60s);
    CHECK(gauge(of_queue({1, 2, 3}, 60s, 5s)).window == 60s);
    CHECK(gauge(of_queue({1}, 15s, 5s)).window == 5s);
}

TEST_CASE("presence is the newest sample, whatever the window") {
    SampleRules rules;
    for (const ServerDuration peak : {0s, 60s}) {
        rules.peak = peak;
        const View view = make_view({{running, spaced(15s, 4s, {7, 3, 2}), "0"},
                                     {running, spaced(15s, 2s, {7, 3, 1}), "1"}});
        const SignalValue value = gauge(view, Signal::running, rules);
        CHECK(value.reason == ReadingReason::none);
        CHECK(value.value == 3);
        CHECK(value.time == now - 2s);
        CHECK(value.window == 0s);
    }
}

TEST_CASE("a random gauge is the maximum of the numbers in its window") {
    std::mt19937 random(5);
    std::uniform_int_distribution<int> chance(0, 9);
    std::uniform_real_distribution<double> level(-5, 100);
    for (int i = 0; i < 1000; ++i) {
        std::vector<double> values;
        for (int n = 1 + chance(random); n > 0; --n)
            values.push_back(chance(random) == 0 ? not_a_number : level(random));
        const ServerDuration spacing(1 + static_cast<int>(random() % 40'000));
        const ServerDuration age(static_cast<int>(random() % 90'000));
        const View view = of_queue(values, spacing, age);
        const SignalValue value = gauge(view);
        CAPTURE(i, values);
        CHECK(value.latest_at == now - age);
        REQUIRE((value.reason == ReadingReason::not_finite) == std::isnan(values.back()));
        if (std::isnan(values.back()))
            continue;
        double highest = values.back();
        for (const Sample& sample : view.series[0].samples)
            if (sample.time > now - 60s && !std::isnan(sample.value))
                highest = std::max(highest, sample.value);
        CHECK(value.value == highest);
        CHECK(value.latest == values.back());
        CHECK(value.window <= 60s);
        CHECK(std::ranges::find(view.series[0].samples, Sample{value.time, value.value}) !=
              view.series[0].samples.end());
    }
}

TEST_CASE("the preferred name counts, and a name of living series before one of ended ones") {
    const std::vector<Sample> low = spaced(15s, 0s, {0.1, 0.1});
    const std::vector<Sample> high = spaced(15s, 0s, {0.5, 0.5});
    const auto used = [](const View& view) { return gauge(view, Signal::kv_cache_usage); };

    const SignalValue both = used(make_view({{kv_usage, low}, {older_kv_usage, high}}));
    CHECK(both.value == 0.1);
    CHECK(both.alias == 0);
    const SignalValue older = used(make_view({{older_kv_usage, high}}));
    CHECK(older.value == 0.5);
    CHECK(older.alias == 1);
    const SignalValue ended = used(make_view({{kv_usage, low, "0", true}, {older_kv_usage, high}}));
    CHECK(ended.value == 0.5);
    CHECK(ended.alias == 1);
    const SignalValue all_ended =
        used(make_view({{kv_usage, low, "0", true}, {older_kv_usage, high, "0", true}}));
    CHECK(all_ended.value == 0.1);
    CHECK(all_ended.alias == 0);
}

TEST_CASE("a name without a value gives way to the next, and tells its reason if there is none") {
    const std::vector<Sample> bad = spaced(15s, 0s, {0.1, not_a_number});
    const SignalValue next =
        gauge(make_view({{kv_usage, bad}, {older_kv_usage, spaced(15s, 0s, {0.5})}}),
              Signal::kv_cache_usage);
    CHECK(next.value == 0.5);
    CHECK(next.alias == 1);
    const SignalValue none = gauge(make_view({{kv_usage, bad}}), Signal::kv_cache_usage);
    CHECK(none.reason == ReadingReason::not_finite);
    CHECK(none.alias == 0);
    CHECK(gauge(of_queue({1}), Signal::kv_cache_usage).reason == ReadingReason::no_series);
}

} // namespace wva_metrics::samples::measured
