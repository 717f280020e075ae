// SPDX-License-Identifier: Apache-2.0
//
// What the simulated servers write, read as the library reads it: it finds out what kind of server
// it is, and measures what was simulated.
#include "unit/examples/vllm_fleet/measured_pod.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vllm_fleet::measuring {

namespace {

using Catch::Matchers::WithinRel;
using wva_metrics::KnownEngine;
using wva_metrics::ReadingReason;
using wva_metrics::ReplicaRole;
using wva_metrics::Signal;

double sum(const std::vector<Engine>& engines, double (*value)(const Engine&)) {
    return std::accumulate(
        engines.begin(), engines.end(), 0.0,
        [&](double total, const Engine& engine) { return total + value(engine); });
}

double fullest(const std::vector<Engine>& engines) {
    double usage = 0;
    for (const Engine& engine : engines)
        usage = std::max(usage, engine.kv_cache_usage());
    return usage;
}

/// What a histogram has observed on average since the first scrape.
double average_of(const MeasuredPod& pod, Histogram Engine::*histogram) {
    double total = 0;
    double count = 0;
    for (std::size_t i = 0; i < pod.engines().size(); ++i) {
        const Histogram& now = pod.engines()[i].*histogram;
        const Histogram& before = pod.engines_before()[i].*histogram;
        total += now.sum - before.sum;
        count += static_cast<double>(now.count - before.count);
    }
    return total / count;
}

double growth(const MeasuredPod& pod, double (*value)(const Engine&)) {
    return sum(pod.engines(), value) - sum(pod.engines_before(), value);
}

KnownEngine kind_of(const Dialect& dialect) {
    const std::string_view name = dialect.name.substr(0, dialect.name.find("_prefill"));
    return wva_metrics::find_engine(name.substr(0, name.find("_decode"))).value();
}

bool provides(const Dialect& dialect, Signal signal) {
    return !wva_metrics::profile_of(kind_of(dialect))[signal].empty();
}

std::size_t count_series(const MeasuredPod& pod, std::string_view begin) {
    return static_cast<std::size_t>(std::ranges::count_if(
        pod.last_page().series, [&](const auto& each) { return each.first.starts_with(begin); }));
}

} // namespace

TEST_CASE("the simulated page of each kind of server is recognized") {
    for (const Dialect* dialect : dialects) {
        CAPTURE(dialect->name);
        const auto found = MeasuredPod(*dialect).last_page().engines();
        REQUIRE_FALSE(found.empty());
        if (dialect == &kserve_dialect) // The copies stand beside what vLLM writes.
            CHECK((found.size() == 2 && found[1].engine == KnownEngine::kserve));
        else
            CHECK((found.size() == 1 && found[0].engine == kind_of(*dialect)));
    }
}

TEST_CASE("of each kind of server, what was simulated is measured") {
    for (const Dialect* dialect : dialects)
        for (const std::size_t engines : {1U, 2U}) {
            if (engines > 1 && dialect->one_engine)
                continue;
            CAPTURE(dialect->name, engines);
            const MeasuredPod pod(*dialect, engines);
            const auto measured = pod.measured_last();
            REQUIRE(sum(pod.engines(), measured::waiting) > 0);
            CHECK(measured.value(Signal::queue_length) == sum(pod.engines(), measured::waiting));
            if (provides(*dialect, Signal::running))
                CHECK(measured.value(Signal::running) == sum(pod.engines(), measured::running));
            if (provides(*dialect, Signal::kv_cache_usage))
                CHECK(measured.value(Signal::kv_cache_usage) == fullest(pod.engines()));
        }
}

TEST_CASE("of each kind of server, the simulated rate and averages are measured") {
    for (const Dialect* dialect : dialects) {
        CAPTURE(dialect->name);
        const MeasuredPod pod(*dialect);
        const auto measured = pod.measured();
        const auto check = [&](Signal signal, double expected) {
            CAPTURE(wva_metrics::to_string(signal));
            if (provides(*dialect, signal))
                CHECK_THAT(measured.value(signal).value(), WithinRel(expected, 1e-9));
            else
                CHECK(measured.reason(signal) == ReadingReason::not_provided);
        };
        const bool counts_latencies = dialect == &lmdeploy_dialect || dialect == &dynamo_dialect;
        check(Signal::arrival_rate,
              growth(pod, counts_latencies ? measured::count_of<&Engine::e2e_request_latency>
                                           : measured::finished) /
                  MeasuredPod::seconds_measured);
        check(Signal::ttft, average_of(pod, &Engine::time_to_first_token));
        if (dialect == &llama_cpp_dialect)
            check(Signal::itl, growth(pod, measured::sum_of<&Engine::request_decode_time>) /
                                   growth(pod, llama_cpp::generated));
        else
            check(Signal::itl,
                  average_of(pod, dialect == &tgi_dialect ? &Engine::request_mean_token_time
                                                          : &Engine::inter_token_latency));
        const bool divides = dialect == &trtllm_dialect || dialect->name.starts_with("sglang");
        const double requests = growth(pod, measured::finished);
        check(Signal::input_tokens, divides ? growth(pod, measured::prompt_tokens) / requests
                                            : average_of(pod, &Engine::request_prompt_tokens));
        check(Signal::output_tokens, divides ? growth(pod, measured::generation_tokens) / requests
                                             : average_of(pod, &Engine::request_generation_tokens));
    }
}

TEST_CASE("a simulated llama.cpp does not tell its KV cache, which is not 0") {
    const MeasuredPod pod(llama_cpp_dialect);
    CHECK(pod.measured().reason(Signal::kv_cache_usage) == ReadingReason::not_provided);
    CHECK(pod.page_text().find('{') == std::string::npos);
}

TEST_CASE("a simulated SGLang server writes its gauges once per rank and tells its role") {
    const MeasuredPod pod(sglang_decode_dialect);
    CHECK(count_series(pod, "sglang:num_running_reqs{") == 2);
    CHECK(count_series(pod, "sglang:num_decode_prealloc_queue_reqs{") == 2);
    CHECK(pod.measured().report().role == ReplicaRole::decode);
    CHECK(MeasuredPod(sglang_prefill_dialect).measured().report().role == ReplicaRole::prefill);
}

TEST_CASE("a simulated Ray page has each counter twice") {
    const MeasuredPod pod(ray_dialect);
    CHECK(count_series(pod, "ray_vllm_request_success_total{") == 1);
    CHECK(count_series(pod, "ray_vllm_request_success{") == 1);
}

TEST_CASE("the page of all pods has the page of each, with the labels of the scrape") {
    FleetOptions options = one_pod(vllm_dialect);
    options.variants = 6;
    options.pods = 2;
    options.dialects.assign(dialects.begin(), dialects.end());
    options.model_ids.emplace_back("microsoft/phi-4");
    const Fleet fleet(options);
    TextPage all;
    visit_fleet(fleet, View{}, all);
    const ReadPage read(all.text);
    CHECK(std::set<std::string>(read.families.begin(), read.families.end()).size() ==
          read.families.size());
    std::size_t lines = 0;
    for (const Model& model : fleet.models())
        for (const Deployment& deployment : model.deployments)
            for (const Pod& pod : deployment.pods) {
                TextPage own;
                visit_pod(model, pod, View{}, own);
                lines += ReadPage(own.text).series.size();
            }
    const auto of_servers = std::ranges::count_if(
        read.series, [](const auto& each) { return !each.first.starts_with("kube_"); });
    CHECK(static_cast<std::size_t>(of_servers) == lines);
}

} // namespace vllm_fleet::measuring
