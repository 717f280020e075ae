// SPDX-License-Identifier: Apache-2.0
//
// Readers by handle while their variants are collected and invalidated.
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include "support/numbered_variant.hpp"
#include "support/run_threads.hpp"
#include "support/running_context.hpp"

#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

using namespace wva_metrics;
using test_support::numbered_variant;
using test_support::run_threads;

TEST_CASE("200 threads read by handle while the variants are collected and invalidated") {
    using Handles = Collector<testing::FakeBackend<>, ShardedCache>;
    constexpr int threads = 200;
    constexpr int variants = 5;
    constexpr int turns = 40;
    test_support::RunningContext running;
    testing::FakeBackend<> backend;
    for (int i = 0; i < variants; ++i) {
        OptimizerMetrics metrics;
        metrics.namespace_name = "llm";
        metrics.variant = numbered_variant(i).name;
        metrics.arrival_rate_per_minute =
            Reading<double>::measured(i, std::chrono::steady_clock::now());
        backend.set(std::move(metrics));
    }
    Handles collector(running.context().get_executor(), backend);
    std::vector<VariantHandle> handles;
    for (int i = 0; i < variants; ++i)
        handles.push_back(collector.handle(numbered_variant(i)));
    std::atomic<int> broken{0};
    std::atomic<int> collected{0};
    run_threads(threads, [&](int thread) {
        const int which = thread % variants;
        const VariantHandle handle = handles[static_cast<std::size_t>(which)];
        const auto is_its_own = [&](const OptimizerMetrics& metrics) {
            return metrics.variant == handle.variant().name &&
                   metrics.arrival_rate_per_minute.value_or(-1) == which;
        };
        for (int turn = 0; turn < turns; ++turn) {
            collector.visit(handle,
                            [&](const OptimizerView& view) { broken += !is_its_own(*view); });
            if (const auto found = collector.find(handle))
                broken += !is_its_own(**found);
            if (thread < 20 && turn % 4 == 0) {
                if (turn % 8 == 0)
                    collector.invalidate_variant(handle.variant());
                const auto result = collector.async_collect(handle, boost::asio::use_future).get();
                broken += !result.has_value() || !is_its_own(**result);
                ++collected;
            }
        }
    });
    CHECK(broken == 0);
    CHECK(collected == 20 * turns / 4);
    CHECK(collector.stats().handles == variants);
    handles.clear();
    CHECK(collector.stats().handles == 0);
}
