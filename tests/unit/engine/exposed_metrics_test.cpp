// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/engine/exposed_metrics.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;

namespace {

using ExposedNames = std::vector<std::string>;

} // namespace

TEST_CASE("a histogram is exposed as sum and count, or natively under its own name") {
    EngineProfile profile = vllm_profile();
    profile.itl = {"new", "old"};
    CHECK(exposed_metrics(profile, Signal::itl) ==
          ExposedNames{"new", "new_count", "new_sum", "old", "old_count", "old_sum"});
    CHECK(exposed_metrics(profile, Signal::arrival_rate) ==
          ExposedNames{"vllm:request_success_total"});
}

TEST_CASE("a metric that serves several signals is listed once") {
    EngineProfile profile = vllm_profile();
    for (const Signal signal : all_signals)
        profile[signal] = {"same"};
    CHECK(exposed_metrics(profile) == ExposedNames{"same", "same_count", "same_sum"});
    CHECK(identity_metrics(profile) == ExposedNames{"process_start_time_seconds", "same_created"});
}

TEST_CASE("a process is identified by its start and by when its counters were created") {
    CHECK(identity_metrics(vllm_profile()) ==
          ExposedNames{"process_start_time_seconds", "vllm:inter_token_latency_seconds_created",
                       "vllm:request_generation_tokens_created",
                       "vllm:request_prompt_tokens_created", "vllm:request_success_created",
                       "vllm:time_per_output_token_seconds_created",
                       "vllm:time_to_first_token_seconds_created"});
}
