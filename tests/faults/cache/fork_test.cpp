// SPDX-License-Identifier: Apache-2.0
//
// A program forks while its threads use a cache. The child has only the thread that forked.
#if __has_include(<pthread.h>) && __has_include(<sys/wait.h>)

#include "support/counted_entry.hpp"
#include "support/in_child.hpp"
#include "wva_metrics/cache/detail/retire_list.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

using namespace wva_metrics;
using test_support::any_time;
using test_support::CountedCache;
using test_support::CountedEntry;
using test_support::in_child;

namespace {

const CacheKeyView visited_key{EntryKind::replica, "ns", "visited"};

struct ForkedNode {
    static std::size_t bytes() { return 1; }
    ForkedNode* older = nullptr;
};

/// Runs `work` in another thread, and `meanwhile` while that waits in the function it is given.
template <typename Work, typename Meanwhile>
void beside_waiting_thread(const Work& work, const Meanwhile& meanwhile) {
    std::promise<void> is_there;
    std::promise<void> may_go;
    std::thread thread([&] {
        work([&] {
            is_there.set_value();
            may_go.get_future().wait();
        });
    });
    is_there.get_future().wait();
    meanwhile();
    may_go.set_value();
    thread.join();
}

} // namespace

TEST_CASE(
    "a forked process reads, changes and frees a cache that threads of its parent were visiting") {
    const bool by_cell = GENERATE(false, true);
    CAPTURE(by_cell);
    std::atomic<int> living{0};
    CountedCache cache({100, 1'000'000}, 1);
    const std::size_t empty_bytes = cache.stats().bytes;
    std::shared_ptr<CountedCache::Cell> cell = cache.cell(visited_key);
    const auto insert = [&](const CacheKeyView& key, std::uint64_t version = 0) {
        cache.insert_or_assign(key, std::make_shared<const CountedEntry>(living, version));
    };
    insert(visited_key, 1);
    const auto visit = [&](const auto& visitor) {
        return by_cell ? cache.visit(*cell, any_time, visitor)
                       : cache.visit(visited_key, any_time, visitor);
    };
    const auto holds = [&](std::uint64_t version) {
        const auto found =
            by_cell ? cache.find(*cell, any_time) : cache.find(visited_key, any_time);
        bool visited = false;
        visit([&](const CountedEntry& entry) { visited = entry.version() == version; });
        return visited && found != nullptr && found->version() == version;
    };
    const auto visit_and = [&](const auto& wait) { visit([&](const CountedEntry&) { wait(); }); };
    beside_waiting_thread(visit_and, [&] {
        CHECK(in_child([&] {
                  if (!holds(1))
                      return 1;
                  for (int i = 0; i < 1000; ++i) {
                      const std::string name = std::to_string(i % 50);
                      insert(CacheKeyView{EntryKind::replica, "ns", name});
                  }
                  if (!holds(1))
                      return 2;
                  insert(visited_key, 2);
                  if (!holds(2))
                      return 3;
                  cache.clear();
                  if (holds(2))
                      return 4;
                  // Nobody visits the entry in this process.
                  if (living != 0 || cache.size() != 0)
                      return 5;
                  cell.reset();
                  cache.erase_expired(any_time);
                  if (cache.stats().bytes != empty_bytes)
                      return 6;
                  cell = cache.cell(visited_key);
                  insert(visited_key, 3);
                  return holds(3) ? 0 : 7;
              }) == 0);
    });
    CHECK(holds(1));
    cache.clear();
    CHECK(living == 0);
}

TEST_CASE("a forked process does not wait for searches of its parent's threads") {
    detail::EpochDomain domain;
    const auto search_and = [&](const auto& wait) {
        const detail::EpochDomain::ReadSection section(domain, *domain.thread_record());
        wait();
    };
    beside_waiting_thread(search_and, [&] {
        const auto retire = [&] {
            detail::RetireList<ForkedNode> retired;
            retired.added().add(*new ForkedNode);
            std::mutex mutex;
            std::unique_lock lock(mutex);
            retired.reclaim(domain, lock);
            return static_cast<int>(retired.bytes());
        };
        CHECK(retire() == 1);
        CHECK(in_child(retire) == 0);
    });
}

#endif
