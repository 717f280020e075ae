// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/native_quantile.hpp"

#include "unit/samples/measured_view.hpp"
#include "wva_metrics/samples/native_merge.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

using Catch::Matchers::WithinRel;

namespace {

NativeHistogram native_of(int schema, NativeBuckets positive, NativeBuckets negative = {},
                          double zero_count = 0, double zero_threshold = 0.001) {
    NativeHistogram histogram;
    histogram.schema = schema;
    histogram.zero_threshold = zero_threshold;
    histogram.zero_count = histogram.count = zero_count;
    histogram.positive = std::move(positive);
    histogram.negative = std::move(negative);
    for (const NativeBuckets* buckets : {&histogram.positive, &histogram.negative})
        for (const double count : buckets->counts)
            histogram.count += count;
    histogram.sum = histogram.count;
    return histogram;
}
/// (-inf, 1], (1, 2], (2, inf) with these counts.
NativeHistogram custom_of(std::vector<double> counts) {
    NativeHistogram histogram;
    histogram.schema = NativeHistogram::custom_schema;
    histogram.custom_values = {1, 2};
    for (const double count : counts)
        histogram.count += count;
    histogram.positive = {{{0, static_cast<std::uint32_t>(counts.size())}}, std::move(counts)};
    return histogram;
}
double at(const NativeHistogram& histogram, double q) {
    return native_quantile(histogram, q).value;
}

} // namespace

TEST_CASE("a native quantile is interpolated exponentially within its bucket") {
    // (0.5, 1] holds 1, (1, 2] 2, (2, 4] 1.
    const NativeHistogram histogram = native_of(0, {{{0, 3}}, {1, 2, 1}});
    CHECK_THAT(at(histogram, 0.5), WithinRel(std::sqrt(2.0), 1e-15));
    CHECK_THAT(at(histogram, 0.125), WithinRel(std::sqrt(0.5), 1e-15));
    CHECK_THAT(at(histogram, 0.25), WithinRel(1.0, 1e-15));
    CHECK_THAT(at(histogram, 1), WithinRel(4.0, 1e-15));
    CHECK_THAT(at(histogram, 0), WithinRel(0.5, 1e-15));
    CHECK(native_quantile(histogram, 0.5).reason == ReadingReason::none);
    const NativeHistogram mirrored = native_of(0, {}, {{{0, 3}}, {1, 2, 1}});
    CHECK_THAT(at(mirrored, 0.5), WithinRel(-std::sqrt(2.0), 1e-15));
    CHECK_THAT(at(mirrored, 0.875), WithinRel(-std::sqrt(0.5), 1e-15));
}

TEST_CASE("a native quantile is interpolated linearly in the zero bucket") {
    CHECK(at(native_of(0, {}, {}, 4, 2), 0.25) == -1);
    CHECK(at(native_of(0, {{{5, 1}}, {4}}, {}, 4, 2), 0.25) == 1);
    CHECK(at(native_of(0, {}, {{{5, 1}}, {4}}, 4, 2), 0.75) == -1);
    CHECK(at(native_of(0, {{{5, 1}}, {2}}, {{{5, 1}}, {2}}, 4, 2), 0.5) == 0);
}

TEST_CASE("a native bucket that reaches into the zero bucket begins at its edge") {
    const std::vector<NativeBucket> all =
        list_buckets(native_of(0, {{{1, 1}}, {4}}, {{{1, 1}}, {3}}, 2, 1.5));
    CHECK(all == std::vector<NativeBucket>{{-2, -1.5, 3}, {-1.5, 1.5, 2}, {1.5, 2, 4}});
}

TEST_CASE("a native quantile is interpolated linearly between custom bounds") {
    CHECK(at(custom_of({2, 2, 0}), 0.25) == 0.5);
    CHECK(at(custom_of({2, 2, 0}), 0.75) == 1.5);
    CHECK(at(custom_of({1, 1, 2}), 0.9) == 2);
    NativeHistogram below_zero = custom_of({2, 2, 0});
    below_zero.custom_values = {-1, 2};
    CHECK(at(below_zero, 0.25) == -1);
}

TEST_CASE("native observations that are NaN count, and are above all others") {
    NativeHistogram histogram = native_of(0, {{{1, 1}}, {6}});
    histogram.count = 10;
    histogram.sum = not_a_number;
    CHECK(std::isnan(at(histogram, 0.9)));
    CHECK(native_quantile(histogram, 0.9).reason == ReadingReason::not_finite);
    CHECK_THAT(at(histogram, 0.3), WithinRel(std::sqrt(2.0), 1e-15));
}

TEST_CASE("what has no native quantile says why") {
    CHECK(native_quantile({}, 0.5).reason == ReadingReason::no_requests);
    CHECK(std::isnan(at({}, 0.5)));
    const NativeHistogram histogram = native_of(0, {{{0, 1}}, {1}});
    CHECK(at(histogram, -1) == -infinity);
    CHECK(at(histogram, 2) == infinity);
    CHECK(native_quantile(histogram, not_a_number).reason == ReadingReason::not_finite);
    NativeHistogram unknown = histogram;
    unknown.count = not_a_number;
    CHECK(native_quantile(unknown, 0.5).reason == ReadingReason::not_finite);
}

TEST_CASE("native histograms of different schemas meet in the coarser one") {
    // (1, 1.41] and (1.41, 2] of schema 1 are (1, 2] of schema 0.
    NativeHistogram sum = native_of(1, {{{1, 2}}, {2, 3}});
    add_native(sum, native_of(0, {{{0, 2}}, {1, 4}}));
    CHECK(sum.schema == 0);
    CHECK(sum.count == 10);
    CHECK(sum.positive == NativeBuckets{{{0, 2}}, {1, 9}});
    CHECK(reduce_native(native_of(2, {{{-3, 4}, {2, 1}}, {1, 1, 1, 1, 5}}), 0).positive ==
          NativeBuckets{{{0, 2}}, {4, 5}});
    CHECK(reduce_native(custom_of({1, 2, 3}), 0) == custom_of({1, 2, 3}));
}

TEST_CASE("native histograms with other zero buckets meet in the wider one") {
    NativeHistogram sum = native_of(0, {{{0, 3}}, {1, 2, 4}}, {}, 1, 0.001);
    add_native(sum, native_of(0, {{{2, 1}}, {5}}, {}, 3, 1));
    CHECK(sum.zero_threshold == 1);
    CHECK(sum.zero_count == 5);
    CHECK(sum.positive == NativeBuckets{{{1, 2}}, {2, 9}});
    // An edge within a bucket that has observations moves to the bucket's end.
    NativeHistogram cut = native_of(0, {{{1, 1}}, {7}}, {}, 0, 0.001);
    add_native(cut, native_of(0, {}, {}, 1, 1.5));
    CHECK(cut.zero_threshold == 2);
    CHECK(cut.zero_count == 8);
    CHECK(cut.positive.empty());
}

TEST_CASE("a sum of native histograms has all observations, in any order") {
    std::mt19937 random(53);
    const auto any = [&] {
        NativeBuckets positive{{{static_cast<int>(random() % 20) - 10, 3}}, {1, 2, 3}};
        NativeBuckets negative{{{static_cast<int>(random() % 5), 1}}, {4}};
        return native_of(static_cast<int>(random() % 4), positive, negative,
                         static_cast<double>(random() % 3),
                         std::exp2(static_cast<double>(random() % 8) - 6));
    };
    for (int i = 0; i < 200; ++i) {
        const NativeHistogram a = any();
        const NativeHistogram b = any();
        NativeHistogram one = a;
        add_native(one, b);
        NativeHistogram other = b;
        add_native(other, a);
        CHECK(one == other);
        double in_buckets = 0;
        for (const NativeBucket& bucket : list_buckets(one))
            in_buckets += bucket.count;
        CHECK(in_buckets == a.count + b.count);
        CHECK_FALSE(exposition::find_problem(one));
    }
}

} // namespace wva_metrics::samples::measured
