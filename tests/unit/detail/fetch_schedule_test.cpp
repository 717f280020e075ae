// SPDX-License-Identifier: Apache-2.0
#include <wva_metrics/detail/fetch_schedule.hpp>

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {
const TimePoint start{24h};
}

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

TEST_CASE(
    "no round is due while one is under way, and a long one is followed by the next at once") {
    FetchSchedule schedule(15s, 0s, 0s, start);
    schedule.round_started(start);
    CHECK(!schedule.next());
    CHECK(!schedule.round_due(start + 100s));
    schedule.round_ended();
    CHECK(schedule.round_due(start + 100s));
    CHECK(schedule.next() == start + 15s);
}

TEST_CASE("cleanups keep their own time, during a round too") {
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
