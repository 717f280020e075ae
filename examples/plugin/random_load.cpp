// SPDX-License-Identifier: Apache-2.0
//
// A backend in a shared object. This one returns random values of as many pods as the settings
// request: {"backend": "random_load", "options": {"random_load": {"pods": 3}}}.
#include <wva_metrics/settings/plugin/plugin.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;

namespace {

class RandomLoad {
public:
    explicit RandomLoad(std::int64_t pods) : pods_(pods) {}

    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        co_return Availability{true, AvailabilityReason::metrics_found, model.model_id + " is up"};
    }
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        std::vector<Result<OptimizerMetrics>> answers;
        for (std::size_t i = 0; i < variants.size(); ++i) {
            OptimizerMetrics metrics;
            metrics.arrival_rate_per_minute = random_reading(highest_requests_per_minute);
            answers.push_back(metrics);
        }
        co_return answers;
    }
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        std::vector<Result<ReplicaSamples>> answers;
        for (std::size_t i = 0; i < models.size(); ++i) {
            ReplicaSamples samples;
            for (std::int64_t pod = 0; pod < pods_; ++pod) {
                ReplicaSample sample;
                sample.pod = "chat-" + std::to_string(pod);
                sample.kv_cache_usage = random_reading(full_kv_cache);
                sample.queue_length = random_reading(longest_queue);
                samples.pods.push_back(sample);
            }
            answers.push_back(samples);
        }
        co_return answers;
    }

private:
    static constexpr double highest_requests_per_minute = 600;
    static constexpr double full_kv_cache = 1;
    static constexpr double longest_queue = 20;

    static Reading<double> random_reading(double highest) {
        thread_local std::mt19937 random(std::random_device{}());
        return Reading<double>::measured(std::uniform_real_distribution<double>(0, highest)(random),
                                         std::chrono::steady_clock::now());
    }

    std::int64_t pods_;
};

Result<AnyBackend> make(const asio::any_io_executor&, const CollectorSettings& settings) {
    std::int64_t pods = 2;
    if (const auto* options = settings.options.if_contains("random_load")) {
        const auto* value =
            options->is_object() ? options->get_object().if_contains("pods") : nullptr;
        if (value == nullptr || !value->is_int64() || value->get_int64() < 1)
            return Error(Errc::invalid_config,
                         "options.random_load must be an object with pods, a positive integer");
        pods = value->get_int64();
    }
    return RandomLoad(pods);
}

} // namespace

WVA_METRICS_EXPORT_BACKEND("random_load", make);
