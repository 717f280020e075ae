// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/combine.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

SignalValue known(double value, ServerDuration age, double latest = 0) {
    SignalValue part;
    part.reason = ReadingReason::none;
    part.value = value;
    part.latest = latest;
    part.time = now - age;
    part.latest_at = now - age + 1s;
    part.window = 60s;
    part.spacing = 15s;
    return part;
}

SignalValue unknown(ReadingReason reason, ServerDuration age = 0s) {
    SignalValue part;
    part.reason = reason;
    part.time = now - age;
    return part;
}

using Parts = std::vector<SignalValue>;

} // namespace

TEST_CASE("one part is the whole, whatever the signal") {
    SignalValue part = known(3, 5s, 2);
    part.alias = 1;
    for (const Signal signal : all_signals)
        CHECK(combine(Parts{part}, signal) == part);
}

TEST_CASE("gauges are added up, and are as old as the oldest part") {
    const SignalValue whole =
        combine(Parts{known(3, 5s, 1), known(4, 50s, 2), known(0, 0s, 0)}, Signal::queue_length);
    CHECK(whole.reason == ReadingReason::none);
    CHECK(whole.value == 7);
    CHECK(whole.latest == 3);
    CHECK(whole.time == now - 50s);
    CHECK(whole.latest_at == now - 49s);
    CHECK(whole.weight == 1);
}

TEST_CASE("the highest gauge counts, with its own time") {
    Parts parts{known(0.2, 0s, 0.2), known(0.9, 40s, 0.1), known(0.9, 30s, 0.05)};
    const auto is_older = [](const SignalValue& one, const SignalValue& other) {
        return one.time < other.time;
    };
    std::ranges::sort(parts, is_older);
    do {
        const SignalValue whole = combine(parts, Signal::kv_cache_usage);
        CHECK(whole.value == 0.9);
        CHECK(whole.time == now - 30s);
        CHECK(whole.latest == 0.2);
        CHECK(whole.latest_at == now + 1s);
    } while (std::next_permutation(parts.begin(), parts.end(), is_older));
}

TEST_CASE("rates are added up, and are as old as the newest part") {
    for (const Signal signal : {Signal::arrival_rate, Signal::ttft}) {
        const SignalValue whole = combine(Parts{known(3, 5s), known(4, 50s)}, signal);
        CHECK(whole.value == 7);
        CHECK(whole.time == now - 5s);
        CHECK(whole.weight == (signal == Signal::ttft ? 2 : 1));
    }
}

TEST_CASE("an average of several parts is weighted by their requests") {
    SignalValue fast = known(0.1 * 90, 0s);
    fast.weight = 90;
    SignalValue slow = known(2.0 * 10, 0s);
    slow.weight = 10;
    SignalValue idle = known(0, 0s);
    idle.weight = 0;
    const SignalValue whole = combine(Parts{fast, slow, idle}, Signal::ttft);
    CHECK_THAT(whole.value / whole.weight, Catch::Matchers::WithinRel(0.29, 1e-12));
}

TEST_CASE("the whole was measured over the longest window and spacing of its parts") {
    SignalValue rare = known(1, 0s);
    rare.window = 240s;
    rare.spacing = 60s;
    for (const Signal signal : all_signals) {
        const SignalValue whole = combine(Parts{known(1, 0s), rare, known(1, 0s)}, signal);
        CHECK(whole.window == 240s);
        CHECK(whole.spacing == 60s);
    }
}

TEST_CASE("the whole is unknown if a part is, for the same reason") {
    for (const ReadingReason reason :
         {ReadingReason::warming_up, ReadingReason::window_too_short, ReadingReason::not_finite,
          ReadingReason::inconsistent, ReadingReason::ambiguous}) {
        for (const Signal signal : all_signals) {
            CHECK(combine(Parts{known(1, 0s), unknown(reason)}, signal).reason == reason);
            CHECK(combine(Parts{unknown(reason), known(1, 0s)}, signal).reason == reason);
            CHECK(
                combine(Parts{unknown(ReadingReason::no_series), unknown(reason)}, signal).reason ==
                reason);
        }
    }
}

TEST_CASE("a part that does not expose the signal is left out") {
    const SignalValue absent = unknown(ReadingReason::no_series);
    for (const Signal signal : all_signals) {
        CHECK(combine(Parts{absent, known(3, 5s, 2), absent}, signal) == known(3, 5s, 2));
        CHECK(combine(Parts{}, signal).reason == ReadingReason::no_series);
        const SignalValue none = combine(
            Parts{unknown(ReadingReason::no_series, 9s), unknown(ReadingReason::no_series, 3s)},
            signal);
        CHECK(none.reason == ReadingReason::no_series);
        CHECK(none.time == now - 3s);
    }
}

TEST_CASE("a sum that is not finite is no value") {
    const Parts parts{known(1e308, 0s), known(1e308, 0s)};
    CHECK(combine(parts, Signal::queue_length).reason == ReadingReason::not_finite);
    CHECK(combine(parts, Signal::arrival_rate).reason == ReadingReason::not_finite);
    CHECK(combine(parts, Signal::kv_cache_usage).reason == ReadingReason::none);
}

TEST_CASE("the order of the parts does not matter") {
    std::mt19937 random(11);
    std::uniform_int_distribution<int> number(-50, 50);
    for (int i = 0; i < 200; ++i) {
        Parts parts;
        for (int n = 1 + i % 6; n > 0; --n)
            parts.push_back(
                known(number(random), std::chrono::seconds(number(random)), number(random)));
        Parts shuffled = parts;
        std::ranges::shuffle(shuffled, random);
        for (const Signal signal : all_signals)
            CHECK(combine(parts, signal) == combine(shuffled, signal));
    }
}

} // namespace wva_metrics::samples::measured
