// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/listed_native.hpp"

#include "support/property_cases.hpp"
#include "wva_metrics/samples/native_merge.hpp"
#include "wva_metrics/samples/native_quantile.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace wva_metrics::samples::listed_natives {

using Catch::Matchers::WithinRel;

namespace {

/// As Prometheus answers: without empty buckets, schema and spans.
std::vector<ListedBucket> listed_of(const NativeHistogram& histogram) {
    std::vector<ListedBucket> listed;
    for (const NativeBucket& bucket : list_buckets(histogram)) {
        const bool is_zero = !histogram.has_custom_bounds() && bucket.lower == -bucket.upper;
        const bool is_lowest = histogram.has_custom_bounds() && std::isinf(bucket.lower);
        if (bucket.count != 0)
            listed.push_back({bucket.lower, bucket.upper, bucket.count, is_zero || is_lowest});
    }
    return listed;
}

std::vector<NativeHistogram> seen_of(const std::vector<NativeHistogram>& histograms) {
    std::vector<std::vector<ListedBucket>> buckets;
    for (const NativeHistogram& histogram : histograms)
        buckets.push_back(listed_of(histogram));
    std::vector<ListedNative> listed;
    for (std::size_t i = 0; i < histograms.size(); ++i)
        listed.push_back({histograms[i].count, histograms[i].sum, buckets[i]});
    std::vector<NativeHistogram> seen;
    for (const PackedNative& packed : pack_listed(listed))
        seen.push_back(packed.unpack());
    return seen;
}

NativeHistogram counted(NativeHistogram histogram) {
    histogram.count = histogram.zero_count;
    for (const NativeBuckets* buckets : {&histogram.positive, &histogram.negative})
        for (const double count : buckets->counts)
            histogram.count += count;
    histogram.sum = histogram.count / 3;
    return histogram;
}

NativeHistogram any_native(std::mt19937& random, int schema) {
    NativeHistogram histogram;
    histogram.schema = schema;
    const auto fill = [&](NativeBuckets& buckets, std::int32_t first) {
        for (auto spans = 1 + random() % 3; spans > 0; --spans) {
            buckets.spans.push_back({first, 1 + static_cast<std::uint32_t>(random() % 4)});
            for (std::uint32_t i = 0; i < buckets.spans.back().length; ++i)
                buckets.counts.push_back(static_cast<double>(random() % 5));
            first = 1 + static_cast<std::int32_t>(random() % 3);
        }
    };
    if (histogram.has_custom_bounds()) {
        histogram.custom_values = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5};
        fill(histogram.positive, 0);
        return counted(histogram);
    }
    histogram.zero_count = static_cast<double>(random() % 3);
    fill(histogram.positive, static_cast<std::int32_t>(random() % 400) - 200);
    if (random() % 3 == 0)
        fill(histogram.negative, static_cast<std::int32_t>(random() % 100) - 50);
    histogram = counted(histogram);
    NativeHistogram wide;
    wide.schema = schema;
    wide.zero_threshold = std::ldexp(1.1, -static_cast<int>(random() % 60));
    add_native(histogram, wide);
    return histogram;
}

/// The only bucket, as a server lists it.
std::vector<PackedNative> packed_bucket(double lower, double upper) {
    const std::vector<ListedBucket> buckets{{lower, upper, 3}};
    const std::vector<ListedNative> listed{{3, 1, buckets}};
    return pack_listed(listed);
}

} // namespace

TEST_CASE("a listed native histogram has the buckets that it had") {
    std::mt19937 random(53);
    for (std::size_t i = 0; i < test_support::property_cases(2000); ++i) {
        const int schema = 1 + static_cast<int>(random() % 8);
        std::vector<NativeHistogram> all{any_native(random, schema)};
        for (auto more = random() % 4; more > 0; --more) {
            all.push_back(all.back());
            add_native(all.back(), any_native(random, schema));
        }
        const std::vector<NativeHistogram> seen = seen_of(all);
        if (seen.empty()) { // Too few buckets to tell the schema by.
            CHECK(listed_of(all.front()).size() <= 2);
            continue;
        }
        REQUIRE(seen.size() == all.size());
        for (std::size_t at = 0; at < all.size(); ++at) {
            const std::vector<ListedBucket> expected = listed_of(all[at]);
            const std::vector<ListedBucket> found = listed_of(seen[at]);
            CAPTURE(i, at, schema, all[at].zero_threshold, seen[at].zero_threshold);
            REQUIRE(found.size() == expected.size());
            for (std::size_t bucket = 0; bucket < found.size(); ++bucket) {
                CHECK_THAT(found[bucket].lower, WithinRel(expected[bucket].lower, 1e-12));
                CHECK_THAT(found[bucket].upper, WithinRel(expected[bucket].upper, 1e-12));
                CHECK(found[bucket].count == expected[bucket].count);
            }
            CHECK(seen[at].count == all[at].count);
            CHECK(seen[at].sum == all[at].sum);
        }
    }
}

TEST_CASE("bounds of its own are known where a listed histogram shows them") {
    NativeHistogram first;
    first.schema = NativeHistogram::custom_schema;
    first.custom_values = {0.1, 0.25, 0.5, 1, 2.5};
    first.positive = {{{0, 1}, {1, 1}}, {1, 2}};
    NativeHistogram second = first;
    second.positive = {{{0, 1}, {1, 1}, {2, 1}}, {1, 3, 4}};
    const std::vector<NativeHistogram> seen = seen_of({counted(first), counted(second)});
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].custom_values == std::vector<double>{0.1, 0.25, 0.5, 2.5});
    CHECK(seen[1].custom_values == seen[0].custom_values);
    CHECK(listed_of(seen[0]) == listed_of(counted(first)));
    CHECK(listed_of(seen[1]) == listed_of(counted(second)));
    for (const double q : {0.0, 0.1, 0.3, 0.5, 0.9, 1.0})
        CHECK(native_quantile(seen[1], q).value == native_quantile(counted(second), q).value);
}

TEST_CASE("powers of two alone do not tell what a listed histogram is") {
    CHECK(packed_bucket(0.25, 0.5).empty());
    CHECK(packed_bucket(1, 4).empty());
    CHECK(packed_bucket(std::sqrt(0.5), 1).size() == 1);
    CHECK(packed_bucket(0.25, 0.6).size() == 1);
    CHECK(packed_bucket(0.25, 0.6).front().unpack().has_custom_bounds());
    // A zero bucket is only in those with a schema.
    const std::vector<ListedBucket> buckets{{-0.01, 0.01, 1, true}, {0.25, 0.5, 2}};
    const std::vector<ListedNative> listed{{3, 1, buckets}};
    REQUIRE(pack_listed(listed).size() == 1);
    const NativeHistogram histogram = pack_listed(listed).front().unpack();
    CHECK(histogram.schema == 0);
    CHECK(histogram.zero_threshold == 0.01);
    CHECK(histogram.zero_count == 1);
}

TEST_CASE("own bounds that have changed are no bounds of a listed histogram") {
    const std::vector<ListedBucket> before{{0.1, 0.5, 3}};
    const std::vector<ListedBucket> after{{0.1, 0.3, 3}, {0.3, 0.5, 1}};
    const std::vector<ListedNative> listed{{3, 1, before}, {4, 1, after}};
    CHECK(pack_listed(listed).empty());
    CHECK(pack_listed({}).empty());
}

TEST_CASE("listed histograms of several series show several bounds of their own") {
    const auto histogram_of = [](std::vector<double> bounds, double low, double high) {
        NativeHistogram histogram;
        histogram.schema = NativeHistogram::custom_schema;
        histogram.custom_values = std::move(bounds);
        histogram.positive = {{{1, 2}}, {low, high}};
        return counted(histogram);
    };
    // (0.1, 0.3], (0.3, 0.7] and (0.3, 0.7], (0.7, 2].
    NativeHistogram sum = histogram_of({0.1, 0.3, 0.7}, 1, 2);
    REQUIRE(add_listed(sum, histogram_of({0.3, 0.7, 2}, 4, 8)));
    CHECK(listed_of(sum) == std::vector<ListedBucket>{{0.1, 0.3, 1}, {0.3, 0.7, 6}, {0.7, 2, 8}});
    CHECK(sum.count == 15);
    const NativeHistogram before = sum;
    CHECK_FALSE(add_listed(sum, histogram_of({0.3, 0.5, 0.7}, 4, 8)));
    CHECK(sum == before);
}

} // namespace wva_metrics::samples::listed_natives
