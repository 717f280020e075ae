// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/remote_write.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

inline constexpr std::int64_t start_ms = 1'700'000'000'000;
inline constexpr std::int64_t end_ms = start_ms + 80 * 60'000;

inline const std::vector<std::string> models = {"meta-llama/Llama-3.1-8B",
                                                "we\"ird\\m.+(o|d)*\nel [x]",
                                                "mödel/日本語 🦙", "a", "<b>&\x01\x7f\u2028"};

/// The same samples for both servers.
class DataSet {
public:
    explicit DataSet(std::uint32_t seed) : random_(seed) {
        for (const char* space : {"llm", "llm-2"}) {
            for (const std::string& model : models) {
                for (int pod = 0; pod < 3; ++pod)
                    add_pod(space, model, pod);
            }
        }
        add_special_values();
        add_targets();
    }

    const std::vector<WrittenSeries>& series() const noexcept { return series_; }

private:
    using Labels = std::map<std::string, std::string>;

    double uniform(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random_);
    }
    bool chance(double probability) { return uniform(0, 1) < probability; }

    /// Calls `value(time)` about every `interval`, with jitter and gaps; some series end early,
    /// with a staleness marker or without.
    template <typename Value>
    void add(Labels labels, std::int64_t interval_ms, Value&& value) {
        WrittenSeries made;
        made.labels.assign(labels.begin(), labels.end());
        std::int64_t until = end_ms;
        const bool ends = chance(0.3);
        if (ends)
            until -= static_cast<std::int64_t>(uniform(0, 30 * 60'000));
        const std::int64_t last_gap = 10 * interval_ms;
        auto time = start_ms + static_cast<std::int64_t>(uniform(0, 60'000));
        while (time < until) {
            if (!chance(0.02))
                made.samples.push_back({time, value(time)});
            time += chance(0.003) ? last_gap : interval_ms;
            if (chance(0.2))
                time += static_cast<std::int64_t>(uniform(1, 40));
        }
        if (ends && chance(0.5))
            made.samples.push_back({time, staleness_marker()});
        series_.push_back(std::move(made));
    }

    void add_counter(Labels labels, std::int64_t interval_ms) {
        double total = chance(0.5) ? 0 : uniform(0, 1e6);
        const double step = uniform(0, 20);
        add(std::move(labels), interval_ms, [&](std::int64_t) {
            total = chance(0.004) ? 0 : total + uniform(0, step);
            return total;
        });
    }

    void add_pod(const std::string& space, const std::string& model, int number) {
        const std::string pod = "pod-" + std::to_string(number);
        Labels labels{{"namespace", space}, {"model_name", model}, {"pod", pod}};
        const auto named = [&](std::string name, const char* label = "engine",
                               const char* value = "0") {
            Labels with_name = labels;
            with_name["__name__"] = std::move(name);
            with_name[label] = value;
            return with_name;
        };
        constexpr std::int64_t interval = 5'000;
        add_counter(named("vllm:request_success_total", "finished_reason", "stop"), interval);
        add_counter(named("vllm:request_success_total", "finished_reason", "length"), interval);
        add_counter(named("vllm:time_to_first_token_seconds_sum"), interval);
        add_counter(named("vllm:time_to_first_token_seconds_count"), interval);
        for (const char* engine : {"0", "1"}) {
            add(named("vllm:kv_cache_usage_perc", "engine", engine), 15'000, [&](std::int64_t) {
                return chance(0.03) ? std::numeric_limits<double>::quiet_NaN() : uniform(0, 1);
            });
        }
        add(named("vllm:num_requests_waiting"), 15'000,
            [&](std::int64_t) { return std::floor(uniform(0, 50)); });
        // Each series once: two models have the same first letter.
        const std::string kube_pod = pod + model.substr(0, 1) + std::to_string(model.size());
        add({{"__name__", "kube_pod_info"}, {"namespace", space}, {"pod", kube_pod}}, 30'000,
            [](std::int64_t) { return 1.0; });
        add({{"__name__", "kube_pod_owner"},
             {"namespace", space},
             {"pod", kube_pod},
             {"owner_kind", "ReplicaSet"},
             {"owner_name", "llama-7d9f"}},
            30'000, [](std::int64_t) { return 1.0; });
    }

    void add_special_values() {
        const double infinity = std::numeric_limits<double>::infinity();
        const std::vector<double> values = {0,     -0.0,         1e300, -1e300,       5e-324,
                                            1e21,  123456789,    1e-7,  0.1,          infinity,
                                            1e308, 1e308,        -5,    -infinity,    1.5e16,
                                            0.3,   std::nan(""), 2,     std::nan(""), 1e-300};
        WrittenSeries special{{{"__name__", "special"}, {"kind", "values"}}, {}};
        WrittenSeries only_nan{{{"__name__", "special"}, {"kind", "nan"}}, {}};
        WrittenSeries blinking{{{"__name__", "special"}, {"kind", "blinking"}}, {}};
        WrittenSeries bounded{{{"__name__", "special"}, {"kind", "bounded"}}, {}};
        for (std::size_t i = 0; i < 400; ++i) {
            const auto time = end_ms - 400'000 + static_cast<std::int64_t>(i) * 1000;
            special.samples.push_back({time, values[i % values.size()]});
            only_nan.samples.push_back({time, std::nan("")});
            blinking.samples.push_back({time, i % 3 == 0 ? staleness_marker() : double(i)});
            if (i < 40)
                bounded.samples.push_back({time, double(i)});
        }
        for (auto* each : {&special, &only_nan, &blinking, &bounded})
            series_.push_back(*each);
    }

    /// What the queries for raw samples select besides the series of the servers.
    void add_targets() {
        for (const char* space : {"llm", "llm-2"}) {
            for (const char* pod : {"pod-0", "pod-1", "pod-2"}) {
                const Labels target{{"namespace", space}, {"pod", pod}};
                Labels up = target;
                up["__name__"] = "up";
                add(up, 15'000, [&](std::int64_t) { return chance(0.1) ? 0.0 : 1.0; });
                Labels started = target;
                started["__name__"] = "process_start_time_seconds";
                add(started, 15'000, [](std::int64_t) { return 1.7e9 + 0.25; });
                for (const char* condition : {"true", "false", "unknown"}) {
                    Labels ready = target;
                    ready["__name__"] = "kube_pod_status_ready";
                    ready["condition"] = condition;
                    add(ready, 30'000, [&](std::int64_t) { return chance(0.3) ? 0.0 : 1.0; });
                }
            }
        }
        add({{"__name__", "up"}, {"job", "without a namespace"}}, 15'000,
            [](std::int64_t) { return 1.0; });
    }

    std::mt19937 random_;
    std::vector<WrittenSeries> series_;
};

} // namespace wva_metrics::test_support
