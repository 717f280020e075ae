// SPDX-License-Identifier: Apache-2.0
//
// Why a model has no number, on real servers.
#include "support/diagnosed_scenario.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/promql/diagnosis_queries.hpp"
#include "wva_metrics/signal.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a real model that is well has no finding but the make of its server") {
    DiagnosedScenario a(each_server());
    a.add_healthy();
    a.diagnose();
    INFO(a.all());
    CHECK(a.diagnosis.is_healthy());
    CHECK(a.remarks() == FindingNames{"server_make"});
    const bool is_victoria = a.cluster.server().name() == "victoria-metrics";
    CHECK_THAT(a.text(FindingCode::server_make),
               ContainsSubstring(is_victoria ? "victoria_metrics" : "prometheus"));
}

TEST_CASE("an id that a real server does not have comes with the nearest") {
    DiagnosedScenario a(each_server());
    a.add_healthy();
    a.diagnose({a.cluster.namespace_name(), "acme/" + a.cluster.namespace_name() + "-lama-3"});
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"model_id_mismatch"});
    CHECK_THAT(a.text(FindingCode::model_id_mismatch),
               ContainsSubstring("nearest is '" + a.process.model + "'"));
}

TEST_CASE("a namespace in which a real server does not have the model comes with the right one") {
    DiagnosedScenario a(each_server());
    a.add_healthy();
    a.diagnose({"nowhere", a.process.model});
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"wrong_namespace"});
    CHECK_THAT(a.text(FindingCode::wrong_namespace),
               ContainsSubstring("'" + a.cluster.namespace_name() + "'"));
}

TEST_CASE("labels that the series of a real server lack are named") {
    DiagnosedScenario a(each_prometheus());
    ScrapedLabels labels = a.target();
    std::string label;
    SECTION("namespace") {
        labels.erase("namespace");
        a.cluster.add(a.process, labels);
        label = "'namespace'";
    }
    SECTION("pod") {
        labels.erase("pod");
        a.cluster.add(a.process, labels);
        label = "'pod'";
    }
    SECTION("model") {
        labels["served_model_name"] = a.process.model;
        a.cluster.add_series("vllm:num_requests_running", labels, {}, 2);
        label = "'served_model_name'";
    }
    SECTION("model, and no other label has it") {
        a.cluster.add_series("vllm:num_requests_running", labels, {}, 2);
        label = "'model_name'";
    }
    a.report_pod();
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"label_missing"});
    CHECK_THAT(a.text(FindingCode::label_missing), ContainsSubstring(label));
}

TEST_CASE("a real scrape that does not honour labels is named, with the label to use") {
    DiagnosedScenario a(each_prometheus());
    const std::string scrapers = a.cluster.namespace_name() + "-monitoring";
    a.cluster.add(a.process, a.target({{"namespace", scrapers},
                                       {"pod", "prometheus-0"},
                                       {"exported_namespace", a.cluster.namespace_name()},
                                       {"exported_pod", a.pod}}));
    a.cluster.write();
    SECTION("the right id") {
        a.diagnose();
        INFO(a.all());
        CHECK(a.problems() == FindingNames{"labels_not_honored"});
        CHECK_THAT(a.text(FindingCode::labels_not_honored),
                   ContainsSubstring("'exported_namespace'"));
        CHECK_THAT(a.text(FindingCode::labels_not_honored), !ContainsSubstring(scrapers));
    }
    SECTION("another id") {
        a.diagnose({a.cluster.namespace_name(), "acme/other"});
        INFO(a.all());
        CHECK(a.problems() == FindingNames{"labels_not_honored", "model_id_mismatch"});
    }
    SECTION("with that label it is well") {
        a.asked.config.engine.labels.namespace_name = "exported_namespace";
        a.asked.config.engine.labels.pod = "exported_pod";
        a.asked.config.use_kube_state = false;
        a.diagnose();
        INFO(a.all());
        CHECK(a.diagnosis.is_healthy());
    }
}

TEST_CASE("copies in a real store are remarks that name what differs") {
    DiagnosedScenario a(each_server());
    FindingNames expected;
    SECTION("two jobs") {
        a.cluster.add(a.process, a.target({{"job", "pods"}}));
        expected = {"scraped_twice", "server_make"};
    }
    SECTION("two replicas of Prometheus") {
        a.cluster.add(a.process, a.target({{"prometheus_replica", "b"}}));
        expected = {"ha_copies", "server_make"};
    }
    a.add_healthy();
    a.diagnose();
    INFO(a.all());
    CHECK(a.diagnosis.is_healthy());
    CHECK(a.remarks() == expected);
}

TEST_CASE("two clusters in a real store are named by their label") {
    DiagnosedScenario a(each_server());
    a.cluster.add(a.process, a.target({{"cluster", "eu"}}));
    ServingProcess other = a.process;
    other.started = 50min;
    other.requests_per_minute = 120;
    a.cluster.add(other, a.target({{"cluster", "us"}, {"instance", "10.0.0.2:8000"}}));
    a.report_pod();
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"several_clusters"});
    CHECK_THAT(a.text(FindingCode::several_clusters), ContainsSubstring("\"cluster\""));
    a.asked.config.matchers = {{"cluster", promql::MatchOperator::equal, "eu"}};
    a.diagnose();
    CHECK(a.diagnosis.is_healthy());
    a.asked.config.matchers = {{"cluster", promql::MatchOperator::equal, "asia"}};
    a.diagnose();
    CHECK(a.problems() == FindingNames{"matchers_exclude"});
}

TEST_CASE("scrapes that are too rare for the window are named with their interval") {
    DiagnosedScenario a(each_prometheus());
    bool is_healthy = true;
    SECTION("a longer window has a rate") {
        a.cluster.add(a.process, a.target(), {.first = 15min, .every = 60s});
    }
    SECTION("no window has two samples") {
        a.cluster.add(a.process, a.target(), {.first = 40min, .last = 45s, .every = 6min});
        is_healthy = false;
    }
    a.report_pod();
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.diagnosis.is_healthy() == is_healthy);
    if (is_healthy) {
        CHECK(a.remarks() == FindingNames{"scrape_interval_too_long", "server_make"});
        CHECK_THAT(a.text(FindingCode::scrape_interval_too_long), ContainsSubstring("every 1m"));
    } else {
        CHECK(a.problems() == FindingNames{"scrape_interval_too_long"});
    }
}

TEST_CASE("a pod that was scraped once has no rate yet") {
    DiagnosedScenario a(each_server());
    a.process.started = 12s;
    a.cluster.add(a.process, a.target(), {.first = 1s});
    a.report_pod();
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"warming_up"});
    CHECK_THAT(a.text(FindingCode::warming_up), ContainsSubstring("'" + a.pod + "'"));
}

TEST_CASE("a real namespace with very many ids is said to have them") {
    DiagnosedScenario a(each_server());
    const std::size_t ids = GENERATE(promql::max_nearby_models, promql::max_nearby_models + 1);
    for (std::size_t i = 0; i < ids; ++i)
        a.cluster.add_series("vllm:num_requests_running",
                             a.target({{"model_name", "acme/other-" + std::to_string(i)}}),
                             {.first = 61s, .every = 60s}, 1);
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"model_id_mismatch"});
    const bool is_cut =
        a.text(FindingCode::model_id_mismatch).find("too many") != std::string::npos;
    CHECK(is_cut == (ids > promql::max_nearby_models));
}

TEST_CASE("metrics with another prefix come with what to write, which then fits") {
    DiagnosedScenario a(each_prometheus());
    const std::string prefix = GENERATE("ray_vllm_", "kserve_vllm:");
    const auto renamed = [&](const std::string& name) {
        return prefix + name.substr(std::string("vllm:").size());
    };
    ScrapedLabels labels = a.target({{"model_name", a.process.model}});
    for (const Signal signal : all_signals)
        for (const std::string& name : exposed_metrics(a.asked.config.engine, signal))
            a.cluster.add_series(renamed(name), labels, {}, std::function<double(Ago)>([](Ago ago) {
                                     return std::chrono::duration<double>(1h - ago).count();
                                 }));
    a.report_pod();
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"metrics_renamed"});
    CHECK_THAT(a.text(FindingCode::metrics_renamed),
               ContainsSubstring("write '" + prefix + "' for 'vllm:'"));
}

TEST_CASE("a target that a real server cannot read is named by its job") {
    DiagnosedScenario a(each_server());
    a.cluster.add_series("up", a.target(), {}, 0.0);
    ScrapedLabels other = a.target();
    other["job"] = "frontend";
    a.cluster.add_series("up", other, {}, 1.0);
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"scrape_failed"});
    CHECK_THAT(a.text(FindingCode::scrape_failed),
               ContainsSubstring("'vllm'") && !ContainsSubstring("frontend"));
}

TEST_CASE("metrics that ended on a real server are stale since then") {
    DiagnosedScenario a(each_prometheus());
    a.cluster.add(a.process, a.target(), {.first = 15min, .last = 10min, .end_marked = 585s});
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"metrics_stale"});
}

TEST_CASE("kube-state-metrics of a real server may be absent, or about other pods") {
    DiagnosedScenario a(each_prometheus());
    a.cluster.add(a.process, a.target());
    std::string_view expected = "kube_state_elsewhere";
    SECTION("absent") {
        a.asked.config.kube_state_matchers = {{"job", promql::MatchOperator::equal, "nobody"}};
        expected = "kube_state_absent";
    }
    SECTION("of another namespace") {
        Scenario other(a.cluster.server());
        other.add(ReportedPod{.pod = "other-0"});
        other.write();
    }
    SECTION("of other pods of this one") {
        a.cluster.add(ReportedPod{.pod = "other-0"});
    }
    a.cluster.write();
    a.diagnose();
    INFO(a.all());
    CHECK(a.problems() == FindingNames{expected});
}

TEST_CASE("pods of a real server that match no variant come with the nearest") {
    DiagnosedScenario a(each_server());
    a.add_healthy();
    a.diagnose(a.model(), {a.variant("llama-v2"), a.variant("qwen")});
    INFO(a.all());
    CHECK(a.problems() == FindingNames{"pods_match_no_variant"});
    CHECK_THAT(a.text(FindingCode::pods_match_no_variant),
               ContainsSubstring("nearest is 'llama-v2'"));
}

TEST_CASE("a diagnosis asks a real server at most three queries more than a round") {
    RealServer& server = each_prometheus();
    const auto& counted = dynamic_cast<const RealPrometheus&>(server);
    DiagnosedScenario a(server);
    a.add_healthy();
    const auto queries = [&](const auto& call) {
        const double before = counted.query_count();
        call();
        return counted.query_count() - before;
    };
    const double round = queries([&] { a.asked.replicas(a.model()); });
    CHECK(queries([&] { a.diagnose(); }) <= round + 3);
    const ModelKey absent(a.cluster.namespace_name(), "acme/other");
    const double round_of_absent = queries([&] { a.asked.replicas(absent); });
    CHECK(queries([&] { a.diagnose(absent); }) <= round_of_absent + 3);
    a.asked.config.kube_state_matchers = {{"job", promql::MatchOperator::equal, "nobody"}};
    CHECK(queries([&] { a.diagnose(); }) <= round + 3);
}
