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
    schedule.round_ended();
    CHECK(schedule.next() == start + 20s); // From the start of the last one, not from its end.
}

TEST_CASE("no round is due while one is running, and after a long one the next is due at once") {
    FetchSchedule schedule(15s, 0s, 0s, start);
    schedule.round_started(start);
    CHECK(!schedule.next());
    CHECK(!schedule.round_due(start + 100s));
    schedule.round_ended();
    CHECK(schedule.round_due(start + 100s));
    CHECK(schedule.next() == start + 15s);
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
    schedule.round_ended();
    CHECK(schedule.next() == start + 34s);
}

TEST_CASE("a longer interval does not move the next round") {
    FetchSchedule schedule(10s, 0s, 4s, start);
    schedule.change_intervals(1min, 0s, 30s, start + 1s);
    CHECK(schedule.next() == start + 4s);
    schedule.round_started(start + 4s);
    schedule.round_ended();
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
    schedule.round_ended();
    CHECK(schedule.next() == start + 1s);
}
