// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/engine/engine_profile.hpp"

#include <catch2/catch_all.hpp>

#include <set>
#include <string>
#include <vector>

using namespace wva_metrics;

namespace {

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("every signal has a word and a computation of its own kind") {
    std::set<std::string> words;
    for (const Signal signal : all_signals) {
        words.emplace(to_string(signal));
        CHECK_FALSE(vllm_profile()[signal].empty());
    }
    CHECK(words.size() == 8);
    CHECK_FALSE(words.contains("unknown"));

    CHECK(computation_of(Signal::running) == Computation::presence);
    CHECK(computation_of(Signal::arrival_rate) == Computation::counter_rate);
    for (const Signal signal :
         {Signal::input_tokens, Signal::output_tokens, Signal::ttft, Signal::itl})
        CHECK(computation_of(signal) == Computation::average);
    for (const Signal signal : {Signal::kv_cache_usage, Signal::queue_length})
        CHECK(computation_of(signal) == Computation::gauge_peak);
}

TEST_CASE("vLLM is asked by its present names first and its older ones behind them") {
    const EngineProfile profile = vllm_profile();
    CHECK(validate(profile).empty());
    CHECK(profile.name == "vllm");
    CHECK(profile[Signal::running] == Texts{"vllm:num_requests_running"});
    CHECK(profile[Signal::arrival_rate] == Texts{"vllm:request_success_total"});
    CHECK(profile[Signal::input_tokens] == Texts{"vllm:request_prompt_tokens"});
    CHECK(profile[Signal::output_tokens] == Texts{"vllm:request_generation_tokens"});
    CHECK(profile[Signal::ttft] == Texts{"vllm:time_to_first_token_seconds"});
    CHECK(profile[Signal::itl] ==
          Texts{"vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"});
    CHECK(profile[Signal::kv_cache_usage] ==
          Texts{"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"});
    CHECK(profile[Signal::queue_length] == Texts{"vllm:num_requests_waiting"});
}

TEST_CASE("a profile may name its labels as the scrape does") {
    EngineProfile profile = vllm_profile();
    profile.labels = {.namespace_name = "kubernetes_namespace",
                      .model = "model",
                      .pod = "pod_name",
                      .engine = {}};
    profile.kube_state.namespace_name = "exported_namespace";
    profile.kube_state.pod = "exported_pod";
    CHECK(validate(profile).empty());
}

TEST_CASE("everything that is wrong with a profile is told at once") {
    EngineProfile profile = vllm_profile();
    profile.name.clear();
    profile.running.clear();
    profile.ttft = {"time-to-first"};
    profile.itl = {"a", "b", "a"};
    profile.queue_length = {"NaN"};
    profile.labels.pod = "a:b";
    profile.labels.engine = {"engine", "model_name", "wva_part", "__name__", "without"};
    profile.kube_state.pod_info = "";
    profile.kube_state.owner_kind = "pod";
    CHECK(validate(profile) ==
          Texts{
              "name must not be empty",
              "running: at least one metric name is required",
              "ttft: \"time-to-first\" is not a valid metric name",
              "itl: \"a\" is listed more than once",
              "queue_length: \"NaN\" is a reserved word of PromQL and cannot be queried",
              "labels: \"a:b\" is not a valid label name",
              "labels: \"model_name\" is used more than once",
              "labels: \"wva_part\" is reserved for the queries",
              "labels: \"__name__\" is internal to Prometheus; no result carries it",
              "labels: \"without\" is a reserved word of PromQL and cannot be grouped by",
              "kube_state: \"\" is not a valid metric name",
              "kube_state: \"pod\" is used more than once",
          });
}

TEST_CASE("a signal has a bounded number of names") {
    EngineProfile profile = vllm_profile();
    profile.ttft.clear();
    for (std::size_t i = 0; i < max_metrics_per_signal; ++i)
        profile.ttft.push_back("m" + std::to_string(i));
    CHECK(validate(profile).empty());
    profile.ttft.emplace_back("one_more");
    CHECK(validate(profile) == Texts{"ttft: at most 16 metric names are allowed"});
}
