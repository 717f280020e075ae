// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/histogram_total.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail::histogram_totals {

using namespace std::chrono_literals;
using Catch::Matchers::WithinRel;
using samples::PodReport;

namespace {

PodReport pod_with(const std::string& name, samples::HistogramValue histogram) {
    PodReport pod;
    pod.pod = name;
    pod.life = samples::PodLife::alive;
    histogram.value.reason = ReadingReason::none;
    histogram.value.window = 60s;
    histogram.value.weight = histogram.value.value = 10;
    pod.histograms.push_back(std::move(histogram));
    return pod;
}
/// All observations are in (0.5, 1], or in (0.7, 1] with the schema 1.
PodReport native_pod(const std::string& name, int schema = 0) {
    samples::HistogramValue histogram{Signal::ttft};
    histogram.native.emplace();
    histogram.native->schema = schema;
    histogram.native->count = histogram.native->sum = 10;
    histogram.native->positive = {{{0, 1}}, {10}};
    return pod_with(name, std::move(histogram));
}
/// All observations are in (0, 4].
PodReport classic_pod(const std::string& name) {
    samples::HistogramValue histogram{Signal::ttft};
    histogram.buckets = {{4, 10}, {std::numeric_limits<double>::infinity(), 10}};
    return pod_with(name, std::move(histogram));
}
PodReport failed_pod(const std::string& name, ReadingReason reason) {
    PodReport pod = classic_pod(name);
    pod.histograms.front().buckets.clear();
    pod.histograms.front().value.reason = reason;
    return pod;
}

Reading<double> highest_of(const HistogramTotal& total) {
    return total.quantile(1, SignalMetrics(vllm_profile()), ServerClock(), 0.5);
}

HistogramTotal total_of(const std::vector<PodReport>& pods) {
    HistogramTotal total(Signal::ttft);
    for (const PodReport& pod : pods)
        total.add(pod);
    return total;
}

} // namespace

TEST_CASE("histograms of several pods are added up if they are of one kind") {
    const HistogramTotal natives = total_of({native_pod("a"), native_pod("b", 1)});
    CHECK_THAT(highest_of(natives).value(), WithinRel(1.0, 1e-12));
    CHECK(natives.missing().empty());
    const HistogramTotal classics = total_of({classic_pod("a"), classic_pod("b")});
    CHECK(highest_of(classics).value() == 4);
    CHECK(classics.missing().empty());
}

TEST_CASE(
    "of classic and native histograms the kind of most pods is the total, which lacks others") {
    const HistogramTotal total = total_of({classic_pod("a"), native_pod("b"), classic_pod("c")});
    CHECK(highest_of(total).value() == 4);
    CHECK(total.missing() == std::vector<std::string>{"b"});
    const HistogramTotal other = total_of({classic_pod("a"), native_pod("b"), native_pod("c")});
    CHECK_THAT(highest_of(other).value(), WithinRel(1.0, 1e-12));
    CHECK(other.missing() == std::vector<std::string>{"a"});
}

TEST_CASE("native histograms with other bounds are missing from a total") {
    PodReport own = native_pod("b", exposition::NativeHistogram::custom_schema);
    own.histograms.front().native->custom_values = {2, 3};
    const HistogramTotal total = total_of({native_pod("a"), own});
    CHECK_THAT(highest_of(total).value(), WithinRel(1.0, 1e-12));
    CHECK(total.missing() == std::vector<std::string>{"b"});
    PodReport scaled = native_pod("b");
    scaled.histograms.front().scale = 0.001;
    CHECK(total_of({native_pod("a"), scaled}).missing() == std::vector<std::string>{"b"});
}

TEST_CASE("a pod without a value is missing from a total of either kind") {
    const PodReport young = failed_pod("b", ReadingReason::warming_up);
    for (const PodReport& known : {classic_pod("a"), native_pod("a")}) {
        const HistogramTotal total = total_of({known, young});
        CHECK(highest_of(total).has_value());
        CHECK(total.missing() == std::vector<std::string>{"b"});
    }
    CHECK(highest_of(total_of({young})).reason() == ReadingReason::warming_up);
    CHECK(total_of({failed_pod("b", ReadingReason::no_series)}).empty());
    CHECK(total_of({failed_pod("b", ReadingReason::no_series)}).why_empty() ==
          ReadingReason::no_series);
}

TEST_CASE("a quantile of a native histogram is in the unit of its signal") {
    PodReport in_milliseconds = native_pod("a");
    in_milliseconds.histograms.front().scale = 0.001;
    CHECK_THAT(highest_of(total_of({in_milliseconds})).value(), WithinRel(0.001, 1e-12));
}

} // namespace wva_metrics::detail::histogram_totals
