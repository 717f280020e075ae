// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/resilience/endpoint_choice.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <random>
#include <set>

using namespace wva_metrics;
using namespace std::chrono_literals;
using resilience::EndpointChoice;
using Endpoints = EndpointChoice::Set;

namespace {

constexpr TimePoint choice_start{1h};

EndpointChoice choice_of(std::size_t count) {
    return EndpointChoice(count, 5s, 60s);
}

Endpoints tried(std::initializer_list<std::size_t> endpoints) {
    Endpoints set;
    for (const std::size_t endpoint : endpoints)
        set.set(endpoint);
    return set;
}

/// A request that begins and fails at this time.
void fail_at(EndpointChoice& choice, std::size_t endpoint, TimePoint time) {
    choice.fail(endpoint, time, time);
}
void succeed_at(EndpointChoice& choice, std::size_t endpoint, TimePoint time) {
    choice.succeed(endpoint, time, time);
}

} // namespace

TEST_CASE("the first endpoint is asked while it answers") {
    EndpointChoice choice = choice_of(3);
    for (TimePoint now = choice_start; now < choice_start + 10min; now += 1s) {
        CHECK(choice.current() == 0);
        CHECK_FALSE(choice.claim_trial(now));
        succeed_at(choice, choice.current(), now);
    }
}

TEST_CASE("an endpoint is left after one failure, for the first one that is healthy") {
    EndpointChoice choice = choice_of(3);
    fail_at(choice, 0, choice_start);
    CHECK(choice.current() == 1);
    fail_at(choice, 1, choice_start);
    CHECK(choice.current() == 2);
    CHECK_FALSE(choice.is_healthy(0));
    CHECK(choice.is_healthy(2));
}

TEST_CASE("a failure of one that is not the current one changes nothing for the callers") {
    EndpointChoice choice = choice_of(3);
    fail_at(choice, 1, choice_start);
    CHECK(choice.current() == 0);
    CHECK_FALSE(choice.claim_trial(choice_start + 10min));
    fail_at(choice, 0, choice_start);
    CHECK(choice.current() == 2);
}

TEST_CASE("the preferred endpoint is tried again after 5 s, doubling to 60 s, by one caller each") {
    EndpointChoice choice = choice_of(2);
    TimePoint now = choice_start;
    fail_at(choice, 0, now);
    for (const auto pause : {5s, 10s, 20s, 40s, 60s, 60s}) {
        CHECK_FALSE(choice.claim_trial(now + pause - 1ns));
        now += pause;
        CHECK(choice.claim_trial(now) == 0);
        CHECK_FALSE(choice.claim_trial(now));
        fail_at(choice, 0, now);
        CHECK(choice.current() == 1);
    }
    now += 60s;
    CHECK(choice.claim_trial(now) == 0);
    succeed_at(choice, 0, now);
    CHECK(choice.current() == 0);
}

TEST_CASE("a trial whose caller leaves is made again after the next pause") {
    EndpointChoice choice = choice_of(2);
    fail_at(choice, 0, choice_start);
    CHECK(choice.claim_trial(choice_start + 5s) == 0);
    CHECK_FALSE(choice.claim_trial(choice_start + 15s - 1ns));
    CHECK(choice.claim_trial(choice_start + 15s) == 0);
}

TEST_CASE("an endpoint that asks for a longer pause gets it") {
    EndpointChoice choice = choice_of(2);
    choice.fail(0, choice_start, choice_start, choice_start + 30s);
    CHECK_FALSE(choice.claim_trial(choice_start + 30s - 1ns));
    CHECK(choice.claim_trial(choice_start + 30s) == 0);
}

TEST_CASE("an endpoint that fails again soon after its return is left for longer") {
    EndpointChoice choice = choice_of(2);
    TimePoint now = choice_start;
    fail_at(choice, 0, now);
    now += 5s;
    REQUIRE(choice.claim_trial(now) == 0);
    succeed_at(choice, 0, now);
    const auto healthy_for = GENERATE(1ns, 59s, 60s, 10min);
    now += healthy_for;
    fail_at(choice, 0, now);
    const auto pause = healthy_for < 60s ? 20s : 5s;
    CHECK_FALSE(choice.claim_trial(now + pause - 1ns));
    CHECK(choice.claim_trial(now + pause) == 0);
}

TEST_CASE("if all have failed the current one stays, and the others are tried after their pauses") {
    EndpointChoice choice = choice_of(3);
    for (const std::size_t endpoint : {0U, 1U, 2U})
        fail_at(choice, endpoint, choice_start + 1s * endpoint);
    CHECK(choice.current() == 2);
    CHECK_FALSE(choice.claim_other(tried({2}), choice_start + 5s - 1ns));
    CHECK(choice.claim_trial(choice_start + 5s) == 0);
    CHECK_FALSE(choice.claim_trial(choice_start + 5s));
    CHECK(choice.claim_other(tried({2}), choice_start + 6s) == 1);
    SECTION("the current one that answers again stays") {
        succeed_at(choice, 2, choice_start + 7s);
        CHECK(choice.current() == 2);
    }
    SECTION("another one that answers becomes the current one") {
        succeed_at(choice, 1, choice_start + 7s);
        CHECK(choice.current() == 1);
        succeed_at(choice, 2, choice_start + 7s);
        CHECK(choice.current() == 1);
        succeed_at(choice, 0, choice_start + 7s);
        CHECK(choice.current() == 0);
    }
}

TEST_CASE("a request goes on to healthy endpoints in order, then to one whose pause is over") {
    EndpointChoice choice = choice_of(4);
    fail_at(choice, 1, choice_start);
    const TimePoint now = choice_start + 5s;
    CHECK(choice.claim_other(tried({0}), now) == 2);
    CHECK(choice.claim_other(tried({0}), now) == 2);
    CHECK(choice.claim_other(tried({0, 2}), now) == 3);
    CHECK_FALSE(choice.has_other(tried({0, 2, 3}), now - 1ns));
    CHECK(choice.has_other(tried({0, 2, 3}), now));
    CHECK(choice.claim_other(tried({0, 2, 3}), now) == 1);
    CHECK_FALSE(choice.has_other(tried({0, 2, 3}), now));
    CHECK_FALSE(choice.claim_other(tried({0, 2, 3}), now));
    CHECK_FALSE(choice.claim_other(tried({0, 1, 2, 3}), now));
}

TEST_CASE("what was sent before an endpoint changed says nothing about it") {
    EndpointChoice choice = choice_of(2);
    choice.fail(0, choice_start, choice_start + 1s);
    SECTION("a late success does not bring it back") {
        choice.succeed(0, choice_start + 500ms, choice_start + 2s);
        CHECK_FALSE(choice.is_healthy(0));
        CHECK(choice.current() == 1);
    }
    SECTION("requests that fail together are one failure") {
        choice.fail(0, choice_start, choice_start + 3s);
        CHECK(choice.claim_trial(choice_start + 6s) == 0);
    }
    SECTION("a late failure does not end its return") {
        REQUIRE(choice.claim_trial(choice_start + 6s) == 0);
        choice.succeed(0, choice_start + 6s, choice_start + 7s);
        choice.fail(0, choice_start, choice_start + 8s);
        CHECK(choice.is_healthy(0));
        CHECK(choice.current() == 0);
    }
}

TEST_CASE("with one endpoint there is nothing to choose") {
    EndpointChoice choice = choice_of(1);
    fail_at(choice, 0, choice_start);
    CHECK(choice.current() == 0);
    CHECK_FALSE(choice.claim_trial(choice_start + 10min));
    CHECK_FALSE(choice.has_other(tried({0}), choice_start + 10min));
    succeed_at(choice, 0, choice_start + 1s);
    CHECK(choice.is_healthy(0));
}

TEST_CASE("any sequence of outcomes keeps what the callers rely on") {
    // The model knows only which endpoints failed last, and when each was given away for a trial.
    std::mt19937 random(GENERATE(range(0U, 40U)));
    const auto below = [&](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    const std::size_t count = 1 + below(EndpointChoice::max_endpoints);
    EndpointChoice choice = choice_of(count);
    std::set<std::size_t> failed;
    std::map<std::size_t, TimePoint> given;
    TimePoint now = choice_start;
    const auto check_given = [&](std::size_t endpoint) {
        // Never two trials, nor a trial and its failure, within the shortest pause.
        CHECK(failed.contains(endpoint));
        CHECK((!given.contains(endpoint) || now - given[endpoint] >= 5s));
        given[endpoint] = now;
    };
    for (int step = 0; step < 2000; ++step) {
        now += std::chrono::milliseconds(1 + below(3000));
        const std::size_t before = choice.current();
        const std::size_t endpoint = below(count);
        switch (below(4)) {
        case 0:
            succeed_at(choice, endpoint, now);
            failed.erase(endpoint);
            given.erase(endpoint);
            break;
        case 1:
            fail_at(choice, endpoint, now);
            failed.insert(endpoint);
            given[endpoint] = now;
            break;
        case 2: {
            const Endpoints asked(random());
            const bool has_other = choice.has_other(asked, now);
            const auto other = choice.claim_other(asked, now);
            CHECK(has_other == other.has_value());
            bool has_healthy = false;
            for (std::size_t one = 0; one < count; ++one)
                has_healthy = has_healthy || (!asked[one] && !failed.contains(one));
            CHECK((!has_healthy || (other && !failed.contains(*other))));
            CHECK((!other || !asked[*other]));
            if (other && failed.contains(*other))
                check_given(*other);
            break;
        }
        default:
            if (const auto trial = choice.claim_trial(now)) {
                check_given(*trial);
                CHECK(*trial != choice.current());
                CHECK((*trial < choice.current() || failed.contains(choice.current())));
            }
        }
        REQUIRE(choice.current() < count);
        CHECK(choice.is_healthy(choice.current()) == !failed.contains(choice.current()));
        // A healthy one is asked while there is one.
        CHECK((failed.size() == count || !failed.contains(choice.current())));
        // The current one changes only when it failed, or for one that has just answered.
        CHECK((choice.current() == before || failed.contains(before) ||
               (choice.current() == endpoint && endpoint < before)));
    }
}
