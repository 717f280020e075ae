// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// A cache of a user that throws at one of its calls.
class ThrowingCache {
public:
    explicit ThrowingCache(const CacheConfig& config) : cache_(config) {}

    /// The next call is number 1.
    void throw_at(int call) { calls_left_ = call; }
    bool has_thrown() const { return has_thrown_; }

    bool visit(const CacheKeyView& key, TimePoint now, auto&& reader) {
        count_call();
        return cache_.visit(key, now, reader);
    }
    CacheEntryPtr find(const CacheKeyView& key, TimePoint now) {
        count_call();
        return cache_.find(key, now);
    }
    void insert_or_assign(const CacheKeyView& key, CacheEntryPtr entry) {
        count_call();
        cache_.insert_or_assign(key, std::move(entry));
    }
    bool erase(const CacheKeyView& key) { return cache_.erase(key); }
    std::size_t erase_prefix(std::string_view prefix) { return cache_.erase_prefix(prefix); }
    std::size_t erase_expired(TimePoint now) {
        count_call();
        return cache_.erase_expired(now);
    }
    void clear() { cache_.clear(); }
    std::size_t size() const { return cache_.size(); }
    CacheStats stats() const { return cache_.stats(); }

private:
    void count_call() {
        if (calls_left_ == 0 || --calls_left_ > 0)
            return;
        has_thrown_ = true;
        throw std::runtime_error("scripted exception");
    }

    MemoryCache cache_;
    int calls_left_ = 0;
    bool has_thrown_ = false;
};

} // namespace

TEST_CASE("wherever a cache throws, every call is answered, and later ones and rounds go on") {
    bool has_thrown = true;
    int call = 1;
    for (; has_thrown; ++call) {
        CAPTURE(call);
        REQUIRE(call < 100);
        boost::asio::io_context io;
        ManualBackend backend;
        Collector<ManualBackend, ThrowingCache, NullObserver, ManualTimer> collector(
            io.get_executor(), backend);
        collector.cache().throw_at(call);
        int answers = 0;
        int values = 0;
        const auto count = [&](const auto& result) {
            ++answers;
            values += result.has_value() ? 1 : 0;
        };
        const auto settle = [&] {
            io.restart();
            io.poll();
        };
        collector.start_background_fetching();
        for (int round = 0; round < 5; ++round) {
            collector.async_collect_optimizer_metrics(variant("v"), count);
            collector.async_collect_replica_metrics({"llm", "meta/llama"}, {}, count);
            collector.async_validate_availability({"llm", "meta/llama"}, count);
            settle();
            CHECK(answers == 3 * (round + 1));
            CHECK(values == answers);
            collector.find_optimizer_metrics({"llm", "v"});
            ManualClock::advance(std::chrono::minutes(2));
            settle();
        }
        CHECK(collector.stats().in_flight == 0);
        CHECK(collector.stats().background_rounds >= 4);
        has_thrown = collector.cache().has_thrown();
        CHECK(collector.stats().cache_failures == (has_thrown ? 1U : 0U));
    }
    CHECK(call > 20); // It has thrown at many places.
}
