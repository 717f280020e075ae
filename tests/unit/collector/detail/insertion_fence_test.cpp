// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/insertion_fence.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <future>
#include <optional>

using wva_metrics::detail::InsertionFence;

namespace {

using OpenInsertion = std::optional<InsertionFence::Insertion>;

} // namespace

TEST_CASE("a removal waits for the insertions that have begun") {
    InsertionFence fence;
    fence.wait(); // For nothing.
    OpenInsertion first(std::in_place, fence);
    OpenInsertion second(std::in_place, fence);
    std::atomic<bool> have_ended = false;
    auto removal = std::async(std::launch::async, [&] {
        fence.wait();
        return have_ended.load();
    });
    second.reset(); // In another order.
    have_ended = true;
    first.reset();
    CHECK(removal.get());
}

TEST_CASE("a removal does not wait until there is no insertion") {
    InsertionFence fence;
    OpenInsertion current(std::in_place, fence);
    std::atomic<bool> is_done = false;
    auto removals = std::async(std::launch::async, [&] {
        for (int i = 0; i < 100; ++i)
            fence.wait();
        is_done = true;
    });
    while (!is_done) { // One or two at any time.
        OpenInsertion next(std::in_place, fence);
        current.reset();
        current.emplace(fence);
    }
    removals.get();
}
