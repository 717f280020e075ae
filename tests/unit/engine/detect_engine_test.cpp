// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/engine/detect_engine.hpp"

#include "wva_metrics/engine/role_of_label.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;

namespace {

using NamesOfPage = std::vector<std::string_view>;

std::vector<KnownEngine> kinds_of(const NamesOfPage& names) {
    std::vector<KnownEngine> kinds;
    for (const DetectedEngine& found : detect_engines(names))
        kinds.push_back(found.engine);
    return kinds;
}

} // namespace

TEST_CASE("each engine is detected by all that it publishes, and by each of it alone") {
    for (const KnownEngineTable& known : known_engines) {
        CAPTURE(known.table->name);
        const std::vector<std::string> all = exposed_metrics(profile_of(known.engine));
        const NamesOfPage page(all.begin(), all.end());
        if (known.engine != KnownEngine::kserve) { // Its page may be that of vLLM.
            REQUIRE(kinds_of(page) == std::vector{known.engine});
            const std::size_t provided =
                static_cast<std::size_t>(std::ranges::count_if(all_signals, [&](Signal signal) {
                    return !profile_of(known.engine)[signal].empty();
                }));
            CHECK(detect_engines(page).front().signals == provided);
        }
        const std::string running = metric_names(profile_of(known.engine), Signal::running).front();
        CHECK(kinds_of({"go_info", running, "up"}) == std::vector{known.engine});
    }
}

TEST_CASE("a page of families is detected as one of samples") {
    CHECK(kinds_of({"vllm:time_to_first_token_seconds", "vllm:request_success"}) ==
          std::vector{KnownEngine::vllm});
    CHECK(kinds_of({"vllm:time_to_first_token_seconds_bucket"}) == std::vector{KnownEngine::vllm});
}

TEST_CASE("a page of no known engine is of none") {
    CHECK(detect_engines({}).empty());
    CHECK(kinds_of({"go_info", "process_start_time_seconds", "vllm",
                    "vllm:", "xvllm:num_requests_running", "vllm:num_requests_waiting_by_nothing",
                    "llamacpp_requests_processing"})
              .empty());
}

TEST_CASE("of several engines on one page, the one that says most comes first") {
    SECTION("a worker of Dynamo publishes what its engine does") {
        CHECK(kinds_of({"dynamo_component_inflight_requests", "vllm:num_requests_running",
                        "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"}) ==
              std::vector{KnownEngine::vllm, KnownEngine::dynamo});
    }
    SECTION("KServe copies all series to another prefix") {
        CHECK(kinds_of({"vllm:num_requests_running", "vllm:num_requests_waiting",
                        "kserve_vllm:num_requests_running", "kserve_vllm:num_requests_waiting"}) ==
              std::vector{KnownEngine::vllm, KnownEngine::kserve});
        CHECK(kinds_of({"kserve_vllm:num_requests_running"}) == std::vector{KnownEngine::kserve});
    }
    SECTION("Ray has each counter twice") {
        const NamesOfPage page = {"ray_vllm_request_success_total", "ray_vllm_request_success",
                                  "ray_vllm_num_requests_running"};
        CHECK(detect_engines(page) == std::vector<DetectedEngine>{{KnownEngine::ray, 2}});
    }
}

TEST_CASE("a quotient can be measured only with both of its metrics") {
    CHECK(detect_engines(
              NamesOfPage{"llamacpp:requests_processing", "llamacpp:tokens_predicted_total"})
              .front()
              .signals == 1);
    CHECK(detect_engines(NamesOfPage{"llamacpp:requests_processing",
                                     "llamacpp:tokens_predicted_seconds_total",
                                     "llamacpp:tokens_predicted_total"})
              .front()
              .signals == 2);
}

TEST_CASE("the role of a replica is told by the labels of its deployment or its server") {
    CHECK(role_of_label("llm_d_ai_role", "prefill") == ReplicaRole::prefill);
    CHECK(role_of_label("llm-d.ai/role", "prefill-decode") == ReplicaRole::both);
    CHECK(role_of_label("engine_type", "decode") == ReplicaRole::decode);
    CHECK(role_of_label("engine_type", "unified") == ReplicaRole::both);
    CHECK(role_of_label("engine_type", "trtllm") == ReplicaRole::unknown);
    CHECK(role_of_label("role", "prefill") == ReplicaRole::unknown);
    CHECK(merge_roles(ReplicaRole::unknown, ReplicaRole::decode) == ReplicaRole::decode);
    CHECK(merge_roles(ReplicaRole::prefill, ReplicaRole::unknown) == ReplicaRole::prefill);
    CHECK(merge_roles(ReplicaRole::prefill, ReplicaRole::prefill) == ReplicaRole::prefill);
    CHECK(merge_roles(ReplicaRole::prefill, ReplicaRole::decode) == ReplicaRole::both);
}
