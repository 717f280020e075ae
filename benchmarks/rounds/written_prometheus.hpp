// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "numbered_variants.hpp"

#include "../../tests/support/http_exchange.hpp"
#include "../../tests/support/real_prometheus.hpp"
#include "../../tests/support/remote_write.hpp"

#include "support/measurement.hpp"

#include <wva_metrics/workload.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <time.h>
#include <unistd.h>

namespace bench {

/// The path of the Prometheus program: from the environment variable WVA_METRICS_PROMETHEUS, else
/// from build/deps (where cmake/setup.sh puts it), else from the PATH.
inline std::optional<std::string> find_prometheus() {
    if (const auto named = wva_metrics::test_support::find_prometheus())
        return named;
    std::vector<std::filesystem::path> places;
    std::error_code ignored;
    for (auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
         folder.has_relative_path(); folder = folder.parent_path())
        places.push_back(folder / "deps/usr/bin");
    if (const char* path = std::getenv("PATH")) {
        std::istringstream folders(path);
        for (std::string folder; std::getline(folders, folder, ':');)
            places.emplace_back(folder);
    }
    for (const auto& place : places)
        if (::access((place / "prometheus").c_str(), X_OK) == 0)
            return (place / "prometheus").string();
    return std::nullopt;
}

/// Prints which part is not measured, so that it is not taken for a success.
inline void say_prometheus_is_missing(const char* path) {
    std::fprintf(stderr,
                 "NOT MEASURED: '%s' needs a real Prometheus, and none was found: set "
                 "WVA_METRICS_PROMETHEUS to the path of its binary\n",
                 path);
}

/// CPU seconds of another process so far, in user and kernel mode.
inline double cpu_seconds_of(pid_t process) {
    clockid_t clock{};
    require(clock_getcpuclockid(process, &clock) == 0, "the process has no CPU clock");
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// The labels that the scrape adds to all series of an inference server.
enum class TargetLabels {
    few, ///< Four: `namespace`, `pod`, `instance` and `job`.
    full ///< 14, as with the Prometheus operator and relabelling of the pods' labels.
};

/// A fleet of variants with one model each, and the data that is written about it.
struct WrittenFleet {
    std::size_t variants;
    std::size_t pods_each = 1;
    TargetLabels labels = TargetLabels::few;
    /// Samples are written up to this long after now, because nothing is scraped.
    std::chrono::seconds ahead{180};

    std::string pod(std::size_t variant, std::size_t number) const {
        return numbered_variant(variant).deployment + "-6d4b75cb6d-" +
               std::string(1, static_cast<char>('b' + number)) + "x7k2";
    }
};

namespace detail {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct WrittenMetric {
    const char* name;
    /// The increase per second of a counter, or the constant value of a gauge.
    double amount;
    bool is_counter;
};

inline constexpr WrittenMetric written_metrics[] = {
    {"vllm:request_success_total", 2, true},
    {"vllm:request_prompt_tokens_sum", 1024, true},
    {"vllm:request_prompt_tokens_count", 2, true},
    {"vllm:request_generation_tokens_sum", 512, true},
    {"vllm:request_generation_tokens_count", 2, true},
    {"vllm:time_to_first_token_seconds_sum", 0.5, true},
    {"vllm:time_to_first_token_seconds_count", 2, true},
    {"vllm:time_per_output_token_seconds_sum", 10.25, true},
    {"vllm:time_per_output_token_seconds_count", 512, true},
    {"vllm:kv_cache_usage_perc", 0.375, false},
    {"vllm:num_requests_running", 2, false},
    {"vllm:num_requests_waiting", 3, false},
};

inline constexpr std::pair<const char*, const char*> more_target_labels[] = {
    {"app", "llama"},
    {"container", "vllm"},
    {"endpoint", "metrics"},
    {"llm_d_ai_role", "decode"},
    {"node", "gke-inference-a100-pool-7d2f9c1e-x4kq"},
    {"pod_template_hash", "6d4b75cb6d"},
    {"prometheus", "monitoring/k8s"},
    {"region", "europe-west4"},
    {"service", "llama-inference-service"},
    {"zone", "europe-west4-a"},
};

inline wva_metrics::test_support::WrittenSeries written_series(Labels labels, double amount,
                                                               bool is_counter, std::int64_t now_ms,
                                                               std::chrono::milliseconds ahead) {
    constexpr std::int64_t step_ms = 15'000;
    constexpr std::int64_t past_ms = 660'000;
    wva_metrics::test_support::WrittenSeries series;
    std::ranges::sort(labels);
    series.labels = std::move(labels);
    for (std::int64_t at = -past_ms; at <= ahead.count() + step_ms; at += step_ms) {
        const double seconds = static_cast<double>(at + past_ms) / 1000;
        series.samples.push_back({now_ms + at, is_counter ? amount * seconds : amount});
    }
    return series;
}

} // namespace detail

/// A Prometheus in a process of its own, with the series of vLLM and kube-state-metrics that it
/// would have scraped from a fleet.
class WrittenPrometheus {
public:
    WrittenPrometheus(std::string binary, const WrittenFleet& fleet)
        : prometheus_(std::move(binary), {.config = "global: {scrape_interval: 15s}\n",
                                          .arguments = {"--web.enable-remote-write-receiver",
                                                        "--query.max-samples=500000000"}}) {
        const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count();
        // In portions, because servers limit the size of a request.
        constexpr std::size_t portion = 250;
        for (std::size_t first = 0; first < fleet.variants; first += portion) {
            std::vector<wva_metrics::test_support::WrittenSeries> all;
            for (std::size_t i = first; i < std::min(fleet.variants, first + portion); ++i)
                append(all, fleet, i, now_ms);
            wva_metrics::test_support::remote_write(prometheus_.port(), all);
        }
    }

    /// As the server itself says; empty if it does not.
    std::string version() const {
        constexpr std::string_view member = "\"version\":\"";
        const std::string body =
            wva_metrics::test_support::exchange(port(), "GET", "/api/v1/status/buildinfo").body;
        const std::size_t found = body.find(member);
        if (found == std::string::npos)
            return {};
        const std::size_t first = found + member.size();
        return body.substr(first, body.find('"', first) - first);
    }
    std::uint16_t port() const noexcept { return prometheus_.port(); }
    std::string url() const { return prometheus_.url(); }
    double query_count() const { return prometheus_.query_count(); }
    double answer_bytes() const { return prometheus_.answer_bytes(); }
    double cpu_seconds() const { return cpu_seconds_of(prometheus_.pid()); }

private:
    static void append(std::vector<wva_metrics::test_support::WrittenSeries>& all,
                       const WrittenFleet& fleet, std::size_t number, std::int64_t now_ms) {
        const wva_metrics::VariantAutoscaling variant = numbered_variant(number);
        for (std::size_t i = 0; i < fleet.pods_each; ++i) {
            const std::string pod = fleet.pod(number, i);
            const std::size_t address = number * fleet.pods_each + i;
            detail::Labels target = {{"instance", "10." + std::to_string(address / 65'536) + "." +
                                                      std::to_string(address / 256 % 256) + "." +
                                                      std::to_string(address % 256) + ":8000"},
                                     {"job", "vllm"}};
            if (fleet.labels == TargetLabels::full)
                target.insert(target.end(), std::begin(detail::more_target_labels),
                              std::end(detail::more_target_labels));
            const auto write = [&](const char* name, detail::Labels more, double amount,
                                   bool is_counter) {
                more.emplace_back("__name__", name);
                more.emplace_back("namespace", variant.namespace_name);
                more.emplace_back("pod", pod);
                all.push_back(detail::written_series(std::move(more), amount, is_counter, now_ms,
                                                     fleet.ahead));
            };
            write("up", target, 1, false);
            detail::Labels server = target;
            server.emplace_back("model_name", variant.model_id);
            server.emplace_back("engine", "0");
            for (const detail::WrittenMetric& metric : detail::written_metrics)
                write(metric.name, server, metric.amount, metric.is_counter);
            const std::string replica_set = variant.deployment + "-6d4b75cb6d";
            write("kube_pod_info",
                  {{"created_by_kind", "ReplicaSet"},
                   {"created_by_name", replica_set},
                   {"job", "kube-state-metrics"}},
                  1, false);
            write("kube_pod_owner",
                  {{"owner_kind", "ReplicaSet"},
                   {"owner_name", replica_set},
                   {"owner_is_controller", "true"},
                   {"job", "kube-state-metrics"}},
                  1, false);
            for (const auto& [condition, value] :
                 {std::pair("true", 1), std::pair("false", 0), std::pair("unknown", 0)})
                write("kube_pod_status_ready",
                      {{"condition", condition}, {"job", "kube-state-metrics"}}, value, false);
        }
    }

    wva_metrics::test_support::RealPrometheus prometheus_;
};

} // namespace bench
