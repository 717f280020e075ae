// SPDX-License-Identifier: Apache-2.0
//
// When a sharded cache destroys entries that readers may hold, and which threads can read without a
// lock.
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/counted_entry.hpp"
#include "support/run_threads.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;
using test_support::any_time;
using test_support::CountedCache;
using test_support::CountedEntry;
using test_support::run_threads;

namespace {

struct MemoryFixture {
    std::atomic<int> living{0};
    CountedCache cache{{100'000, 100'000'000}, 2};

    void insert(const std::string& name) {
        cache.insert_or_assign(CacheKeyView{EntryKind::replica, "ns", name},
                               std::make_shared<const CountedEntry>(living));
    }
    bool visit_intact(const std::string& name) {
        bool intact = true;
        cache.visit(CacheKeyView{EntryKind::replica, "ns", name}, any_time,
                    [&](const CountedEntry& entry) { intact = entry.is_intact(); });
        return intact;
    }
    int held() const { return static_cast<int>(cache.size()); }
};

} // namespace

TEST_CASE("an entry is never destroyed while a reader holds it, and always afterwards") {
    constexpr int rounds = 4'000;
    MemoryFixture fixture;
    std::atomic<bool> broken{false};
    std::atomic<int> writers{2};
    run_threads(4, [&](int thread) {
        std::mt19937 random(static_cast<unsigned>(thread));
        if (thread >= 2) {
            while (writers > 0)
                if (!fixture.visit_intact(std::to_string(random() % 3)))
                    broken = true;
            return;
        }
        for (int i = 0; i < rounds; ++i) {
            fixture.insert(std::to_string(random() % 3));
            // Reclaims at once, so that a mistake would nearly always hit a reader.
            fixture.cache.erase_expired(any_time);
            if (i % 50 == 0)
                fixture.cache.clear();
        }
        --writers;
    });
    CHECK_FALSE(broken);
    fixture.cache.erase_expired(any_time);
    CHECK(fixture.living == fixture.held());
    fixture.cache.clear();
    CHECK(fixture.living == 0);
}

TEST_CASE("entries that ended threads have removed are destroyed") {
    MemoryFixture fixture;
    for (int generation = 0; generation < 5; ++generation)
        run_threads(6, [&](int thread) {
            std::mt19937 random(static_cast<unsigned>(10 * generation + thread));
            for (int i = 0; i < 300; ++i) {
                const std::string name = std::to_string(random() % 100);
                fixture.insert(name);
                fixture.visit_intact(std::to_string(random() % 100));
                if (i % 10 == 0)
                    fixture.cache.erase_prefix("replica:ns/" + name);
                if (i % 70 == 0)
                    fixture.cache.erase_prefix("replica:ns/");
            }
        });
    fixture.cache.erase_expired(any_time);
    CHECK(fixture.living == fixture.held());
    fixture.cache.clear();
    CHECK(fixture.living == 0);
}

TEST_CASE("a stalled visitor keeps its own entry alive and no other, and blocks no other thread") {
    MemoryFixture fixture;
    fixture.insert("held");
    std::promise<void> reading;
    std::promise<void> leave;
    std::atomic<bool> intact{false};
    std::thread stalled([&] {
        fixture.cache.visit(CacheKeyView{EntryKind::replica, "ns", "held"}, any_time,
                            [&](const CountedEntry& entry) {
                                reading.set_value();
                                leave.get_future().wait();
                                intact = entry.is_intact();
                            });
    });
    reading.get_future().wait();
    run_threads(3, [&](int thread) {
        for (int i = 0; i < 500; ++i) {
            fixture.insert(i % 10 == 0 ? "held" : std::to_string(100 * thread + i % 100));
            fixture.visit_intact(std::to_string(i));
        }
    });
    fixture.cache.erase_expired(any_time);
    CHECK(fixture.living == fixture.held() + 1);
    fixture.cache.clear();
    CHECK(fixture.living == 1);
    fixture.insert("new");
    CHECK(fixture.visit_intact("new"));
    CHECK(fixture.held() == 1);
    leave.set_value();
    stalled.join();
    CHECK(intact);
    fixture.cache.erase_expired(any_time);
    CHECK(fixture.living == 1);
}

TEST_CASE("a thread has a unique number until it ends") {
    using detail::thread_number;
    constexpr int threads = 60;
    for (int round = 0; round < 4; ++round) {
        std::mutex mutex;
        std::set<int> numbers;
        std::latch all_have_one(threads);
        run_threads(threads, [&](int) {
            const int number = thread_number();
            {
                const std::lock_guard lock(mutex);
                numbers.insert(number);
            }
            all_have_one.arrive_and_wait();
            if (thread_number() != number)
                numbers.clear();
        });
        CHECK(numbers.size() == threads);
        CHECK(*numbers.begin() >= 0);
        // The numbers of earlier rounds are reused.
        CHECK(*numbers.rbegin() < threads + 10);
    }
}

TEST_CASE("threads without a number can use the cache") {
    constexpr int threads = 160;
    MemoryFixture fixture;
    fixture.insert("shared");
    std::atomic<int> without{0};
    std::atomic<int> broken{0};
    std::latch all_here(threads);
    run_threads(threads, [&](int thread) {
        const bool has_none = detail::thread_number() == detail::no_thread_number;
        without += has_none;
        all_here.arrive_and_wait();
        const std::string name = std::to_string(thread);
        const CacheKeyView key{EntryKind::replica, "ns", name};
        broken += fixture.cache.find(key, any_time) != nullptr;
        fixture.insert(name);
        broken += fixture.cache.find(key, any_time) == nullptr;
        broken += !fixture.cache.visit(key, any_time, [&](const CountedEntry& entry) {
            // It may change the cache, like other visitors.
            fixture.cache.erase(key);
            broken += !entry.is_intact();
        });
        broken += !fixture.visit_intact("shared");
    });
    CHECK(broken == 0);
    CHECK(without >= threads - detail::max_thread_numbers);
    const CacheStats stats = fixture.cache.stats();
    CHECK(stats.hits == 3 * threads);
    CHECK(stats.misses == threads);
    CHECK(stats.invalidations == threads);
    fixture.cache.erase_expired(any_time);
    CHECK(fixture.living == 1);
    std::thread([&] { CHECK(detail::thread_number() != detail::no_thread_number); }).join();
}
