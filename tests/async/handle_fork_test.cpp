// SPDX-License-Identifier: Apache-2.0
//
// A program forks while its threads read by handle. The child has only the thread that forked.
#if __has_include(<pthread.h>) && __has_include(<sys/wait.h>)

#include "support/collector_fixture.hpp"
#include "support/in_child.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include <boost/asio/execution_context.hpp>
#include <catch2/catch_all.hpp>

#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// A collector with cells, which a forked process goes on to use.
struct ForkedFixture : CollectorFixture {
    /// Stores a rate in the backend, collects it by handle, and reads it.
    bool collects(const VariantHandle& handle, double rate) {
        backend.set(optimizer_metrics(handle.variant().name, rate));
        std::optional<Result<OptimizerSnapshot>> got;
        handles.async_collect(handle, [&](auto result) { got = std::move(result); });
        settle();
        return got && got->has_value() && reads(handle) == rate;
    }
    /// In place and shared, which must be the same; nothing otherwise.
    std::optional<double> reads(const VariantHandle& handle) {
        std::optional<double> rate;
        handles.visit(handle, [&](const OptimizerView& view) {
            rate = view->arrival_rate_per_minute.value();
        });
        const auto found = handles.find(handle);
        if (found && (*found)->arrival_rate_per_minute.value() != rate)
            return {};
        return rate;
    }

    Collector<ManualBackend, ShardedCache, NullObserver, ManualTimer> handles{io.get_executor(),
                                                                              backend};
};

} // namespace

TEST_CASE_METHOD(ForkedFixture,
                 "a forked process reads, invalidates and collects by handles of its parent") {
    const VariantHandle handle = handles.handle(variant("v"));
    REQUIRE(collects(handle, 1));
    std::promise<void> is_there;
    std::promise<void> may_go;
    std::optional<double> seen;
    std::thread reader([&] {
        handles.visit(handle, [&](const OptimizerView& view) {
            is_there.set_value();
            may_go.get_future().wait();
            seen = view->arrival_rate_per_minute.value();
        });
    });
    is_there.get_future().wait();
    io.notify_fork(boost::asio::execution_context::fork_prepare);
    const int result = in_child([&] {
        io.notify_fork(boost::asio::execution_context::fork_child);
        if (reads(handle) != 1)
            return 1;
        handles.invalidate_variant(variant("v"));
        if (reads(handle))
            return 2;
        if (!collects(handle, 2))
            return 3;
        for (int i = 0; i < 100; ++i) {
            const VariantHandle made = handles.handle(variant("v" + std::to_string(i)));
            if (!collects(made, i) || reads(handle) != 2)
                return 4;
        }
        return handles.stats().handles == 1 ? 0 : 5;
    });
    io.notify_fork(boost::asio::execution_context::fork_parent);
    CHECK(result == 0);
    CHECK(reads(handle) == 1);
    may_go.set_value();
    reader.join();
    CHECK(seen == 1);
    handles.invalidate_variant(variant("v"));
    CHECK(collects(handle, 3));
}

#endif
