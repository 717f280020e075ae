// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"

#include "support/watch_steps.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support::watch;

TEST_CASE("after a watch that ends at once the next one waits, longer each time") {
    WatchMachine machine = watching();
    for (const auto& [wait, lists_again] : std::vector<std::pair<Duration, bool>>{{1s, false},
                                                                                  {2s, false},
                                                                                  {4s, true},
                                                                                  {8s, false},
                                                                                  {16s, false},
                                                                                  {32s, true},
                                                                                  {60s, false},
                                                                                  {60s, false}}) {
        const WatchStep step = machine.on_watch_ended(short_end());
        CHECK(step.wait == wait);
        CHECK((step.kind == Kind::list) == lists_again);
        if (lists_again)
            CHECK(machine.on_page({.objects = 1, .continue_token = "", .resource_version = "6"})
                      .wait == 0s);
    }
    CHECK(machine.restarts() == 2);
    machine.on_watch_ended(good_end());
    CHECK(machine.on_watch_ended(short_end()).wait == 1s);
}

TEST_CASE("a short watch is a problem only if it happens repeatedly") {
    WatchMachine machine = watching();
    CHECK_FALSE(machine.on_watch_ended(short_end()).problem);
    CHECK_FALSE(machine.on_watch_ended(short_end(failure(Errc::unreachable, 200))).problem);
    const WatchStep step = machine.on_watch_ended(short_end());
    REQUIRE(step.problem);
    CHECK(step.problem->is(Errc::unavailable));
    CHECK_FALSE(machine.on_watch_ended(short_end()).problem);
}

TEST_CASE("a watch of the minimum length is a good one") {
    WatchMachine machine = watching();
    CHECK(machine.on_watch_ended({.lasted = 1s, .was_opened = true, .error = {}}).wait == 0s);
    CHECK(machine.on_watch_ended({.lasted = 999ms, .was_opened = true, .error = {}}).wait == 1s);
}

TEST_CASE("the wait is shortened at random, by half at most") {
    const double random = GENERATE(0.0, 0.25, 0.999);
    WatchMachine machine(config(), [random] { return random; });
    machine.begin();
    const auto wait = [&] { return machine.on_list_failed(down).wait; };
    const double factor = 1 - random / 2;
    for (const double seconds : {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0})
        CHECK(std::chrono::duration<double>(wait()).count() ==
              Catch::Approx(seconds * factor).epsilon(1e-6));
}

TEST_CASE("a server that asks to wait is obeyed, up to the longest wait") {
    const auto [requested, expected] = GENERATE(table<Duration, Duration>(
        {{0s, 1s}, {1s, 1s}, {30s, 30s}, {60s, 60s}, {61s, 60s}, {Duration::max(), 60s}}));
    for (const int status : {429, 503}) {
        Error busy = failure(Errc::unavailable, status);
        busy.retry_after = requested;
        WatchMachine listing(config(), no_jitter);
        listing.begin();
        CHECK(listing.on_list_failed(busy).wait == expected);
        // Asked once: the next failure without a request waits as usual.
        CHECK(listing.on_list_failed(failure(Errc::unavailable, status)).wait == 2s);

        WatchMachine paging(config(), no_jitter);
        paging.begin();
        paging.on_page({.objects = 1, .continue_token = "a", .resource_version = "1"});
        CHECK(paging.on_list_failed(busy).wait == expected);

        CHECK(watching().on_watch_ended(refused_end(busy)).wait == expected);
    }
}

TEST_CASE("a server that rejects every version gets time, and the problem is reported") {
    WatchMachine machine = watching();
    CHECK(machine.on_watch_ended(short_end(gone)).wait == 0s);
    machine.on_page({.objects = 0, .continue_token = "", .resource_version = "6"});
    const WatchStep step = machine.on_watch_ended(short_end(gone));
    CHECK(is_list_from_start(step));
    CHECK(step.wait == 2s);
    REQUIRE(step.problem);
    CHECK(step.problem->http_status == 410);
    machine.on_page({.objects = 0, .continue_token = "", .resource_version = "7"});
    CHECK(machine.on_watch_ended(refused_end(gone)).wait == 4s);
}

TEST_CASE("a server that rejects every watch is listed repeatedly, at growing intervals") {
    WatchMachine machine = watching();
    Duration last{};
    for (int i = 0; i < 10; ++i) {
        const WatchStep step = machine.on_watch_ended(refused_end(failure(Errc::forbidden, 403)));
        CHECK(is_list_from_start(step));
        CHECK((step.wait > last || step.wait == 60s));
        last = step.wait;
        CHECK(machine.on_page({.objects = 1, .continue_token = "", .resource_version = "6"})
                  .is_list_complete);
    }
    CHECK(last == 60s);
}

TEST_CASE("a problem is reported once, until it changes or is resolved") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    CHECK(machine.on_list_failed(down).problem);
    CHECK_FALSE(machine.on_list_failed(down).problem);
    CHECK(machine.on_list_failed(failure(Errc::unavailable, 503)).problem);
    CHECK_FALSE(machine.on_list_failed(failure(Errc::unavailable, 503)).problem);
    CHECK(machine.on_list_failed(failure(Errc::unavailable, 500)).problem);
    CHECK(machine.on_list_failed(down).problem);
    machine.on_page({.objects = 1, .continue_token = "", .resource_version = "5"});
    // A list alone does not resolve it.
    CHECK_FALSE(machine.on_watch_ended(refused_end(down)).problem);
    machine.on_watch_ended(good_end());
    CHECK(machine.on_watch_ended(refused_end(down)).problem);
}

TEST_CASE("no server, however hostile, causes requests without pause") {
    std::mt19937 random(GENERATE(range(1U, 30U)));
    const auto below = [&](int bound) {
        return std::uniform_int_distribution<int>(0, bound - 1)(random);
    };
    WatchMachine machine(config(),
                         [&] { return std::uniform_real_distribution<double>(0, 1)(random); });
    const std::vector<Error> errors{gone,
                                    down,
                                    failure(Errc::forbidden, 403),
                                    failure(Errc::unavailable, 500),
                                    failure(Errc::too_large),
                                    failure(Errc::bad_response, 200)};
    const auto any_error = [&] { return errors[static_cast<std::size_t>(below(6))]; };
    WatchStep step = machine.begin();
    Duration waited{};
    constexpr int steps = 5000;
    for (int i = 0; i < steps; ++i) {
        waited += step.wait;
        CHECK(step.wait >= 0s);
        CHECK(step.wait <= 60s);
        if (step.kind == Kind::watch) {
            machine.on_event(WatchEventKind::added, "9");
            std::optional<Error> error;
            if (below(2) == 0)
                error = any_error();
            step = machine.on_watch_ended(
                {.lasted = 0s, .was_opened = below(2) == 0, .error = std::move(error)});
        } else if (below(3) == 0) {
            step = machine.on_list_failed(any_error());
        } else {
            step = machine.on_page({.objects = 1,
                                    .continue_token = below(2) == 0 ? "" : "a",
                                    .resource_version = "1"});
        }
    }
    // Pages follow each other at once, but in the end every list costs a wait of nearly a minute,
    // of which jitter leaves at least half.
    CHECK(waited > static_cast<int>(machine.lists()) / 2 * 30s);
    CHECK(machine.lists() > 100);
}
