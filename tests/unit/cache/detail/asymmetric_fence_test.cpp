// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/asymmetric_fence.hpp"

#include "wva_metrics/cache/detail/retire_list.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using wva_metrics::detail::AsymmetricFence;
using wva_metrics::detail::EpochDomain;
using wva_metrics::detail::RetireList;

namespace {

/// A kernel that may refuse, and a clock.
struct FenceWorld {
    inline static std::atomic<bool> is_refused{false};
    inline static std::atomic<int> barriers{0};
    inline static std::atomic<AsymmetricFence::Clock::time_point> time{};

    FenceWorld() {
        is_refused = false;
        barriers = 0;
        time = AsymmetricFence::Clock::time_point(1h);
    }
    static bool barrier() noexcept {
        ++barriers;
        return !is_refused;
    }
    static AsymmetricFence::Clock::time_point now() { return time; }
    static void pass(std::chrono::milliseconds duration) { time = time.load() + duration; }
};

struct FencedNode {
    static std::size_t bytes() { return 1; }
    FencedNode* older = nullptr;
    std::atomic<int>* living = nullptr;
    ~FencedNode() { --*living; }
};

} // namespace

TEST_CASE("the heavy fence asks the kernel as long as it answers") {
    const FenceWorld world;
    AsymmetricFence fence(&FenceWorld::barrier, &FenceWorld::now);
    for (int i = 1; i <= 3; ++i) {
        CHECK(fence.heavy());
        fence.light();
        CHECK(FenceWorld::barriers == i);
    }
}

TEST_CASE("without a barrier the heavy fence is a real one, at once") {
    const FenceWorld world;
    AsymmetricFence fence(nullptr, &FenceWorld::now);
    CHECK(fence.heavy());
    fence.light();
}

TEST_CASE(
    "a refused barrier switches to real fences for good, once the readers' stores are visible") {
    FenceWorld world;
    AsymmetricFence fence(&FenceWorld::barrier, &FenceWorld::now);
    CHECK(fence.heavy());
    FenceWorld::is_refused = true;
    CHECK_FALSE(fence.heavy());
    CHECK(FenceWorld::barriers == 2);
    FenceWorld::is_refused = false; // Too late.
    FenceWorld::pass(AsymmetricFence::settle_time - 1ms);
    CHECK_FALSE(fence.heavy());
    FenceWorld::pass(1ms);
    CHECK(fence.heavy());
    FenceWorld::pass(1h);
    CHECK(fence.heavy());
    CHECK(FenceWorld::barriers == 2);
}

TEST_CASE("what is retired while the barrier is refused is destroyed after the switch") {
    FenceWorld world;
    std::atomic<int> living{0};
    EpochDomain domain(&FenceWorld::barrier, &FenceWorld::now);
    RetireList<FencedNode> retired;
    const auto retire_and_reclaim = [&] {
        auto* const node = new FencedNode;
        node->living = &living;
        ++living;
        retired.added().add(*node);
        std::mutex mutex;
        std::unique_lock lock(mutex);
        retired.reclaim(domain, lock);
    };
    retire_and_reclaim();
    CHECK(living == 0);
    FenceWorld::is_refused = true;
    for (int i = 1; i <= 5; ++i) {
        retire_and_reclaim();
        CHECK(living == i);
    }
    FenceWorld::pass(AsymmetricFence::settle_time);
    {
        const EpochDomain::ReadSection section(domain, *domain.thread_record());
        retire_and_reclaim();
        CHECK(living == 6); // A reader is waited for, as before.
    }
    retire_and_reclaim();
    CHECK(living == 0);
}

TEST_CASE("readers that search during the switch never meet a destroyed object") {
    FenceWorld world;
    std::atomic<int> living{0};
    EpochDomain domain(&FenceWorld::barrier, &FenceWorld::now);
    RetireList<FencedNode> retired;
    const auto make = [&] {
        auto* const node = new FencedNode;
        node->living = &living;
        ++living;
        return node;
    };
    std::atomic<FencedNode*> shared{make()};
    std::atomic<bool> is_done{false};
    std::atomic<bool> is_broken{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i)
        readers.emplace_back([&] {
            while (!is_done) {
                const EpochDomain::ReadSection section(domain, *domain.thread_record());
                if (shared.load(std::memory_order_acquire)->living != &living)
                    is_broken = true;
            }
        });
    for (int i = 0; i < 20'000; ++i) {
        FenceWorld::is_refused = i >= 5'000;
        if (i == 10'000)
            FenceWorld::pass(AsymmetricFence::settle_time);
        retired.added().add(*shared.exchange(make(), std::memory_order_acq_rel));
        std::mutex mutex;
        std::unique_lock lock(mutex);
        retired.reclaim(domain, lock);
    }
    is_done = true;
    for (std::thread& reader : readers)
        reader.join();
    CHECK_FALSE(is_broken);
    std::mutex mutex;
    // A reader that was interrupted in its search may have kept the writer from the switch until now.
    for (int i = 0; i < 3; ++i) {
        FenceWorld::pass(AsymmetricFence::settle_time);
        std::unique_lock lock(mutex);
        retired.reclaim(domain, lock);
    }
    CHECK(living == 1);
    delete shared.load();
}
