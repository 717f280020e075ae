// SPDX-License-Identifier: Apache-2.0
//
// A backend in a shared object. This one invents the load of as many pods as the settings request:
// {"backend": "random_load", "options": {"random_load": {"pods": 3}}}.
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
            metrics.arrival_rate_per_minute = any_up_to(600);
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
                sample.kv_cache_usage = any_up_to(1);
                sample.queue_length = any_up_to(20);
                samples.pods.push_back(sample);
            }
            answers.push_back(samples);
        }
        co_return answers;
    }

private:
    static Reading<double> any_up_to(double most) {
        thread_local std::mt19937 random(std::random_device{}());
        return Reading<double>::measured(std::uniform_real_distribution<double>(0, most)(random),
                                         std::chrono::steady_clock::now());
    }

    std::int64_t pods_;
};

Result<AnyBackend> make(const asio::any_io_executor&, const CollectorSettings& settings) {
    std::int64_t pods = 2;
    if (const auto* mine = settings.options.if_contains("random_load")) {
        const auto* asked = mine->is_object() ? mine->get_object().if_contains("pods") : nullptr;
        if (asked == nullptr || !asked->is_int64() || asked->get_int64() < 1)
            return Error(Errc::invalid_config,
                         "options.random_load must be an object with pods, a positive number");
        pods = asked->get_int64();
    }
    return RandomLoad(pods);
}

} // namespace

WVA_METRICS_EXPORT_BACKEND("random_load", make);
