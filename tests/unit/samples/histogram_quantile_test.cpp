// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/histogram_quantile.hpp"

#include "support/property_cases.hpp"
#include "unit/samples/measured_view.hpp"
#include "wva_metrics/samples/histogram_growth.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

double classic_quantile(std::vector<ClassicBucket> buckets, double q) {
    return ClassicHistogram(std::move(buckets)).quantile(q).value;
}
ReadingReason classic_reason(std::vector<ClassicBucket> buckets, double q) {
    return ClassicHistogram(std::move(buckets)).quantile(q).reason;
}

const std::vector<ClassicBucket> ordinary_buckets{{infinity, 10}, {1, 4}, {2, 8}, {4, 10}};

Series bucket_series(const std::string& le, const std::string& engine,
                     std::vector<Sample> samples) {
    return {0, {{"engine", engine}, {"le", le}}, std::move(samples), false};
}

} // namespace

TEST_CASE("a classic quantile is interpolated linearly within its bucket") {
    CHECK(classic_quantile(ordinary_buckets, 0.2) == 0.5);
    CHECK(classic_quantile(ordinary_buckets, 0.4) == 1);
    CHECK(classic_quantile(ordinary_buckets, 0.6) == 1.5);
    CHECK(classic_quantile(ordinary_buckets, 0.9) == 3);
    CHECK(classic_quantile(ordinary_buckets, 1) == 4);
    CHECK(classic_reason(ordinary_buckets, 0.5) == ReadingReason::none);
}

TEST_CASE("the lowest classic bucket begins at 0 if its bound is above it, and else is its bound") {
    CHECK(classic_quantile({{2, 10}, {infinity, 10}}, 0.25) == 0.5);
    CHECK(classic_quantile({{2, 10}, {infinity, 10}}, 0) == 0);
    CHECK(classic_quantile({{-2, 10}, {infinity, 10}}, 0.25) == -2);
    CHECK(classic_quantile({{0, 5}, {1, 10}, {infinity, 10}}, 0.25) == 0);
    CHECK(classic_quantile({{-2, 0}, {2, 10}, {infinity, 10}}, 0.5) == 0);
}

TEST_CASE("a classic quantile in the last bucket is the bound before it") {
    CHECK(classic_quantile({{1, 4}, {2, 5}, {infinity, 10}}, 0.9) == 2);
    CHECK(classic_quantile({{-infinity, 1}, {infinity, 10}}, 0.9) == -infinity);
    CHECK(classic_reason({{-infinity, 1}, {infinity, 10}}, 0.9) == ReadingReason::not_finite);
}

TEST_CASE("what has no classic quantile says why") {
    CHECK(classic_reason({}, 0.5) == ReadingReason::no_series);
    CHECK(classic_reason({{infinity, 4}}, 0.5) == ReadingReason::no_series);
    CHECK(classic_reason({{1, 4}, {2, 5}}, 0.5) == ReadingReason::no_series);
    CHECK(classic_reason({{1, 0}, {infinity, 0}}, 0.5) == ReadingReason::no_requests);
    CHECK(classic_reason({{1, not_a_number}, {infinity, 3}}, 0.5) == ReadingReason::not_finite);
    CHECK(classic_reason(ordinary_buckets, not_a_number) == ReadingReason::not_finite);
    for (const auto& buckets : {std::vector<ClassicBucket>{}, ordinary_buckets}) {
        CHECK(classic_quantile(buckets, -0.1) == -infinity);
        CHECK(classic_quantile(buckets, 1.1) == infinity);
        CHECK(classic_reason(buckets, 1.1) == ReadingReason::not_finite);
        CHECK(std::isnan(classic_quantile(buckets, not_a_number)));
    }
}

TEST_CASE("classic buckets with one bound are added up, and one without a bound is left out") {
    CHECK(classic_quantile({{1, 2}, {1, 2}, {infinity, 5}, {infinity, 5}, {2, 8}}, 0.6) == 1.5);
    CHECK(classic_quantile({{not_a_number, 99}, {1, 4}, {2, 8}, {infinity, 10}}, 0.6) == 1.5);
}

TEST_CASE("a classic count that is lower than that of a lower bucket is lifted") {
    const ClassicHistogram lifted({{1, 4}, {2, 3}, {4, 2}, {8, 10}, {infinity, 9}});
    const std::vector<ClassicBucket> mended(lifted.buckets().begin(), lifted.buckets().end());
    CHECK(mended == std::vector<ClassicBucket>{{1, 4}, {2, 4}, {4, 4}, {8, 10}, {infinity, 10}});
}

TEST_CASE("a classic count that is higher by rounding only is ignored") {
    const double more = 4 * (1 + 1e-13);
    const ClassicHistogram rounded({{1, 4}, {2, more}, {4, 4 * (1 + 1e-11)}, {infinity, 5}});
    CHECK(rounded.buckets()[1].count == 4);
    CHECK(rounded.buckets()[2].count == 4 * (1 + 1e-11));
    const ClassicHistogram tiny({{1, 0}, {2, 1e-300}, {infinity, 5}});
    CHECK(tiny.buckets()[1].count == 1e-300);
}

TEST_CASE("a classic quantile lies in the bucket of its observation, and rises with its share") {
    std::mt19937 random(90);
    const std::vector<double> bounds{0.1, 0.5, 1, 2.5, 5, 10};
    for (unsigned i = 0; i < test_support::property_cases(500); ++i) {
        std::vector<double> observations(1 + random() % 40);
        std::vector<ClassicBucket> buckets;
        for (double& observation : observations)
            observation = static_cast<double>(random() % 12'000) / 1000;
        std::sort(observations.begin(), observations.end());
        const auto up_to = [&](double bound) {
            return static_cast<double>(std::ranges::upper_bound(observations, bound) -
                                       observations.begin());
        };
        for (const double bound : bounds)
            buckets.push_back({bound, up_to(bound)});
        buckets.push_back({infinity, up_to(infinity)});
        double before = 0;
        for (double q = 0.05; q < 1; q += 0.05) {
            const double value = classic_quantile(buckets, q);
            const auto rank = static_cast<std::size_t>(
                std::ceil(q * static_cast<double>(observations.size()) - 1e-9));
            const double exact = observations[rank - 1];
            const auto bound = std::ranges::lower_bound(bounds, exact);
            const double lower = bound == bounds.begin() ? 0 : *(bound - 1);
            const double upper = bound == bounds.end() ? bounds.back() : *bound;
            CAPTURE(i, q, value, exact);
            CHECK((value >= std::min(lower, upper) - 1e-9 && value <= upper + 1e-9));
            CHECK(value >= before);
            before = value;
        }
    }
}

TEST_CASE("a bucket's bound is a number") {
    CHECK(parse_bound("+Inf") == infinity);
    CHECK(parse_bound("0.5") == 0.5);
    CHECK(parse_bound("1e+06") == 1e6);
    CHECK(parse_bound("-1") == -1);
    for (const char* const text : {"", "x", "1x", "0x10", "1 "})
        CHECK_FALSE(parse_bound(text));
}

TEST_CASE("the buckets of all engines grow together, each from its resets") {
    const RateWindow window{.start = now - 60s, .end = now};
    const std::vector<Series> all{
        bucket_series("1", "0", spaced(15s, 5s, {0, 3, 6, 9})),
        bucket_series("1", "1", spaced(15s, 5s, {9, 12, 0, 3})),
        bucket_series("+Inf", "0", spaced(15s, 5s, {0, 6, 12, 18})),
        bucket_series("+Inf", "1", spaced(15s, 5s, {9, 15, 0, 6})),
        bucket_series("junk", "1", spaced(15s, 5s, {9, 15, 0, 6})),
        bucket_series("7", "1", spaced(15s, 5s, {9})),
    };
    const HistogramGrowth growth = histogram_growth_of(all, window, 10, true);
    CHECK(growth.reason == ReadingReason::none);
    CHECK(growth.newest == now - 5s);
    REQUIRE(growth.buckets.size() == 2);
    CHECK(growth.buckets[0].upper_bound == 1);
    CHECK(growth.buckets[1].upper_bound == infinity);
    const double expected = *rate_per_second(all[0].samples, window.start, window.end) +
                            *rate_per_second(all[1].samples, window.start, window.end);
    CHECK(growth.buckets[0].count == expected);
    CHECK(growth.quantile(0.25).value == classic_quantile(growth.buckets, 0.25));
}

TEST_CASE("two spellings of one bound are one bucket, one after the other or at once") {
    const RateWindow window{.start = now - 1min, .end = now};
    const auto observed = [&window](double q, std::vector<Series> all) {
        all.push_back(bucket_series("0.5", "0", spaced(15s, 0s, rising(5, 150))));
        all.push_back(bucket_series("+Inf", "0", spaced(15s, 0s, rising(5, 300))));
        return histogram_growth_of(all, window, 1, false).quantile(q).value;
    };
    const double wanted = observed(0.7, {bucket_series("1", "0", spaced(15s, 0s, rising(5, 225)))});
    CHECK_THAT(wanted, Catch::Matchers::WithinRel(0.5 + 0.5 * 0.2 / 0.25, 1e-9));
    // The names of an upgrade of Prometheus, before and after it.
    Series before = bucket_series("1", "0", spaced(15s, 30s, rising(3, 225)));
    before.has_ended = true;
    const Series after = bucket_series("1.0", "0", spaced(15s, 0s, rising(2, 225, 1000 + 3 * 225)));
    CHECK(observed(0.7, {before, after}) == wanted);
    CHECK(observed(0.7, {after, before}) == wanted);
    // Of two replicas, one of which was upgraded.
    const Series old_one = bucket_series("1", "0", spaced(15s, 0s, rising(5, 225)));
    const Series new_one = bucket_series("1.0", "0", spaced(15s, 0s, rising(5, 225)));
    CHECK(observed(0.7, {old_one, new_one}) == wanted);
}

TEST_CASE("a histogram that does not grow in a window says why") {
    const RateWindow window{.start = now - 60s, .end = now};
    CHECK(histogram_growth_of({}, window, 10, true).reason == ReadingReason::no_series);
    const std::vector<Series> once{bucket_series("1", "0", spaced(15s, 5s, {3})),
                                   bucket_series("+Inf", "0", spaced(15s, 5s, {3}))};
    CHECK(histogram_growth_of(once, window, 10, true).quantile(0.5).reason ==
          ReadingReason::warming_up);
    const std::vector<Series> idle{bucket_series("1", "0", spaced(15s, 5s, {3, 3})),
                                   bucket_series("+Inf", "0", spaced(15s, 5s, {3, 3}))};
    CHECK(histogram_growth_of(idle, window, 10, true).quantile(0.5).reason ==
          ReadingReason::no_requests);
    const std::vector<Series> restless{bucket_series("1", "0", spaced(15s, 5s, {3, 2, 1})),
                                       bucket_series("+Inf", "0", spaced(15s, 5s, {3, 3, 3}))};
    CHECK(histogram_growth_of(restless, window, 1, true).quantile(0.5).reason ==
          ReadingReason::inconsistent);
}

} // namespace wva_metrics::samples::measured
