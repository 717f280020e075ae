// SPDX-License-Identifier: Apache-2.0

#include "memory/allocations.hpp"
#include "wva_metrics/orca/orca_ingest.hpp"
#include "wva_metrics/orca/visit_report.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string_view>

namespace wva_metrics::orca {
namespace {

using test_support::allocations;

TEST_CASE("a load report is read without an allocation, also for a pod that is known") {
    using namespace std::chrono_literals;
    OrcaIngest ingest;
    const TimePoint now{1h};
    const std::string_view text =
        "TEXT named_metrics.kv_cache_usage_perc=0.41, named_metrics.num_requests_waiting=3";
    const std::string_view json =
        R"(JSON {"named_metrics": {"kv_cache_usage_perc": 0.41, "num_requests_waiting": 3}})";
    const std::string_view pod = "a-pod-with-a-name-that-is-as-long-as-most";
    bool is_good = ingest.ingest_orca("a-namespace-of-some-length", pod, text, now).has_value();
    double sum = 0;

    const int before = allocations.count;
    for (const std::string_view value : {text, json}) {
        is_good =
            visit_report(value, [&](const OrcaMetric& metric) { sum += metric.value; }) && is_good;
        is_good = ingest.ingest_orca("a-namespace-of-some-length", pod, value, now + 1s) && is_good;
    }
    const int allocated = allocations.count - before;

    CHECK(is_good);
    CHECK(sum == 2 * 3.41);
    CHECK(allocated == 0);
}

} // namespace
} // namespace wva_metrics::orca
