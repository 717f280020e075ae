// SPDX-License-Identifier: Apache-2.0
//
// What it costs to track variants and to fetch them in every round: allocations and bytes of each.
#include "memory/allocations.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/collector/detail/tracked_set.hpp"
#include "wva_metrics/testing/manual_time.hpp"

#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::allocations;
using testing::ManualClock;
using testing::ManualTimer;

namespace {

/// Answers at once, and allocates nothing but the vector of answers.
struct InstantBackend {
    asio::awaitable<Result<Availability>> check_availability(ModelKey) { co_return Availability{}; }
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        OptimizerMetrics metrics;
        metrics.arrival_rate_per_minute = Reading<double>::measured(60, ManualClock::now());
        co_return std::vector<Result<OptimizerMetrics>>(variants.size(), metrics);
    }
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        co_return std::vector<Result<ReplicaSamples>>(models.size(), ReplicaSamples());
    }
};

/// Names that need no memory of their own.
VariantAutoscaling short_named(std::size_t number) {
    const std::string text = std::to_string(number);
    return {"llm", "v" + text, "m" + text, "d" + text, "A100"};
}
/// Names as long as those of a cluster.
VariantAutoscaling long_named(std::size_t number) {
    const std::string name = "llama-" + std::to_string(number);
    return {"team-" + std::to_string(number % 10), name + "-a100",
            "meta-llama/Llama-3.1-8B-Instruct-" + std::to_string(number), name + "-decode", "A100"};
}

/// A collector in whose rounds all variants are due.
struct Rounds {
    Rounds(std::size_t variants, VariantAutoscaling (*named)(std::size_t)) {
        for (std::size_t i = 0; i < variants; ++i)
            collector.track(named(i));
        collector.start_background_fetching();
        for (int warm_up = 0; warm_up < 3; ++warm_up)
            run_one();
    }
    void run_one() {
        ManualClock::advance(15s);
        io.restart();
        io.poll();
    }

    boost::asio::io_context io;
    Collector<InstantBackend, MemoryCache, NullObserver, ManualTimer> collector{
        io.get_executor(), InstantBackend(), CollectorConfig{.max_tracked = 10'000}};
};

/// The allocations of a round.
int allocations_of_round(std::size_t variants, VariantAutoscaling (*named)(std::size_t)) {
    Rounds rounds(variants, named);
    const std::uint64_t fetched = rounds.collector.stats().targets;
    const int before = allocations.count;
    rounds.run_one();
    const int during = allocations.count - before;
    REQUIRE(rounds.collector.stats().targets == fetched + variants);
    return during;
}

} // namespace

TEST_CASE("a due variant allocates its entry, and else only for long names") {
    constexpr int few = 100;
    constexpr int many = 1100;
    const auto of_each = [](VariantAutoscaling (*named)(std::size_t)) {
        const int more = allocations_of_round(many, named) - allocations_of_round(few, named);
        // Vectors that grow are a few for all.
        return (more + (many - few) / 2) / (many - few);
    };
    CHECK(of_each(short_named) == 1);
    // The model and the deployment, of the question and of the entry.
    CHECK(of_each(long_named) == 5);
}

TEST_CASE("a tracked variant takes at most half a kilobyte, with its names") {
    constexpr std::size_t variants = 2000;
    const std::ptrdiff_t before = allocations.bytes;
    detail::TrackedSet set(variants);
    for (std::size_t i = 0; i < variants; ++i)
        set.track(std::make_shared<const detail::Target>(detail::OptimizerTarget{long_named(i)}),
                  true, ManualClock::now());
    const auto of_each = static_cast<double>(allocations.bytes - before) / variants;
    INFO(of_each << " bytes");
    CHECK(set.in_background(EntryKind::optimizer) == variants);
    CHECK(of_each <= 512);
}

TEST_CASE("while a round is settled, an entry that is replaced does not wait for the others") {
    constexpr std::size_t variants = 1000;
    Rounds rounds(variants, short_named);
    allocations.peak = allocations.bytes;
    const std::ptrdiff_t before = allocations.bytes;
    rounds.run_one();
    // The answers, the questions or the flights; but not a second entry each.
    const auto of_each = static_cast<double>(allocations.peak - before) / variants;
    INFO(of_each << " bytes");
    CHECK(of_each < sizeof(Result<OptimizerMetrics>) + sizeof(CacheEntry));
}
