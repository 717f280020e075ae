// SPDX-License-Identifier: Apache-2.0
//
// What a caller of a collector allocates.
#include "memory/allocations.hpp"
#include "support/counted_calls.hpp"

#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/system_executor.hpp>

#include <catch2/catch_all.hpp>

#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Names as long as those of a cluster.
const VariantAutoscaling long_named_variant{"team-of-the-long-names", "llama-of-the-team-a100",
                                            "meta-llama/Llama-3.1-8B-Instruct",
                                            "llama-of-the-team-a100-decode", "A100"};

struct WarmCollector : CountedCalls {
    using CollectorType = Collector<ManualBackend, MemoryCache, NullObserver, ManualTimer>;

    /// Returns how many allocations the caller made.
    template <typename Initiate>
    int allocations_of(const Initiate& initiate) {
        const int before = allocations.count;
        begin(initiate);
        const int made = allocations.count - before;
        settle();
        return made;
    }

    ManualBackend backend;
    CollectorType collector{io.get_executor(), backend};
};

} // namespace

TEST_CASE("the names of a hit that is collected are checked without an allocation") {
    WarmCollector f;
    f.backend.set(optimizer_metrics(long_named_variant.name, 60));
    const auto collect = [&] {
        VariantAutoscaling variant = long_named_variant;
        return f.allocations_of([&] {
            f.collector.async_collect_optimizer_metrics(
                std::move(variant),
                asio::bind_immediate_executor(asio::system_executor(), f.counter()));
        });
    };
    CHECK(collect() > 0);
    CHECK(collect() == 0);
    CHECK(f.backend.batches() == 1);
    CHECK(f.values == 2);
}
