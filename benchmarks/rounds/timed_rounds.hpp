// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/cache/memory_cache.hpp>
#include <wva_metrics/collector.hpp>
#include <wva_metrics/observer/observer.hpp>

#include "support/measurement.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace bench {

/// A collector whose background rounds run one by one, on the thread that measures them.
template <wva_metrics::MetricsBackend Backend>
class TimedRounds {
public:
    struct Round {
        std::size_t variants = 0;
        std::size_t models = 0;
        std::size_t failed = 0;
        double wall_seconds = 0;
        /// CPU time of this process.
        double cpu_seconds = 0;
    };

    /// `make(executor)` returns the backend.
    template <typename Make>
    TimedRounds(Make make, wva_metrics::CollectorConfig config)
        : collector_(io_.get_executor(), make(io_.get_executor()), prepared(std::move(config)),
                     Watch(last_)) {}

    auto& operator*() noexcept { return collector_; }
    auto* operator->() noexcept { return &collector_; }

    /// Runs one round with due targets, from its beginning to its end.
    Round run() {
        Round round;
        do
            round = run_any();
        while (round.variants + round.models == 0);
        return round;
    }

private:
    using Last = std::shared_ptr<std::optional<Round>>;

    class Watch {
    public:
        explicit Watch(Last last) : last_(std::move(last)) {}
        void operator()(const wva_metrics::events::RoundEnded& round) {
            *last_ = Round{round.variants, round.models, round.failed,
                           std::chrono::duration<double>(round.took).count(), 0};
        }

    private:
        Last last_;
    };

    Round run_any() {
        last_->reset();
        io_.restart();
        require(collector_.start_background_fetching(), "background fetching did not start");
        const double before = bench::cpu_seconds();
        while (!*last_)
            io_.run_one();
        Round round = **last_;
        round.cpu_seconds = bench::cpu_seconds() - before;
        collector_.stop_background_fetching();
        io_.poll();
        return round;
    }

    /// The first round begins within the interval, so a short interval wastes no time. Rounds are
    /// stopped before the next one would begin.
    static wva_metrics::CollectorConfig prepared(wva_metrics::CollectorConfig config) {
        config.cache.fetch_interval = std::chrono::milliseconds(1);
        return config;
    }

    Last last_ = std::make_shared<std::optional<Round>>();
    boost::asio::io_context io_;
    wva_metrics::Collector<Backend, wva_metrics::MemoryCache, Watch> collector_;
};

} // namespace bench
