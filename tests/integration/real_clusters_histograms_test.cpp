// SPDX-License-Identifier: Apache-2.0
//
// Histograms that Prometheus stores as native ones, and quantiles of classic ones.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

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

/// The buckets of a histogram of a pod, which grow evenly; `shares` of them are within each bound.
void add_buckets(Scenario& cluster, const std::string& pod, const std::string& address,
                 double per_second, const std::vector<std::pair<std::string, double>>& shares) {
    for (const auto& [le, share] : shares) {
        ScrapedLabels labels = cluster.target(pod, address);
        labels.insert({{"model_name", cluster.model().model_id}, {"engine", "0"}, {"le", le}});
        const double rate = per_second * share;
        cluster.add_series("vllm:time_to_first_token_seconds_bucket", labels, {},
                           std::function<double(Ago)>([rate](Ago ago) {
                               return 7200 * rate -
                                      rate * std::chrono::duration<double>(ago).count();
                           }));
    }
}

/// What the server itself says.
double quantile_by(const RealServer& server, const std::string& quantile,
                   const std::string& selector) {
    const HttpAnswer answer = server.query(
        "histogram_quantile(" + quantile +
        ", sum by (le) (rate(vllm:time_to_first_token_seconds_bucket" + selector + "[1m])))");
    REQUIRE(answer.status == 200);
    const boost::json::value result = boost::json::parse(answer.body).at("data").at("result");
    return std::strtod(result.at(0).at("value").at(1).as_string().c_str(), nullptr);
}

} // namespace

TEST_CASE("quantiles of a replica and of a variant are those of Prometheus itself") {
    RealServer& server = each_prometheus();
    Scenario cluster(server);
    const std::string a = "llama-7d9f8b6c5d-aaaaa";
    const std::string b = "llama-7d9f8b6c5d-bbbbb";
    cluster.add(ServingProcess{}, cluster.target(a));
    cluster.add(ServingProcess{.started = std::chrono::minutes(50)},
                cluster.target(b, "10.0.0.2:8000"));
    add_buckets(cluster, a, "10.0.0.1:8000", 3,
                {{"0.1", 0.25}, {"0.5", 0.5}, {"1.0", 0.75}, {"+Inf", 1}});
    add_buckets(cluster, b, "10.0.0.2:8000", 0.7, {{"0.1", 0.01}, {"0.5", 0.3}, {"+Inf", 1}});
    cluster.write();

    AskedServer asked(server);
    asked.config.optional_readings = {OptionalReading::ttft_p50_seconds,
                                      OptionalReading::ttft_p90_seconds,
                                      OptionalReading::ttft_p99_seconds};
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(server.name());
    REQUIRE(replicas.pods.size() == 2);
    const std::string of_model = "{namespace=\"" + cluster.namespace_name() + "\"";
    for (const auto& [which, q] : {std::pair(OptionalReading::ttft_p50_seconds, "0.5"),
                                   std::pair(OptionalReading::ttft_p90_seconds, "0.9"),
                                   std::pair(OptionalReading::ttft_p99_seconds, "0.99")}) {
        CAPTURE(q);
        CHECK_THAT(load.optional.find(which).value(),
                   WithinRel(quantile_by(server, q, of_model + "}"), 1e-9));
        for (const ReplicaSample& pod : replicas.pods)
            CHECK_THAT(
                pod.optional.find(which).value(),
                WithinRel(quantile_by(server, q, of_model + ",pod=\"" + pod.pod + "\"}"), 1e-9));
    }
}

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
