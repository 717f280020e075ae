// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "workload.hpp"

#include "../support/measurement.hpp"

#include <wva_metrics/availability.hpp>
#include <wva_metrics/collector.hpp>
#include <wva_metrics/config.hpp>
#include <wva_metrics/metrics.hpp>
#include <wva_metrics/observer/observer.hpp>
#include <wva_metrics/testing/manual_time.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hit_rate {

namespace asio = boost::asio;
using wva_metrics::testing::ManualClock;
using wva_metrics::testing::ManualTimer;

/// The result of a simulation.
struct Outcome {
    std::uint64_t hits = 0;
    std::uint64_t stale_hits = 0;
    std::uint64_t misses = 0;
    /// Batches sent to the backend, and the targets in all of them.
    std::uint64_t requests = 0;
    std::uint64_t targets = 0;
    /// The largest size of the cache at the end of any minute, as the cache estimates it.
    std::size_t bytes = 0;
    /// The age of every served answer: time since the backend was queried. Sorted.
    std::vector<Seconds> ages{};
    Seconds length{};

    std::uint64_t lookups() const { return hits + stale_hits + misses; }
    /// Percentage of all look-ups.
    double percent(std::uint64_t count) const {
        return lookups() == 0 ? 0
                              : 100 * static_cast<double>(count) / static_cast<double>(lookups());
    }
    double per_minute(std::uint64_t count) const {
        return length.count() > 0 ? static_cast<double>(count) / (length.count() / 60) : 0;
    }
    /// The quantile `part` (0..1) of the ages.
    Seconds age(double part) const {
        if (ages.empty())
            return {};
        const auto rank =
            static_cast<std::size_t>(std::ceil(part * static_cast<double>(ages.size())));
        return ages[std::max<std::size_t>(rank, 1) - 1];
    }
};

/// Answers at once, and counts requests and targets.
class CountingBackend {
public:
    explicit CountingBackend(std::shared_ptr<Outcome> outcome) : outcome_(std::move(outcome)) {}

    asio::awaitable<wva_metrics::Result<wva_metrics::Availability>>
    check_availability(wva_metrics::ModelKey) {
        co_return wva_metrics::Availability{};
    }
    asio::awaitable<std::vector<wva_metrics::Result<wva_metrics::OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<wva_metrics::VariantAutoscaling> variants) {
        ++outcome_->requests;
        outcome_->targets += variants.size();
        const auto known = wva_metrics::Reading<double>::measured(1.0, ManualClock::now());
        std::vector<wva_metrics::Result<wva_metrics::OptimizerMetrics>> answers;
        for (wva_metrics::VariantAutoscaling& variant : variants) {
            wva_metrics::OptimizerMetrics metrics;
            metrics.namespace_name = std::move(variant.namespace_name);
            metrics.variant = std::move(variant.name);
            metrics.model_id = std::move(variant.model_id);
            metrics.deployment = std::move(variant.deployment);
            metrics.arrival_rate_per_minute = metrics.avg_input_tokens = known;
            metrics.avg_output_tokens = metrics.ttft_seconds = metrics.itl_seconds = known;
            answers.emplace_back(std::move(metrics));
        }
        co_return answers;
    }
    asio::awaitable<std::vector<wva_metrics::Result<wva_metrics::ReplicaSamples>>>
    fetch_replica_samples(std::vector<wva_metrics::ModelKey> models) {
        co_return std::vector<wva_metrics::Result<wva_metrics::ReplicaSamples>>(
            models.size(), wva_metrics::ReplicaSamples{});
    }

private:
    std::shared_ptr<Outcome> outcome_;
};

/// Counts the collector's look-ups.
class CountingObserver {
public:
    explicit CountingObserver(std::shared_ptr<Outcome> outcome) : outcome_(std::move(outcome)) {}
    void operator()(const wva_metrics::events::Hit&) { ++outcome_->hits; }
    void operator()(const wva_metrics::events::StaleHit&) { ++outcome_->stale_hits; }
    void operator()(const wva_metrics::events::Miss&) { ++outcome_->misses; }

private:
    std::shared_ptr<Outcome> outcome_;
};

/// Runs the workload against a collector with this cache, in virtual time. Each look-up reads the
/// cache, and waits for the backend if nothing is cached. Background work runs once a second.
template <typename Cache>
Outcome simulate(const Workload& workload, const wva_metrics::CollectorConfig& config) {
    using namespace std::chrono_literals;
    const auto outcome = std::make_shared<Outcome>();
    outcome->length = workload.length;
    std::vector<wva_metrics::VariantAutoscaling> variants;
    for (const std::string& name : workload.names)
        variants.emplace_back("llm", name, "model", name);

    asio::io_context io;
    wva_metrics::Collector<CountingBackend, Cache, CountingObserver, ManualTimer> collector(
        io.get_executor(), CountingBackend(outcome), config, CountingObserver(outcome));
    collector.start_background_fetching();
    const auto settle = [&] {
        io.restart();
        io.poll();
    };
    const auto note = [&](const wva_metrics::OptimizerSnapshot& snapshot) {
        outcome->ages.emplace_back(ManualClock::now() - snapshot.collected_at());
    };
    const wva_metrics::TimePoint begin = ManualClock::now();
    const auto go_on_to = [&](wva_metrics::TimePoint time) {
        ManualClock::advance(time - ManualClock::now());
    };
    wva_metrics::TimePoint second = begin;
    for (const LookUp& look_up : workload.lookups) {
        const auto due = begin + std::chrono::duration_cast<wva_metrics::Duration>(look_up.at);
        for (; second + 1s <= due; second += 1s) {
            go_on_to(second + 1s);
            settle();
            if ((second - begin) % 1min == 0s)
                outcome->bytes = std::max(outcome->bytes, collector.stats().cache.bytes);
        }
        go_on_to(due);
        const wva_metrics::VariantAutoscaling& variant = variants[look_up.variant];
        const std::uint64_t hits = outcome->hits;
        if (const auto known = collector.find_optimizer_metrics(variant.key()))
            note(*known);
        else
            collector.async_collect_optimizer_metrics(
                variant, [&](const wva_metrics::Result<wva_metrics::OptimizerSnapshot>& result) {
                    note(result.value());
                });
        if (outcome->hits == hits)
            settle();
    }
    outcome->bytes = std::max(outcome->bytes, collector.stats().cache.bytes);
    bench::require(outcome->ages.size() == workload.lookups.size(),
                   "some look-ups were not answered exactly once");
    bench::require(outcome->lookups() == workload.lookups.size(),
                   "the observer's hits, stale hits and misses do not add up to all look-ups");
    std::ranges::sort(outcome->ages);
    return *outcome;
}

} // namespace hit_rate
