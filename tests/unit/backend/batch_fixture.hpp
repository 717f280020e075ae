// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::test_support {

struct BatchFixture : BackendFixture {
    /// Model `m<i>` in a namespace, with one pod that finishes `i + 1` requests per second: three
    /// series of five samples.
    void serve(std::size_t first, std::size_t last, const std::string& namespace_name = "llm") {
        for (std::size_t i = first; i < last; ++i) {
            variants.push_back(variant_of("llama", "m" + std::to_string(i), namespace_name));
            models.push_back(variants.back().model());
            const Server server{pod_a, models.back().model_id, namespace_name};
            const auto add = [&](const std::string& metric, double value) {
                fake.set_steady(series(metric, server, {{"engine", "0"}}), value, 1min);
            };
            fake.set_rate(series("vllm:request_success_total", server), static_cast<double>(i + 1),
                          1min);
            add("vllm:kv_cache_usage_perc", 1 / static_cast<double>(i + 1));
            add("vllm:num_requests_running", 1);
        }
    }
    void serve(std::size_t count) { serve(0, count); }

    static bool is_rate_of(const Result<OptimizerMetrics>& answer, std::size_t model) {
        return answer.has_value() && answer->arrival_rate_per_minute.has_value() &&
               Catch::Matchers::WithinRel(60 * static_cast<double>(model + 1), 1e-6)
                   .match(answer->arrival_rate_per_minute.value());
    }
    static bool is_kv_of(const Result<ReplicaSamples>& answer, std::size_t model) {
        return answer.has_value() && answer->pods.size() == 1 &&
               answer->pods[0].kv_cache_usage.value_or(-1) == 1 / static_cast<double>(model + 1);
    }
    std::size_t count_queries(const std::string& metric) const {
        const auto queries = fake.queries();
        return static_cast<std::size_t>(
            std::count_if(queries.begin(), queries.end(), [&](const auto& query) {
                return query.text.find(metric) != std::string::npos;
            }));
    }

    std::vector<VariantAutoscaling> variants;
    std::vector<ModelKey> models;
};

/// The body of an error that the API of Prometheus returns.
inline std::string api_error(const std::string& type, const std::string& text) {
    return R"({"status":"error","errorType":")" + type + R"(","error":")" + text + "\"}";
}

} // namespace wva_metrics::test_support
