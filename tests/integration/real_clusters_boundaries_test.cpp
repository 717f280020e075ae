// SPDX-License-Identifier: Apache-2.0
//
// Several clusters in one store, and a scrape that renames the labels of the pods.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

/// What is read of the model `llama`; both answers.
struct BoundaryAnswers {
    explicit BoundaryAnswers(AskedServer& asked, const Scenario& cluster,
                             const std::string& kind = "Deployment")
        : load(asked.optimizer(cluster.variant("llama", kind))),
          replicas(asked.replicas(cluster.model())) {}

    double rate() const { return load.arrival_rate_per_minute.value_or(-1); }

    OptimizerMetrics load;
    ReplicaSamples replicas;
};

void check_ambiguous(const Scenario& cluster, const std::string& label, const std::string& kind) {
    AskedServer asked(cluster.server());
    const BoundaryAnswers answers(asked, cluster, kind);
    INFO(cluster.server().name() << ", " << label << ": " << answers.rate());
    CHECK(reason_of(answers.load.arrival_rate_per_minute) == "ambiguous");
    CHECK(reason_of(answers.load.ttft_seconds) == "ambiguous");
    for (const ReplicaSample& pod : answers.replicas.pods) {
        CHECK(reason_of(pod.queue_length) == "ambiguous");
        CHECK(reason_of(pod.kv_cache_usage) == "ambiguous");
    }
    for (const auto* warnings : {&answers.load.warnings, &answers.replicas.warnings})
        for (const std::string& words :
             {label, std::string("eu"), std::string("us"), std::string("matchers")})
            CHECK(mentions(*warnings, words));
}

/// With matchers there is one cluster: its values, and no pod of the other one.
void check_selected(const Scenario& cluster, const std::string& label, const std::string& value,
                    const std::string& pod, double rate, const std::string& kind) {
    AskedServer asked(cluster.server());
    asked.config.matchers = {{label, promql::MatchOperator::equal, value}};
    asked.config.kube_state_matchers = asked.config.matchers;
    const BoundaryAnswers answers(asked, cluster, kind);
    INFO(cluster.server().name() << ", " << label << "=" << value);
    CHECK_THAT(answers.rate(), WithinRel(rate, 1e-6));
    CHECK(answers.load.warnings.empty());
    REQUIRE(answers.replicas.pods.size() == 1);
    CHECK(answers.replicas.pods[0].pod == pod);
    CHECK(answers.replicas.pods[0].queue_length.value_or(-1) == rate / 20);
    CHECK(answers.replicas.gone_pods.empty());
    CHECK(answers.replicas.warnings.empty());
}

} // namespace

TEST_CASE("two clusters in one store are told apart by matchers, and never added up") {
    Scenario cluster(each_server());
    const std::string label = GENERATE("cluster", "k8s_cluster_name", "tenant_id");
    // The rates are 20 times the queues.
    const ServingProcess in_eu{};
    const ServingProcess in_us{.started = 50min, .requests_per_minute = 120, .queue = 6};
    std::string kind = "Deployment";
    std::string eu_pod = "llama-7d9f8b6c5d-aaaaa";
    std::string us_pod = "llama-7d9f8b6c5d-bbbbb";
    std::string us_address = "10.0.0.2:8000";
    SECTION("pods of one Deployment's name") {}
    SECTION("pods of one StatefulSet's name") {
        kind = "StatefulSet";
        eu_pod = us_pod = "llama-0";
    }
    SECTION("one pod's name and one address") {
        kind = "StatefulSet";
        eu_pod = us_pod = "llama-0";
        us_address = "10.0.0.1:8000";
    }
    for (const bool is_eu : {true, false}) {
        ScrapedLabels target = is_eu ? cluster.target(eu_pod) : cluster.target(us_pod, us_address);
        target[label] = is_eu ? "eu" : "us";
        cluster.add(is_eu ? in_eu : in_us, target, {.last = is_eu ? Ago(1s) : Ago(7s)});
        cluster.add_series("kube_pod_info",
                           {{"namespace", cluster.namespace_name()},
                            {"pod", is_eu ? eu_pod : us_pod},
                            {"job", "kube-state-metrics"},
                            {label, is_eu ? "eu" : "us"}},
                           {}, 1);
    }
    cluster.write();
    check_ambiguous(cluster, label, kind);
    check_selected(cluster, label, "eu", eu_pod, 60, kind);
    check_selected(cluster, label, "us", us_pod, 120, kind);
}

TEST_CASE("what is no cluster of its own is no conflict") {
    Scenario cluster(each_server());
    ScrapedLabels first = cluster.target("llama-7d9f8b6c5d-aaaaa");
    ScrapedLabels second = cluster.target("llama-7d9f8b6c5d-bbbbb", "10.0.0.2:8000");
    SECTION("zones, regions and environments") {
        first.insert({{"zone", "a"}, {"region", "eu"}, {"location", "x"}, {"env", "blue"}});
        second.insert({{"zone", "b"}, {"region", "us"}, {"location", "y"}, {"env", "green"}});
    }
    SECTION("a label that only some targets have") {
        first["cluster"] = "eu";
    }
    SECTION("one cluster") {
        first["cluster"] = second["cluster"] = "eu";
    }
    cluster.add(ServingProcess{}, first);
    cluster.add(ServingProcess{.started = 50min, .requests_per_minute = 120, .queue = 6}, second);
    cluster.write();
    AskedServer asked(cluster.server());
    const BoundaryAnswers answers(asked, cluster);
    INFO(cluster.server().name());
    CHECK_THAT(answers.rate(), WithinRel(180.0, 1e-6));
    CHECK(answers.load.warnings.empty());
    REQUIRE(answers.replicas.pods.size() == 2);
    CHECK(answers.replicas.pods[0].queue_length.value_or(-1) == 3);
    CHECK(answers.replicas.pods[1].queue_length.value_or(-1) == 6);
    CHECK(answers.replicas.warnings.empty());
}

TEST_CASE("a cluster that got another name a minute ago is one cluster") {
    Scenario cluster(each_server());
    const std::string pod = "llama-7d9f8b6c5d-aaaaa";
    ScrapedLabels old_name = cluster.target(pod);
    ScrapedLabels new_name = old_name;
    old_name["cluster"] = "eu-old";
    new_name["cluster"] = "eu";
    cluster.add(ServingProcess{}, old_name, {.last = 76s, .end_marked = 61s});
    cluster.add(ServingProcess{}, new_name, {.first = 61s, .last = 1s});
    cluster.write();
    AskedServer asked(cluster.server());
    const BoundaryAnswers answers(asked, cluster);
    INFO(cluster.server().name());
    CHECK_THAT(answers.rate(), WithinRel(60.0, 1e-6));
    REQUIRE(answers.replicas.pods.size() == 1);
    CHECK(answers.replicas.pods[0].queue_length.value_or(-1) == 3);
}

TEST_CASE(
    "a scrape that does not honour labels is named in the hint, not the scraper's namespace") {
    Scenario cluster(each_server());
    const std::string scrapers = cluster.namespace_name() + "-monitoring";
    const auto target = [&](const std::string& pod, const std::string& address) {
        ScrapedLabels labels = cluster.target("prometheus-agent-0", address);
        labels["namespace"] = scrapers;
        labels["exported_namespace"] = cluster.namespace_name();
        labels["exported_pod"] = pod;
        return labels;
    };
    cluster.add(ServingProcess{.queue = 4}, target("llama-7d9f8b6c5d-aaaaa", "10.0.0.1:8000"));
    cluster.add(ServingProcess{.started = 50min, .queue = 90},
                target("llama-7d9f8b6c5d-bbbbb", "10.0.0.2:8000"));
    cluster.write();
    AskedServer asked(cluster.server());
    asked.config.use_kube_state = false;

    const Availability availability = asked.availability(cluster.model());
    INFO(cluster.server().name() << ": " << availability.message);
    CHECK_FALSE(availability.available);
    CHECK(availability.message.find("exported_namespace") != std::string::npos);
    CHECK(availability.message.find(scrapers) == std::string::npos);

    // With the label's name the pods are two, although they share the scraper's `pod`.
    asked.config.engine.labels.namespace_name = "exported_namespace";
    const BoundaryAnswers answers(asked, cluster);
    REQUIRE(answers.replicas.pods.size() == 2);
    CHECK(answers.replicas.pods[0].pod == "llama-7d9f8b6c5d-aaaaa");
    CHECK(answers.replicas.pods[0].queue_length.value_or(-1) == 4);
    CHECK(answers.replicas.pods[1].queue_length.value_or(-1) == 90);
    CHECK_THAT(answers.rate(), WithinRel(120.0, 1e-6));
}
