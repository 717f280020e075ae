// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"
#include "support/metric_family_bytes.hpp"

#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::all_of;
using test_support::PagedPod;
using test_support::PodsFixture;
using test_support::vllm_page;

std::string page_with_capacity(const std::string& blocks) {
    return vllm_page({}) +
           "# TYPE vllm:cache_config_info gauge\n"
           "vllm:cache_config_info{block_size=\"16\",cache_dtype=\"auto\",engine=\"0\","
           "num_gpu_blocks=\"" +
           blocks + "\"} 1\n";
}

ReadingReason reason_of(const ReplicaSample& pod, OptionalReading which) {
    return pod.optional.find(which).reason();
}

TEST_CASE_METHOD(PodsFixture, "optional readings of pods of several kinds have value or reason") {
    PagedPod vllm(context, page_with_capacity("1000"));
    PagedPod young(context, page_with_capacity("None"));
    PagedPod sglang(context, "sglang:num_running_reqs{model_name=\"meta/llama\"} 2\n"
                             "sglang:max_total_num_tokens{model_name=\"meta/llama\"} 123\n");
    PagedPod llama_cpp(context, "llamacpp:requests_processing 3\nllamacpp:requests_deferred 4\n");
    PagedPod broken(context);
    broken.answer_with("500 Internal Server Error");
    config.targets = {vllm.target("a"), sglang.target("b"), llama_cpp.target("c", "meta/llama"),
                      broken.target("d"), young.target("e")};
    config.optional_readings = {
        OptionalReading::kv_capacity_tokens, OptionalReading::running_requests,
        OptionalReading::requests_per_second, OptionalReading::queue_time_p90_seconds};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 5);
    const auto value_of = [&](std::size_t pod, OptionalReading which) {
        return samples.pods[pod].optional.find(which).value();
    };
    CHECK(value_of(0, OptionalReading::kv_capacity_tokens) == 16000);
    CHECK(value_of(0, OptionalReading::running_requests) == 1);
    CHECK(reason_of(samples.pods[0], OptionalReading::requests_per_second) ==
          ReadingReason::warming_up);
    CHECK(reason_of(samples.pods[0], OptionalReading::queue_time_p90_seconds) ==
          ReadingReason::no_series);
    CHECK(value_of(1, OptionalReading::kv_capacity_tokens) == 123);
    CHECK(samples.pods[1].optional.find(OptionalReading::kv_capacity_tokens).metric() ==
          "sglang:max_total_num_tokens");
    CHECK(value_of(2, OptionalReading::running_requests) == 3);
    CHECK(reason_of(samples.pods[2], OptionalReading::kv_capacity_tokens) ==
          ReadingReason::not_provided);
    CHECK(reason_of(samples.pods[2], OptionalReading::queue_time_p90_seconds) ==
          ReadingReason::not_provided);
    CHECK(reason_of(samples.pods[4], OptionalReading::kv_capacity_tokens) ==
          ReadingReason::no_series);
    for (const OptionalReadings::Entry& entry : samples.pods[3].optional.entries()) {
        CHECK(entry.reading.reason() == ReadingReason::unread);
        CHECK(entry.reading.metric().empty()); // Nothing tells what it would be measured by.
    }
    CHECK(samples.pods[3].optional.entries().size() == 4);
    // A series that names no model is no unknown model.
    CHECK(all_of(samples.warnings).find("which model") == std::string::npos);
    // What was not chosen.
    CHECK(reason_of(samples.pods[0], OptionalReading::avg_ttft_seconds) ==
          ReadingReason::not_collected);
}

TEST_CASE_METHOD(PodsFixture, "a variant has the quantiles of its pods, or the reason for none") {
    PagedPod pod(context);
    config.targets = {pod.target("llama-7d9f8b6c5d-aaaaa")};
    config.optional_readings = {OptionalReading::ttft_p90_seconds,
                                OptionalReading::kv_capacity_tokens};
    PodBackend backend(context.get_executor(), config);
    const OptimizerMetrics metrics = optimizer(backend);
    REQUIRE(metrics.optional.entries().size() == 1);
    CHECK(metrics.optional.find(OptionalReading::ttft_p90_seconds).reason() ==
          ReadingReason::no_series);
    const OptimizerMetrics other = optimizer(backend, "other");
    CHECK(other.optional.find(OptionalReading::ttft_p90_seconds).reason() ==
          ReadingReason::unattributed);
}

TEST_CASE_METHOD(PodsFixture, "that a new process has served nothing does not show an idle pod") {
    // What the one before it did after its last scrape is not known.
    const auto page = [](int start) {
        return vllm_page({.requests = 0}) + "process_start_time_seconds " + std::to_string(start) +
               "\n";
    };
    PagedPod pod(context, page(1));
    config.targets = {pod.target("a")};
    config.schedule.interval = std::chrono::milliseconds(10);
    config.rate_window = std::chrono::milliseconds(100);
    config.optional_readings = {OptionalReading::requests_in_window};
    PodBackend backend(context.get_executor(), config);
    const auto counted = [&] {
        return replicas(backend).pods.at(0).optional.find(OptionalReading::requests_in_window);
    };
    Reading<double> requests = counted();
    CHECK(requests.reason() == ReadingReason::warming_up);
    const auto wait_for_zero = [&] {
        while (!requests.has_value())
            requests = counted();
        CHECK(requests.value() == 0);
    };
    wait_for_zero();
    // Another process for each call, because a call may see no scrape.
    for (int start = 2; requests.has_value(); ++start) {
        REQUIRE(start < 1000);
        pod.show(page(start));
        requests = counted();
    }
    CHECK(requests.reason() == ReadingReason::warming_up);
    wait_for_zero();
}

TEST_CASE_METHOD(PodsFixture, "native histograms are asked for only if a quantile is chosen") {
    namespace bytes = test_support::family_bytes;
    const std::string engine = bytes::labels({{"engine", "0"}, {"model_name", "meta/llama"}});
    const std::string histogram = bytes::number(1, 5) + bytes::real(2, 4) +
                                  bytes::signed_number(5, 3) + bytes::real(6, 0.001) +
                                  bytes::text(12, bytes::span(-4, 2)) +
                                  bytes::text(13, bytes::packed_deltas({2, 1}));
    PagedPod pod(context);
    pod.show_protobuf(bytes::family("vllm:num_requests_running", bytes::gauge_type,
                                    {engine + bytes::text(2, bytes::real(1, 7))}) +
                      bytes::family("vllm:time_to_first_token_seconds", bytes::histogram_type,
                                    {engine + bytes::text(7, histogram)}));
    config.targets = {pod.target("a")};
    const bool is_chosen = GENERATE(true, false);
    if (is_chosen)
        config.optional_readings = {OptionalReading::ttft_p90_seconds};
    else
        config.optional_readings = {OptionalReading::running_requests};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 1);
    REQUIRE(pod.server().requests().size() == 1);
    const std::string request = pod.server().requests().front();
    CHECK((request.find("application/vnd.google.protobuf") != std::string::npos) == is_chosen);
    if (is_chosen)
        CHECK(reason_of(samples.pods[0], OptionalReading::ttft_p90_seconds) ==
              ReadingReason::warming_up);
    else
        CHECK(samples.pods[0].optional.find(OptionalReading::running_requests).value() == 7);
}

} // namespace
} // namespace wva_metrics
