// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/exposition/native_histogram.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace wva_metrics::exposition {
namespace {

NativeHistogram valid_native_histogram() {
    NativeHistogram histogram;
    histogram.schema = 1;
    histogram.zero_threshold = 1e-3;
    histogram.zero_count = 2;
    histogram.count = 12;
    histogram.sum = 3;
    histogram.positive = {{{-2, 2}, {3, 1}}, {1, 2, 3}};
    histogram.negative = {{{0, 1}}, {4}};
    return histogram;
}

} // namespace

TEST_CASE("the bounds of native buckets are powers of two with roots between them") {
    CHECK(native_bound(0, 0) == 1);
    CHECK(native_bound(1, 0) == 2);
    CHECK(native_bound(-1, 0) == 0.5);
    CHECK(native_bound(0, 8) == 1);
    CHECK(native_bound(256, 8) == 2);
    CHECK(native_bound(1, -4) == 65536);
    CHECK(native_bound(-1, -1) == 0.25);
    CHECK_THAT(native_bound(1, 2), Catch::Matchers::WithinULP(1.189207115002721, 1));
    CHECK_THAT(native_bound(-1, 2), Catch::Matchers::WithinULP(0.8408964152537144, 1));
    CHECK_THAT(native_bound(-255, 8), Catch::Matchers::WithinRel(std::exp2(-255.0 / 256), 1e-15));
}

TEST_CASE("the last finite native bound is the largest number, and the next is infinity") {
    constexpr double largest = std::numeric_limits<double>::max();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const auto& [index, schema] : std::vector<std::pair<std::int64_t, int>>{
             {512, -1}, {1024, 0}, {4096, 2}, {262144, 8}, {64, -4}}) {
        CAPTURE(index, schema);
        CHECK(native_bound(index, schema) == largest);
        CHECK(native_bound(index + 1, schema) == infinity);
        CHECK(native_bound(index - 1, schema) < largest);
    }
}

TEST_CASE("the buckets of native spans have the indices that the offsets say") {
    std::vector<std::pair<std::int64_t, double>> seen;
    valid_native_histogram().positive.each(
        [&](std::int64_t index, double count) { seen.emplace_back(index, count); });
    CHECK(seen == std::vector<std::pair<std::int64_t, double>>{{-2, 1}, {-1, 2}, {3, 3}});
}

TEST_CASE("a valid native histogram has no problem") {
    CHECK_FALSE(find_problem(NativeHistogram{}));
    CHECK_FALSE(find_problem(valid_native_histogram()));
    NativeHistogram custom;
    custom.schema = NativeHistogram::custom_schema;
    custom.custom_values = {-1, 0, 5};
    custom.positive = {{{0, 4}}, {1, 0, 2, 3}};
    CHECK_FALSE(find_problem(custom));
    NativeHistogram negative = valid_native_histogram();
    negative.positive.counts[0] = -1;
    CHECK(find_problem(negative));
    CHECK_FALSE(find_problem(negative, true));
}

TEST_CASE("each fault of a native histogram is found") {
    using Change = void (*)(NativeHistogram&);
    const Change changes[] = {
        [](NativeHistogram& h) { h.schema = 9; },
        [](NativeHistogram& h) { h.schema = -5; },
        [](NativeHistogram& h) { h.zero_threshold = -1; },
        [](NativeHistogram& h) { h.zero_threshold = std::nan(""); },
        [](NativeHistogram& h) { h.zero_threshold = INFINITY; },
        [](NativeHistogram& h) { h.count = -1; },
        [](NativeHistogram& h) { h.zero_count = std::nan(""); },
        [](NativeHistogram& h) { h.positive.counts.pop_back(); },
        [](NativeHistogram& h) { h.positive.counts.push_back(1); },
        [](NativeHistogram& h) { h.positive.counts[1] = std::nan(""); },
        [](NativeHistogram& h) { h.negative.counts[0] = -4; },
        [](NativeHistogram& h) { h.positive.spans[1].offset = -1; },
        [](NativeHistogram& h) { h.positive.spans[1].offset = 2'147'483'647; },
        [](NativeHistogram& h) { h.negative.spans[0].length = 4'294'967'295U; },
        [](NativeHistogram& h) { h.custom_values = {1}; },
        [](NativeHistogram& h) { h.schema = NativeHistogram::custom_schema; },
    };
    for (const Change change : changes) {
        NativeHistogram histogram = valid_native_histogram();
        change(histogram);
        CAPTURE(&change - changes);
        CHECK(find_problem(histogram));
    }
    NativeHistogram custom;
    custom.schema = NativeHistogram::custom_schema;
    custom.custom_values = {1, 1};
    CHECK(find_problem(custom));
    custom.custom_values = {1, INFINITY};
    CHECK(find_problem(custom));
    custom.custom_values = {1};
    custom.positive = {{{0, 3}}, {1, 1, 1}};
    CHECK(find_problem(custom));
    custom.positive = {{{-1, 1}}, {1}};
    CHECK(find_problem(custom));
}

} // namespace wva_metrics::exposition
