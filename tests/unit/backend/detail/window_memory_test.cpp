// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/window_memory.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const TimePoint memory_start{24h};

samples::View view_with(std::vector<samples::ServerDuration> ages) {
    samples::View view;
    std::ranges::sort(ages, std::ranges::greater());
    for (const samples::ServerDuration age : ages)
        view.times.push_back(samples::ServerTime(1000h) - age);
    return view;
}

samples::ServerDuration window_needed_by(const std::vector<samples::View>& views,
                                         const samples::SampleRules& rules = {}) {
    return needed_window(views, samples::ServerTime(1000h), rules);
}

/// Keeps every need, however many.
struct EveryNeed {
    std::vector<std::pair<Duration, TimePoint>> needs;

    Duration window(TimePoint now) const {
        Duration longest = 1min;
        for (const auto& [window, at] : needs)
            if (now - at < WindowMemory::forget_after)
                longest = std::max(longest, window);
        return longest;
    }
};

} // namespace

TEST_CASE("the usual window is asked for until a longer one is needed") {
    WindowMemory memory(1min, 5min);
    CHECK(memory.window(memory_start) == 1min);
    memory.learn(10s, memory_start);
    memory.learn(60s, memory_start);
    CHECK(memory.window(memory_start) == 1min);
    memory.learn(240s, memory_start);
    CHECK(memory.window(memory_start) == 4min);
}

TEST_CASE("a longer window is a whole number of seconds and at most the longest") {
    WindowMemory memory(1min, 5min);
    memory.learn(60'001ms, memory_start);
    CHECK(memory.window(memory_start) == 61s);
    memory.learn(299'500ms, memory_start);
    CHECK(memory.window(memory_start) == 5min);
    memory.learn(2h, memory_start);
    CHECK(memory.window(memory_start) == 5min);
    WindowMemory narrow(1min, 90'500ms);
    narrow.learn(90'200ms, memory_start);
    CHECK(narrow.window(memory_start) == 90'500ms);
}

TEST_CASE("a usual window that is longer than the longest is kept") {
    WindowMemory memory(10min, 5min);
    memory.learn(11min, memory_start);
    CHECK(memory.window(memory_start) == 10min);
}

TEST_CASE("a longer window is asked for until none has needed it for ten minutes") {
    WindowMemory memory(1min, 5min);
    memory.learn(4min, memory_start);
    memory.learn(4min, memory_start + 5min);
    CHECK(memory.window(memory_start + 15min - 1ms) == 4min);
    CHECK(memory.window(memory_start + 15min) == 1min);
    memory.learn(2min, memory_start + 15min);
    CHECK(memory.window(memory_start + 15min) == 2min);
}

TEST_CASE("a shorter window is asked for when only it has been needed for ten minutes") {
    WindowMemory memory(1min, 5min);
    memory.learn(4min, memory_start);
    memory.learn(3min, memory_start + 1min);
    memory.learn(2min, memory_start + 2min);
    CHECK(memory.window(memory_start + 10min - 1ms) == 4min);
    CHECK(memory.window(memory_start + 10min) == 3min);
    CHECK(memory.window(memory_start + 11min) == 2min);
    CHECK(memory.window(memory_start + 12min) == 1min);
}

TEST_CASE("the window is the longest that was needed in the last ten minutes") {
    const unsigned seed = GENERATE(range(0U, 50U));
    CAPTURE(seed);
    std::mt19937 random(seed);
    WindowMemory memory(1min, 5min);
    EveryNeed expected;
    TimePoint now = memory_start;
    for (int i = 0; i < 300; ++i) {
        now += std::chrono::seconds(random() % 120);
        const std::chrono::seconds needed(30 + random() % 250);
        if (random() % 4 == 0) {
            memory.learn(needed, now);
            expected.needs.emplace_back(needed, now);
        }
        CHECK(memory.window(now) == expected.window(now));
    }
}

TEST_CASE("the configured window is needed where it holds two samples or no spacing is known") {
    CHECK(window_needed_by({}) == 1min);
    CHECK(window_needed_by({view_with({0s, 15s, 30s, 45s})}) == 1min);
    CHECK(window_needed_by({view_with({20s})}) == 1min);
    CHECK(window_needed_by({view_with({0s})}, {.window = 7min}) == 7min);
}

TEST_CASE("where scrapes are rare a longer window is needed: the longest of all views") {
    const samples::View often = view_with({0s, 15s});
    const samples::View each_minute = view_with({20s, 80s});
    const samples::View each_70_seconds = view_with({10s, 80s, 150s});
    const samples::View each_2_minutes = view_with({20s, 140s, 260s});
    CHECK(window_needed_by({often, each_minute}) == 4min);
    CHECK(window_needed_by({each_minute, each_70_seconds, often}) == 280s);
    CHECK(window_needed_by({each_2_minutes, often}) == 5min);
}

TEST_CASE("once the longer window is asked for, it is still needed") {
    WindowMemory memory(1min, 5min);
    // The first time, only a second question shows the spacing.
    memory.learn(window_needed_by({view_with({20s, 80s, 140s, 200s, 260s})}), memory_start);
    for (int i = 0; i < 100; ++i) {
        const TimePoint now = memory_start + i * 15s;
        const Duration asked = memory.window(now);
        CHECK(asked == 4min);
        std::vector<samples::ServerDuration> ages;
        for (samples::ServerDuration age = i % 4 * 15s; age < asked; age += 60s)
            ages.push_back(age);
        memory.learn(window_needed_by({view_with(ages)}), now);
    }
}
