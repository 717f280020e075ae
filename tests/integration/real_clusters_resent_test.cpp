// SPDX-License-Identifier: Apache-2.0
//
// Senders repeat a batch whose confirmation they did not receive, and two may disagree about one
// sample. VictoriaMetrics keeps both.
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

TEST_CASE("two senders that disagree about one sample do not spoil the answers for others") {
    RealServer& server = each_server();
    if (server.name() != "victoria-metrics")
        SKIP("Prometheus rejects samples that it has");
    Scenario torn(server);
    Scenario whole(server);
    whole.add(ServingProcess{}, whole.target("llama-7d9f8b6c5d-aaaaa"));
    whole.write();
    ScrapedLabels labels = torn.target("llama-7d9f8b6c5d-bbbbb");
    torn.add(ServingProcess{.queue = 3}, labels);
    labels.insert({{"model_name", ServingProcess{}.model}, {"engine", ServingProcess{}.engine}});
    torn.add_series("vllm:num_requests_waiting", labels, {}, 30.0);
    torn.write();
    AskedServer asked(server);
    PrometheusBackend backend(asked.io.get_executor(), asked.config);
    const auto both = asked.run(backend.fetch_replica_samples({torn.model(), whole.model()}));
    REQUIRE(both.size() == 2);
    REQUIRE(both[0].has_value());
    REQUIRE(both[1].has_value());
    REQUIRE(both[0]->pods.size() == 1);
    CHECK(both[0]->pods[0].queue_length.value_or(-1) == 30);
    REQUIRE(both[1]->pods.size() == 1);
    CHECK(both[1]->pods[0].queue_length.value_or(-1) == 3);
}
