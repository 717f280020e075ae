// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/counter.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace wva_metrics::samples::measured {

using Catch::Matchers::WithinRel;

namespace {

using Counter = std::vector<Sample>;

/// A counter with random steps, gaps and resets, in a window of a minute that ends now.
Counter random_counter(std::mt19937& random) {
    std::uniform_int_distribution<int> gap(1, 20'000);
    std::uniform_int_distribution<int> chance(0, 9);
    std::uniform_real_distribution<double> step(0, 10);
    Counter samples;
    double value = chance(random) < 5 ? step(random) : 1e6 * step(random);
    for (ServerTime time = now - 60s + ServerDuration(gap(random)); time <= now;
         time += ServerDuration(gap(random))) {
        samples.push_back({time, value});
        value = chance(random) == 0 ? step(random) : value + std::floor(step(random));
    }
    return samples;
}

/// What has grown, one step after the other.
double written_out_increase(const Counter& samples) {
    double grown = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        const double before = samples[i - 1].value;
        const double after = samples[i].value;
        grown += after >= before ? after - before : after;
    }
    return grown;
}

/// The rate in the words of Prometheus' documentation: the increase between the samples, and as
/// fast beyond them for as long as the series is taken to have been there.
double written_out_rate(const Counter& samples, double window_seconds) {
    const auto seconds = [](ServerDuration time) {
        return static_cast<double>(time.count()) / 1e3;
    };
    const double between = seconds(samples.back().time - samples.front().time);
    const double per_second = written_out_increase(samples) / between;
    const double spacing = between / static_cast<double>(samples.size() - 1);
    const auto beyond = [&](double to_edge) {
        return to_edge >= 1.1 * spacing ? spacing / 2 : to_edge;
    };
    double before = beyond(window_seconds - seconds(now - samples.front().time));
    if (per_second > 0 && samples.front().value < before * per_second)
        before = samples.front().value / per_second;
    const double after = beyond(seconds(now - samples.back().time));
    return per_second * (before + between + after) / window_seconds;
}

Counter changed(Counter samples, ServerDuration shift, double factor) {
    for (Sample& sample : samples)
        sample = {sample.time + shift, sample.value * factor};
    return samples;
}

double must_rate(const Counter& samples, ServerTime end = now) {
    return rate_per_second(samples, end - 60s, end).value();
}

} // namespace

TEST_CASE("a counter grows from zero after each reset") {
    CHECK(increase({}) == 0);
    CHECK(increase(spaced(15s, 0s, {7})) == 0);
    CHECK(increase(spaced(15s, 0s, {7, 7, 7})) == 0);
    CHECK(increase(spaced(15s, 0s, {7, 9, 12})) == 5);
    CHECK(increase(spaced(15s, 0s, {7, 9, 2, 3})) == 5);
    CHECK(increase(spaced(15s, 0s, {7, 0, 2, 1})) == 3);

    CHECK(count_resets({}) == 0);
    CHECK(count_resets(spaced(15s, 0s, {7})) == 0);
    CHECK(count_resets(spaced(15s, 0s, {7, 7, 9})) == 0);
    CHECK(count_resets(spaced(15s, 0s, {7, 6, 6, 5, 9, 0})) == 3);
}

TEST_CASE("the last reset is the time of the first sample after it") {
    CHECK_FALSE(last_reset({}));
    CHECK_FALSE(last_reset(spaced(15s, 0s, {7})));
    CHECK_FALSE(last_reset(spaced(15s, 0s, {7, 7, 9})));
    CHECK_FALSE(last_reset(spaced(15s, 0s, {7, not_a_number, 9})));
    CHECK(last_reset(spaced(15s, 0s, {7, 1, 9, 2, 3})) == now - 15s);
    CHECK(last_reset(spaced(15s, 0s, {7, not_a_number, 2, not_a_number})) == now - 15s);
    CHECK(last_reset(spaced(15s, 0s, {infinity, 2})) == now);
}

TEST_CASE("a fall is a dip if it is small and a new process cannot have counted so much") {
    const auto levelled = [](std::vector<double> values) {
        std::vector<double> level;
        for (const Sample& sample : level_dips(spaced(15s, 0s, std::move(values))))
            level.push_back(sample.value);
        return level;
    };
    using Values = std::vector<double>;
    CHECK(levelled({900, 910, 905, 915}) == Values{900, 910, 910, 915});
    CHECK(levelled({900, 910, 905, 907, 915}) == Values{900, 910, 910, 910, 915});
    CHECK_FALSE(last_reset(spaced(15s, 0s, {900, 910, 905, 915})));

    CHECK(levelled({900, 910, 920}).empty());
    // A fall by more than an eighth.
    CHECK(levelled({900, 910, 790, 800}).empty());
    CHECK(last_reset(spaced(15s, 0s, {900, 910, 790, 800})) == now - 15s);
    // A new process counts 100 between two samples, as the one before did.
    CHECK(levelled({5, 105, 95, 195}).empty());
    CHECK(last_reset(spaced(15s, 0s, {5, 105, 95, 195})) == now - 15s);
    CHECK(levelled({8, 9, 8, 9}).empty());
}

TEST_CASE("a rate is extrapolated to the edges of the window that the samples are close to") {
    // 2 per second, first sample 10 s after the start, last one 5 s before the end.
    CHECK_THAT(must_rate(spaced(15s, 5s, rising(4, 30))), WithinRel(2.0, 1e-12));
}

TEST_CASE("a rate is extrapolated by half a spacing where the samples do not reach the edge") {
    // From 40 s to 10 s before the end, 5 s apart: 30 s of samples and 2.5 s on each side.
    CHECK_THAT(must_rate(spaced(5s, 10s, rising(7, 10))), WithinRel(2 * 35.0 / 60, 1e-12));
}

TEST_CASE("a time of exactly 1.1 spacings to the edge of the window is too long") {
    // Five samples 10 s apart, 11 s to the end, 9 s to the start.
    CHECK_THAT(must_rate(spaced(10s, 11s, rising(5, 10))), WithinRel(54.0 / 60, 1e-12));
    CHECK_THAT(must_rate(spaced(10s, 10'999ms, rising(5, 10))), WithinRel(1.0, 1e-12));
}

TEST_CASE("a rate is not extrapolated to before the counter was zero") {
    // 2 per second from 30 on, so that the counter was zero 15 s before its first sample.
    const Counter late = spaced(10s, 0s, rising(4, 20, 6));
    CHECK_THAT(must_rate(late), WithinRel(2 * 33.0 / 60, 1e-12));
    // Half a spacing, 5 s, is the limit although zero is 8 s away.
    CHECK_THAT(must_rate(spaced(10s, 0s, rising(4, 20, 16))), WithinRel(2 * 35.0 / 60, 1e-12));
    CHECK_THAT(must_rate(spaced(10s, 0s, rising(4, 20, 0))), WithinRel(2 * 30.0 / 60, 1e-12));
}

TEST_CASE("there is no rate of fewer than two samples, or of an empty window") {
    CHECK_FALSE(rate_per_second({}, now - 60s, now));
    CHECK_FALSE(rate_per_second(spaced(15s, 0s, {5}), now - 60s, now));
    CHECK_FALSE(rate_per_second(spaced(15s, 0s, {5, 6}), now, now));
    CHECK_FALSE(rate_per_second(spaced(15s, 0s, {5, 6}), now, now - 1s));
    CHECK_FALSE(rate_per_second(spaced(0s, 0s, {5, 6}), now - 60s, now));
}

TEST_CASE("an idle counter has a rate of zero") {
    for (const double value : {0.0, 5.0, 1e300})
        CHECK(must_rate(spaced(15s, 0s, {value, value, value, value})) == 0);
}

TEST_CASE("random rates are those of the formula written out") {
    std::mt19937 random(7);
    int compared = 0;
    for (int i = 0; i < 3000; ++i) {
        const Counter samples = random_counter(random);
        CAPTURE(i, samples.size());
        const auto rate = rate_per_second(samples, now - 60s, now);
        REQUIRE(rate.has_value() == (samples.size() >= 2));
        if (!rate)
            continue;
        ++compared;
        CHECK_THAT(increase(samples), WithinRel(written_out_increase(samples), 1e-9));
        CHECK_THAT(*rate, WithinRel(written_out_rate(samples, 60), 1e-9));
    }
    CHECK(compared > 2000);
}

TEST_CASE("a rate does not depend on when the window is, and grows with the counter") {
    std::mt19937 random(8);
    for (int i = 0; i < 500; ++i) {
        const Counter samples = random_counter(random);
        if (samples.size() < 2)
            continue;
        CAPTURE(i);
        const double rate = must_rate(samples);
        for (const ServerDuration shift : std::vector<ServerDuration>{-1000h, -1ms, 7s, 99h}) {
            const Counter shifted = changed(samples, shift, 1);
            CHECK(must_rate(shifted, now + shift) == rate);
        }
        CHECK_THAT(must_rate(changed(samples, 0s, 3)), WithinRel(3 * rate, 1e-9));
    }
}

TEST_CASE("a counter grows by what it grows before, at and after any cut") {
    std::mt19937 random(9);
    for (int i = 0; i < 300; ++i) {
        const Counter samples = random_counter(random);
        const std::span<const Sample> all(samples);
        for (std::size_t cut = 0; cut < all.size(); ++cut) {
            const auto before = all.first(cut + 1);
            const auto after = all.subspan(cut);
            CHECK_THAT(increase(before) + increase(after), WithinRel(increase(all), 1e-9));
            CHECK(count_resets(before) + count_resets(after) == count_resets(all));
        }
    }
}

TEST_CASE("extreme values give a number, an infinity or NaN, but no crash") {
    const double huge = std::numeric_limits<double>::max();
    for (const std::vector<double>& values :
         {std::vector<double>{huge, 0, huge, 0, huge}, std::vector<double>{-huge, huge},
          std::vector<double>{not_a_number, 1, not_a_number},
          std::vector<double>{infinity, infinity}, std::vector<double>{0, infinity, 0},
          std::vector<double>{5e-324, 1e-323}}) {
        const Counter samples = spaced(15s, 0s, values);
        CHECK(rate_per_second(samples, now - 60s, now).has_value());
        CHECK(count_resets(samples) < values.size());
    }
}

} // namespace wva_metrics::samples::measured
