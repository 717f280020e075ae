// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/engine/known_engines.hpp"

#include "wva_metrics/engine/exposed_metrics.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;

namespace {

bool exposes(const EngineProfile& profile, const std::string& name) {
    const std::vector<std::string> names = exposed_metrics(profile);
    return std::ranges::binary_search(names, name);
}

std::set<Signal> not_provided_by(const EngineProfile& profile) {
    std::set<Signal> signals;
    for (const Signal signal : all_signals)
        if (profile[signal].empty())
            signals.insert(signal);
    return signals;
}

} // namespace

TEST_CASE("every known engine has a valid profile under a name of its own") {
    std::set<std::string_view> names;
    std::set<std::string_view> titles;
    for (std::size_t i = 0; i < known_engines.size(); ++i) {
        const EngineTable& table = *known_engines[i].table;
        CAPTURE(table.name);
        CHECK(static_cast<std::size_t>(known_engines[i].engine) == i);
        CHECK(validate(profile_of(table)).empty());
        CHECK(profile_of(known_engines[i].engine).name == table.name);
        CHECK(find_engine(table.name) == known_engines[i].engine);
        CHECK(to_string(known_engines[i].engine) == table.name);
        CHECK(names.insert(table.name).second);
        CHECK(titles.insert(table.title).second);
        CHECK(std::string_view(table.running.front()).starts_with(table.prefix));
        CHECK(!table.queue_length.front().empty());
    }
    CHECK(find_engine("vLLM") == std::nullopt);
    CHECK(find_engine("") == std::nullopt);
}

TEST_CASE("what a server does not publish has no name") {
    CHECK(not_provided_by(vllm_profile()).empty());
    CHECK(not_provided_by(sglang_profile()).empty());
    CHECK(not_provided_by(ray_profile()).empty());
    CHECK(not_provided_by(kserve_profile()).empty());
    CHECK(not_provided_by(lmdeploy_profile()).empty());
    CHECK(not_provided_by(dynamo_profile()).empty());
    CHECK(not_provided_by(trtllm_profile()).empty());
    CHECK(not_provided_by(tgi_profile()) == std::set{Signal::ttft, Signal::kv_cache_usage});
    CHECK(not_provided_by(triton_profile()) ==
          std::set{Signal::input_tokens, Signal::output_tokens, Signal::ttft, Signal::itl});
    CHECK(not_provided_by(llama_cpp_profile()) ==
          std::set{Signal::arrival_rate, Signal::input_tokens, Signal::output_tokens, Signal::ttft,
                   Signal::kv_cache_usage});
}

TEST_CASE("what a server publishes for optional readings is known too") {
    const auto lacking = [](const EngineProfile& profile) {
        std::set<Signal> lacks;
        for (const SignalInfo& info : signals)
            if (is_optional(info.signal) && profile[info.signal].empty())
                lacks.insert(info.signal);
        return lacks;
    };
    CHECK(lacking(vllm_profile()).empty());
    CHECK(lacking(sglang_profile()).empty());
    CHECK(lacking(ray_profile()).empty());
    CHECK(lacking(kserve_profile()).empty());
    CHECK(lacking(trtllm_profile()).empty());
    CHECK(lacking(lmdeploy_profile()) ==
          std::set{Signal::kv_capacity, Signal::prefix_cache_hit_rate});
    CHECK(lacking(tgi_profile()) == std::set{Signal::kv_capacity, Signal::prefix_cache_hit_rate});
    CHECK(lacking(dynamo_profile()) ==
          std::set{Signal::kv_capacity, Signal::prefix_cache_hit_rate, Signal::queue_time});
    CHECK(lacking(triton_profile()) == std::set{Signal::prefix_cache_hit_rate,
                                                Signal::generation_rate, Signal::queue_time,
                                                Signal::e2e_latency});
    CHECK(lacking(llama_cpp_profile()) == std::set{Signal::kv_capacity,
                                                   Signal::prefix_cache_hit_rate,
                                                   Signal::queue_time, Signal::e2e_latency});
    // What is always there, but does not run, does not count.
    CHECK(tgi_profile().running_requests == std::vector<std::string>{"tgi_batch_current_size"});
}

TEST_CASE("metrics that mean something else than their names suggest are not used") {
    CHECK(!exposes(triton_profile(), "nv_inference_exec_count"));
    CHECK(!exposes(lmdeploy_profile(), "lmdeploy:generation_tokens_total"));
    CHECK(!exposes(vllm_profile(), "vllm:request_time_per_output_token_seconds"));
    CHECK(!exposes(llama_cpp_profile(), "llamacpp:predicted_tokens_seconds"));
}

TEST_CASE("the labels of an engine are its own") {
    CHECK(tgi_profile().labels.model.empty());
    CHECK(llama_cpp_profile().labels.model.empty());
    CHECK(dynamo_profile().labels.model == "model");
    CHECK(triton_profile().labels.model == "model");
    CHECK(vllm_profile().labels.engine == std::vector<std::string>{"engine"});
    CHECK(vllm_profile().labels.copies.empty());
    const std::vector<std::string> copies = sglang_profile().labels.copies;
    CHECK(std::ranges::count(copies, "tp_rank") == 1);
    CHECK(std::ranges::count(copies, "dp_rank") == 0);
}

TEST_CASE("a process is identified by when its counters and histograms were created") {
    const std::vector<std::string> names = identity_metrics(lmdeploy_profile());
    CHECK(std::ranges::count(names, "lmdeploy:e2e_request_latency_seconds_created") == 1);
    CHECK(std::ranges::count(names, "lmdeploy:request_generation_tokens_created") == 1);
    const std::vector<std::string> quotient = identity_metrics(llama_cpp_profile());
    CHECK(std::ranges::count(quotient, "llamacpp:tokens_predicted_seconds_created") == 1);
}

TEST_CASE("a profile without a name for a signal is valid, unless nothing shows that it reports") {
    EngineProfile profile = vllm_profile();
    for (const Signal signal : all_signals)
        if (signal != Signal::running)
            profile[signal].clear();
    CHECK(validate(profile).empty());
    CHECK(exposed_metrics(profile) == std::vector<std::string>{"vllm:num_requests_running"});
    profile.labels.model.clear();
    CHECK(validate(profile).empty());
}

TEST_CASE("a table of one's own is a profile, whose empty places are not provided") {
    constexpr EngineTable atom{
        .name = "atom",
        .running = {R"(atom:requests{state="running"})"},
        .ttft = {"atom:first_token_ms * 0.001"},
        .queue_length = {R"(atom:requests{state="queued"} + atom:requests{state="swapped"})"},
        .engine_labels = {"dp_rank"},
        .copy_labels = {"tp_rank", "pp_rank"},
    };
    const EngineProfile profile = profile_of(atom);
    CHECK(validate(profile).empty());
    CHECK(profile.name == "atom");
    CHECK(profile.labels.model == "model_name");
    CHECK(profile.labels.copies == std::vector<std::string>{"tp_rank", "pp_rank"});
    CHECK(not_provided_by(profile) == std::set{Signal::arrival_rate, Signal::input_tokens,
                                               Signal::output_tokens, Signal::itl,
                                               Signal::kv_cache_usage});
    CHECK(exposed_metrics(profile) ==
          std::vector<std::string>{"atom:first_token_ms", "atom:first_token_ms_count",
                                   "atom:first_token_ms_sum", "atom:requests"});
}

TEST_CASE("a name of a profile must fit its signal") {
    EngineProfile profile = vllm_profile();
    profile.arrival_rate = {"a_total / b_total", "c_total + d_total"};
    profile.ttft = {"a + b", "c_seconds_total / d_total * 0.5"};
    profile.kv_cache_usage = {"a + b"};
    profile.queue_length = {R"(q{without="1"} + q{le="1"})", R"(q{__name__="1"})", "9q", "q q"};
    profile.kv_capacity = {"a[x * __y]", "c * d + e"};
    profile.generation_rate = {"b_total * c_total", "b_total[x]"};
    profile.queue_time = {"a + b"};
    const std::vector<std::string> problems = validate(profile);
    CHECK(
        problems ==
        std::vector<std::string>{
            R"(arrival_rate: "a_total / b_total": only an average is a quotient of two metrics)",
            R"(ttft: "a + b": metrics of this signal cannot be added up)",
            R"(kv_cache_usage: "a + b": metrics of this signal cannot be added up)",
            R"(queue_length: "q" requires other labels in another place)",
            R"(queue_length: "__name__" is not a label that a series can be selected by)",
            R"(queue_length: "q" requires other labels in another place)",
            R"(queue_length: "9q" is not a valid metric name)",
            R"(queue_length: "q q": at character 3: expected '+', '/', '*' or the end)",
            R"(kv_capacity: "__y" is not a label that a series can be selected by)",
            R"(kv_capacity: "c * d + e": at character 7: expected '+', '/', '*' or the end)",
            R"(generation_rate: "b_total * c_total": only the last sample of a gauge is a product)",
            R"(generation_rate: "b_total[x]": only the last sample of a gauge is a product)",
            R"(queue_time: "a + b": metrics of this signal cannot be added up)",
        });
}
