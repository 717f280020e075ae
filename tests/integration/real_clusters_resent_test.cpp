// SPDX-License-Identifier: Apache-2.0
//
// Senders repeat a batch whose confirmation they did not receive. VictoriaMetrics keeps both copies
// of each sample.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <catch2/catch_all.hpp>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

TEST_CASE("a batch of samples that was sent twice changes nothing") {
    Scenario cluster(each_server());
    if (cluster.server().name() != "victoria-metrics")
        SKIP("Prometheus rejects samples that it has");
    cluster.add(ServingProcess{}, cluster.target("llama-7d9f8b6c5d-aaaaa"));
    cluster.write(2);
    AskedServer asked(cluster.server());
    INFO(cluster.server().name());
    CHECK_THAT(asked.optimizer(cluster.variant()).arrival_rate_per_minute.value_or(-1),
               WithinRel(60.0, 1e-6));
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    REQUIRE(replicas.pods.size() == 1);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 3);
}
