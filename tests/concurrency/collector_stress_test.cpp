// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector.hpp"

#include "support/numbered_variant.hpp"
#include "support/run_threads.hpp"
#include "support/unreliable_backend.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::numbered_variant;
using test_support::UnreliableBackend;

namespace {

constexpr int stressed_variants = 12;

/// What every answer is checked against, on any thread.
class AnswerModel {
public:
    /// The answer of a call that begins now must be of a later fetch than this.
    std::uint64_t floor(int variant) const { return floors_[index(variant)]; }

    /// What began until `fetch` must not be seen by calls that begin from now on.
    void invalidated(int variant, std::uint64_t fetch) {
        std::atomic<std::uint64_t>& known = floors_[index(variant)];
        std::uint64_t before = known;
        while (before < fetch && !known.compare_exchange_weak(before, fetch))
            continue;
    }

    void check(int variant, const OptimizerMetrics& metrics, std::uint64_t floor) {
        const double identity = UnreliableBackend::identity_of(numbered_variant(variant).name);
        if (metrics.avg_input_tokens.value() != identity)
            ++of_another;
        if (UnreliableBackend::number_of(metrics) <= floor)
            ++invalidated_before;
    }
    void check(int variant, const ModelReplicas& replicas) {
        const ModelKey model = numbered_variant(variant).model();
        if (replicas.unattributed_pods != std::vector{UnreliableBackend::pod_of(model)})
            ++of_another;
    }

    /// Catch2's macros are for one thread only, so violations are counted.
    std::atomic<int> of_another{0};
    std::atomic<int> invalidated_before{0};
    std::atomic<int> older_after_newer{0};

private:
    static std::size_t index(int variant) { return static_cast<std::size_t>(variant); }
    std::array<std::atomic<std::uint64_t>, stressed_variants> floors_{};
};

CollectorConfig short_times() {
    // So that hits, stale hits, misses, rounds, expiries and time-outs all happen.
    return {.cache = {.ttl = 4ms,
                      .cleanup_interval = 3ms,
                      .fetch_interval = 2ms,
                      .stale_while_revalidate = 2ms,
                      .stale_if_error = 10ms,
                      .negative_ttl = 1ms,
                      .partial_ttl = 1ms,
                      .max_entries = 8},
            .call_timeout = 20ms,
            .untrack_after = 15ms};
}

} // namespace

TEMPLATE_TEST_CASE(
    "whatever happens at once, an answer is of its key, and not older than it may be", "",
    MemoryCache, ShardedCache, NoOpCache) {
    constexpr int callers = 3;
    constexpr int calls = 150;
    for (std::uint64_t round = 0; round < 4; ++round) {
        boost::asio::io_context io;
        auto work = boost::asio::make_work_guard(io);
        std::vector<std::thread> runners;
        for (int i = 0; i < 2; ++i)
            runners.emplace_back([&] { io.run(); });
        const UnreliableBackend backend(round);
        AnswerModel model;
        std::atomic<int> completed = 0;
        auto collector = std::make_unique<Collector<UnreliableBackend, TestType>>(
            io.get_executor(), backend, short_times());
        collector->start_background_fetching();

        test_support::run_threads(callers, [&](int caller) {
            std::mt19937 random(static_cast<unsigned>(1000 * round) +
                                static_cast<unsigned>(caller));
            std::array<std::uint64_t, stressed_variants> seen{};
            std::array<VariantHandle, stressed_variants> handles;
            for (int i = 0; i < calls; ++i) {
                const int number = static_cast<int>(random() % stressed_variants);
                const VariantAutoscaling variant = numbered_variant(number);
                const std::uint64_t floor = model.floor(number);
                const auto check = [&model, number, floor](const OptimizerSnapshot& snapshot) {
                    model.check(number, *snapshot, floor);
                };
                // A caller that waits sees the answers in order.
                std::future<Result<OptimizerSnapshot>> answer =
                    collector->async_collect_optimizer_metrics(variant, boost::asio::use_future);
                if (i % 4 == 0) {
                    const Result<OptimizerSnapshot> collected = answer.get();
                    if (collected.has_value()) {
                        check(*collected);
                        const std::uint64_t fetch = UnreliableBackend::number_of(**collected);
                        std::uint64_t& last = seen[static_cast<std::size_t>(number)];
                        if (fetch < last)
                            ++model.older_after_newer;
                        last = std::max(last, fetch);
                    }
                }
                VariantHandle& handle = handles[static_cast<std::size_t>(number)];
                if (!handle || random() % 8 == 0)
                    handle = collector->handle(variant);
                if (const auto found = i % 3 == 0
                                           ? collector->find(handle)
                                           : collector->find_optimizer_metrics(variant.key()))
                    check(*found);
                collector->visit(
                    handle, [&](const OptimizerView& view) { model.check(number, *view, floor); });
                collector->async_collect_replica_metrics(
                    variant.model(), {}, [&model, &completed, number](const auto& replicas) {
                        if (replicas.has_value())
                            model.check(number, **replicas);
                        ++completed;
                    });
                collector->async_validate_availability(variant.model(),
                                                       [&](const auto&) { ++completed; });
                switch (random() % 12) {
                case 0: {
                    const std::uint64_t begun = backend.fetches();
                    collector->invalidate_variant(variant);
                    model.invalidated(number, begun);
                    break;
                }
                case 1: {
                    const std::uint64_t begun = backend.fetches();
                    collector->invalidate_prefix("allocation:llm/");
                    for (int each = 0; each < stressed_variants; ++each)
                        model.invalidated(each, begun);
                    break;
                }
                case 2:
                    collector->untrack(variant.key());
                    break;
                case 3:
                    collector->track(variant);
                    break;
                case 4: {
                    CollectorConfig config = short_times();
                    config.cache.fetch_interval = std::chrono::milliseconds(random() % 4);
                    config.max_tracked = 1 + random() % 20;
                    static_cast<void>(collector->reconfigure(config));
                    break;
                }
                case 5:
                    collector->stop_background_fetching();
                    collector->start_background_fetching();
                    break;
                case 6:
                    static_cast<void>(collector->stats());
                    static_cast<void>(collector->health());
                    break;
                default:
                    break;
                }
            }
        });
        if (round % 2 == 0)
            collector.reset(); // Calls are pending.
        else
            collector->stop_background_fetching();
        work.reset();
        for (std::thread& runner : runners)
            runner.join();
        CHECK(completed == 2 * callers * calls);
        CHECK(model.of_another == 0);
        CHECK(model.invalidated_before == 0);
        CHECK(model.older_after_newer == 0);
        if (collector)
            CHECK(collector->stats().in_flight == 0);
    }
}
