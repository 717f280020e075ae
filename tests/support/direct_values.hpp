// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "watched_fleet.hpp"
#include "wva_metrics/metrics.hpp"

#include <catch2/catch_all.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
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
        const Spans spans = spans_of(of_variant);
        return check(metrics.arrival_rate_per_minute, "vllm:request_success_total",
                     60 * rate(finished, spans), "max(timestamp(" + finished + "))") +
               average(metrics.avg_input_tokens, "vllm:request_prompt_tokens", of_variant, spans) +
               average(metrics.avg_output_tokens, "vllm:request_generation_tokens", of_variant,
                       spans) +
               average(metrics.ttft_seconds, "vllm:time_to_first_token_seconds", of_variant,
                       spans) +
               average(metrics.itl_seconds, names_.itl, of_variant, spans);
    }

    int check(const ReplicaMetrics& replica) const {
        INFO("replica " << replica.pod << " of " << replica.model_id);
        const std::string of_pod = "{namespace=" + literal(replica.namespace_name) +
                                   ",model_name=" + literal(replica.model_id) +
                                   ",pod=" + literal(replica.pod) + "}";
        const std::string kv = names_.kv_cache_usage + of_pod;
        const std::string queue = "vllm:num_requests_waiting" + of_pod;
        return check(replica.kv_cache_usage, names_.kv_cache_usage,
                     fleet_.must_query("max(max_over_time(" + kv + "[1m]))", when_.time),
                     "min(timestamp(" + kv + "))") +
               check(replica.queue_length, "vllm:num_requests_waiting",
                     fleet_.must_query("sum(max_over_time(" + queue + "[1m]))", when_.time),
                     "min(timestamp(" + queue + "))");
    }

private:
    /// By pod: the time from its first sample in the window to its last, in seconds.
    struct Spans {
        std::map<std::string, double> seconds{};
        /// The samples of all pods reach back to the start of the window.
        bool are_covered = true;
    };

    static std::string pod_of(const boost::json::value& series) {
        return std::string(series.at("metric").at("pod").as_string());
    }
    static double value_at(const boost::json::value& sample) {
        return std::strtod(sample.at(1).as_string().c_str(), nullptr);
    }

    Spans spans_of(const std::string& selector) const {
        Spans spans;
        const std::string running = "vllm:num_requests_running" + selector + "[1m]";
        for (const boost::json::value& series : fleet_.samples(running, when_.time)) {
            const boost::json::array& samples = series.at("values").as_array();
            const double first = samples.front().at(0).to_number<double>();
            // Times are whole milliseconds, which a difference of large numbers is not.
            const double seconds =
                std::round((samples.back().at(0).to_number<double>() - first) * 1000) / 1000;
            spans.seconds[pod_of(series)] = seconds;
            const double spacing = seconds / static_cast<double>(samples.size() - 1);
            const double missing = first - (when_.time - 60);
            spans.are_covered = spans.are_covered && missing < 1.1 * spacing;
        }
        return spans;
    }

    /// The increase per second. Where the samples do not reach back to the start of the window, it
    /// is that of the time that they cover.
    double rate(const std::string& counter, const Spans& spans) const {
        if (spans.are_covered)
            return fleet_.must_query("sum(rate(" + counter + "[1m]))", when_.time);
        double total = 0;
        for (const boost::json::value& series : fleet_.samples(counter + "[1m]", when_.time)) {
            const boost::json::array& samples = series.at("values").as_array();
            total += (value_at(samples.back()) - value_at(samples.front())) /
                     spans.seconds.at(pod_of(series));
        }
        return total;
    }

    int average(const Reading<double>& reading, const std::string& histogram,
                const std::string& selector, const Spans& spans) const {
        const double sum = rate(histogram + "_sum" + selector, spans);
        const double count = rate(histogram + "_count" + selector, spans);
        double requests = 0;
        for (const auto& [pod, seconds] : spans.seconds)
            requests = std::max(requests, count * (spans.are_covered ? 60 : seconds));
        if (requests < 0.5) {
            CHECK(reading.reason() == ReadingReason::no_requests);
            return 0;
        }
        return check(reading, histogram, sum / count,
                     "max(timestamp(" + histogram + "_count" + selector + "))");
    }

    /// `time`: the query for the time of the reading's last sample.
    int check(const Reading<double>& reading, const std::string& metric, double expected,
              const std::string& time) const {
        INFO(metric << ": " << to_string(reading.state()) << ", " << to_string(reading.reason()));
        CHECK(reading.metric() == metric);
        if (!reading) {
            FAIL_CHECK("there is no value");
            return 0;
        }
        // The last bits of a sum depend on the order of its series.
        CHECK_THAT(reading.value(), Catch::Matchers::WithinRel(expected, 1e-9));
        const double age = fleet_.must_query("time() - " + time, when_.time);
        const auto sampled_before = [&](TimePoint moment) {
            return std::chrono::duration<double>(moment - reading.latest_at()).count();
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
