// SPDX-License-Identifier: Apache-2.0
#include "support/property_cases.hpp"
#include "wva_metrics/scrape/schedule.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace wva_metrics::scrape {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<Schedule::Id>;

const TimePoint begin{1000s};

TEST_CASE("a target is due when it is first asked for, and then once per interval at its phase") {
    Schedule schedule({.interval = 1s});
    schedule.demand(1, begin + 300ms);
    CHECK(schedule.start_due(begin + 300ms) == Ids{1});
    CHECK(schedule.start_due(begin + 10s).empty());
    schedule.finished(1, begin + 310ms);
    // The phase of the first is the beginning of an interval.
    CHECK(schedule.next_due(begin + 310ms) == begin + 1s);
    CHECK(schedule.start_due(begin + 999ms).empty());
    CHECK(schedule.start_due(begin + 1s) == Ids{1});
    schedule.finished(1, begin + 1010ms);
    CHECK(schedule.next_due(begin + 1010ms) == begin + 2s);
}

TEST_CASE("a slot just after the first scrape is left out") {
    Schedule schedule({.interval = 1s});
    schedule.demand(1, begin + 900ms);
    CHECK(schedule.start_due(begin + 900ms) == Ids{1});
    schedule.finished(1, begin + 910ms);
    CHECK(schedule.next_due(begin + 910ms) == begin + 2s);
}

TEST_CASE(
    "a target that is slower than the interval is scraped at the next slot, never twice at once") {
    Schedule schedule({.interval = 1s});
    schedule.demand(1, begin);
    CHECK(schedule.start_due(begin) == Ids{1});
    for (int second = 1; second < 4; ++second)
        CHECK(schedule.start_due(begin + std::chrono::seconds(second)).empty());
    schedule.finished(1, begin + 3500ms);
    CHECK(schedule.next_due(begin + 3500ms) == begin + 4s);
}

TEST_CASE("what a caller waits for is scraped before what a background round waits for") {
    Schedule schedule({.interval = 10s, .max_concurrent = 2});
    for (Schedule::Id id = 1; id <= 4; ++id)
        schedule.demand(id, begin);
    for (const Schedule::Id id : schedule.start_due(begin)) {
        CHECK(id <= 2);
        schedule.finished(id, begin);
    }
    for (Schedule::Id id = 1; id <= 4; ++id)
        schedule.hurry(id, begin + 1s, id == 2 ? Priority::interactive : Priority::background);
    // The others have been due for longer.
    CHECK(schedule.start_due(begin + 1s) == Ids{2, 3});
    schedule.finished(2, begin + 1s);
    schedule.finished(3, begin + 1s);
    // Nobody waits for it any more.
    schedule.hurry(2, begin + 1s, Priority::background);
    CHECK(schedule.start_due(begin + 1s) == Ids{4, 1});
}

TEST_CASE("the phases of many targets are spread over the interval") {
    Schedule schedule({.interval = 1s, .max_concurrent = 1000});
    for (Schedule::Id id = 0; id < 100; ++id)
        schedule.demand(id, begin);
    for (const Schedule::Id id : schedule.start_due(begin))
        schedule.finished(id, begin + 1ms);
    std::map<long, std::size_t> by_tenth;
    for (auto time = begin + 500ms; time < begin + 1500ms; time += 1ms)
        for (const Schedule::Id id : schedule.start_due(time)) {
            ++by_tenth[(time - begin) / 100ms];
            schedule.finished(id, time);
        }
    CHECK(by_tenth.size() == 10);
    for (const auto& [tenth, count] : by_tenth) {
        CHECK(count >= 9);
        CHECK(count <= 11);
    }
}

TEST_CASE("no more scrapes run at once than allowed, and the longest due come first") {
    Schedule schedule({.interval = 1s, .max_concurrent = 2});
    schedule.demand(3, begin);
    schedule.demand(1, begin + 1ms);
    schedule.demand(2, begin + 2ms);
    CHECK(schedule.start_due(begin + 2ms) == Ids{3, 1});
    CHECK(schedule.running() == 2);
    CHECK(!schedule.next_due(begin + 2ms));
    schedule.finished(3, begin + 5ms);
    CHECK(schedule.start_due(begin + 5ms) == Ids{2});
}

TEST_CASE("a target that nobody asks for is no longer scraped until somebody does") {
    Schedule schedule({.interval = 1s, .keep_scraping_for = 2s});
    schedule.demand(1, begin);
    for (auto time = begin; time <= begin + 2s; time += 1s) {
        CHECK(schedule.start_due(time) == Ids{1});
        schedule.finished(1, time + 1ms);
    }
    CHECK(!schedule.next_due(begin + 2001ms));
    CHECK(schedule.start_due(begin + 3s).empty());
    CHECK(schedule.idle(begin + 3s) == Ids{1});
    schedule.demand(1, begin + 9500ms);
    CHECK(schedule.idle(begin + 9500ms).empty());
    CHECK(schedule.start_due(begin + 9500ms) == Ids{1});
}

TEST_CASE("a target that is removed while it is scraped holds its place until the end") {
    Schedule schedule({.interval = 1s, .max_concurrent = 1});
    schedule.demand(1, begin);
    CHECK(schedule.start_due(begin) == Ids{1});
    schedule.remove(1);
    schedule.demand(2, begin);
    CHECK(schedule.start_due(begin).empty());
    schedule.finished(1, begin + 1ms);
    CHECK(schedule.start_due(begin + 1ms) == Ids{2});
    schedule.finished(9, begin + 1ms);
    CHECK(schedule.running() == 1);
}

TEST_CASE("whatever happens, each target is scraped once at a time and about once per interval") {
    std::mt19937_64 random(14);
    const auto below = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most - 1)(random);
    };
    for (std::size_t run = 0; run < test_support::property_cases(20); ++run) {
        const std::size_t most = 1 + below(20);
        Schedule schedule({.interval = 1s, .max_concurrent = most});
        std::map<Schedule::Id, TimePoint> running;
        std::map<Schedule::Id, TimePoint> last;
        for (auto now = begin; now < begin + 20s; now += 5ms) {
            for (Schedule::Id id = 0; id < 10; ++id)
                if (below(50) == 0)
                    schedule.demand(id, now);
            std::erase_if(running, [&](const auto& scrape) {
                if (scrape.second > now)
                    return false;
                schedule.finished(scrape.first, now);
                return true;
            });
            for (const Schedule::Id id : schedule.start_due(now)) {
                REQUIRE(!running.contains(id));
                if (last.contains(id))
                    REQUIRE(now - last[id] >= 500ms);
                last[id] = now;
                running[id] =
                    now + std::chrono::milliseconds(1 + below(below(5) == 0 ? 3000 : 100));
            }
            REQUIRE(running.size() <= most);
            REQUIRE(running.size() == schedule.running());
        }
        CHECK(last.size() == 10);
    }
}

TEST_CASE("a wrong schedule is refused in words") {
    CHECK(validate(ScheduleConfig{}).empty());
    CHECK(validate(ScheduleConfig{.interval = 1ms, .max_concurrent = 0, .keep_scraping_for = -1s})
              .size() == 3);
}

} // namespace
} // namespace wva_metrics::scrape
