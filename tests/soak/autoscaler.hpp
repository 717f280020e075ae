// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "soak/fleet.hpp"
#include "soak/report.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector.hpp"

#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::soak {

/// Asks a collector as an autoscaler does, and checks what it is told.
class Autoscaler {
public:
    using CollectorType = Collector<PrometheusBackend, ShardedCache, CountingObserver>;

    Autoscaler(CollectorType& collector, const Fleet& fleet, Report report)
        : collector_(collector), fleet_(fleet), report_(std::move(report)) {}

    /// Some variants and models, by chance.
    void ask_for_some() {
        for (int n = 0; n < 50; ++n) {
            const std::size_t i = random_() % fleet_.variants();
            const std::size_t m = random_() % fleet_.models();
            const std::vector<VariantAutoscaling> own = fleet_.variants_of(m);
            check(i, collector_.find_optimizer_metrics(fleet_.variant(i).key()));
            check(m, collector_.find_replica_metrics(fleet_.model(m), own));
        }
        const std::size_t i = random_() % fleet_.variants();
        const std::size_t m = random_() % fleet_.models();
        auto variant =
            collector_.async_collect_optimizer_metrics(fleet_.variant(i), boost::asio::use_future);
        auto model = collector_.async_collect_replica_metrics(
            fleet_.model(m), fleet_.variants_of(m), boost::asio::use_future);
        check(i, answer_of(variant));
        check(m, answer_of(model));
    }

    /// The number of values that were collected after this.
    std::size_t count_renewed(TimePoint since) {
        std::size_t renewed = 0;
        for (std::size_t i = 0; i < fleet_.variants(); ++i)
            renewed +=
                is_renewed(collector_.find_optimizer_metrics(fleet_.variant(i).key()), since);
        for (std::size_t m = 0; m < fleet_.models(); ++m)
            renewed += is_renewed(
                collector_.find_replica_metrics(fleet_.model(m), fleet_.variants_of(m)), since);
        return renewed;
    }

private:
    template <typename Snapshot>
    static std::size_t is_renewed(const std::optional<Snapshot>& snapshot, TimePoint since) {
        return snapshot && snapshot->source() != Source::stale_on_error &&
                       snapshot->collected_at() > since
                   ? 1
                   : 0;
    }

    /// Empty if there is an error, which is counted.
    template <typename Snapshot>
    std::optional<Snapshot> answer_of(std::future<Result<Snapshot>>& answer) {
        if (answer.wait_for(std::chrono::seconds(90)) != std::future_status::ready) {
            report_.fail("a caller still waits a minute after the deadline");
            return std::nullopt;
        }
        Result<Snapshot> result = answer.get();
        if (result)
            return *std::move(result);
        report_.count("callers: error " + std::string(result.error().code.message()));
        return std::nullopt;
    }

    void check(std::size_t i, const std::optional<OptimizerSnapshot>& snapshot) {
        note(snapshot);
        if (snapshot)
            check(fleet_.problem_of(**snapshot, i));
    }
    void check(std::size_t m, const std::optional<ReplicaSnapshot>& snapshot) {
        note(snapshot);
        if (snapshot)
            check(fleet_.problem_of(**snapshot, m, std::chrono::steady_clock::now()));
    }
    void check(std::string problem) {
        if (!problem.empty())
            report_.fail(std::move(problem));
    }

    template <typename Snapshot>
    void note(const std::optional<Snapshot>& snapshot) {
        if (!snapshot) {
            report_.count("answers: none");
            return;
        }
        report_.count("answers: " + std::string(to_string(snapshot->source())) + ", " +
                      std::string(to_string(snapshot->freshness())));
        if (oldest_sample(**snapshot) > std::chrono::steady_clock::now() + std::chrono::seconds(1))
            report_.fail("a sample is of the future");
    }

    CollectorType& collector_;
    const Fleet& fleet_;
    Report report_;
    std::minstd_rand random_{1};
};

} // namespace wva_metrics::soak
