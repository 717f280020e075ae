// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/engine/engine_profile.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;

namespace {

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("each signal has its own member") {
    EngineProfile profile;
    for (const SignalInfo& info : signals)
        profile[info.signal] = {std::string(info.name)};
    CHECK(profile.running == Texts{"running"});
    CHECK(profile.queue_length == Texts{"queue_length"});
    for (const SignalInfo& info : signals)
        CHECK(std::as_const(profile)[info.signal] == Texts{std::string(info.name)});
}

TEST_CASE("the names of vLLM are its current ones first, then the older ones") {
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
    CHECK(profile[Signal::queue_length] ==
          Texts{R"(vllm:num_requests_waiting_by_reason{reason="capacity"})",
                "vllm:num_requests_waiting"});
}

TEST_CASE("the labels of a profile can have other names") {
    EngineProfile profile = vllm_profile();
    profile.labels = {.namespace_name = "kubernetes_namespace",
                      .model = "model",
                      .pod = "pod_name",
                      .engine = {},
                      .copies = {"rank"}};
    profile.kube_state.namespace_name = "exported_namespace";
    profile.kube_state.pod = "exported_pod";
    CHECK(validate(profile).empty());
}

TEST_CASE("all problems of a profile are reported together") {
    EngineProfile profile = vllm_profile();
    profile.name.clear();
    profile.running.clear();
    profile.ttft = {"time-to-first"};
    profile.itl = {"a", "b", "a"};
    profile.queue_length = {"NaN"};
    profile.labels.pod = "a:b";
    profile.labels.engine = {"engine", "model_name", "__name__"};
    profile.labels.copies = {"without"};
    profile.kube_state.pod_info = "";
    profile.kube_state.owner_kind = "pod";
    CHECK(validate(profile) ==
          Texts{
              "name must not be empty",
              "running: at least one metric name is required, because it shows that a server "
              "reports",
              "ttft: \"time-to-first\" is not a valid metric name",
              "itl: \"a\" is listed more than once",
              "queue_length: \"NaN\" is a reserved word of PromQL and cannot be queried",
              "labels: \"a:b\" is not a valid label name",
              "labels: \"model_name\" is used more than once",
              "labels: \"__name__\" is internal to Prometheus; no result carries it",
              "labels: \"without\" is a reserved word of PromQL and cannot be grouped by",
              "kube_state: \"\" is not a valid metric name",
              "kube_state: \"pod\" is used more than once",
          });
}

TEST_CASE("the number of names per signal is limited") {
    EngineProfile profile = vllm_profile();
    profile.ttft.clear();
    for (std::size_t i = 0; i < max_metrics_per_signal; ++i)
        profile.ttft.push_back("m" + std::to_string(i));
    CHECK(validate(profile).empty());
    profile.ttft.emplace_back("one_more");
    CHECK(validate(profile) == Texts{"ttft: at most 16 metric names are allowed"});
}
