// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace std::chrono_literals;
using kubernetes::detail::PageFacts;
using kubernetes::detail::WatchMachine;
using kubernetes::detail::WatchStep;
using Kind = WatchStep::Kind;

namespace {

ClientConfig config() {
    ClientConfig config;
    config.page_size = 100;
    config.max_objects = 1000;
    config.max_pages = 20;
    config.initial_backoff = 1s;
    config.max_backoff = 60s;
    config.min_watch_time = 1s;
    return config;
}

double no_jitter() {
    return 0;
}

Error failure(Errc code, int status = 0) {
    return Error(code, "it failed", "", status);
}
const Error gone = failure(Errc::rejected, 410);
const Error down = failure(Errc::unreachable);

/// A watch that went well until it ended like this.
WatchEnd good_end(std::optional<Error> error = {}) {
    return {.lasted = 10s, .was_opened = true, .error = std::move(error)};
}
/// The server did not even begin to answer.
WatchEnd refused_end(Error error) {
    return {.lasted = 10s, .was_opened = false, .error = std::move(error)};
}
/// It began and ended at once.
WatchEnd short_end(std::optional<Error> error = {}) {
    return {.lasted = 999ms, .was_opened = true, .error = std::move(error)};
}

/// A machine that has listed and watches from version 5.
WatchMachine watching(const ClientConfig& how = config()) {
    WatchMachine machine(how, no_jitter);
    machine.begin();
    machine.page_came({.objects = 1, .continue_token = "", .resource_version = "5"});
    return machine;
}

bool is_list_from_start(const WatchStep& step) {
    return step.kind == Kind::list && step.token.empty() && !step.is_list_complete;
}
bool is_watch_from(const WatchStep& step, const std::string& version) {
    return step.kind == Kind::watch && step.token == version;
}

} // namespace

TEST_CASE("a resource is listed page by page, and watched from where the list stands") {
    WatchMachine machine(config(), no_jitter);
    WatchStep step = machine.begin();
    CHECK(is_list_from_start(step));
    CHECK(step.page_size == 100);
    CHECK(step.wait == 0s);

    step = machine.page_came({.objects = 100, .continue_token = "a", .resource_version = "7"});
    CHECK(step.kind == Kind::list);
    CHECK(step.token == "a");
    CHECK(step.page_size == 100);
    CHECK_FALSE(step.is_list_complete);
    step = machine.page_came({.objects = 100, .continue_token = "b", .resource_version = "7"});
    CHECK(step.token == "b");
    // A later state, which a continued list should not show: going on from it could miss changes.
    step = machine.page_came({.objects = 1, .continue_token = "", .resource_version = "9"});
    CHECK(is_watch_from(step, "7"));
    CHECK(step.wait == 0s);
    CHECK(step.is_list_complete);
    CHECK_FALSE(step.problem);
    CHECK(machine.lists() == 1);
    CHECK(machine.watches() == 1);
    CHECK(machine.restarts() == 0);
}

TEST_CASE("a watch that ends goes on at once from the last version seen") {
    WatchMachine machine = watching();
    machine.event_came(WatchEventKind::added, "6");
    machine.event_came(WatchEventKind::modified, "8");
    WatchStep step = machine.watch_ended(good_end());
    CHECK(is_watch_from(step, "8"));
    CHECK(step.wait == 0s);
    CHECK_FALSE(step.is_list_complete);

    machine.event_came(WatchEventKind::deleted, "9");
    // Versions are opaque: a "smaller" one may be later.
    machine.event_came(WatchEventKind::bookmark, "2");
    // An event without a version changes nothing.
    machine.event_came(WatchEventKind::modified, "");
    step = machine.watch_ended(good_end());
    CHECK(is_watch_from(step, "2"));
    CHECK(machine.lists() == 1);
    CHECK(machine.watches() == 3);
}

TEST_CASE("a good watch that breaks off is no problem, whatever breaks it") {
    WatchMachine machine = watching();
    // With the status of an answer that had begun well.
    for (const Error& error :
         {failure(Errc::unreachable, 200), failure(Errc::timeout, 200), failure(Errc::timeout)}) {
        const WatchStep step = machine.watch_ended(good_end(error));
        CHECK(is_watch_from(step, "5"));
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
}

TEST_CASE("a watch that ends at once makes the next one wait, longer and longer") {
    WatchMachine machine = watching();
    for (const auto& [wait, lists_again] : std::vector<std::pair<Duration, bool>>{{1s, false},
                                                                                  {2s, false},
                                                                                  {4s, true},
                                                                                  {8s, false},
                                                                                  {16s, false},
                                                                                  {32s, true},
                                                                                  {60s, false},
                                                                                  {60s, false}}) {
        const WatchStep step = machine.watch_ended(short_end());
        CHECK(step.wait == wait);
        CHECK((step.kind == Kind::list) == lists_again);
        if (lists_again)
            CHECK(machine.page_came({.objects = 1, .continue_token = "", .resource_version = "6"})
                      .wait == 0s);
    }
    CHECK(machine.restarts() == 2);
    machine.watch_ended(good_end());
    CHECK(machine.watch_ended(short_end()).wait == 1s);
}

TEST_CASE("that a watch breaks off soon is a problem only when it happens again and again") {
    WatchMachine machine = watching();
    CHECK_FALSE(machine.watch_ended(short_end()).problem);
    CHECK_FALSE(machine.watch_ended(short_end(failure(Errc::unreachable, 200))).problem);
    const WatchStep step = machine.watch_ended(short_end());
    REQUIRE(step.problem);
    CHECK(step.problem->is(Errc::unavailable));
    CHECK_FALSE(machine.watch_ended(short_end()).problem);
}

TEST_CASE("a watch as long as the least time is a good one") {
    WatchMachine machine = watching();
    CHECK(machine.watch_ended({.lasted = 1s, .was_opened = true, .error = {}}).wait == 0s);
    CHECK(machine.watch_ended({.lasted = 999ms, .was_opened = true, .error = {}}).wait == 1s);
}

TEST_CASE("the wait is shortened at random, by half at most") {
    const double random = GENERATE(0.0, 0.25, 0.999);
    WatchMachine machine(config(), [random] { return random; });
    machine.begin();
    const auto wait = [&] { return machine.list_failed(down).wait; };
    const double factor = 1 - random / 2;
    for (const double seconds : {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0})
        CHECK(std::chrono::duration<double>(wait()).count() ==
              Catch::Approx(seconds * factor).epsilon(1e-6));
}

TEST_CASE("where the server has forgotten the place of a watch, it lists again at once") {
    WatchMachine machine = watching();
    SECTION("as an event of a watch that went well") {
        WatchStep step = machine.watch_ended(good_end(gone));
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
    SECTION("as the answer to the watch") {
        WatchStep step = machine.watch_ended(refused_end(gone));
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
    CHECK(machine.restarts() == 1);
    CHECK(machine.lists() == 2);
    const WatchStep step =
        machine.page_came({.objects = 0, .continue_token = "", .resource_version = "1"});
    CHECK(is_watch_from(step, "1"));
}

TEST_CASE("a server that forgets every place is given time, and the user is told") {
    WatchMachine machine = watching();
    CHECK(machine.watch_ended(short_end(gone)).wait == 0s);
    machine.page_came({.objects = 0, .continue_token = "", .resource_version = "6"});
    const WatchStep step = machine.watch_ended(short_end(gone));
    CHECK(is_list_from_start(step));
    CHECK(step.wait == 2s);
    REQUIRE(step.problem);
    CHECK(step.problem->http_status == 410);
    machine.page_came({.objects = 0, .continue_token = "", .resource_version = "7"});
    CHECK(machine.watch_ended(refused_end(gone)).wait == 4s);
}

TEST_CASE("where the server has forgotten the place of a list, the list begins from the start") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.page_came({.objects = 100, .continue_token = "a", .resource_version = "7"});
    WatchStep step = machine.list_failed(gone);
    CHECK(is_list_from_start(step));
    CHECK(step.wait == 0s);
    CHECK_FALSE(step.problem);
    CHECK(machine.restarts() == 1);

    machine.page_came({.objects = 100, .continue_token = "b", .resource_version = "8"});
    step = machine.list_failed(gone);
    CHECK(is_list_from_start(step));
    CHECK(step.wait == 2s);
    CHECK(step.problem);
    // What came before does not count.
    machine.page_came({.objects = 950, .continue_token = "c", .resource_version = "9"});
    step = machine.page_came({.objects = 10, .continue_token = "", .resource_version = "9"});
    CHECK(is_watch_from(step, "9"));
}

TEST_CASE("a page that does not come is asked for again, if that can help") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.page_came({.objects = 100, .continue_token = "a", .resource_version = "7"});
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
    const WatchStep step = machine.list_failed(failure(code, status));
    CHECK(step.kind == Kind::list);
    CHECK(step.token == (same_page ? "a" : ""));
    CHECK(step.wait == 1s);
    REQUIRE(step.problem);
    CHECK(step.problem->is(code));
    CHECK(machine.lists() == (same_page ? 1 : 2));
}

TEST_CASE("a first page that does not come is asked for again after a wait") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    for (const Duration wait : {1s, 2s, 4s}) {
        const WatchStep step = machine.list_failed(down);
        CHECK(is_list_from_start(step));
        CHECK(step.wait == wait);
    }
    CHECK(machine.lists() == 4);
}

TEST_CASE("a page that is too large is asked for in halves, as long as it has halves") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    machine.page_came({.objects = 100, .continue_token = "a", .resource_version = "7"});
    for (const std::size_t size : {50U, 25U, 12U, 6U, 3U, 1U}) {
        const WatchStep step = machine.list_failed(failure(Errc::too_large));
        CHECK(is_list_from_start(step));
        CHECK(step.page_size == size);
        CHECK(step.wait == 0s);
        CHECK_FALSE(step.problem);
    }
    const WatchStep step = machine.list_failed(failure(Errc::too_large));
    CHECK(is_list_from_start(step));
    CHECK(step.page_size == 1);
    CHECK(step.wait == 1s);
    CHECK(step.problem);
}

TEST_CASE("even a page of two has halves") {
    ClientConfig how = config();
    how.page_size = 2;
    WatchMachine machine(how, no_jitter);
    machine.begin();
    CHECK(machine.list_failed(failure(Errc::too_large)).page_size == 1);
}

TEST_CASE("what a refused watch leads to depends on whether it could ever succeed") {
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
    const WatchStep step = machine.watch_ended(refused_end(failure(code, status)));
    CHECK((lists ? is_list_from_start(step) : is_watch_from(step, "5")));
    CHECK(step.wait == 1s);
    REQUIRE(step.problem);
    CHECK(step.problem->is(code));
    CHECK(machine.restarts() == (lists ? 1 : 0));
}

TEST_CASE("a watch that cannot be understood is a failure however long it lasted") {
    WatchMachine machine = watching();
    for (const Duration wait : {1s, 2s, 4s}) {
        const WatchStep step = machine.watch_ended(good_end(failure(Errc::bad_response, 200)));
        CHECK(is_list_from_start(step));
        CHECK(step.wait == wait);
        machine.page_came({.objects = 1, .continue_token = "", .resource_version = "6"});
    }
}

TEST_CASE("an error that the server sends within a good watch is told, and the watch resumed") {
    WatchMachine machine = watching();
    for (int i = 0; i < 5; ++i) {
        const WatchStep step = machine.watch_ended(good_end(failure(Errc::unavailable, 500)));
        CHECK(is_watch_from(step, "5"));
        CHECK(step.wait == 1s);
        CHECK(step.problem);
    }
}

TEST_CASE("a place that fails again and again is given up for a list") {
    WatchMachine machine = watching();
    CHECK(is_watch_from(machine.watch_ended(refused_end(failure(Errc::unavailable, 500))), "5"));
    CHECK(is_watch_from(machine.watch_ended(refused_end(down)), "5"));
    CHECK(is_list_from_start(machine.watch_ended(refused_end(failure(Errc::unavailable, 500)))));
    CHECK(machine.restarts() == 1);
}

TEST_CASE(
    "a watch that the client itself refused is tried again, and casts no doubt on its place") {
    WatchMachine machine = watching();
    const Error refused = failure(Errc::unavailable);
    for (int i = 0; i < 10; ++i)
        CHECK(is_watch_from(machine.watch_ended(refused_end(refused)), "5"));
    CHECK(machine.lists() == 1);
    CHECK(machine.restarts() == 0);
}

TEST_CASE("a place that a list has just given has all its chances") {
    WatchMachine machine = watching();
    machine.watch_ended(refused_end(down));
    machine.watch_ended(refused_end(down));
    machine.watch_ended(refused_end(gone));
    machine.page_came({.objects = 1, .continue_token = "", .resource_version = "6"});
    CHECK(is_watch_from(machine.watch_ended(refused_end(down)), "6"));
    CHECK(is_watch_from(machine.watch_ended(refused_end(down)), "6"));
    CHECK(is_list_from_start(machine.watch_ended(refused_end(down))));
}

TEST_CASE("a server that lets nobody watch is listed again and again, ever more rarely") {
    WatchMachine machine = watching();
    Duration last{};
    for (int i = 0; i < 10; ++i) {
        const WatchStep step = machine.watch_ended(refused_end(failure(Errc::forbidden, 403)));
        CHECK(is_list_from_start(step));
        CHECK((step.wait > last || step.wait == 60s));
        last = step.wait;
        CHECK(machine.page_came({.objects = 1, .continue_token = "", .resource_version = "6"})
                  .is_list_complete);
    }
    CHECK(last == 60s);
}

TEST_CASE("a problem is said once, until it becomes another or has been overcome") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    CHECK(machine.list_failed(down).problem);
    CHECK_FALSE(machine.list_failed(down).problem);
    CHECK(machine.list_failed(failure(Errc::unavailable, 503)).problem);
    CHECK_FALSE(machine.list_failed(failure(Errc::unavailable, 503)).problem);
    CHECK(machine.list_failed(failure(Errc::unavailable, 500)).problem);
    CHECK(machine.list_failed(down).problem);
    machine.page_came({.objects = 1, .continue_token = "", .resource_version = "5"});
    // A list alone has not overcome it.
    CHECK_FALSE(machine.watch_ended(refused_end(down)).problem);
    machine.watch_ended(good_end());
    CHECK(machine.watch_ended(refused_end(down)).problem);
}

TEST_CASE("no more objects and pages are followed than the bounds allow") {
    WatchMachine machine(config(), no_jitter);
    machine.begin();
    SECTION("in a list") {
        machine.page_came({.objects = 999, .continue_token = "a", .resource_version = "1"});
        const WatchStep step =
            machine.page_came({.objects = 2, .continue_token = "b", .resource_version = "1"});
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 1s);
        REQUIRE(step.problem);
        CHECK(step.problem->is(Errc::too_large));
        CHECK_THAT(step.problem->message, Catch::Matchers::ContainsSubstring("max_objects = 1000"));
        // Smaller pages would not help.
        CHECK(step.page_size == 100);
    }
    SECTION("in pages without end") {
        WatchStep step;
        for (int i = 0; i < 20; ++i) {
            CHECK_FALSE(step.problem);
            step = machine.page_came(
                {.objects = 0, .continue_token = "same", .resource_version = "1"});
        }
        CHECK(is_list_from_start(step));
        CHECK(step.wait == 1s);
        REQUIRE(step.problem);
        CHECK_THAT(step.problem->message, Catch::Matchers::ContainsSubstring("max_pages = 20"));
    }
    SECTION("in a list that just fits") {
        WatchStep step;
        for (int i = 0; i < 20; ++i)
            step = machine.page_came(
                {.objects = 50, .continue_token = i == 19 ? "" : "a", .resource_version = "1"});
        CHECK(step.is_list_complete);
    }
    SECTION("in a watch") {
        machine.page_came({.objects = 999, .continue_token = "", .resource_version = "1"});
        CHECK_FALSE(machine.event_came(WatchEventKind::added, "2"));
        CHECK_FALSE(machine.event_came(WatchEventKind::modified, "3"));
        CHECK_FALSE(machine.event_came(WatchEventKind::deleted, "4"));
        CHECK_FALSE(machine.event_came(WatchEventKind::added, "5"));
        const std::optional<Error> error = machine.event_came(WatchEventKind::added, "6");
        REQUIRE(error);
        CHECK(error->is(Errc::too_large));
        CHECK(is_list_from_start(machine.watch_ended(good_end(*error))));
    }
}

TEST_CASE("deletions of what was never counted do no harm") {
    WatchMachine machine = watching();
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(machine.event_came(WatchEventKind::deleted, "6"));
    CHECK_FALSE(machine.event_came(WatchEventKind::added, "7"));
}

TEST_CASE("no server, however hostile, makes it ask without pause") {
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
            machine.event_came(WatchEventKind::added, "9");
            std::optional<Error> error;
            if (below(2) == 0)
                error = any_error();
            step = machine.watch_ended(
                {.lasted = 0s, .was_opened = below(2) == 0, .error = std::move(error)});
        } else if (below(3) == 0) {
            step = machine.list_failed(any_error());
        } else {
            step = machine.page_came({.objects = 1,
                                      .continue_token = below(2) == 0 ? "" : "a",
                                      .resource_version = "1"});
        }
    }
    // Pages follow each other at once, but every list costs a wait of nearly a minute in the end,
    // which is at least half of it.
    CHECK(waited > static_cast<int>(machine.lists()) / 2 * 30s);
    CHECK(machine.lists() > 100);
}

namespace {

/// A resource with a history, as an API server keeps it. Versions are its numbers.
struct ModelServer {
    struct Event {
        int version;
        WatchEventKind kind;
        std::string name;
    };
    int version = 1;
    int compacted = 0;
    /// Objects by name, with the version of their last change.
    std::map<std::string, int> objects;
    std::deque<Event> history;

    void change(const std::string& name, bool exists) {
        const bool existed = objects.contains(name);
        if (!exists && !existed)
            return;
        ++version;
        history.push_back({version,
                           !exists   ? WatchEventKind::deleted
                           : existed ? WatchEventKind::modified
                                     : WatchEventKind::added,
                           name});
        if (exists)
            objects[name] = version;
        else
            objects.erase(name);
    }
    void forget() {
        compacted = version;
        history.clear();
    }
};

} // namespace

TEST_CASE("what was told is the truth in the end, whatever happened on the way") {
    std::mt19937 random(GENERATE(range(1U, 60U)));
    const auto below = [&](int bound) {
        return std::uniform_int_distribution<int>(0, bound - 1)(random);
    };
    ModelServer server;
    const auto live = [&] {
        for (int i = below(4); i > 0; --i)
            server.change(std::string(1, static_cast<char>('a' + below(12))), below(3) != 0);
        if (below(15) == 0)
            server.forget();
    };
    ClientConfig how = config();
    how.page_size = 3;
    WatchMachine machine(how, no_jitter);
    std::map<std::string, int> told;
    std::map<std::string, int> pages;
    std::map<std::string, int> snapshot;
    int snapshot_version = 0;

    WatchStep step = machine.begin();
    for (int i = 0; i < 400 || step.kind != Kind::watch; ++i) {
        const bool is_calm = i >= 390;
        if (!is_calm)
            live();
        if (step.kind == Kind::list) {
            if (!is_calm && below(6) == 0) {
                step = machine.list_failed(below(2) == 0 ? down : gone);
                continue;
            }
            if (step.token.empty()) {
                pages.clear();
                snapshot = server.objects;
                snapshot_version = server.version;
            } else if (snapshot_version < server.compacted) {
                step = machine.list_failed(gone);
                continue;
            }
            auto from = step.token.empty() ? snapshot.begin() : snapshot.upper_bound(step.token);
            PageFacts page{.objects = 0,
                           .continue_token = "",
                           .resource_version = std::to_string(snapshot_version)};
            std::string last;
            for (; from != snapshot.end() && page.objects < step.page_size;
                 ++from, ++page.objects) {
                pages.insert(*from);
                last = from->first;
            }
            page.continue_token = from == snapshot.end() ? "" : last;
            step = machine.page_came(std::move(page));
            if (step.is_list_complete)
                told = pages;
            continue;
        }
        const int from = std::stoi(step.token);
        if (from < server.compacted) {
            step = machine.watch_ended(below(2) == 0 ? refused_end(gone) : short_end(gone));
            continue;
        }
        // It sees a part of what has happened since, and perhaps a bookmark.
        std::size_t events = is_calm ? 1000 : static_cast<std::size_t>(below(5));
        bool saw_all = true;
        for (const ModelServer::Event& event : server.history) {
            if (event.version <= from)
                continue;
            if (events-- == 0) {
                saw_all = false;
                break;
            }
            machine.event_came(event.kind, std::to_string(event.version));
            if (event.kind == WatchEventKind::deleted)
                told.erase(event.name);
            else
                told[event.name] = event.version;
        }
        if (saw_all && below(2) == 0)
            machine.event_came(WatchEventKind::bookmark, std::to_string(server.version));
        const int how_it_ends = is_calm ? 0 : below(4);
        step = machine.watch_ended(how_it_ends == 0   ? good_end()
                                   : how_it_ends == 1 ? good_end(failure(Errc::unreachable, 200))
                                   : how_it_ends == 2 ? short_end()
                                                      : good_end(failure(Errc::bad_response, 200)));
    }
    // The last watch is still to come.
    if (std::stoi(step.token) >= server.compacted) {
        for (const ModelServer::Event& event : server.history) {
            if (event.version <= std::stoi(step.token))
                continue;
            if (event.kind == WatchEventKind::deleted)
                told.erase(event.name);
            else
                told[event.name] = event.version;
        }
    }
    CHECK(told == server.objects);
}
