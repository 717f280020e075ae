// SPDX-License-Identifier: Apache-2.0
//
// Pages and stores as public reports show them, and what is to be read from them.
#include "wva_metrics/engine/known_engines.hpp"

#include "unit/samples/engine_page.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace wva_metrics::samples::engine_pages {

using Catch::Matchers::WithinRel;

namespace {

const std::string vllm_labels = R"({model_name="m",engine="0"})";

std::string of_process(const std::string& metric, int pid) {
    return metric + R"({model_name="m",engine="0",pid=")" + std::to_string(pid) + "\"}";
}

} // namespace

// vllm#28792: one gauge lacks its mode for several API servers, which the others have.
TEST_CASE("vLLM: a gauge of several API servers is that of the one that has it") {
    EnginePage page(vllm_profile());
    page.add("vllm:num_requests_running" + vllm_labels, {2});
    page.add("vllm:num_requests_waiting" + vllm_labels, {3});
    page.add("vllm:request_success_total" + vllm_labels, counter_of(2));
    for (int pid = 271; pid < 279; ++pid)
        page.add(of_process("vllm:kv_cache_usage_perc", pid), {pid == 273 ? 0.65 : 0.0});
    CHECK(page.value(Signal::kv_cache_usage) == 0.65);
    CHECK(page.value(Signal::queue_length) == 3);
    CHECK_THAT(page.value(Signal::arrival_rate).value(), WithinRel(2, 1e-9));
}

// aibrix#1614: each scheduler writes its rank of everything, and its process.
TEST_CASE("SGLang: the ranks of data parallel attention are added up, whatever else they name") {
    EnginePage page(sglang_profile());
    for (int rank = 0; rank < 8; ++rank) {
        const std::string number = std::to_string(rank);
        const std::string labels = R"({model_name="m",engine_type="unified",dp_rank=")" + number +
                                   R"(",pp_rank="0",tp_rank=")" + number + R"(",pid="91)" + number +
                                   "\"}";
        page.add("sglang:num_queue_reqs" + labels, {static_cast<double>(rank)});
        page.add("sglang:token_usage" + labels, {rank * 0.125});
    }
    CHECK(page.value(Signal::queue_length) == 28);
    CHECK(page.value(Signal::kv_cache_usage) == 0.875);
}

// thanos#7623, #2890, #1326: one scraper's gap is filled with the samples of another.
TEST_CASE("a counter that falls a little between two scrapers is no restart") {
    const std::string running = "vllm:num_requests_running" + vllm_labels;
    EnginePage page(vllm_profile());
    page.add(running, {2});
    page.add("vllm:request_success_total" + vllm_labels, {304528, 304543, 304538, 304553});
    page.add("vllm:num_requests_waiting" + vllm_labels, {40, 9, 3, 3});
    for (const char* name : {"vllm:request_prompt_tokens_count", "vllm:request_prompt_tokens_sum"})
        page.add(name + vllm_labels, {100000, 100100, 100050, 100150});
    CHECK_THAT(page.value(Signal::arrival_rate).value(), WithinRel(25.0 / 45, 1e-9));
    CHECK(page.value(Signal::queue_length) == 40);
    CHECK(page.value(Signal::input_tokens) == 1);

    EnginePage restarted(vllm_profile());
    restarted.add(running, {2});
    restarted.add("vllm:request_success_total" + vllm_labels, {304528, 304543, 15, 30});
    restarted.add("vllm:num_requests_waiting" + vllm_labels, {40, 9, 3, 3});
    CHECK_THAT(restarted.value(Signal::arrival_rate).value(), WithinRel(45.0 / 45, 1e-9));
    CHECK(restarted.value(Signal::queue_length) == 3);
}

TEST_CASE("vLLM: a page with the old and the new name of a cache's counters has one hit rate") {
    EnginePage page(vllm_profile(), OptionalReadingSet::all());
    page.add("vllm:num_requests_running" + vllm_labels, {2});
    for (const std::string gpu : {"", "gpu_"}) {
        page.add("vllm:" + gpu + "prefix_cache_hits_total" + vllm_labels, counter_of(30));
        page.add("vllm:" + gpu + "prefix_cache_queries_total" + vllm_labels, counter_of(40));
    }
    CHECK_THAT(page.value(Signal::prefix_cache_hit_rate).value(), WithinRel(0.75, 1e-9));
}

TEST_CASE("vLLM: a server that has answered nothing yet has no averages, and a rate of zero") {
    EnginePage page(vllm_profile());
    page.add("vllm:num_requests_running" + vllm_labels, {0});
    for (const char* reason : {"stop", "length", "abort", "error"})
        page.add(R"(vllm:request_success_total{model_name="m",engine="0",finished_reason=")" +
                     std::string(reason) + "\"}",
                 {0});
    for (const char* name : {"vllm:time_to_first_token_seconds", "vllm:request_prompt_tokens"})
        for (const char* part : {"_sum", "_count"})
            page.add(name + std::string(part) + vllm_labels, {0});
    CHECK(page.value(Signal::arrival_rate) == 0);
    CHECK(page.report()[Signal::ttft].reason == ReadingReason::none);
    CHECK(page.report()[Signal::ttft].weight == 0);
}

} // namespace wva_metrics::samples::engine_pages
