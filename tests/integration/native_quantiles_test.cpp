// SPDX-License-Identifier: Apache-2.0
//
// Quantiles of native histograms that a Prometheus stores, as the library and as the server have them.
#include "integration/judged_histograms.hpp"
#include "support/asked_server.hpp"
#include "support/real_prometheus.hpp"
#include "support/scenario.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support::native_quantiles {

using Catch::Matchers::WithinRel;
using samples::NativeHistogram;

namespace {

constexpr const char* ttft = "vllm:time_to_first_token_seconds";

/// What a pod observes, per second.
void add_ttft(Scenario& cluster, const std::string& pod, const std::string& address,
              const NativeHistogram& per_second) {
    ScrapedLabels labels = cluster.target(pod, address);
    labels.insert({{"model_name", cluster.model().model_id}, {"engine", "0"}});
    const std::function<double(Ago)> seconds = [](Ago ago) {
        return 7200 - std::chrono::duration<double>(ago).count();
    };
    cluster.add_encoded_histogram(ttft, labels, seconds, [per_second](double age) {
        NativeHistogram now = per_second;
        samples::scale_native(now, age);
        return samples::judged_quantiles::written_native(now);
    });
}

NativeHistogram per_second_of(int schema, samples::NativeBuckets buckets, double zero_count,
                              std::vector<double> bounds = {}) {
    NativeHistogram histogram;
    histogram.schema = schema;
    histogram.positive = std::move(buckets);
    histogram.custom_values = std::move(bounds);
    histogram.zero_count = histogram.count = zero_count;
    if (!histogram.has_custom_bounds())
        histogram.zero_threshold = 0.001;
    for (const double count : histogram.positive.counts)
        histogram.count += count;
    histogram.sum = histogram.count / 4;
    return histogram;
}

double judged_by(const RealServer& server, const std::string& quantile,
                 const std::string& selector) {
    const HttpAnswer answer = server.query("histogram_quantile(" + quantile + ", sum(rate(" + ttft +
                                           selector + "[1m])))");
    REQUIRE(answer.status == 200);
    const boost::json::value result = boost::json::parse(answer.body).at("data").at("result");
    return std::strtod(result.at(0).at("value").at(1).as_string().c_str(), nullptr);
}

} // namespace

TEST_CASE("quantiles from stored native histograms are those of Prometheus 3 itself") {
    const auto binary = program_at("WVA_METRICS_PROMETHEUS3");
    if (!binary)
        SKIP(prometheus_missing);
    RealPrometheus server(*binary, {.arguments = {"--web.enable-remote-write-receiver",
                                                  "--enable-feature=native-histograms"}});
    Scenario cluster(server);
    const std::string a = "llama-7d9f8b6c5d-aaaaa";
    const std::string b = "llama-7d9f8b6c5d-bbbbb";
    cluster.add(ServingProcess{}, cluster.target(a));
    cluster.add(ServingProcess{.started = std::chrono::minutes(50)},
                cluster.target(b, "10.0.0.2:8000"));
    SECTION("with a schema") {
        add_ttft(cluster, a, "10.0.0.1:8000",
                 per_second_of(3, {{{-20, 3}, {4, 2}}, {0.3, 0.7, 0.4, 0.9, 0.2}}, 0.1));
        // Coarser, and slower.
        add_ttft(cluster, b, "10.0.0.2:8000",
                 per_second_of(2, {{{-3, 4}, {9, 1}}, {0.11, 0.35, 0.23, 0.7, 0.05}}, 0));
    }
    SECTION("with bounds of their own") {
        const std::vector<double> bounds{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                         0.25,  0.5,   0.75, 1,    2.5,  5,    7.5,  10};
        const int custom = NativeHistogram::custom_schema;
        add_ttft(cluster, a, "10.0.0.1:8000",
                 per_second_of(custom, {{{7, 3}, {2, 1}}, {0.3, 0.9, 0.4, 0.2}}, 0, bounds));
        // It shows other bounds.
        add_ttft(cluster, b, "10.0.0.2:8000",
                 per_second_of(custom, {{{0, 1}, {4, 2}}, {0.05, 0.35, 0.23}}, 0, bounds));
    }
    cluster.write();

    AskedServer asked(server);
    asked.config.optional_readings = {OptionalReading::ttft_p50_seconds,
                                      OptionalReading::ttft_p90_seconds,
                                      OptionalReading::ttft_p99_seconds};
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    REQUIRE(replicas.pods.size() == 2);
    const std::string of_model = "{namespace=\"" + cluster.namespace_name() + "\"";
    for (const auto& [which, q] : {std::pair(OptionalReading::ttft_p50_seconds, "0.5"),
                                   std::pair(OptionalReading::ttft_p90_seconds, "0.9"),
                                   std::pair(OptionalReading::ttft_p99_seconds, "0.99")}) {
        CAPTURE(q);
        CHECK_THAT(load.optional.find(which).value(),
                   WithinRel(judged_by(server, q, of_model + "}"), 1e-9));
        for (const ReplicaSample& pod : replicas.pods) {
            CAPTURE(pod.pod);
            CHECK_THAT(
                pod.optional.find(which).value(),
                WithinRel(judged_by(server, q, of_model + ",pod=\"" + pod.pod + "\"}"), 1e-9));
        }
    }
}

} // namespace wva_metrics::test_support::native_quantiles
