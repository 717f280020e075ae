// SPDX-License-Identifier: Apache-2.0
//
// The cost of keeping many variants fresh, without the queries: the collector's background
// fetching, which has one timer and fetches everything that is due together, compared with one
// timer per variant.
//
// The backend answers at once and costs nearly nothing, but the collector still creates a target,
// an answer and a cache entry for each variant. So there are two peers: timers that only fire and
// are armed again, and timers that each fetch their variant and cache the answer.
#include "rounds/constant_backend.hpp"
#include "rounds/numbered_variants.hpp"
#include "support/measurement.hpp"

#include <wva_metrics/cache/memory_cache.hpp>
#include <wva_metrics/collector.hpp>
#include <wva_metrics/collector/detail/entry_factory.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using namespace bench;

namespace {

struct Pace {
    Duration interval;
    /// Length of the measurement, in intervals: each variant is due this often.
    int intervals;
};

struct Cost {
    /// Percent of one core.
    double cpu_percent = 0;
    double wake_ups_per_second = 0;
};

/// How often the calling thread has slept. It does all the work, and sleeps only while there is
/// nothing to do.
long times_slept() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

/// The cost of `run` on the calling thread.
template <typename Run>
Cost measure(Run run) {
    const double cpu_before = cpu_seconds();
    const long slept_before = times_slept();
    const double began = seconds_now();
    run();
    const double seconds = seconds_now() - began;
    return {100 * (cpu_seconds() - cpu_before) / seconds,
            static_cast<double>(times_slept() - slept_before) / seconds};
}

/// The cost of the timers that are armed in `io`, over the measured time.
Cost measure_timers(boost::asio::io_context& io, const Pace& pace) {
    boost::asio::steady_timer end(io, pace.interval * pace.intervals);
    end.async_wait([&](const boost::system::error_code&) { io.stop(); });
    return measure([&] {
        io.restart();
        io.run();
    });
}

/// A random part of the interval. It spreads the timers over the interval, as in a cluster whose
/// objects are created one after the other.
class Phases {
public:
    explicit Phases(const Pace& pace) : part_(0, pace.interval.count()) {}
    Duration next() { return Duration(part_(random_)); }

private:
    std::mt19937_64 random_{42};
    std::uniform_int_distribution<Duration::rep> part_;
};

Cost collector(std::size_t variants, const Pace& pace) {
    boost::asio::io_context io;
    CollectorConfig config = roomy_config(variants);
    config.cache.fetch_interval = pace.interval;
    Collector<ConstantBackend, MemoryCache> collector(io.get_executor(), ConstantBackend(), config);
    require(effective_fetch_interval(collector.config()) == pace.interval,
            "the interval is not the configured one");
    for (std::size_t i = 0; i < variants; ++i)
        collector.track(numbered_variant(i));
    require(collector.start_background_fetching(), "background fetching did not start");
    const auto run_until_rounds = [&](int rounds) {
        while (collector.stats().background_rounds < static_cast<std::size_t>(rounds))
            io.run_one();
    };
    run_until_rounds(1); // From here on each variant is refreshed; none is new.
    const Cost cost = measure([&] { run_until_rounds(1 + pace.intervals); });
    require(collector.stats().targets == variants * static_cast<std::size_t>(1 + pace.intervals),
            "a variant was not fetched once per interval");
    return cost;
}

class BareTimer {
public:
    BareTimer(boost::asio::io_context& io, Duration interval, Duration first, std::size_t& fired)
        : timer_(io, first), interval_(interval), fired_(fired) {}
    void wait() {
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (error)
                return;
            ++fired_;
            timer_.expires_at(timer_.expiry() + interval_);
            wait();
        });
    }

private:
    boost::asio::steady_timer timer_;
    Duration interval_;
    std::size_t& fired_;
};

Cost bare_timers(std::size_t variants, const Pace& pace) {
    boost::asio::io_context io;
    Phases phases(pace);
    std::size_t fired = 0;
    std::vector<std::unique_ptr<BareTimer>> timers;
    for (std::size_t i = 0; i < variants; ++i) {
        timers.push_back(std::make_unique<BareTimer>(io, pace.interval, phases.next(), fired));
        timers.back()->wait();
    }
    const Cost cost = measure_timers(io, pace);
    const auto due = static_cast<double>(variants) * pace.intervals;
    require(static_cast<double>(fired) > 0.9 * due, "the timers did not fire once per interval");
    return cost;
}

struct Shared {
    ConstantBackend backend;
    CacheConfig config;
    MemoryCache cache;
    std::size_t fetched = 0;
};

boost::asio::awaitable<void> fetch_by_itself(boost::asio::io_context& io, Shared& shared,
                                             VariantAutoscaling variant, Duration interval,
                                             Duration first) {
    boost::asio::steady_timer timer(io, first);
    for (;;) {
        co_await timer.async_wait(boost::asio::use_awaitable);
        const TimePoint asked_at = std::chrono::steady_clock::now();
        std::vector<VariantAutoscaling> batch(1, variant);
        auto answers = co_await shared.backend.fetch_optimizer_metrics(std::move(batch));
        OptimizerMetrics metrics = *std::move(answers.front());
        detail::stamp_identity(detail::OptimizerTarget{variant}, metrics);
        shared.cache.insert_or_assign(
            optimizer_key(variant.namespace_name, variant.name),
            detail::make_entry(shared.config, std::move(metrics), asked_at));
        ++shared.fetched;
        timer.expires_at(timer.expiry() + interval);
    }
}

Cost asking_timers(std::size_t variants, const Pace& pace) {
    const CacheConfig config = roomy_config(variants).cache;
    Shared shared{{}, config, MemoryCache(config), 0};
    boost::asio::io_context io;
    Phases phases(pace);
    for (std::size_t i = 0; i < variants; ++i)
        boost::asio::co_spawn(
            io, fetch_by_itself(io, shared, numbered_variant(i), pace.interval, phases.next()),
            boost::asio::detached);
    io.poll(); // All coroutines wait now.
    const Cost cost = measure_timers(io, pace);
    const auto due = static_cast<double>(variants) * pace.intervals;
    require(static_cast<double>(shared.fetched) > 0.9 * due,
            "a variant was not fetched once per interval");
    require(shared.cache.size() > variants / 2, "and cached");
    return cost;
}

void compare(std::size_t variants, const Pace& pace) {
    const Cost ours = collector(variants, pace);
    const Cost bare = bare_timers(variants, pace);
    const Cost asking = asking_timers(variants, pace);
    std::ostringstream text;
    text << grouped(variants) << " variants every "
         << std::chrono::duration<double>(pace.interval).count() << " s";
    const std::string work = text.str();
    const Row cpu("idle and due", work, "% of a core", Better::less);
    cpu.ours(ours.cpu_percent);
    cpu.peer("a steady_timer each, fetching by itself", asking.cpu_percent, 40);
    cpu.peer("a steady_timer each, doing nothing", bare.cpu_percent, 40);
    const Row wake_ups("idle and due", work + ": wake-ups", "1/s", Better::less);
    wake_ups.ours(ours.wake_ups_per_second);
    wake_ups.target_at_most(25);
    wake_ups.peer("a steady_timer each, fetching by itself", asking.wake_ups_per_second);
    wake_ups.peer("a steady_timer each, doing nothing", bare.wake_ups_per_second);
}

constexpr Help help{"The CPU time and the wake-ups for keeping many variants fresh, without the "
                    "queries: one timer\n"
                    "for all, compared with one timer per variant."};

} // namespace

int main(int count, char** arguments) {
    const Options options = parse_options(count, arguments, help);
    // With a tenth of the real interval, everything is due ten times as often.
    const Pace pace = options.pick<Pace>({15s, 1}, {1500ms, 2}, {100ms, 2});
    using Sizes = std::vector<std::size_t>;
    const Sizes real = {10'000, 100'000};
    for (const std::size_t variants : options.pick<Sizes>(real, real, {100}))
        compare(variants, pace);
}
