// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/testing/fake_backend.hpp"
#include "wva_metrics/testing/manual_time.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

using namespace std::chrono_literals;
using testing::ManualClock;
using testing::ManualTimer;
using ManualBackend = testing::FakeBackend<ManualTimer>;

/// Records each event as a word and a key. Copies share the list.
class RecordingObserver {
public:
    void operator()(const events::Hit& e) { note("hit", e.key); }
    void operator()(const events::StaleHit& e) { note("stale hit", e.key); }
    void operator()(const events::Miss& e) { note("miss", e.key); }
    void operator()(const events::Coalesced& e) { note("coalesced", e.key); }
    void operator()(const events::TargetFailed& e) { note("failure", e.key); }
    void operator()(const events::StaleOnError& e) { note("stale on error", e.key); }
    void operator()(const events::Discarded& e) { note("discarded", e.key); }
    void operator()(const events::Tracked& e) { note("tracked", e.key); }
    void operator()(const events::TrackingRefused& e) { note("tracking refused", e.key); }
    void operator()(const events::Untracked& e) {
        note(e.idle ? "untracked idle" : "untracked", e.key);
    }
    void operator()(const events::RoundEnded& e) {
        note("round " + std::to_string(e.variants) + "+" + std::to_string(e.models));
    }
    void operator()(const events::BackgroundStarted&) { note("started"); }
    void operator()(const events::BackgroundStopped&) { note("stopped"); }
    void operator()(const events::CleanedUp& e) { note("cleanup " + std::to_string(e.entries)); }

    std::vector<std::string> take() const {
        const std::lock_guard lock(log_->mutex);
        return std::exchange(log_->lines, {});
    }
    bool saw(const std::string& line) const {
        const std::lock_guard lock(log_->mutex);
        return std::find(log_->lines.begin(), log_->lines.end(), line) != log_->lines.end();
    }

private:
    struct Log {
        std::mutex mutex;
        std::vector<std::string> lines;
    };
    void note(std::string line) {
        const std::lock_guard lock(log_->mutex);
        log_->lines.push_back(std::move(line));
    }
    void note(const std::string& word, const CacheKeyView& key) {
        note(word + " " + to_string(key));
    }

    std::shared_ptr<Log> log_ = std::make_shared<Log>();
};

inline VariantAutoscaling variant(const std::string& name, const std::string& deployment = "llama",
                                  double cost = 10.0) {
    return {"llm", name, "meta/llama", deployment, "A100", cost};
}

inline OptimizerMetrics optimizer_metrics(const std::string& name, double arrival_rate,
                                          TimePoint sampled_at = ManualClock::now()) {
    OptimizerMetrics metrics;
    metrics.namespace_name = "llm";
    metrics.variant = name;
    metrics.model_id = "meta/llama";
    metrics.deployment = "llama";
    metrics.arrival_rate_per_minute = Reading<double>::measured(arrival_rate, sampled_at);
    return metrics;
}

inline ReplicaSamples replica_samples(const ModelKey& model, const std::vector<std::string>& pods,
                                      double kv_cache_usage = 0.5) {
    ReplicaSamples samples;
    samples.model = model;
    for (const std::string& pod : pods) {
        ReplicaSample sample;
        sample.pod = pod;
        sample.kv_cache_usage = Reading<double>::measured(kv_cache_usage, ManualClock::now());
        sample.queue_length = Reading<double>::measured(2, ManualClock::now());
        samples.pods.push_back(std::move(sample));
    }
    return samples;
}

/// A collector over a fake backend on a manual clock. Handlers run only inside `settle`.
struct CollectorFixture {
    using CollectorType = Collector<ManualBackend, MemoryCache, RecordingObserver, ManualTimer>;

    explicit CollectorFixture(const CollectorConfig& config = {})
        : collector(std::make_unique<CollectorType>(io.get_executor(), backend, config, observer)) {
    }

    /// The collector under test, for tests that also run with `AnyCollectorFixture`.
    CollectorType& target() { return *collector; }
    void destroy() { collector.reset(); }

    /// Runs all handlers that are ready.
    void settle() {
        io.restart();
        io.poll();
    }
    void advance(Duration by) {
        ManualClock::advance(by);
        settle();
    }

    /// Starts a collection; the optional receives its result.
    std::shared_ptr<std::optional<Result<OptimizerSnapshot>>>
    start(const VariantAutoscaling& which) {
        auto slot = std::make_shared<std::optional<Result<OptimizerSnapshot>>>();
        collector->async_collect_optimizer_metrics(
            which, [slot](Result<OptimizerSnapshot> result) { slot->emplace(std::move(result)); });
        return slot;
    }
    std::shared_ptr<std::optional<Result<ReplicaSnapshot>>>
    start(const ModelKey& which, std::vector<VariantAutoscaling> variants) {
        auto slot = std::make_shared<std::optional<Result<ReplicaSnapshot>>>();
        collector->async_collect_replica_metrics(
            which, std::move(variants),
            [slot](Result<ReplicaSnapshot> result) { slot->emplace(std::move(result)); });
        return slot;
    }
    Result<OptimizerSnapshot> collect(const VariantAutoscaling& which) {
        const auto slot = start(which);
        settle();
        return slot->value();
    }
    Result<ReplicaSnapshot> collect(const ModelKey& which,
                                    std::vector<VariantAutoscaling> variants) {
        const auto slot = start(which, std::move(variants));
        settle();
        return slot->value();
    }
    Result<Availability> check_availability(const ModelKey& which) {
        std::optional<Result<Availability>> answer;
        collector->async_validate_availability(
            which, [&](Result<Availability> result) { answer = std::move(result); });
        settle();
        return answer.value();
    }

    boost::asio::io_context io;
    ManualBackend backend;
    RecordingObserver observer;
    std::unique_ptr<CollectorType> collector;
    ModelKey model{"llm", "meta/llama"};
};

} // namespace wva_metrics::test_support
