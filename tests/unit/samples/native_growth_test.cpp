// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/native_growth.hpp"

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/samples/measure.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured_natives {

using namespace std::chrono_literals;
using Catch::Matchers::WithinRel;

namespace {

constexpr ServerTime asked_at{1'700'000'000s};
constexpr const char* native_ttft = "vllm:time_to_first_token_seconds";

/// (0.5, 1] and (1, 2], unless the first bucket is another.
NativeHistogram two_buckets(double low, double high, int schema = 0, std::int32_t first = 0) {
    NativeHistogram histogram;
    histogram.schema = schema;
    histogram.zero_threshold = 0.001;
    histogram.positive = {{{first, 2}}, {low, high}};
    histogram.count = histogram.sum = low + high;
    return histogram;
}

/// The series of one pod.
struct NativeFixture {
    /// Every 15 seconds, the last one now.
    void add(const std::vector<NativeHistogram>& histograms, const std::string& engine = "0") {
        std::vector<Sample> samples;
        std::vector<PackedNative> natives;
        for (const NativeHistogram& histogram : histograms) {
            const auto after = static_cast<int>(histograms.size() - samples.size()) - 1;
            samples.push_back({asked_at - 15s * after, histogram.count});
            natives.emplace_back(histogram);
        }
        add_series(native_ttft, engine, "", samples, natives);
    }
    /// A classic histogram: what is within 4 s, and all.
    void add_classic(const std::vector<double>& counts) {
        for (const std::string le : {"4", "+Inf"}) {
            std::vector<Sample> samples;
            for (const double count : counts) {
                const auto after = static_cast<int>(counts.size() - samples.size()) - 1;
                samples.push_back({asked_at - 15s * after, count});
            }
            add_series(native_ttft + std::string("_bucket"), "0", le, samples, {});
        }
    }
    HistogramValue measure() {
        const auto views = std::move(table).take();
        REQUIRE(views.at(0).size() == 1);
        return ViewMeasurer(views.at(0).front(), metrics, asked_at, rules)
            .measure_histogram(Signal::ttft);
    }

private:
    void add_series(const std::string& name, const std::string& engine, const std::string& le,
                    const std::vector<Sample>& samples, const std::vector<PackedNative>& natives) {
        const std::vector<LabelView> labels{
            {"__name__", name}, {"engine", engine}, {"le", le}, {"model_name", "m"}, {"pod", "p"}};
        table.add(0, labels, samples, false, natives);
    }

    EngineProfile profile = vllm_profile();
    MetricSet metrics{profile, {OptionalReading::ttft_p90_seconds}};
    SampleRules rules;
    ViewTable table{metrics, profile.labels, rules};
};

} // namespace

TEST_CASE("a quantile is taken of the native histograms of the window") {
    NativeFixture pod;
    // In the window (1, 2] grew by 40 of 60, and (0.5, 1] by 20.
    pod.add({two_buckets(5, 5), two_buckets(10, 15), two_buckets(15, 30), two_buckets(20, 40),
             two_buckets(25, 45)});
    const HistogramValue found = pod.measure();
    CHECK(found.value.reason == ReadingReason::none);
    CHECK(found.value.time == asked_at);
    CHECK(found.value.window == 60s);
    REQUIRE(found.native);
    CHECK(found.buckets.empty());
    CHECK(found.value.weight == found.native->count);
    // From the second sample, which is the first in the window, 15 and 30.
    CHECK_THAT(found.quantile(1.0 / 3).value, WithinRel(1.0, 1e-12));
    CHECK_THAT(found.quantile(2.0 / 3).value, WithinRel(std::exp2(0.5), 1e-12));
}

TEST_CASE("the native histograms of all engines of a process are added up") {
    NativeFixture pod;
    pod.add({two_buckets(0, 0), two_buckets(10, 0)}, "0");
    pod.add({two_buckets(0, 0), two_buckets(0, 30)}, "1");
    // Four buckets of schema 1 make two of schema 0.
    pod.add({two_buckets(0, 0, 1, 3), two_buckets(0, 20, 1, 3)}, "2");
    const HistogramValue found = pod.measure();
    REQUIRE(found.native);
    CHECK(found.native->schema == 0);
    CHECK_THAT(found.quantile(1.0 / 6).value, WithinRel(1.0, 1e-9));
    CHECK_THAT(found.quantile(4.0 / 6).value, WithinRel(2.0, 1e-9));
}

TEST_CASE("of a histogram in both forms the native one counts, and nothing twice") {
    NativeFixture pod;
    pod.add({two_buckets(0, 10), two_buckets(0, 40)});
    pod.add_classic({10, 40});
    const HistogramValue found = pod.measure();
    CHECK(found.native.has_value());
    CHECK(found.buckets.empty());
    CHECK_THAT(found.value.value, WithinRel(30.0 / 15, 1e-12));
}

TEST_CASE("as long as a native histogram is new, the classic one counts") {
    NativeFixture pod;
    pod.add({two_buckets(0, 40)});
    pod.add_classic({10, 40});
    const HistogramValue found = pod.measure();
    CHECK(found.value.reason == ReadingReason::none);
    CHECK_FALSE(found.native.has_value());
    CHECK(found.buckets.size() == 2);
}

TEST_CASE("a native histogram without a rate says why") {
    SECTION("one sample") {
        NativeFixture pod;
        pod.add({two_buckets(0, 40)});
        CHECK(pod.measure().value.reason == ReadingReason::warming_up);
    }
    SECTION("too many resets") {
        NativeFixture pod;
        pod.add({two_buckets(0, 40), two_buckets(0, 4), two_buckets(0, 3), two_buckets(0, 2),
                 two_buckets(0, 1)});
        CHECK(pod.measure().value.reason == ReadingReason::inconsistent);
    }
    SECTION("other bounds without a reset of the count") {
        NativeHistogram own = two_buckets(1, 1, NativeHistogram::custom_schema);
        own.zero_threshold = 0;
        own.custom_values = {1, 2};
        NativeFixture pod;
        pod.add({two_buckets(0, 1), own, two_buckets(0, 3)});
        CHECK(pod.measure().value.reason == ReadingReason::inconsistent);
    }
}

} // namespace wva_metrics::samples::measured_natives
