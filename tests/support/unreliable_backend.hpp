// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// A backend that answers, fails, throws, is slow or hangs, in an order that looks random. An answer
/// says which fetch it is of and whom it is about:
///
/// - `number_of` returns the number of the fetch; they are numbered from 1 as they begin.
/// - The input tokens of a variant are its `identity_of`, and the only pod of a model is `pod_of`.
class UnreliableBackend {
public:
    explicit UnreliableBackend(std::uint64_t seed) : state_(std::make_shared<State>()) {
        state_->random = seed;
    }

    /// The number of the last fetch that began.
    std::uint64_t fetches() const noexcept { return state_->fetches; }

    static double identity_of(const std::string& name) {
        return static_cast<double>(std::hash<std::string>()(name) % 1'000'003);
    }
    static std::string pod_of(const ModelKey& model) { return model.model_id + "-0"; }
    static std::uint64_t number_of(const OptimizerMetrics& metrics) {
        return static_cast<std::uint64_t>(metrics.arrival_rate_per_minute.value());
    }
    boost::asio::awaitable<Result<Availability>> check_availability(ModelKey) {
        const Begun fetch = begin();
        co_await misbehave(fetch);
        if (fetch.fails())
            co_return failure();
        Availability availability;
        availability.available = fetch.random % 3 != 0;
        co_return availability;
    }

    boost::asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        const Begun fetch = begin();
        co_await misbehave(fetch);
        std::vector<Result<OptimizerMetrics>> answers;
        for (const VariantAutoscaling& variant : variants) {
            if (fetch.fails()) {
                answers.emplace_back(failure());
                continue;
            }
            OptimizerMetrics metrics;
            metrics.arrival_rate_per_minute = measured_now(static_cast<double>(fetch.number));
            metrics.avg_input_tokens = measured_now(identity_of(variant.name));
            metrics.partial = fetch.random % 7 == 0;
            answers.emplace_back(std::move(metrics));
        }
        co_return answers;
    }

    boost::asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        const Begun fetch = begin();
        co_await misbehave(fetch);
        std::vector<Result<ReplicaSamples>> answers;
        for (const ModelKey& model : models) {
            if (fetch.fails()) {
                answers.emplace_back(failure());
                continue;
            }
            ReplicaSamples samples;
            samples.model = model;
            ReplicaSample pod;
            pod.pod = pod_of(model);
            pod.queue_length = measured_now(static_cast<double>(fetch.number));
            samples.pods.push_back(pod);
            answers.emplace_back(std::move(samples));
        }
        co_return answers;
    }

private:
    struct State {
        std::atomic<std::uint64_t> fetches{0};
        std::uint64_t random = 0;
    };
    struct Begun {
        std::uint64_t number;
        std::uint64_t random;
        bool fails() const noexcept { return random % 5 == 0; }
    };

    static Error failure() { return Error(Errc::unavailable, "scripted failure"); }
    static Reading<double> measured_now(double value) {
        return Reading<double>::measured(value, std::chrono::steady_clock::now());
    }

    Begun begin() const {
        const std::uint64_t number = ++state_->fetches;
        // SplitMix64: each fetch has its own random number, whatever the threads do.
        std::uint64_t x = state_->random + number * 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
        return {number, x ^ (x >> 31U)};
    }

    static boost::asio::awaitable<void> misbehave(Begun fetch) {
        using namespace std::chrono_literals;
        const auto wait = [](std::chrono::microseconds time) -> boost::asio::awaitable<void> {
            boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
            co_await timer.async_wait(boost::asio::use_awaitable);
        };
        switch (fetch.random % 16) {
        case 1:
            throw std::runtime_error("scripted exception");
        case 2:
            co_await wait(1h); // Until it is cancelled.
            break;
        case 3:
        case 4:
            co_await wait(std::chrono::microseconds(fetch.random % 4096));
            break;
        case 5:
            co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                                       boost::asio::use_awaitable);
            throw std::runtime_error("scripted exception");
        default:
            break;
        }
    }

    std::shared_ptr<State> state_;
};

} // namespace wva_metrics::test_support
