// SPDX-License-Identifier: Apache-2.0
//
// From the text of a page to the readings of the server that wrote it, without being told which it is.
#include "wva_metrics/engine/detect_engine.hpp"
#include "wva_metrics/exposition/text_parser.hpp"

#include "unit/samples/engine_page.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::samples::engine_pages {

namespace {

/// A page that was read: the kind of server, and its series as `EnginePage` takes them.
struct DetectedPage {
    explicit DetectedPage(std::string_view text) {
        struct Sink {
            DetectedPage& page;
            void operator()(const exposition::PageSample& sample) {
                std::string shown(sample.name);
                for (const LabelView& of_sample : sample.labels)
                    shown += (&of_sample == sample.labels.data() ? "{" : ",") +
                             std::string(of_sample.name) + "=\"" + std::string(of_sample.value) +
                             '"';
                page.series.push_back(shown + (sample.labels.empty() ? "" : "}"));
                page.values.push_back(sample.value);
            }
            void family(std::string_view name, exposition::FamilyType) {
                page.families.emplace_back(name);
            }
        } sink{*this};
        REQUIRE(exposition::parse_text(text, exposition::TextFormat::prometheus_0_0_4, sink)
                    .has_value());
        const std::vector<std::string_view> names(families.begin(), families.end());
        engines = detect_engines(names);
    }

    /// The page as the one that was scraped four times.
    EnginePage measured() const {
        EnginePage page(profile_of(engines.at(0).engine));
        for (std::size_t i = 0; i < series.size(); ++i)
            page.add(series[i], {values[i]});
        return page;
    }

    std::vector<std::string> series{};
    std::vector<double> values{};
    std::vector<std::string> families{};
    std::vector<DetectedEngine> engines{};
};

constexpr std::string_view sglang_text =
    R"(# HELP sglang:num_running_reqs The number of running requests.
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{dp_rank="0",engine_type="decode",model_name="m",moe_ep_rank="0",pp_rank="0",tp_rank="0"} 12.0
sglang:num_running_reqs{dp_rank="0",engine_type="decode",model_name="m",moe_ep_rank="1",pp_rank="0",tp_rank="1"} 12.0
# TYPE sglang:num_queue_reqs gauge
sglang:num_queue_reqs{dp_rank="0",engine_type="decode",model_name="m",moe_ep_rank="0",pp_rank="0",tp_rank="0"} 3.0
sglang:num_queue_reqs{dp_rank="0",engine_type="decode",model_name="m",moe_ep_rank="1",pp_rank="0",tp_rank="1"} 3.0
# TYPE sglang:num_decode_prealloc_queue_reqs gauge
sglang:num_decode_prealloc_queue_reqs{dp_rank="0",engine_type="decode",model_name="m",moe_ep_rank="0",pp_rank="0",tp_rank="0"} 2.0
sglang:num_decode_prealloc_queue_reqs{dp_rank="0",engine_type="decode",model_name="m",moe_ep_rank="1",pp_rank="0",tp_rank="1"} 2.0
# TYPE sglang:token_usage gauge
sglang:token_usage{dp_rank="0",engine_type="decode",model_name="m",moe_ep_rank="0",pp_rank="0",tp_rank="0"} 0.28
# TYPE sglang:num_paused_reqs gauge
sglang:num_paused_reqs{dp_rank="0",engine_type="decode",model_name="m",pid="4711",tp_rank="0"} 0.0
# TYPE sglang:routing_key_running_req_count gauge
sglang:routing_key_running_req_count{gt="1",le="2",model_name="m",tp_rank="0"} 4.0
# TYPE sglang:num_requests_total counter
sglang:num_requests_total{is_streaming="True",model_name="m"} 100.0
)";

constexpr std::string_view llama_cpp_text =
    R"(# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 1337
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 4
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 2
)";

constexpr std::string_view kserve_text = R"(# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 1
# TYPE kserve_vllm:num_requests_running gauge
kserve_vllm:num_requests_running{engine="0",model_name="m"} 1
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 8
# TYPE kserve_vllm:num_requests_waiting gauge
kserve_vllm:num_requests_waiting{engine="0",model_name="m"} 8
)";

} // namespace

TEST_CASE("a page of a decoding SGLang server is recognized and measured") {
    const DetectedPage page(sglang_text);
    REQUIRE(page.engines.size() == 1);
    CHECK(page.engines[0].engine == KnownEngine::sglang);
    CHECK(page.measured().value(Signal::queue_length) == 5);
    CHECK(page.measured().value(Signal::kv_cache_usage) == 0.28);
    CHECK(page.measured().value(Signal::arrival_rate) == 0);
    CHECK(page.measured().report().role == ReplicaRole::decode);
}

TEST_CASE("a page of llama.cpp, whose series have no labels, is recognized and measured") {
    const DetectedPage page(llama_cpp_text);
    REQUIRE(page.engines.size() == 1);
    CHECK(page.engines[0].engine == KnownEngine::llama_cpp);
    CHECK(page.measured().value(Signal::queue_length) == 2);
    CHECK(page.measured().reason(Signal::kv_cache_usage) == ReadingReason::not_provided);
}

TEST_CASE("a page that has all series under two prefixes is measured by one of them") {
    const DetectedPage page(kserve_text);
    REQUIRE(page.engines.size() == 2);
    CHECK(page.engines[0].engine == KnownEngine::vllm);
    CHECK(page.engines[1].engine == KnownEngine::kserve);
    CHECK(page.measured().value(Signal::queue_length) == 8);
}

} // namespace wva_metrics::samples::engine_pages
