// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace vllm_fleet {

using Rng = std::mt19937_64;

/// Counts of observations per bucket, as a Prometheus histogram keeps them. `counts` is not
/// cumulative; its last element is the +Inf bucket.
struct Histogram {
    explicit Histogram(const std::vector<double>& upper_bounds)
        : bounds(&upper_bounds), counts(upper_bounds.size() + 1) {}

    void observe(double value, std::uint64_t times = 1) {
        const auto bucket = std::lower_bound(bounds->begin(), bounds->end(), value);
        counts[static_cast<std::size_t>(bucket - bounds->begin())] += times;
        count += times;
        sum += value * static_cast<double>(times);
    }

    const std::vector<double>* bounds;
    std::vector<std::uint64_t> counts;
    std::uint64_t count = 0;
    double sum = 0;
};

/// The bucket boundaries of vLLM's own histograms.
namespace buckets {

/// Tokens of a request: the 1-2-5 series up to the model's context length, here 32768 tokens.
inline const std::vector<double> tokens = {1,   2,   5,    10,   20,   50,    100,
                                           200, 500, 1000, 2000, 5000, 10000, 20000};
inline const std::vector<double> time_to_first_token = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25,  0.5,   0.75,
    1.0,   2.5,   5.0,  7.5,  10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0};
inline const std::vector<double> inter_token_latency = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                                        0.3,  0.4,   0.5,  0.75,  1.0, 2.5,  5.0,
                                                        7.5,  10.0,  20.0, 40.0,  80.0};
inline const std::vector<double> request_latency = {
    0.3,  0.5,  0.8,  1.0,  1.5,   2.0,   2.5,   5.0,   10.0,   15.0,  20.0,
    30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0};
inline const std::vector<double> iteration_tokens = {1,   8,    16,   32,   64,   128,  256,
                                                     512, 1024, 2048, 4096, 8192, 16384};

} // namespace buckets

/// The speed and capacity of one engine, and the size of its requests.
struct EngineProfile {
    double mean_prompt_tokens = 512;
    double mean_output_tokens = 128;
    double base_itl_seconds = 0.012; ///< Between two tokens if only one request is running.
    double prefill_tokens_per_second = 12'000;
    double kv_capacity_tokens = 24'000;
    std::size_t max_running = 64;
    double prefix_hit_ratio = 0.3; ///< Share of the prompt tokens found in the prefix cache, 0..1.

    /// Seconds between two tokens of a request when `running` requests share the engine.
    double itl_seconds(double running) const {
        return base_itl_seconds * (1.0 + 2.0 * running / static_cast<double>(max_running));
    }

    /// Approximate number of requests per second that the engine can serve: the concurrent requests
    /// that fit into the KV cache, divided by the time that each of them takes.
    double requests_per_second() const {
        const double tokens_held = mean_prompt_tokens + mean_output_tokens / 2;
        const double concurrent =
            std::min(static_cast<double>(max_running), kv_capacity_tokens / tokens_held);
        const double seconds_per_request = mean_prompt_tokens / prefill_tokens_per_second +
                                           mean_output_tokens * itl_seconds(concurrent);
        return concurrent / seconds_per_request;
    }
};

enum class FinishReason : std::size_t { stop, length, abort };

/// One vLLM engine: a queue, a batch of running requests, and its counters. Time passes only in
/// `step`, so equal seeds give equal histories.
class Engine {
public:
    explicit Engine(const EngineProfile& profile) : profile_(profile) {}

    /// Simulates the virtual time from `start` to `start + duration` (seconds) with `arrival_rate`
    /// requests per second on average.
    void step(double start, double duration, double arrival_rate, Rng& rng) {
        receive(start, duration, arrival_rate, rng);
        abandon(start);
        admit(start);
        decode(start, duration, rng);
    }

    const EngineProfile& profile() const { return profile_; }
    std::size_t running() const { return running_.size(); }
    std::size_t waiting() const { return waiting_.size(); }
    double kv_cache_usage() const {
        return std::min(1.0, tokens_held() / profile_.kv_capacity_tokens);
    }

    std::uint64_t prompt_tokens = 0;
    std::uint64_t generation_tokens = 0;
    std::uint64_t prefix_cache_queries = 0;
    std::uint64_t prefix_cache_hits = 0;
    std::uint64_t preemptions = 0;
    std::array<std::uint64_t, 3> finished{}; ///< By FinishReason.

    Histogram request_prompt_tokens{buckets::tokens};
    Histogram request_generation_tokens{buckets::tokens};
    Histogram time_to_first_token{buckets::time_to_first_token};
    Histogram inter_token_latency{buckets::inter_token_latency};
    Histogram e2e_request_latency{buckets::request_latency};
    Histogram request_queue_time{buckets::request_latency};
    Histogram request_prefill_time{buckets::request_latency};
    Histogram request_decode_time{buckets::request_latency};
    Histogram iteration_tokens{buckets::iteration_tokens};
    /// Between two tokens, of a whole request.
    Histogram request_mean_token_time{buckets::inter_token_latency};

private:
    /// Seconds after which the client of a waiting request gives up. Limits the queue.
    static constexpr double patience_seconds = 60;

    struct Request {
        double arrived_at = 0;
        double admitted_at = 0;    ///< 0 until it is running.
        double first_token_at = 0; ///< 0 until then.
        double decode_from = 0;    ///< When its prefill ends; set again after a preemption.
        double prompt_tokens = 0;
        double output_tokens = 0; ///< Number at which it stops.
        double generated = 0; ///< Tokens so far; the fraction is progress towards the next token.
        bool stops_at_limit = false;
        bool done = false;
    };

    static double sample_tokens(double mean, Rng& rng) {
        constexpr double sigma = 0.6;
        std::lognormal_distribution<double> lengths(std::log(mean) - sigma * sigma / 2, sigma);
        return std::clamp(std::round(lengths(rng)), 1.0, 16'384.0);
    }

    double tokens_held() const {
        double held = 0;
        for (const Request& request : running_)
            held += request.prompt_tokens + request.generated;
        return held;
    }

    void receive(double start, double duration, double arrival_rate, Rng& rng) {
        if (arrival_rate <= 0)
            return;
        std::poisson_distribution<int> arrivals(arrival_rate * duration);
        std::uniform_real_distribution<double> moment(0, 1);
        const auto first_new = static_cast<std::ptrdiff_t>(waiting_.size());
        for (int left = arrivals(rng); left > 0; --left) {
            Request request;
            request.arrived_at = start + duration * moment(rng);
            request.prompt_tokens = sample_tokens(profile_.mean_prompt_tokens, rng);
            request.output_tokens = sample_tokens(profile_.mean_output_tokens, rng);
            request.stops_at_limit = moment(rng) < 0.15;
            waiting_.push_back(request);
        }
        std::sort(waiting_.begin() + first_new, waiting_.end(),
                  [](const Request& a, const Request& b) { return a.arrived_at < b.arrived_at; });
    }

    void abandon(double now) {
        while (!waiting_.empty()) {
            const Request& oldest = waiting_.front();
            // The client of a preempted request has received tokens, so it does not give up.
            const bool preempted = oldest.admitted_at > 0;
            if (preempted || now - oldest.arrived_at <= patience_seconds)
                return;
            ++finished[static_cast<std::size_t>(FinishReason::abort)];
            waiting_.pop_front();
        }
    }

    void admit(double now) {
        // The rest of the KV cache is kept for the tokens that running requests will generate.
        constexpr double watermark = 0.95;
        const double scheduling_seconds = 0.004;
        double held = tokens_held();
        while (!waiting_.empty() && running_.size() < profile_.max_running) {
            Request request = waiting_.front();
            const double needed = request.prompt_tokens + request.generated;
            if (!running_.empty() && held + needed > watermark * profile_.kv_capacity_tokens)
                return;
            waiting_.pop_front();
            held += needed;

            const double begins = std::max(now, request.arrived_at) + scheduling_seconds;
            const double cached = std::floor(request.prompt_tokens * profile_.prefix_hit_ratio);
            const double contention = 1.0 + static_cast<double>(running_.size()) /
                                                static_cast<double>(profile_.max_running);
            request.decode_from =
                begins + (needed - cached) * contention / profile_.prefill_tokens_per_second;
            if (request.admitted_at == 0) {
                request.admitted_at = begins;
                prefix_cache_queries += static_cast<std::uint64_t>(request.prompt_tokens);
                prefix_cache_hits += static_cast<std::uint64_t>(cached);
            }
            running_.push_back(request);
        }
    }

    void decode(double start, double duration, Rng& rng) {
        if (running_.empty())
            return;
        std::uniform_real_distribution<double> jitter(0.95, 1.05);
        const double itl = profile_.itl_seconds(static_cast<double>(running_.size())) * jitter(rng);
        std::uint64_t next_tokens = 0;
        std::uint64_t prefilled = 0;
        for (Request& request : running_) {
            if (request.decode_from >= start + duration)
                continue; // still in prefill
            if (request.first_token_at == 0) {
                request.first_token_at = request.decode_from;
                request.generated = 1;
                prefilled += static_cast<std::uint64_t>(request.prompt_tokens);
                ++generation_tokens;
                time_to_first_token.observe(request.first_token_at - request.arrived_at);
            }
            const double from = std::max(start, request.decode_from);
            const double missing = request.output_tokens - request.generated;
            const double produced = std::min((start + duration - from) / itl, missing);
            next_tokens += static_cast<std::uint64_t>(std::floor(request.generated + produced) -
                                                      std::floor(request.generated));
            request.generated += produced;
            if (produced >= missing)
                finish(request, from + missing * itl);
        }
        count_tokens(next_tokens, prefilled, itl, duration);
        std::erase_if(running_, [](const Request& request) { return request.done; });
        preempt();
    }

    void finish(Request& request, double now) {
        request.done = true;
        request.generated = request.output_tokens;
        const auto reason = request.stops_at_limit ? FinishReason::length : FinishReason::stop;
        ++finished[static_cast<std::size_t>(reason)];
        request_prompt_tokens.observe(request.prompt_tokens);
        request_generation_tokens.observe(request.output_tokens);
        e2e_request_latency.observe(now - request.arrived_at);
        request_queue_time.observe(request.admitted_at - request.arrived_at);
        request_prefill_time.observe(request.first_token_at - request.admitted_at);
        request_decode_time.observe(now - request.first_token_at);
        request_mean_token_time.observe((now - request.first_token_at) /
                                        std::max(1.0, request.output_tokens - 1));
    }

    void count_tokens(std::uint64_t next_tokens, std::uint64_t prefilled, double itl,
                      double duration) {
        generation_tokens += next_tokens;
        prompt_tokens += prefilled;
        // Most tokens take the usual time; some wait for the prefill of another request.
        const std::uint64_t slow = next_tokens * 8 / 100;
        const std::uint64_t stalled = next_tokens * 2 / 100;
        inter_token_latency.observe(0.95 * itl, next_tokens - slow - stalled);
        inter_token_latency.observe(1.20 * itl, slow);
        inter_token_latency.observe(2.25 * itl, stalled);

        const auto iterations = static_cast<std::uint64_t>(std::max(1.0, duration / itl));
        if (next_tokens + prefilled > 0)
            iteration_tokens.observe(static_cast<double>((next_tokens + prefilled) / iterations),
                                     iterations);
    }

    /// The KV cache has overflowed: the newest requests go back to the head of the queue and are
    /// computed again later.
    void preempt() {
        double held = tokens_held();
        while (held > profile_.kv_capacity_tokens && running_.size() > 1) {
            const Request& newest = running_.back();
            held -= newest.prompt_tokens + newest.generated;
            waiting_.push_front(newest);
            running_.pop_back();
            ++preemptions;
        }
    }

    EngineProfile profile_;
    std::deque<Request> waiting_;
    std::vector<Request> running_; ///< In order of admission.
};

} // namespace vllm_fleet
