// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/packed_native.hpp"

#include "support/property_cases.hpp"

#include <catch2/catch_test_macros.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace wva_metrics::samples::packed_natives {

using exposition::NativeBuckets;
using exposition::NativeHistogram;

namespace {

class AnyNative {
public:
    explicit AnyNative(std::uint64_t seed) : random_(seed) {}

    NativeHistogram next() {
        has_fractions_ = below(3) == 0;
        NativeHistogram histogram;
        histogram.schema = static_cast<int>(below(13)) - 4;
        histogram.zero_threshold = std::ldexp(1.0, -static_cast<int>(below(200)));
        histogram.zero_count = count();
        histogram.count = count();
        histogram.sum = below(9) == 0 ? std::numeric_limits<double>::quiet_NaN() : -0.1 * count();
        fill(histogram.positive);
        if (below(2) == 0)
            fill(histogram.negative);
        if (below(4) == 0) {
            histogram.schema = NativeHistogram::custom_schema;
            histogram.custom_values = {-1, 0.25, 1e300};
        }
        return histogram;
    }

private:
    std::uint64_t below(std::uint64_t most) { return random_() % most; }
    double count() {
        const auto whole = static_cast<double>(random_() >> below(64));
        return has_fractions_ ? whole / 3 : whole;
    }
    void fill(NativeBuckets& buckets) {
        for (std::uint64_t spans = below(4); spans > 0; --spans) {
            buckets.spans.push_back({static_cast<std::int32_t>(below(2000)) - 1000,
                                     static_cast<std::uint32_t>(below(5))});
            for (std::uint32_t i = 0; i < buckets.spans.back().length; ++i)
                buckets.counts.push_back(count());
        }
    }

    std::mt19937_64 random_;
    bool has_fractions_ = false;
};

} // namespace

TEST_CASE("a packed native histogram is unpacked as it was") {
    AnyNative any(53);
    for (std::size_t i = 0; i < test_support::property_cases(2000); ++i) {
        NativeHistogram histogram = any.next();
        NativeHistogram unpacked = PackedNative(histogram).unpack();
        CHECK(std::bit_cast<std::uint64_t>(unpacked.sum) ==
              std::bit_cast<std::uint64_t>(histogram.sum));
        histogram.sum = unpacked.sum = 0;
        CHECK(unpacked == histogram);
    }
}

TEST_CASE("a packed native histogram takes a byte or two per bucket") {
    NativeHistogram histogram;
    histogram.schema = 3;
    histogram.positive.spans = {{-20, 40}};
    for (int i = 0; i < 40; ++i)
        histogram.positive.counts.push_back(1000 + 7 * (i % 5));
    histogram.count = 40'000;
    CHECK(PackedNative(histogram).size() < 80);
    CHECK(PackedNative().empty());
    CHECK(PackedNative().size() == 0);
    CHECK(PackedNative(histogram) == PackedNative(histogram));
    CHECK_FALSE(PackedNative(histogram) == PackedNative());
}

} // namespace wva_metrics::samples::packed_natives
