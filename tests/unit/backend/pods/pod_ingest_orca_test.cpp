// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include <chrono>
#include <string>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::PagedPod;
using test_support::PodsFixture;
using test_support::vllm_page;

const std::string reporting_pod = "llama-7d9f8b6c5d-aaaaa";
const std::string unknown_pod = "llama-7d9f8b6c5d-bbbbb";

TEST_CASE_METHOD(PodsFixture, "a load report in an answer is seen until the next scrape") {
    PagedPod pod(context, vllm_page({.waiting = 1, .kv_cache = 0.25}));
    config.targets = {pod.target(reporting_pod)};
    config.load_reports.blackout = 0s;
    PodBackend backend(context.get_executor(), config);
    const auto tell = [&](const std::string& name) {
        return backend.ingest_orca("llm", name,
                                   "JSON {\"named_metrics\":{\"kv_cache_usage_perc\":0.75,"
                                   "\"num_requests_waiting\":0}}",
                                   std::chrono::steady_clock::now());
    };
    // Nobody has asked for its model yet.
    CHECK(tell(reporting_pod).error().is(Errc::invalid_argument));
    CHECK(replicas(backend).pods.front().kv_cache_usage.metric() == "vllm:kv_cache_usage_perc");
    REQUIRE(tell(reporting_pod).has_value());
    CHECK(tell(unknown_pod).has_error());
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.75);
    CHECK(samples.pods[0].kv_cache_usage.metric() == orca::report_header);
    CHECK(samples.pods[0].kv_cache_usage.is_lower_bound());
    // An idle engine says nothing of the others.
    CHECK(samples.pods[0].queue_length.value() == 1);
    CHECK(pod.scrapes() == 1);

    config.load_reports.max_pods = 0;
    CHECK(PodBackend::make(context.get_executor(), config)
              .error()
              .describe()
              .find("load_reports.max_pods must be positive") != std::string::npos);
}

TEST_CASE_METHOD(PodsFixture, "a page that is read after a load report counts instead of it") {
    PagedPod pod(context, vllm_page({.kv_cache = 0.25}));
    config.targets = {pod.target(reporting_pod)};
    config.schedule.interval = 10ms;
    config.load_reports.blackout = 0s;
    config.peak_window = 0s;
    PodBackend backend(context.get_executor(), config);
    replicas(backend);
    const Result<void> taken =
        backend.ingest_orca("llm", reporting_pod, "TEXT named_metrics.kv_cache_usage_perc=0.75",
                            std::chrono::steady_clock::now());
    REQUIRE(taken.has_value());
    double kv = 0.75;
    while (kv == 0.75) // Ends: each call waits for a scrape if the last one is older than 10 ms.
        kv = replicas(backend).pods.front().kv_cache_usage.value();
    CHECK(kv == 0.25);
}

} // namespace
} // namespace wva_metrics
