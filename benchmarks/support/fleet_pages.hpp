// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../examples/vllm_fleet/application.hpp"
#include "support/vllm_page.hpp"

#include <boost/beast/http/verb.hpp>

#include <string>
#include <utility>
#include <vector>

namespace bench {

/// A page, and what of it a collector asks for.
struct MeasuredPage {
    /// Whose page it is, for a row's `work`.
    std::string what;
    std::string text;
    std::vector<std::string> wanted_names;
    /// The number of their families.
    int wanted_families;
};

/// The page at this path of the simulated fleet, after two minutes of its time.
inline std::string page_of_fleet(const std::vector<std::string>& options, const std::string& path) {
    vllm_fleet::Application fleet(vllm_fleet::parse_options(options));
    for (int second = 0; second < 120; ++second)
        fleet.tick();
    std::string target = path;
    if (target.empty()) // The page of its first pod.
        target = "/pods/" + fleet.fleet().models().front().deployments.front().pods.front().name +
                 "/metrics";
    return *fleet.handle({boost::beast::http::verb::get, target, 11}).body;
}

/// The pages that are measured, the same in every run. peers/parse_page.go has their names.
inline std::vector<MeasuredPage> measured_pages() {
    std::vector<MeasuredPage> pages;
    pages.push_back({"vLLM, 2 engines", vllm_page(), wanted_vllm_names(), 11});
    MeasuredPage sglang;
    sglang.what = "SGLang, 4 engines";
    sglang.text = page_of_fleet(
        {"--models", "1", "--pods", "1", "--engine", "sglang", "--engines", "4", "--no-lean"}, "");
    sglang.wanted_names = {
        "sglang:num_running_reqs",       "sglang:num_queue_reqs",     "sglang:token_usage",
        "sglang:max_total_num_tokens",   "sglang:num_requests_total", "sglang:prompt_tokens_total",
        "sglang:generation_tokens_total"};
    for (const std::string name : {"time_to_first_token_seconds", "inter_token_latency_seconds"}) {
        sglang.wanted_names.push_back("sglang:" + name + "_sum");
        sglang.wanted_names.push_back("sglang:" + name + "_count");
    }
    sglang.wanted_families = 9;
    pages.push_back(std::move(sglang));
    // What is asked for to know whether a request waits for a model without a replica.
    pages.push_back({"EPP, 50 pools",
                     page_of_fleet({"--models", "50", "--pods", "4"}, "/epp/metrics"),
                     {"llm_d_epp_ready_endpoints", "llm_d_epp_flow_control_queue_size"},
                     2});
    return pages;
}

} // namespace bench
