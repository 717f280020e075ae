// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"

#include "support/watch_steps.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <optional>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support::watch;

TEST_CASE("a watch that ends is resumed at once from the last version seen") {
    WatchMachine machine = watching();
    machine.on_event(WatchEventKind::added, "6");
    machine.on_event(WatchEventKind::modified, "8");
    WatchStep step = machine.on_watch_ended(good_end());
    CHECK(is_watch_from(step, "8"));
    CHECK(step.wait == 0s);
    CHECK_FALSE(step.is_list_complete);

    machine.on_event(WatchEventKind::deleted, "9");
    // Versions are opaque: a "smaller" one may be later.
    machine.on_event(WatchEventKind::bookmark, "2");
    // An event without a version changes nothing.
    machine.on_event(WatchEventKind::modified, "");
    step = machine.on_watch_ended(good_end());
    CHECK(is_watch_from(step, "2"));
    CHECK(machine.lists() == 1);
    CHECK(machine.watches() == 3);
}

TEST_CASE("a good watch that is interrupted is not a problem, whatever interrupts it") {
    WatchMachine machine = watching();
    // With the status of a response that had started successfully.
    for (const Error& error :
         {failure(Errc::unreachable, 200), failure(Errc::timeout, 200), failure(Errc::timeout)}) {
        const WatchStep step = machine.on_watch_ended(good_end(error));
        CHECK(is_watch_from(step, "5"));
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
}

TEST_CASE(
    "if the server no longer has the version of a watch, the resource is listed again at once") {
    WatchMachine machine = watching();
    SECTION("as an event of a watch that went well") {
        WatchStep step = machine.on_watch_ended(good_end(gone));
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
    SECTION("as the answer to the watch") {
        WatchStep step = machine.on_watch_ended(refused_end(gone));
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
    CHECK(machine.restarts() == 1);
    CHECK(machine.lists() == 2);
    const WatchStep step =
        machine.on_page({.objects = 0, .continue_token = "", .resource_version = "1"});
    CHECK(is_watch_from(step, "1"));
}

TEST_CASE("after a rejected watch a list follows only if the watch could never succeed") {
    WatchMachine machine = watching();
    const auto [code, status, lists] = GENERATE(table<Errc, int, bool>({
        {Errc::unreachable, 0, false},
        {Errc::timeout, 0, false},
        {Errc::name_lookup_failed, 0, false},
        {Errc::tls_failed, 0, false},
        {Errc::invalid_config, 0, false},
        {Errc::unauthorized, 401, false},
        {Errc::unavailable, 503, false},
        {Errc::forbidden, 403, true},
        {Errc::rejected, 404, true},
        {Errc::bad_response, 0, true},
        {Errc::too_large, 0, true},
        {Errc::internal, 0, true},
    }));
    CAPTURE(to_string(code));
    const WatchStep step = machine.on_watch_ended(refused_end(failure(code, status)));
    CHECK((lists ? is_list_from_start(step) : is_watch_from(step, "5")));
    CHECK(step.wait == 1s);
    REQUIRE(step.problem);
    CHECK(step.problem->is(code));
    CHECK(machine.restarts() == (lists ? 1 : 0));
}

TEST_CASE("a watch that cannot be parsed is a failure, however long it lasted") {
    WatchMachine machine = watching();
    for (const Duration wait : {1s, 2s, 4s}) {
        const WatchStep step = machine.on_watch_ended(good_end(failure(Errc::bad_response, 200)));
        CHECK(is_list_from_start(step));
        CHECK(step.wait == wait);
        machine.on_page({.objects = 1, .continue_token = "", .resource_version = "6"});
    }
}

TEST_CASE("an error of the server within a good watch is reported, and the watch is resumed") {
    WatchMachine machine = watching();
    for (int i = 0; i < 5; ++i) {
        const WatchStep step = machine.on_watch_ended(good_end(failure(Errc::unavailable, 500)));
        CHECK(is_watch_from(step, "5"));
        CHECK(step.wait == 1s);
        CHECK(step.problem);
    }
}

TEST_CASE("after repeated failures of a version the resource is listed again") {
    WatchMachine machine = watching();
    CHECK(is_watch_from(machine.on_watch_ended(refused_end(failure(Errc::unavailable, 500))), "5"));
    CHECK(is_watch_from(machine.on_watch_ended(refused_end(down)), "5"));
    CHECK(is_list_from_start(machine.on_watch_ended(refused_end(failure(Errc::unavailable, 500)))));
    CHECK(machine.restarts() == 1);
}

TEST_CASE("a watch that the client itself rejected is tried again, and its version stays trusted") {
    WatchMachine machine = watching();
    const Error refused = failure(Errc::unavailable);
    for (int i = 0; i < 10; ++i)
        CHECK(is_watch_from(machine.on_watch_ended(refused_end(refused)), "5"));
    CHECK(machine.lists() == 1);
    CHECK(machine.restarts() == 0);
}

TEST_CASE("after a list the failures of its version are counted from zero") {
    WatchMachine machine = watching();
    machine.on_watch_ended(refused_end(down));
    machine.on_watch_ended(refused_end(down));
    machine.on_watch_ended(refused_end(gone));
    machine.on_page({.objects = 1, .continue_token = "", .resource_version = "6"});
    CHECK(is_watch_from(machine.on_watch_ended(refused_end(down)), "6"));
    CHECK(is_watch_from(machine.on_watch_ended(refused_end(down)), "6"));
    CHECK(is_list_from_start(machine.on_watch_ended(refused_end(down))));
}

TEST_CASE("a watch has no more objects than the limit allows") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.on_page({.objects = 999, .continue_token = "", .resource_version = "1"});
    CHECK_FALSE(machine.on_event(WatchEventKind::added, "2"));
    CHECK_FALSE(machine.on_event(WatchEventKind::modified, "3"));
    CHECK_FALSE(machine.on_event(WatchEventKind::deleted, "4"));
    CHECK_FALSE(machine.on_event(WatchEventKind::added, "5"));
    const std::optional<Error> error = machine.on_event(WatchEventKind::added, "6");
    REQUIRE(error);
    CHECK(error->is(Errc::too_large));
    CHECK(is_list_from_start(machine.on_watch_ended(good_end(*error))));
}

TEST_CASE("the objects that a watch adds take no more memory than the limit allows") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.on_page({.objects = 1, .bytes = 9000, .continue_token = "", .resource_version = "1"});
    CHECK_FALSE(machine.on_event(WatchEventKind::added, "2", 1000));
    CHECK_FALSE(machine.on_event(WatchEventKind::deleted, "3", 500));
    CHECK_FALSE(machine.on_event(WatchEventKind::added, "4", 500));
    const std::optional<Error> error = machine.on_event(WatchEventKind::added, "5", 1);
    REQUIRE(error);
    CHECK(error->is(Errc::too_large));
}

TEST_CASE("deletions of objects that were never counted do no harm") {
    WatchMachine machine = watching();
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(machine.on_event(WatchEventKind::deleted, "6"));
    CHECK_FALSE(machine.on_event(WatchEventKind::added, "7"));
}
