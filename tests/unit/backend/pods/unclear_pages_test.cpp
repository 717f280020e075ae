// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include <string>

// What answers, and says nothing of the model: never an idle pod, and always in words.

namespace wva_metrics {
namespace {

using test_support::all_of;
using test_support::PagedPod;
using test_support::PodsFixture;
using test_support::vllm_page;

const std::string silent_page = "# TYPE python_gc_objects_collected_total counter\n"
                                "python_gc_objects_collected_total{generation=\"0\"} 9178.0\n"
                                "process_start_time_seconds 1.7e9\n";

TEST_CASE_METHOD(PodsFixture, "a server whose metrics are switched off is not taken for no pod") {
    PagedPod pod(context, silent_page);
    config.targets = {pod.target("a")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.empty());
    CHECK(samples.partial);
    CHECK(all_of(samples.warnings).find("pod 'a' answers, but") != std::string::npos);
    CHECK(availability(backend).message.find("check that its metrics are on") != std::string::npos);
}

TEST_CASE_METHOD(PodsFixture, "a page without metrics says nothing where others have the model") {
    PagedPod sidecar(context, silent_page);
    PagedPod pod(context, vllm_page({}));
    config.targets = {pod.target("a"), sidecar.target("gateway")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.size() == 1);
    CHECK(!samples.partial);
    CHECK(all_of(samples.warnings).empty());
}

TEST_CASE_METHOD(PodsFixture, "a model that no page has is told with the nearest name") {
    PagedPod pod(context, vllm_page({.model = "meta/llama-3"}));
    PagedPod other(context, vllm_page({.model = "qwen"}));
    config.targets = {pod.target("a"), other.target("b")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.empty());
    CHECK(!samples.partial);
    CHECK(all_of(samples.warnings)
              .find("the nearest of the models that they have is "
                    "'meta/llama-3'") != std::string::npos);
}

TEST_CASE_METHOD(PodsFixture, "a pod that was never read has no known kind") {
    PagedPod pod(context);
    pod.answer_with("503 Service Unavailable");
    config.targets = {pod.target("a", "meta/llama")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.front().engine.empty());
    CHECK(samples.pods.front().kv_cache_usage.metric().empty());
}

TEST_CASE_METHOD(PodsFixture, "what is no page is said to be what it is") {
    PagedPod pod(context);
    config.targets = {pod.target("a", "meta/llama")};
    std::string said;
    SECTION("statistics of trtllm-serve") {
        pod.show("[{\"iter\":1,\"numActiveRequests\":1}]");
        said = "/prometheus/metrics";
    }
    SECTION("before its first request") {
        pod.show("[]");
        said = "JSON";
    }
    SECTION("the page of llama.cpp as one text in quotes") {
        pod.show("\"# HELP llamacpp:requests_processing n\\nllamacpp:requests_processing 0\\n\"");
        said = "JSON";
    }
    SECTION("a login") {
        pod.show("<!DOCTYPE html>\n<html></html>\n");
        said = "it is HTML";
    }
    SECTION("llama.cpp without metrics") {
        pod.answer_with("501 Not Implemented");
        said = "--metrics";
    }
    SECTION("SGLang without metrics") {
        pod.answer_with("404 Not Found");
        said = "--enable-metrics";
    }
    SECTION("a key in the query") {
        config.targets.front().url += "/metrics?key=hunter2";
        pod.answer_with("418 Teapot");
        said = "HTTP 418 for /metrics:";
    }
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.partial);
    CHECK(samples.pods.front().queue_length.reason() == ReadingReason::unread);
    CAPTURE(all_of(samples.warnings));
    CHECK(all_of(samples.warnings).find(said) != std::string::npos);
    CHECK(all_of(samples.warnings).find("hunter2") == std::string::npos);
}

} // namespace
} // namespace wva_metrics
