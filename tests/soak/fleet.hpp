// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::soak {

/// Pods whose numbers say whose they are and when they were scraped, so that every answer can be
/// checked: a queue is the time in tenths of a second and the variant; prompt tokens per request are
/// the variant's alone. Each variant has one pod. Within the duration half of the pods are replaced, a
/// twentieth at a time.
///
/// All of it depends on the time only, so that two processes agree without a word.
class Fleet {
public:
    using Clock = std::chrono::system_clock;
    static constexpr std::size_t variants_per_model = 2;
    /// A sample has the time of the scrape's beginning, and its page is written within the scrape, so
    /// it is never younger than its page, except for the clocks' precision.
    static constexpr std::chrono::seconds too_young{1};
    /// It may be told as older, by the scrape and by the whole time that the query took: that errs on
    /// the safe side.
    static constexpr std::chrono::seconds too_old{40};

    Fleet(std::size_t variants, Clock::time_point epoch, std::chrono::milliseconds duration)
        : variants_(variants), epoch_(epoch), step_(duration / (parts / 2)) {}

    std::size_t variants() const noexcept { return variants_; }
    std::size_t models() const noexcept {
        return (variants_ + variants_per_model - 1) / variants_per_model;
    }

    VariantAutoscaling variant(std::size_t i) const {
        return {"soak", name_of(i), model_id(i / variants_per_model), name_of(i)};
    }
    ModelKey model(std::size_t m) const { return {"soak", model_id(m)}; }
    std::vector<VariantAutoscaling> variants_of(std::size_t m) const {
        std::vector<VariantAutoscaling> own;
        for (std::size_t i = m * variants_per_model;
             i < std::min(variants_, (m + 1) * variants_per_model); ++i)
            own.push_back(variant(i));
        return own;
    }

    /// What all pods show at this time.
    std::string page(Clock::time_point now) const {
        const std::uint64_t tenths = tenths_at(now);
        std::string text;
        text.reserve(variants_ * 700);
        for (std::size_t i = 0; i < variants_; ++i) {
            const std::string labels = "{namespace=\"soak\",model_name=\"" +
                                       model_id(i / variants_per_model) + "\",pod=\"" +
                                       pod_of(i, now) + "\"} ";
            const double requests = 2.0 * lived(i, now);
            const auto line = [&](std::string_view metric, double value) {
                char number[32];
                const int length = std::snprintf(number, sizeof number, "%.17g\n", value);
                text.append(metric).append(labels).append(number, static_cast<std::size_t>(length));
            };
            line("vllm:num_requests_running", 1);
            line("vllm:num_requests_waiting", static_cast<double>(tenths * variants_ + i));
            line("vllm:kv_cache_usage_perc", 0.5);
            line("vllm:request_success_total", requests);
            line("vllm:request_prompt_tokens_count", requests);
            line("vllm:request_prompt_tokens_sum", requests * tokens_of(i));
        }
        return text;
    }

    /// What is wrong with a variant's answer; empty if nothing is. A missing number is not wrong.
    std::string problem_of(const OptimizerMetrics& metrics, std::size_t i) const {
        if (metrics.variant != name_of(i) || metrics.namespace_name != "soak")
            return name_of(i) + " got the answer of " + metrics.variant;
        if (const auto& tokens = metrics.avg_input_tokens;
            tokens && std::abs(tokens.value() - tokens_of(i)) > 1e-3)
            return name_of(i) + " has " + std::to_string(tokens.value()) + " tokens, not " +
                   std::to_string(tokens_of(i));
        // A rate over a part of the window, extrapolated, is never far above the truth; while a pod
        // is replaced, two count.
        if (metrics.arrival_rate_per_minute.value_or(0) > 3 * 120)
            return name_of(i) + " has a rate of " +
                   std::to_string(metrics.arrival_rate_per_minute.value());
        return {};
    }

    /// The same for a model's answer, read at this time.
    std::string problem_of(const ModelReplicas& model, std::size_t m, TimePoint now) const {
        if (!(model.model == this->model(m)))
            return model_id(m) + " got the answer of " + model.model.model_id;
        if (!model.unattributed_pods.empty())
            return model_id(m) + " has an unknown pod " + model.unattributed_pods.front();
        for (const ReplicaMetrics& replica : model.replicas)
            if (std::string problem = problem_of(replica, m, now); !problem.empty())
                return problem;
        return {};
    }

    /// The pods that were replaced until now.
    std::size_t replaced(Clock::time_point now) const {
        std::size_t all = 0;
        for (std::size_t i = 0; i < variants_; ++i)
            all += replaced(i, now);
        return all;
    }

private:
    static constexpr std::size_t parts = 20;

    static std::string model_id(std::size_t m) { return "org/model-" + std::to_string(m); }
    static std::string name_of(std::size_t i) { return "v" + std::to_string(i); }
    static double tokens_of(std::size_t i) { return 100 + static_cast<double>(i); }

    std::uint64_t tenths_at(Clock::time_point now) const {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now - epoch_).count() / 100);
    }
    /// How often the variant's pod was replaced before.
    std::size_t replaced(std::size_t i, Clock::time_point now) const {
        const auto steps = static_cast<std::size_t>((now - epoch_) / step_);
        const std::size_t first = first_step_of(i);
        return steps < first ? 0 : 1 + (steps - first) / parts;
    }
    /// Seconds since the pod began.
    double lived(std::size_t i, Clock::time_point now) const {
        const std::size_t times = replaced(i, now);
        const std::size_t born = times == 0 ? 0 : first_step_of(i) + (times - 1) * parts;
        return std::chrono::duration<double>(now - epoch_ - born * step_).count();
    }
    static std::size_t first_step_of(std::size_t i) { return 1 + i % parts; }
    /// As Kubernetes names the pods of a Deployment.
    std::string pod_of(std::size_t i, Clock::time_point now) const {
        constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz";
        std::string suffix;
        for (std::size_t n = replaced(i, now); suffix.size() < 5; n /= letters.size())
            suffix += letters[n % letters.size()];
        return name_of(i) + "-5d9f8b6c5d-" + suffix;
    }

    std::string problem_of(const ReplicaMetrics& replica, std::size_t m, TimePoint now) const {
        const Reading<double>& queue = replica.queue_length;
        if (!queue)
            return {};
        const auto number = static_cast<std::uint64_t>(queue.latest());
        const std::size_t i = number % variants_;
        if (i / variants_per_model != m || replica.variant != name_of(i))
            return replica.pod + " of " + model_id(m) + " has the queue of " + name_of(i);
        const auto truth = std::chrono::milliseconds(100 * (number / variants_));
        const auto told = std::chrono::duration_cast<std::chrono::milliseconds>(
            Clock::now() - epoch_ - queue.latest_age(now));
        if (told > truth + too_young || told < truth - too_old)
            return replica.pod + " has a sample of " + std::to_string(truth.count()) +
                   " ms, said to be of " + std::to_string(told.count()) + " ms";
        return {};
    }

    std::size_t variants_;
    Clock::time_point epoch_;
    std::chrono::milliseconds step_;
};

} // namespace wva_metrics::soak
