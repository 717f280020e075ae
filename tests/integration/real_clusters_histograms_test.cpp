// SPDX-License-Identifier: Apache-2.0
//
// Histograms that Prometheus stores as native ones.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

/// The average, or in words that it is in a native histogram.
void check_average(const OptimizerMetrics& load, const Reading<double>& reading, double average) {
    if (reading)
        CHECK_THAT(reading.value(), WithinRel(average, 1e-6));
    else
        CHECK(mentions(load.warnings, "native histogram"));
}

} // namespace

TEST_CASE("averages come from native histograms too, or the reason in words") {
    RealServer& server = each_prometheus();
    Scenario cluster(server);
    cluster.add(ServingProcess{.has_native_histograms = true},
                cluster.target("llama-7d9f8b6c5d-aaaaa"));
    SECTION("of one pod") {}
    SECTION("beside a pod with classic ones") {
        cluster.add(ServingProcess{.started = std::chrono::minutes(50)},
                    cluster.target("llama-7d9f8b6c5d-bbbbb", "10.0.0.2:8000"));
    }
    cluster.write();

    AskedServer asked(server);
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(server.name());
    CHECK(load.arrival_rate_per_minute.value_or(-1) > 59.9);
    check_average(load, load.avg_input_tokens, 100);
    check_average(load, load.avg_output_tokens, 200);
    check_average(load, load.ttft_seconds, 0.25);
    check_average(load, load.itl_seconds, 0.02);
}
