// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/raw_query.hpp"

#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"
#include "wva_metrics/prometheus/client.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// The raw answer of a query: the samples of each series, by its name and some of its labels.
using RawAnswer = std::map<std::string, std::vector<samples::Sample>>;

RawAnswer ask_raw(AskedServer& asked, const std::string& query,
                  std::optional<samples::ServerTime> time = {}) {
    prometheus::Client client(asked.io.get_executor(), asked.config.client);
    RawAnswer answer;
    const auto result = asked.run(client.query(
        query,
        [&](const prometheus::SeriesView& series) {
            answer[std::string(series.label("__name__")) + " " + std::string(series.label("pod")) +
                   std::string(series.label("finished_reason"))]
                .assign(series.samples.begin(), series.samples.end());
        },
        {.time = time}, std::chrono::steady_clock::now() + 1min));
    INFO(query);
    if (result.has_error())
        FAIL(result.error().message);
    return answer;
}

} // namespace

TEST_CASE("every server sends the samples of a range selector with their own times") {
    RealServer& server = each_server();
    INFO(server.name());
    Scenario cluster(server);
    cluster.add(ServingProcess{.kv_usage = Course::step(0.9, 20s, 0.1)}, cluster.target("a"));
    cluster.add(ServingProcess{}, cluster.target("ended", "10.0.0.2:8000"),
                {.last = 31s, .end_marked = 16s});
    cluster.write();

    AskedServer asked(server);
    const promql::RawQueries queries(asked.config.engine, {});
    const promql::QueryScope scope{{cluster.namespace_name()}, {"meta/llama"}};
    const RawAnswer living = ask_raw(asked, queries.living(scope).value());
    REQUIRE(living.contains(" "));
    const samples::ServerTime now = living.at(" ").at(0).time;
    const bool is_victoria_metrics = server.name() == "victoria-metrics";
    if (!is_victoria_metrics) {
        CHECK(living.contains("vllm:num_requests_running a"));
        CHECK_FALSE(living.contains("vllm:num_requests_running ended"));
    }

    const RawAnswer answer = ask_raw(asked, queries.samples(scope, 1min).value(), now);
    // Three gauges, two reasons to finish, four histograms, and `up`; of both pods.
    CHECK(answer.size() == 2 * (3 + 2 + 4 * 2 + 1));
    const auto& kv = answer.at("vllm:kv_cache_usage_perc a");
    REQUIRE(kv.size() >= 3);
    // VictoriaMetrics counts whole seconds of its clock.
    CHECK(now - kv.back().time >= 0s);
    CHECK(now - kv.front().time <= 1min);
    CHECK(kv.back().time - kv.front().time == 15s * (kv.size() - 1));
    CHECK(kv.back().value == 0.1);
    CHECK(kv[kv.size() - 3].value == 0.9);

    // VictoriaMetrics sends the marker of the end.
    const auto& ended = answer.at("vllm:kv_cache_usage_perc ended");
    CHECK(std::isnan(ended.back().value) == is_victoria_metrics);
    CHECK(ended[ended.size() - 1 - (is_victoria_metrics ? 1 : 0)].value == 0.5);
    const auto& requests = answer.at("vllm:request_success_total astop");
    CHECK(std::abs(requests.back().value - requests.front().value -
                   0.75 * 15 * static_cast<double>(requests.size() - 1)) < 1e-6);
}

TEST_CASE("Prometheus sends native histograms with the count and sum of what they counted") {
    RealServer& server = each_prometheus();
    Scenario cluster(server);
    cluster.add(ServingProcess{.has_native_histograms = true}, cluster.target("a"));
    cluster.write();
    AskedServer asked(server);
    prometheus::Client client(asked.io.get_executor(), asked.config.client);
    std::size_t histograms = 0;
    const auto result = asked.run(client.query(
        "vllm:time_to_first_token_seconds{namespace=\"" + cluster.namespace_name() + "\"}[1m]",
        [&](const prometheus::SeriesView& series) {
            CHECK(series.samples.empty());
            histograms += series.histograms.size();
            for (const prometheus::HistogramSample& histogram : series.histograms)
                CHECK(std::abs(histogram.sum - 0.25 * histogram.count) < 1e-6);
        },
        {}, std::chrono::steady_clock::now() + 1min));
    INFO(server.name());
    CHECK(result.has_value());
    CHECK((histograms == 3 || histograms == 4));
}
