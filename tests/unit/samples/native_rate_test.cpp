// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/native_rate.hpp"

#include "support/property_cases.hpp"
#include "wva_metrics/samples/native_quantile.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::samples::grown_natives {

using namespace std::chrono_literals;
using Catch::Matchers::WithinRel;

namespace {

constexpr ServerTime window_end{1000s};

/// By index, of one sign.
using Counts = std::map<std::int64_t, double>;

NativeBuckets buckets_of(const Counts& counts) {
    NativeBuckets buckets;
    std::int64_t next = 0;
    for (const auto& [index, count] : counts) {
        buckets.spans.push_back({static_cast<std::int32_t>(index - next), 1});
        buckets.counts.push_back(count);
        next = index + 1;
    }
    return buckets;
}

NativeHistogram positive_of(int schema, const Counts& counts, double zero_count = 0,
                            double zero_threshold = 0.001) {
    NativeHistogram histogram;
    histogram.schema = schema;
    histogram.zero_threshold = zero_threshold;
    histogram.zero_count = histogram.count = zero_count;
    histogram.positive = buckets_of(counts);
    for (const auto& [index, count] : counts)
        histogram.count += count;
    histogram.sum = histogram.count;
    return histogram;
}

/// (-inf, 1], (1, 2], (2, inf).
NativeHistogram with_own_bounds(const Counts& counts, std::vector<double> bounds = {1, 2}) {
    NativeHistogram histogram = positive_of(NativeHistogram::custom_schema, counts, 0, 0);
    histogram.custom_values = std::move(bounds);
    return histogram;
}

/// One every 15 seconds, the last at the window's end.
std::vector<NativeSample> scraped(std::vector<NativeHistogram> histograms) {
    std::vector<NativeSample> samples;
    ServerTime time = window_end - 15s * (static_cast<int>(histograms.size()) - 1);
    for (NativeHistogram& histogram : histograms) {
        samples.push_back({time, std::move(histogram)});
        time += 15s;
    }
    return samples;
}

NativeHistogram grown_by(std::vector<NativeHistogram> histograms) {
    const auto grown = native_increase(scraped(std::move(histograms)));
    REQUIRE(grown);
    return *grown;
}

/// What a bucket holds, without regard to spans.
Counts counts_of(const NativeHistogram& histogram) {
    Counts counts;
    histogram.positive.each([&](std::int64_t index, double count) {
        if (count != 0)
            counts[index] = count;
    });
    return counts;
}

} // namespace

TEST_CASE("a native histogram was reset if it lost an observation in any bucket") {
    const NativeHistogram before = positive_of(0, {{1, 4}, {3, 2}}, 3);
    CHECK_FALSE(was_reset(before, before));
    CHECK_FALSE(was_reset(positive_of(0, {{1, 4}, {2, 9}, {3, 2}}, 3), before));
    CHECK(was_reset(positive_of(0, {{1, 3}, {3, 9}}, 3), before));
    CHECK(was_reset(positive_of(0, {{1, 9}}, 3), before));
    CHECK(was_reset(positive_of(0, {{1, 9}, {3, 2}}, 2), before));
    CHECK(was_reset(positive_of(0, {{1, 4}, {3, 1}}, 3), before));
    // An empty bucket may vanish.
    CHECK_FALSE(was_reset(before, positive_of(0, {{1, 4}, {2, 0}, {3, 2}}, 3)));
    NativeHistogram negative = before;
    negative.negative = {{{2, 1}}, {1}};
    negative.count += 1;
    CHECK_FALSE(was_reset(negative, before));
    CHECK(was_reset(positive_of(0, {{1, 4}, {3, 3}}, 3), negative));
}

TEST_CASE("a native histogram becomes coarser without a reset, but not finer") {
    const NativeHistogram before = positive_of(1, {{1, 4}, {2, 2}});
    CHECK_FALSE(was_reset(positive_of(0, {{1, 6}}), before));
    CHECK(was_reset(positive_of(0, {{1, 5}, {2, 1}}), before));
    CHECK(was_reset(positive_of(2, {{3, 4}, {5, 2}}), before));
}

TEST_CASE("a zero bucket becomes wider without a reset, but not narrower") {
    const NativeHistogram before = positive_of(0, {{0, 4}, {1, 2}}, 1);
    CHECK_FALSE(was_reset(positive_of(0, {{1, 2}}, 5, 1), before));
    CHECK(was_reset(positive_of(0, {{1, 2}}, 4, 1), before));
    CHECK(was_reset(positive_of(0, {{0, 4}, {1, 2}}, 1, 0.0001), before));
    // No server widens it to within a bucket that holds observations.
    CHECK(was_reset(positive_of(0, {{1, 2}}, 5, 0.9), before));
    // The server may round the bound otherwise.
    CHECK_FALSE(was_reset(positive_of(0, {{1, 2}}, 5, 1 - 1e-15), before));
    CHECK_FALSE(was_reset(positive_of(0, {{1, 2}}, 5, 1 + 1e-15), before));
}

TEST_CASE("other own bounds are a reset of a native histogram") {
    const NativeHistogram before = with_own_bounds({{0, 1}, {2, 3}});
    CHECK_FALSE(was_reset(with_own_bounds({{0, 1}, {1, 1}, {2, 3}}), before));
    CHECK(was_reset(with_own_bounds({{0, 1}, {1, 1}, {2, 3}}, {1, 3}), before));
    CHECK(was_reset(positive_of(0, {{1, 9}}), before));
}

TEST_CASE("a native histogram grows from its resets, bucket by bucket") {
    const NativeHistogram grown =
        grown_by({positive_of(0, {{0, 1}, {1, 2}}), positive_of(0, {{0, 4}, {1, 2}}),
                  positive_of(0, {{1, 1}}), positive_of(0, {{1, 2}})});
    CHECK(counts_of(grown) == Counts{{0, 3}, {1, 2}});
    CHECK(grown.count == 5);
}

TEST_CASE("what was before a reset does not make a native histogram coarser") {
    const NativeHistogram grown =
        grown_by({positive_of(0, {{1, 9}}), positive_of(3, {{5, 1}}), positive_of(3, {{5, 3}})});
    CHECK(grown.schema == 3);
    CHECK(counts_of(grown) == Counts{{5, 3}});
    // Nor does it matter what bounds it had.
    CHECK(counts_of(grown_by({positive_of(0, {{1, 9}}), with_own_bounds({{0, 1}}),
                              with_own_bounds({{0, 4}})})) == Counts{{0, 4}});
}

TEST_CASE("native histograms with different own bounds have no growth") {
    CHECK_FALSE(native_increase(scraped({with_own_bounds({{0, 1}}), with_own_bounds({{0, 2}}),
                                         with_own_bounds({{0, 3}}, {1, 3})})));
    CHECK_FALSE(native_increase(
        scraped({with_own_bounds({{0, 1}}), with_own_bounds({{0, 2}}), positive_of(0, {})})));
}

TEST_CASE("a native rate is extrapolated to the edges of its window") {
    const auto samples = scraped({positive_of(0, {{0, 30}}), positive_of(0, {{0, 60}, {2, 30}})});
    const auto rate = native_rate(samples, window_end - 30s, window_end);
    REQUIRE(rate);
    CHECK_THAT(rate->count, WithinRel(4.0, 1e-12));
    CHECK(native_quantile(*rate, 0.25).value ==
          native_quantile(positive_of(0, {{0, 1}, {2, 1}}), 0.25).value);
    // It may have begun in the window.
    const auto young = native_rate(samples, window_end - 60s, window_end);
    REQUIRE(young);
    CHECK_THAT(young->count, WithinRel(60 * 1.5 / 60, 1e-12));
    CHECK_FALSE(native_rate(std::span(samples).first(1), window_end - 60s, window_end));
    CHECK_FALSE(native_rate(samples, window_end, window_end));
}

TEST_CASE("the growth of a native histogram is that of its buckets as counters") {
    std::mt19937 random(53);
    for (std::size_t i = 0; i < test_support::property_cases(2000); ++i) {
        std::vector<NativeHistogram> histograms;
        Counts grown;
        Counts now;
        bool was_ever_reset = false;
        const std::size_t scrapes = 2 + random() % 5;
        for (std::size_t scrape = 0; scrape < scrapes; ++scrape) {
            Counts next = random() % 4 == 0 ? Counts() : now;
            for (std::size_t more = random() % 4; more > 0; --more)
                next[static_cast<std::int64_t>(random() % 8) - 4] +=
                    static_cast<double>(random() % 5);
            // The model knows counters only: one that fell makes all begin anew.
            bool has_fallen = false;
            for (const auto& [index, count] : now)
                has_fallen = has_fallen || next[index] < count;
            was_ever_reset = was_ever_reset || has_fallen;
            if (scrape > 0)
                for (const auto& [index, count] : next)
                    grown[index] += has_fallen ? count : count - now[index];
            std::erase_if(next, [](const auto& bucket) { return bucket.second == 0; });
            now = next;
            histograms.push_back(positive_of(2, now));
        }
        std::erase_if(grown, [](const auto& bucket) { return bucket.second == 0; });
        const NativeHistogram found = grown_by(histograms);
        CHECK(counts_of(found) == grown);
        double all = 0;
        for (const auto& [index, count] : grown)
            all += count;
        CHECK(found.count == all);
        if (was_ever_reset)
            continue;
        // A server that makes its buckets coarser meanwhile loses no more than resolution.
        for (std::size_t coarse = random() % scrapes; coarse < scrapes; ++coarse)
            histograms[coarse] = reduce_native(histograms[coarse], 1);
        CHECK(counts_of(grown_by(histograms)) == counts_of(reduce_native(found, 1)));
    }
}

} // namespace wva_metrics::samples::grown_natives
