// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/fetch_schedule.hpp"

#include "support/flights.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace wva_metrics::test_support::flights;
using namespace std::chrono_literals;

TEST_CASE(
    "the first round comes after its random part of the interval, the others at a fixed rate") {
    FetchSchedule schedule(15s, 0s, 4s, start);
    CHECK(schedule.next() == start + 4s);
    CHECK(!schedule.round_due(start + 4s - 1ns));
    CHECK(schedule.round_due(start + 4s));
    schedule.round_started(start + 5s);
    CHECK(schedule.round_ended(start + 19s) == 0);
    CHECK(schedule.next() == start + 20s); // From the start of the last one, not from its end.
}

TEST_CASE("no round is due while one is running, and those that it delayed are left out") {
    FetchSchedule schedule(15s, 0s, 0s, start);
    schedule.round_started(start);
    CHECK(!schedule.next());
    CHECK(!schedule.round_due(start + 100s));
    CHECK(schedule.round_ended(start + 100s) == 6); // Those of 15 s to 90 s.
    CHECK(!schedule.round_due(start + 100s));
    CHECK(schedule.next() == start + 105s);
    schedule.round_started(start + 105s);
    CHECK(schedule.round_ended(start + 120s) == 1); // Due at this very moment.
    CHECK(schedule.next() == start + 135s);
}

TEST_CASE("an interval varies by a tenth, as chance says, but not beyond the longest") {
    CHECK(varied_interval(10s, 0, 1h) == 9s);
    CHECK(varied_interval(10s, 0.5, 1h) == 10s);
    CHECK(varied_interval(10s, 1, 1h) == 11s);
    CHECK(varied_interval(10s, 0.75, 1h) == 10500ms);
    CHECK(varied_interval(10s, 1, 10s) == 10s);
    CHECK(varied_interval(10s, 0, 10s) == 9s);
    CHECK(varied_interval(Duration::max(), 1, Duration::max()) == Duration::max());
    CHECK(varied_interval(Duration::max(), 0, Duration::max()) > Duration::max() / 2);

    FetchSchedule schedule(10s, 0s, 0s, start, 10500ms);
    schedule.round_started(start, 0);
    CHECK(schedule.round_ended(start + 1s) == 0);
    CHECK(schedule.next() == start + 9s);
    schedule.round_started(start + 9s, 1);
    CHECK(schedule.round_ended(start + 10s) == 0);
    CHECK(schedule.next() == start + 19s + 500ms);
}

TEST_CASE("cleanups have their own schedule, also during a round") {
    FetchSchedule schedule(15s, 60s, 0s, start);
    schedule.round_started(start);
    CHECK(schedule.next() == start + 60s);
    CHECK(!schedule.cleanup_due(start + 60s - 1ns));
    CHECK(schedule.cleanup_due(start + 60s));
    schedule.cleaned_up(start + 61s);
    CHECK(schedule.next() == start + 121s);
}

TEST_CASE("an interval of zero means never") {
    const FetchSchedule neither(0s, 0s, 0s, start);
    CHECK(!neither.next());
    const FetchSchedule only_cleanup(0s, 60s, 0s, start);
    CHECK(!only_cleanup.round_due(start + 1h));
    CHECK(only_cleanup.next() == start + 60s);
}

TEST_CASE("a shorter interval shortens the remaining wait in proportion") {
    FetchSchedule schedule(100s, 200s, 60s, start);
    schedule.change_intervals(10s, 100s, 0s, start + 20s);
    CHECK(schedule.next() == start + 24s);     // 40 s of 100 s were left.
    CHECK(schedule.cleanup_due(start + 110s)); // 180 s of 200 s were.
    CHECK(!schedule.cleanup_due(start + 110s - 1ns));
    schedule.round_started(start + 24s);
    schedule.round_ended(start + 25s);
    CHECK(schedule.next() == start + 34s);
}

TEST_CASE("a longer interval does not move the next round") {
    FetchSchedule schedule(10s, 0s, 4s, start);
    schedule.change_intervals(1min, 0s, 30s, start + 1s);
    CHECK(schedule.next() == start + 4s);
    schedule.round_started(start + 4s);
    schedule.round_ended(start + 5s);
    CHECK(schedule.next() == start + 64s);
}

TEST_CASE("rounds that were switched off start again, and an overdue round stays due") {
    FetchSchedule schedule(0s, 0s, 0s, start);
    schedule.change_intervals(15s, 60s, 7s, start + 1h);
    CHECK(schedule.next() == start + 1h + 7s);
    CHECK(schedule.cleanup_due(start + 1h + 60s));
    CHECK(!schedule.cleanup_due(start + 1h + 60s - 1ns));
    schedule.change_intervals(1s, 60s, 0s, start + 2h);
    CHECK(schedule.round_due(start + 2h));
    schedule.change_intervals(0s, 0s, 0s, start + 2h);
    CHECK(!schedule.next());
}

TEST_CASE("intervals changed during a round apply after its end") {
    FetchSchedule schedule(15s, 0s, 0s, start);
    schedule.round_started(start);
    schedule.change_intervals(1s, 0s, 0s, start);
    CHECK(!schedule.next());
    CHECK(!schedule.round_due(start + 10s));
    CHECK(schedule.round_ended(start + 500ms) == 0);
    CHECK(schedule.next() == start + 1s);
}
