// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

/// Answers of Prometheus as the library asks for them, for benchmarks that decode them.
namespace bench {

inline std::string written(double value) {
    std::array<char, 400> text{};
    return {
        text.data(),
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr};
}

/// As Prometheus writes a time.
inline std::string written_time(std::uint64_t ms) {
    std::string text = std::to_string(ms / 1000);
    if (ms % 1000 != 0)
        text.append(1, '.').append(std::to_string(1000 + ms % 1000), 1);
    return text;
}

/// The size and the type of an answer.
struct AnswerShape {
    std::size_t series = 1;
    /// Samples of each series.
    int samples = 4;
    /// The answer to a query for one value of each series, not for samples.
    bool is_vector = false;
};

/// Prometheus' answer to the query for the samples of some minutes: the labels are those that a scrape
/// in a cluster adds, and every second series is a gauge, the number of used blocks of 710.
inline std::string make_answer(const AnswerShape& shape) {
    std::mt19937 random(1); // A fixed seed, so that every run decodes the same text.
    std::string body = std::string(R"({"status":"success","data":{"resultType":")") +
                       (shape.is_vector ? "vector" : "matrix") + R"(","result":[)";
    for (std::size_t i = 0; i < shape.series; ++i) {
        const bool is_counter = i % 2 == 1;
        const std::string pod = std::to_string(10'000 + i / 2 * 7919 % 89'999);
        body += std::string(i > 0 ? "," : "") + R"({"metric":{"__name__":"vllm:)" +
                (is_counter ? "request_success_total" : "kv_cache_usage_perc") +
                R"(","app":"llama","container":"vllm","endpoint":"metrics","engine":"0",)"
                R"("instance":"10.244.)" +
                std::to_string(i / 500 % 250) + "." + std::to_string(i / 2 % 250) +
                R"(:8000","job":"vllm","llm_d_ai_role":"decode",)"
                R"("model_name":"meta-llama/Llama-3.1-8B-Instruct","namespace":"llm-team-)" +
                std::to_string(100 + i / 200) +
                R"(","node":"gke-inference-a100-pool-7d2f9c1e-x4kq",)"
                R"("pod":"llama-3-1-8b-instruct-a100-7d9f8b6c5d-)" +
                pod +
                R"(","pod_template_hash":"7d9f8b6c5d","prometheus":"monitoring/k8s",)"
                R"("region":"europe-west4","service":"llama-inference-service",)"
                R"("zone":"europe-west4-a"},)" +
                (shape.is_vector ? R"("value":)" : R"("values":[)");
        std::uint64_t time_ms = 1'700'000'000'000 + random() % 15'000;
        std::uint64_t counted = random() % 100'000;
        for (int sample = 0; sample < shape.samples; ++sample) {
            counted += random() % 100;
            const double value =
                static_cast<double>(is_counter ? counted : random() % 710) / (is_counter ? 1 : 710);
            body += std::string(sample > 0 ? "," : "") + "[" + written_time(time_ms) + ",\"" +
                    written(value) + "\"]";
            time_ms += 15'000;
        }
        body += shape.is_vector ? "}" : "]}";
    }
    return body + "]}}";
}

} // namespace bench
