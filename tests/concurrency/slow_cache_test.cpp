// SPDX-License-Identifier: Apache-2.0
//
// A user's own cache may be slow: nobody but who waits for its answer may wait for it.
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include "support/numbered_variant.hpp"
#include "support/running_context.hpp"

#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <latch>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using boost::asio::use_future;
using test_support::numbered_variant;
using test_support::RunningContext;

namespace {

/// The next call that meets it stands still there until it is opened.
struct Barrier {
    std::latch reached{1};
    std::latch opened{1};

    void pass() {
        reached.count_down();
        opened.wait();
    }
};

/// A cache whose removals or insertions can be held.
class HeldCache {
public:
    explicit HeldCache(CacheLimits limits) : cache_(limits) {}

    std::atomic<Barrier*> insertion = nullptr;
    std::atomic<Barrier*> removal = nullptr;

    template <typename Visitor>
    bool visit(const CacheKeyView& key, TimePoint now, Visitor&& visitor) {
        return cache_.visit(key, now, std::forward<Visitor>(visitor));
    }
    CacheEntryPtr find(const CacheKeyView& key, TimePoint now) { return cache_.find(key, now); }
    void insert_or_assign(const CacheKeyView& key, CacheEntryPtr entry) {
        pass(insertion);
        cache_.insert_or_assign(key, std::move(entry));
    }
    bool erase(const CacheKeyView& key) {
        pass(removal);
        return cache_.erase(key);
    }
    std::size_t erase_prefix(std::string_view prefix) {
        pass(removal);
        return cache_.erase_prefix(prefix);
    }
    std::size_t erase_expired(TimePoint now) { return cache_.erase_expired(now); }
    void clear() {
        pass(removal);
        cache_.clear();
    }
    std::size_t size() const { return cache_.size(); }
    CacheStats stats() const { return cache_.stats(); }

private:
    static void pass(std::atomic<Barrier*>& barrier) {
        if (Barrier* const met = barrier.exchange(nullptr))
            met->pass();
    }

    MemoryCache cache_;
};

/// A collector over a held cache, whose context runs on two threads.
struct HeldCacheFixture {
    using CollectorType = Collector<testing::FakeBackend<>, HeldCache>;

    HeldCacheFixture() { collect(known); }
    ~HeldCacheFixture() {
        context.context().stop();
        second.join();
    }

    Result<OptimizerSnapshot> collect(const VariantAutoscaling& which) {
        auto answer = collector.async_collect_optimizer_metrics(which, use_future);
        REQUIRE(answer.wait_for(std::chrono::minutes(1)) == std::future_status::ready);
        return answer.get();
    }

    RunningContext context;
    std::thread second{[this] { context.context().run(); }};
    CollectorType collector{context.context().get_executor(), {}};
    const VariantAutoscaling known = numbered_variant(0);
    const VariantAutoscaling other = numbered_variant(1);
};

/// A call that removes entries, also that of `HeldCacheFixture::known`.
struct Removal {
    std::string name;
    std::function<void(HeldCacheFixture&)> begin;
};

const std::vector<Removal>& removals() {
    static const std::vector<Removal> all = {
        {"invalidate_prefix",
         [](HeldCacheFixture& f) { f.collector.invalidate_prefix("allocation:"); }},
        {"invalidate_variant",
         [](HeldCacheFixture& f) { f.collector.invalidate_variant(f.known); }},
        {"invalidate_model",
         [](HeldCacheFixture& f) { f.collector.invalidate_model(f.known.model()); }},
        {"untrack", [](HeldCacheFixture& f) { f.collector.untrack(f.known.key()); }},
        {"disabling the cache",
         [](HeldCacheFixture& f) {
             CollectorConfig config = f.collector.config();
             config.cache.enabled = false;
             f.collector.reconfigure(config).value();
         }},
    };
    return all;
}

} // namespace

TEST_CASE("nobody waits while a slow cache removes entries") {
    for (const Removal& removal : removals()) {
        INFO(removal.name);
        HeldCacheFixture f;
        Barrier barrier;
        f.collector.cache().removal = &barrier;
        auto removing = std::async(std::launch::async, [&] { removal.begin(f); });
        barrier.reached.wait();

        f.collector.find_optimizer_metrics(f.known.key());
        CHECK(f.collect(f.known).has_value());
        CHECK(f.collect(f.other).has_value()); // A miss too.
        f.collector.track(f.other);
        f.collector.untrack(f.other.key());
        CHECK(f.collector.stats().in_flight == 0);

        barrier.opened.count_down();
        removing.get();
        CHECK_FALSE(f.collector.find_optimizer_metrics(f.known.key()));
    }
}

TEST_CASE("nobody waits while a slow cache stores another answer") {
    HeldCacheFixture f;
    Barrier barrier;
    f.collector.cache().insertion = &barrier;
    auto slow = f.collector.async_collect_optimizer_metrics(f.other, use_future);
    barrier.reached.wait();
    CHECK(f.collector.find_optimizer_metrics(f.known.key()));
    CHECK(f.collect(f.known).has_value());
    CHECK(f.collect(numbered_variant(2)).has_value());
    barrier.opened.count_down();
    CHECK(slow.get().has_value());
}

TEST_CASE("an answer that a slow cache is storing is gone when its invalidation returns") {
    for (const Removal& removal : removals()) {
        INFO(removal.name);
        HeldCacheFixture f;
        f.collector.invalidate_variant(f.known);
        Barrier barrier;
        f.collector.cache().insertion = &barrier;
        auto answer = f.collector.async_collect_optimizer_metrics(f.known, use_future);
        barrier.reached.wait();

        auto removing = std::async(std::launch::async, [&] { removal.begin(f); });
        // Lets a removal go first that does not wait for the insertion.
        removing.wait_for(std::chrono::milliseconds(20));
        barrier.opened.count_down();
        removing.get();
        CHECK(answer.get().has_value());
        CHECK(f.collector.cache().size() == 0);
    }
}
