// SPDX-License-Identifier: Apache-2.0
//
// A read by handle does what the same read by name does.
#include "support/collector_fixture.hpp"
#include "support/plain_cache.hpp"
#include "support/property_cases.hpp"
#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

static_assert(HandleCollector<AnyCollector>);
static_assert(HandleCollector<CollectorFixture::CollectorType>);

const ModelKey handled_model{"llm", "meta/llama"};
const std::vector<std::string> pods_of_handled = {"llama-7d9f8b6c5d-x2k4p",
                                                  "stray-6c5d7d9f8b-q9w8z"};

/// What a read returned, as text.
template <typename Read>
std::string told(const Read& read) {
    return std::string(to_string(read.source())) + " " + std::string(to_string(read.freshness())) +
           " " + std::to_string(read.collected_at().time_since_epoch().count());
}
std::string told_of(const auto& read) {
    return std::to_string(read->arrival_rate_per_minute.value_or(-1)) + " " + told(read);
}
std::string told_of_model(const auto& read) {
    return std::to_string(read->replicas.size()) + " " +
           std::to_string(read->unattributed_pods.size()) + " " + told(read);
}

/// A collector and its backend; all its reads go by name, or all by handle.
template <typename Target>
struct Reads {
    Reads(bool uses_handles, const CollectorConfig& config, auto make)
        : by_handle(uses_handles), target(make(io.get_executor(), backend, config, observer)) {}

    const VariantHandle& handle_of(const VariantAutoscaling& which) {
        const auto known = std::find_if(handles.begin(), handles.end(), [&](const auto& handle) {
            return handle.variant() == which;
        });
        return known != handles.end() ? *known : handles.emplace_back(target.handle(which));
    }
    std::string find(const VariantAutoscaling& which) {
        const auto read =
            by_handle ? target.find(handle_of(which)) : target.find_optimizer_metrics(which.key());
        return read ? told_of(*read) : "nothing";
    }
    std::string visit(const VariantAutoscaling& which) {
        std::string seen = "nothing";
        const auto note = [&](const OptimizerView& view) { seen = told_of(view); };
        const bool was_there = by_handle ? target.visit(handle_of(which), note)
                                         : target.visit_optimizer_metrics(which.key(), note);
        CHECK(was_there == (seen != "nothing"));
        return seen;
    }
    std::string find_replicas(const std::vector<VariantAutoscaling>& variants) {
        const auto read = by_handle ? target.find(model, variants)
                                    : target.find_replica_metrics(handled_model, variants);
        return read ? told_of_model(*read) : "nothing";
    }
    std::string visit_replicas(const std::vector<VariantAutoscaling>& variants) {
        std::string seen = "nothing";
        const auto note = [&](const ReplicaView& view) { seen = told_of_model(view); };
        if (by_handle)
            target.visit(model, variants, note);
        else
            target.visit_replica_metrics(handled_model, variants, note);
        return seen;
    }
    std::string collect(const VariantAutoscaling& which) {
        std::string got = "waits";
        const auto done = [&](const Result<OptimizerSnapshot>& result) {
            got = result ? told_of(*result) : result.error().describe();
        };
        if (by_handle)
            target.async_collect(handle_of(which), done);
        else
            target.async_collect_optimizer_metrics(which, done);
        settle();
        return got;
    }
    std::string collect_replicas(const std::vector<VariantAutoscaling>& variants) {
        std::string got = "waits";
        const auto done = [&](const Result<ReplicaSnapshot>& result) {
            got = result ? told_of_model(*result) : result.error().describe();
        };
        if (by_handle)
            target.async_collect(model, variants, done);
        else
            target.async_collect_replica_metrics(handled_model, variants, done);
        settle();
        return got;
    }
    void settle() {
        io.restart();
        io.poll();
    }

    boost::asio::io_context io;
    ManualBackend backend;
    RecordingObserver observer;
    bool by_handle;
    Target target;
    std::vector<VariantHandle> handles;
    ModelHandle model = target.handle(handled_model);
};

template <typename Cache>
struct CollectorWith {
    using Type = Collector<ManualBackend, Cache, RecordingObserver, ManualTimer>;
    static Type make(const boost::asio::any_io_executor& executor, const ManualBackend& backend,
                     const CollectorConfig& config, const RecordingObserver& observer) {
        return Type(executor, backend, config, observer);
    }
};
struct AnyCollectorWithHandles {
    using Type = AnyCollector;
    static Type make(const boost::asio::any_io_executor& executor, const ManualBackend& backend,
                     const CollectorConfig& config, const RecordingObserver& observer) {
        return CollectorWith<ShardedCache>::make(executor, backend, config, observer);
    }
};

} // namespace

TEMPLATE_TEST_CASE("a read by handle does what the same read by name does", "",
                   CollectorWith<MemoryCache>, CollectorWith<ShardedCache>,
                   CollectorWith<NoOpCache>, CollectorWith<PlainCache>, AnyCollectorWithHandles) {
    using Twin = Reads<typename TestType::Type>;
    const unsigned cases = property_cases(40);
    for (unsigned seed = 1; seed <= cases; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const auto below = [&](int bound) {
            return static_cast<int>(random() % static_cast<unsigned>(bound));
        };
        CollectorConfig config;
        config.cache.max_entries = seed % 3 == 0 ? 2 : 100;
        config.max_handles = seed % 4 == 0 ? 1 : 100;
        Twin named(false, config, TestType::make);
        Twin handled(true, config, TestType::make);
        // What a step does depends on these.
        VariantAutoscaling which;
        std::vector<VariantAutoscaling> variants;
        double rate = 0;
        using Act = std::function<std::string(Twin&)>;
        const auto change = [](auto act) {
            return [act](Twin& t) {
                act(t);
                return std::string();
            };
        };
        const std::vector<Act> acts = {
            change([&](Twin& t) { t.backend.set(optimizer_metrics(which.name, rate)); }),
            change(
                [&](Twin& t) { t.backend.set(replica_samples(handled_model, pods_of_handled)); }),
            change([](Twin& t) { t.backend.fail(Error(Errc::unavailable, "it is down")); }),
            change([](Twin& t) { t.backend.recover(); }),
            change([&](Twin& t) { t.target.invalidate_variant(which); }),
            change([](Twin& t) { t.target.invalidate_model(handled_model); }),
            change([](Twin& t) { t.target.invalidate_prefix("allocation:llm/"); }),
            change([&](Twin& t) { t.target.untrack(which.key()); }),
            change([](Twin& t) { t.target.untrack(handled_model); }),
            change([](Twin& t) {
                CollectorConfig next = t.target.config();
                next.cache.enabled = !next.cache.enabled;
                t.target.reconfigure(next).value();
            }),
            change([](Twin& t) { t.handles.clear(); }),
        };
        const std::vector<Act> reads = {
            [&](Twin& t) { return t.find(which); },
            [&](Twin& t) { return t.visit(which); },
            [&](Twin& t) { return t.collect(which); },
            [&](Twin& t) { return t.find_replicas(variants); },
            [&](Twin& t) { return t.visit_replicas(variants); },
            [&](Twin& t) { return t.collect_replicas(variants); },
        };
        for (int step = 0; step < 150; ++step) {
            if (below(8) == 0)
                ManualClock::advance(std::chrono::seconds(below(below(2) == 0 ? 70 : 400)));
            // Of the third there are two, which scale different workloads.
            const int number = below(4);
            which = variant(std::to_string(std::min(number, 2)), number == 3 ? "other" : "llama");
            variants = {which};
            rate = below(100);
            const std::vector<Act>& some = below(3) == 0 ? acts : reads;
            const Act& act = some[static_cast<std::size_t>(below(static_cast<int>(some.size())))];
            const std::string first = act(named);
            const std::string second = act(handled);
            named.settle();
            handled.settle();
            CAPTURE(step);
            REQUIRE(first == second);
            REQUIRE(named.observer.take() == handled.observer.take());
            REQUIRE(named.backend.batches() == handled.backend.batches());
            const CollectorStats by_name = named.target.stats();
            const CollectorStats by_handle = handled.target.stats();
            REQUIRE(by_name.cache.hits == by_handle.cache.hits);
            REQUIRE(by_name.cache.stale_hits == by_handle.cache.stale_hits);
            REQUIRE(by_name.cache.misses == by_handle.cache.misses);
            REQUIRE(by_name.served_stale_on_error == by_handle.served_stale_on_error);
            REQUIRE(by_name.tracked_variants == by_handle.tracked_variants);
            REQUIRE(by_handle.handles <= config.max_handles);
        }
    }
}
