// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/optional_reading.hpp"

#include "wva_metrics/collector/detail/carry_over.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <set>
#include <string_view>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

Reading<double> optional_value(double value, TimePoint at = TimePoint(12h)) {
    return Reading<double>::measured(value, at);
}

} // namespace

TEST_CASE("each optional reading has a name of its own, and those of a quantile a quantile") {
    std::set<std::string_view> names;
    for (const OptionalReadingInfo& info : optional_readings) {
        names.insert(to_string(info.reading));
        const bool is_quantile = info.name.find("_p") != std::string_view::npos &&
                                 info.name != "prefix_cache_hit_rate" &&
                                 info.name.find("_per_") == std::string_view::npos;
        CHECK((info.quantile > 0) == is_quantile);
        // Of a signal that is a histogram only, nothing else can be read.
        if (computation_of(info.signal) == Computation::histogram)
            CHECK(info.quantile > 0);
    }
    CHECK(names.size() == optional_readings.size());
    CHECK(to_string(static_cast<OptionalReading>(optional_readings.size())) == "unknown");
}

TEST_CASE("a set of optional readings says which signals and histograms it needs") {
    CHECK(OptionalReadingSet().empty());
    const OptionalReadingSet set{OptionalReading::kv_capacity_tokens,
                                 OptionalReading::ttft_p99_seconds};
    CHECK_FALSE(set.empty());
    CHECK(set.size() == 2);
    CHECK(OptionalReadingSet::all().size() == optional_readings.size());
    CHECK(set.contains(OptionalReading::ttft_p99_seconds));
    CHECK_FALSE(set.contains(OptionalReading::ttft_p90_seconds));
    CHECK(set.needs(Signal::kv_capacity));
    CHECK_FALSE(set.needs_histogram(Signal::kv_capacity));
    CHECK(set.needs_histogram(Signal::ttft));
    CHECK_FALSE(set.needs(Signal::ttft));
    for (const OptionalReadingInfo& info : optional_readings)
        CHECK(OptionalReadingSet::all().contains(info.reading));
}

TEST_CASE("an optional reading that nobody chose is not collected") {
    OptionalReadings readings;
    CHECK(readings.empty());
    CHECK(readings.entries().capacity() == 0);
    CHECK(readings.get(OptionalReading::running_requests) == nullptr);
    CHECK(readings.find(OptionalReading::running_requests).reason() ==
          ReadingReason::not_collected);
    readings.set(OptionalReading::running_requests, optional_value(3));
    readings.set(OptionalReading::kv_capacity_tokens, optional_value(1));
    readings.set(OptionalReading::kv_capacity_tokens, optional_value(2));
    REQUIRE(readings.entries().size() == 2);
    CHECK(readings.entries().front().which == OptionalReading::kv_capacity_tokens);
    CHECK(readings.find(OptionalReading::kv_capacity_tokens).value() == 2);
    CHECK(readings.find(OptionalReading::running_requests).value() == 3);
}

TEST_CASE("an optional reading that the backend failed to return stays, while it is young enough") {
    const TimePoint collected(12h);
    const auto failed = Reading<double>::missing(ReadingReason::backend_error);
    OptimizerMetrics before;
    before.optional.set(OptionalReading::ttft_p50_seconds, optional_value(1, collected));
    before.optional.set(OptionalReading::ttft_p90_seconds, optional_value(2, collected - 60s));
    before.optional.set(OptionalReading::ttft_p99_seconds, optional_value(3, collected));
    OptimizerMetrics now;
    now.optional.set(OptionalReading::ttft_p50_seconds, failed);
    now.optional.set(OptionalReading::ttft_p90_seconds, failed);
    detail::carry_over(before, now, collected - 30s);
    CHECK(now.optional.find(OptionalReading::ttft_p50_seconds).value() == 1);
    CHECK(now.optional.find(OptionalReading::ttft_p90_seconds).reason() ==
          ReadingReason::backend_error);
    // What is no longer chosen does not come back.
    CHECK(now.optional.entries().size() == 2);
}
