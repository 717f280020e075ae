// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"

#include "support/watch_steps.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support::watch;

TEST_CASE("a resource is listed page by page, and watched from the version of the list") {
    WatchMachine machine(config(), no_jitter);
    WatchStep step = machine.begin();
    CHECK(is_list_from_start(step));
    CHECK(step.page_size == 100);
    CHECK(step.wait == 0s);

    step = machine.on_page({.objects = 100, .continue_token = "a", .resource_version = "7"});
    CHECK(step.kind == Kind::list);
    CHECK(step.token == "a");
    CHECK(step.page_size == 100);
    CHECK_FALSE(step.is_list_complete);
    step = machine.on_page({.objects = 100, .continue_token = "b", .resource_version = "7"});
    CHECK(step.token == "b");
    // A later version, which a continued list should not have. A watch from it could miss changes.
    step = machine.on_page({.objects = 1, .continue_token = "", .resource_version = "9"});
    CHECK(is_watch_from(step, "7"));
    CHECK(step.wait == 0s);
    CHECK(step.is_list_complete);
    CHECK_FALSE(step.problem);
    CHECK(machine.lists() == 1);
    CHECK(machine.watches() == 1);
    CHECK(machine.restarts() == 0);
}

TEST_CASE("a failed page is requested again, if that can help") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.on_page({.objects = 100, .continue_token = "a", .resource_version = "7"});
    const auto [code, status, same_page] = GENERATE(table<Errc, int, bool>({
        {Errc::unreachable, 0, true},
        {Errc::timeout, 0, true},
        {Errc::name_lookup_failed, 0, true},
        {Errc::tls_failed, 0, true},
        {Errc::invalid_config, 0, true},
        {Errc::unauthorized, 401, true},
        {Errc::unavailable, 503, true},
        {Errc::forbidden, 403, false},
        {Errc::rejected, 400, false},
        {Errc::rejected, 404, false},
        {Errc::bad_response, 200, false},
        {Errc::internal, 0, false},
    }));
    CAPTURE(to_string(code));
    const WatchStep step = machine.on_list_failed(failure(code, status));
    CHECK(step.kind == Kind::list);
    CHECK(step.token == (same_page ? "a" : ""));
    CHECK(step.wait == 1s);
    REQUIRE(step.problem);
    CHECK(step.problem->is(code));
    CHECK(machine.lists() == (same_page ? 1 : 2));
}

TEST_CASE("a failed first page is requested again after a wait") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    for (const Duration wait : {1s, 2s, 4s}) {
        const WatchStep step = machine.on_list_failed(down);
        CHECK(is_list_from_start(step));
        CHECK(step.wait == wait);
    }
    CHECK(machine.lists() == 4);
}

TEST_CASE("the size of a page that is too large is halved until it is one, and grows afterwards") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.on_page({.objects = 100, .continue_token = "a", .resource_version = "7"});
    for (const std::size_t size : {50U, 25U, 12U, 6U, 3U, 1U}) {
        const WatchStep step = machine.on_list_failed(failure(Errc::too_large));
        CHECK(step.kind == Kind::list);
        CHECK(step.token == "a");
        CHECK(step.page_size == size);
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
    SECTION("the one object can be left out") {
        for (const std::size_t size : {2U, 4U, 8U, 16U, 32U, 64U, 100U, 100U})
            CHECK(machine.on_page({.objects = 1, .continue_token = "b", .resource_version = "7"})
                      .page_size == size);
        CHECK(machine.lists() == 1);
        return;
    }
    const WatchStep step = machine.on_list_failed(failure(Errc::too_large));
    CHECK(is_list_from_start(step));
    CHECK(step.page_size == 1);
    CHECK(step.wait == 1s);
    CHECK(step.problem);
}

TEST_CASE("a header that is too large is not asked for again in smaller pages") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    const Error too_large(Errc::too_large,
                          "cannot list pods: " + std::string(http::header_too_large_text) +
                              " exceeds 16384 (limits.max_header_bytes)");
    const WatchStep step = machine.on_list_failed(too_large);
    CHECK(is_list_from_start(step));
    CHECK(step.page_size == config().page_size);
    CHECK(step.wait == 1s);
    REQUIRE(step.problem);
    CHECK(step.problem->is(Errc::too_large));
    CHECK_THAT(step.problem->message, Catch::Matchers::ContainsSubstring("max_header_bytes"));
    CHECK_THAT(step.problem->message, Catch::Matchers::ContainsSubstring("a proxy"));
}

TEST_CASE("a page size of two is halved to one") {
    ClientConfig how = config();
    how.page_size = 2;
    WatchMachine machine(how, no_jitter);
    machine.begin();
    CHECK(machine.on_list_failed(failure(Errc::too_large)).page_size == 1);
}

TEST_CASE("if the server no longer has the version of a list, the list starts again") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.on_page({.objects = 100, .continue_token = "a", .resource_version = "7"});
    WatchStep step = machine.on_list_failed(gone);
    CHECK(is_list_from_start(step));
    CHECK(step.wait == 0s);
    CHECK_FALSE(step.problem);
    CHECK(machine.restarts() == 1);

    machine.on_page({.objects = 100, .continue_token = "b", .resource_version = "8"});
    step = machine.on_list_failed(gone);
    CHECK(is_list_from_start(step));
    CHECK(step.wait == 2s);
    CHECK(step.problem);
    // Earlier pages do not count.
    machine.on_page({.objects = 950, .continue_token = "c", .resource_version = "9"});
    step = machine.on_page({.objects = 10, .continue_token = "", .resource_version = "9"});
    CHECK(is_watch_from(step, "9"));
}

TEST_CASE("a list has no more objects and pages than the limits allow") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    SECTION("in a list above the limit") {
        machine.on_page({.objects = 999, .continue_token = "a", .resource_version = "1"});
        const WatchStep step =
            machine.on_page({.objects = 2, .continue_token = "b", .resource_version = "1"});
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 1s);
        REQUIRE(step.problem);
        CHECK(step.problem->is(Errc::too_large));
        CHECK_THAT(step.problem->message, Catch::Matchers::ContainsSubstring("max_objects = 1000"));
        // Smaller pages would not help.
        CHECK(step.page_size == 100);
    }
    SECTION("in a list that takes too much memory") {
        machine.on_page(
            {.objects = 1, .bytes = 5000, .continue_token = "a", .resource_version = "1"});
        const WatchStep step = machine.on_page(
            {.objects = 1, .bytes = 5001, .continue_token = "b", .resource_version = "1"});
        CHECK(is_list_from_start(step));
        REQUIRE(step.problem);
        CHECK(step.problem->is(Errc::too_large));
        CHECK_THAT(step.problem->message,
                   Catch::Matchers::ContainsSubstring("max_list_bytes = 10000"));
    }
    SECTION("in an endless list") {
        WatchStep step;
        for (int i = 0; i < 20; ++i) {
            CHECK_FALSE(step.problem);
            step =
                machine.on_page({.objects = 0, .continue_token = "same", .resource_version = "1"});
        }
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 1s);
        REQUIRE(step.problem);
        CHECK_THAT(step.problem->message, Catch::Matchers::ContainsSubstring("max_pages = 20"));
    }
    SECTION("in a list at the limit") {
        WatchStep step;
        for (int i = 0; i < 20; ++i)
            step = machine.on_page(
                {.objects = 50, .continue_token = i == 19 ? "" : "a", .resource_version = "1"});
        CHECK(step.is_list_complete);
    }
}
