// SPDX-License-Identifier: Apache-2.0
#include "support/property_cases.hpp"
#include "wva_metrics/scrape/sample_store.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace wva_metrics::scrape::stored_natives {

using namespace std::chrono_literals;
using samples::LabelView;
using samples::PackedNative;
using samples::Sample;

namespace {

const samples::ServerTime first_scrape{1'700'000'000s};

PackedNative native_with(double count, int schema = 3) {
    exposition::NativeHistogram histogram;
    histogram.schema = schema;
    histogram.positive = {{{2, 1}}, {count}};
    histogram.count = histogram.sum = count;
    return PackedNative(histogram);
}

/// The counts in the histograms of the only series but `up`. Each has that of its sample.
std::vector<double> stored_counts(const SampleStore& store) {
    std::vector<double> counts;
    store.visit([&](std::span<const LabelView> labels, std::span<const Sample> samples, bool,
                    std::span<const PackedNative> natives) {
        if (labels.front().value == "up") {
            CHECK(natives.empty());
            return;
        }
        REQUIRE(natives.size() == samples.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            counts.push_back(natives[i].unpack().count);
            CHECK(counts.back() == samples[i].value);
        }
    });
    return counts;
}

void scrape_native(SampleStore& store, samples::ServerTime time, double count,
                   std::optional<std::int64_t> start_ms = std::nullopt) {
    store.begin(time);
    REQUIRE(store.add("x", {}, count, std::nullopt, start_ms, native_with(count)).has_value());
    store.end();
}

} // namespace

TEST_CASE("a store has the native histogram of each sample in its window") {
    std::mt19937 random(14);
    for (std::size_t i = 0; i < test_support::property_cases(200); ++i) {
        const StoreLimits limits{.max_samples_per_series = 2 + random() % 6};
        SampleStore store({}, {.usual = 40s, .kept = 2, .longest = 200s}, limits);
        samples::ServerTime time = first_scrape;
        double count = 0;
        std::size_t kept = 0;
        for (int scrape = 0; scrape < 30; ++scrape) {
            time += std::chrono::seconds(1 + random() % 20);
            // An idle server says the same again.
            count += static_cast<double>(random() % 2);
            scrape_native(store, time, count);
            const std::vector<double> counts = stored_counts(store);
            CHECK(counts.back() == count);
            kept = counts.size();
        }
        CHECK(kept >= 2);
        CHECK(kept <= limits.max_samples_per_series);
    }
}

TEST_CASE("a native histogram that began anew unseen has an empty one where it began") {
    SampleStore store;
    scrape_native(store, first_scrape, 5, 1'699'999'000'000);
    scrape_native(store, first_scrape + 10s, 6, 1'700'000'004'000);
    CHECK(stored_counts(store) == std::vector<double>{5, 0, 6});
}

TEST_CASE("a series has no native histogram before the first one, nor where a page had none") {
    SampleStore store;
    for (int scrape = 0; scrape < 3; ++scrape) {
        store.begin(first_scrape + scrape * 10s);
        PackedNative native;
        if (scrape == 1)
            native = native_with(2);
        REQUIRE(store.add("x", {}, 2, std::nullopt, std::nullopt, native).has_value());
        store.end();
    }
    store.visit([&](std::span<const LabelView> labels, std::span<const Sample>, bool,
                    std::span<const PackedNative> natives) {
        if (labels.front().value == "up")
            return;
        REQUIRE(natives.size() == 3);
        CHECK(natives[0].empty());
        CHECK(natives[1] == native_with(2));
        CHECK(natives[2].empty());
    });
}

TEST_CASE("the native histograms of a window are bounded, and make room when they are old") {
    const std::size_t size = native_with(100).size();
    SampleStore store({}, {.usual = 25s, .kept = 1, .longest = 200s},
                      {.max_histogram_bytes = 3 * size});
    for (int scrape = 0; scrape < 3; ++scrape)
        scrape_native(store, first_scrape + scrape * 10s, 100 + scrape);
    store.begin(first_scrape + 25s);
    const Result<void> refused =
        store.add("x", {}, 104, std::nullopt, std::nullopt, native_with(104));
    REQUIRE(refused.has_error());
    CHECK(refused.error().is(Errc::too_large));
    CHECK(refused.error().message.find("StoreLimits::max_histogram_bytes") != std::string::npos);
    store.fail();
    CHECK(stored_counts(store) == std::vector<double>{100, 101, 102});
    store.begin(first_scrape + 26s);
    store.fail();
    // What a failed scrape added does not count.
    scrape_native(store, first_scrape + 28s, 105);
    CHECK(stored_counts(store) == std::vector<double>{101, 102, 105});
}

} // namespace wva_metrics::scrape::stored_natives
