// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "watched_fleet.hpp"
#include "wva_metrics/metrics.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics::test_support {

/// When the values were collected, on the library's clock and on Prometheus's.
struct CollectionTime {
    TimePoint before;
    TimePoint after;
    /// Unix seconds of the evaluation.
    double time;
};

/// The names of the metrics that differ between versions of vLLM.
struct ServerNames {
    std::string itl = "vllm:inter_token_latency_seconds";
    std::string kv_cache_usage = "vllm:kv_cache_usage_perc";
};

/// Compares values and ages from the library with those from direct queries for one variant or one
/// pod at the same time.
class DirectValues {
public:
    DirectValues(const WatchedFleet& fleet, CollectionTime when, ServerNames names = {})
        : fleet_(fleet), when_(when), names_(std::move(names)) {}

    /// Checks all readings. Returns the number of readings with a value.
    int check(const OptimizerMetrics& metrics) const {
        INFO("variant " << metrics.variant << " of " << metrics.model_id);
        const std::string of_variant = "{namespace=" + literal(metrics.namespace_name) +
                                       ",model_name=" + literal(metrics.model_id) + ",pod=~" +
                                       literal(metrics.deployment + "-.*") + "}";
        const std::string finished = "vllm:request_success_total" + of_variant;
        CHECK_FALSE(metrics.partial);
        CHECK(metrics.warnings.empty());
        return check(metrics.arrival_rate_per_minute, "vllm:request_success_total",
                     "60 * sum(rate(" + finished + "[1m]))", finished) +
               average(metrics.avg_input_tokens, "vllm:request_prompt_tokens", of_variant) +
               average(metrics.avg_output_tokens, "vllm:request_generation_tokens", of_variant) +
               average(metrics.ttft_seconds, "vllm:time_to_first_token_seconds", of_variant) +
               average(metrics.itl_seconds, names_.itl, of_variant);
    }

    int check(const ReplicaMetrics& replica) const {
        INFO("replica " << replica.pod << " of " << replica.model_id);
        const std::string of_pod = "{namespace=" + literal(replica.namespace_name) +
                                   ",model_name=" + literal(replica.model_id) +
                                   ",pod=" + literal(replica.pod) + "}";
        const std::string kv = names_.kv_cache_usage + of_pod;
        const std::string queue = "vllm:num_requests_waiting" + of_pod;
        return check(replica.kv_cache_usage, names_.kv_cache_usage,
                     "max(max_over_time(" + kv + "[1m]))", kv) +
               check(replica.queue_length, "vllm:num_requests_waiting",
                     "sum(max_over_time(" + queue + "[1m]))", queue);
    }

private:
    int average(const Reading<double>& reading, const std::string& histogram,
                const std::string& selector) const {
        const std::string sum = "sum(rate(" + histogram + "_sum" + selector + "[1m]))";
        const std::string count = "sum(rate(" + histogram + "_count" + selector + "[1m]))";
        if (fleet_.must_query("60 * " + count, when_.time) < 0.5) {
            CHECK(reading.reason() == ReadingReason::no_requests);
            return 0;
        }
        return check(reading, histogram, sum + " / " + count, histogram + "_count" + selector);
    }

    int check(const Reading<double>& reading, const std::string& metric, const std::string& query,
              const std::string& series) const {
        INFO(metric << ": " << to_string(reading.state()) << ", " << to_string(reading.reason()));
        CHECK(reading.metric() == metric);
        if (!reading) {
            FAIL_CHECK("there is no value");
            return 0;
        }
        // The last bits of a sum depend on the order of its series.
        CHECK_THAT(reading.value(),
                   Catch::Matchers::WithinRel(fleet_.must_query(query, when_.time), 1e-12));
        const double age = fleet_.must_query("time() - min(timestamp(" + series + "))", when_.time);
        const auto sampled_before = [&](TimePoint moment) {
            return std::chrono::duration<double>(moment - reading.sampled_at()).count();
        };
        CHECK(sampled_before(when_.before) <= age + 1e-3);
        CHECK(sampled_before(when_.after) >= age - 1e-3);
        return 1;
    }

    const WatchedFleet& fleet_;
    CollectionTime when_;
    ServerNames names_;
};

} // namespace wva_metrics::test_support
