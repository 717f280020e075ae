// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/observer/any_observer.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

static_assert(CollectorObserver<AnyObserver>);
static_assert(std::is_convertible_v<NullObserver, AnyObserver>);
static_assert(!std::is_constructible_v<AnyObserver, int>);

using Lines = std::vector<std::string>;

/// Records the name and all data of every event.
struct Everything {
    std::shared_ptr<Lines> seen = std::make_shared<Lines>();

    void note(std::string what) { seen->push_back(std::move(what)); }
    void note(const std::string& what, const CacheKeyView& key) {
        note(what + " " + to_string(key));
    }
    void note(const std::string& what, const CacheKeyView& key, Duration age) {
        note(what + " " + to_string(key) + number(age.count()));
    }
    template <typename Number>
    static std::string number(Number value) {
        return " " + std::to_string(value);
    }

    void operator()(const events::Configured& e) {
        note("configured" + number(e.config.max_tracked));
    }
    void operator()(const events::Hit& e) { note("hit", e.key, e.age); }
    void operator()(const events::StaleHit& e) { note("stale hit", e.key, e.age); }
    void operator()(const events::Miss& e) { note("miss", e.key); }
    void operator()(const events::Coalesced& e) { note("coalesced", e.key); }
    void operator()(const events::FetchStarted& e) {
        note("fetch started " + std::string(to_string(e.kind)) + number(e.targets) +
             number(e.background));
    }
    void operator()(const events::FetchEnded& e) {
        note("fetch ended " + std::string(to_string(e.kind)) + number(e.targets) +
             number(e.failed) + number(e.took.count()) + number(e.background));
    }
    void operator()(const events::BatchRefused& e) {
        note("batch refused " + std::string(to_string(e.kind)) + number(e.targets) + " " +
             e.error.message);
    }
    void operator()(const events::TargetFailed& e) {
        note("failed " + to_string(e.key) + " " + e.error.message + number(e.serving_stale) +
             number(e.background));
    }
    void operator()(const events::StaleOnError& e) { note("stale on error", e.key, e.age); }
    void operator()(const events::Discarded& e) { note("discarded", e.key); }
    void operator()(const events::Warnings& e) { note("warning " + e.warnings.at(0), e.key); }
    void operator()(const events::PodsLeftOut& e) {
        note("left out " + e.replicas.gone_pods.at(0));
    }
    void operator()(const events::Invalidated& e) {
        note("invalidated " + std::string(e.key_or_prefix) + number(e.entries));
    }
    void operator()(const events::Tracked& e) { note("tracked", e.key); }
    void operator()(const events::TrackingRefused& e) {
        note("tracking refused " + to_string(e.key) + number(e.max_tracked) +
             std::string(e.invalid_name));
    }
    void operator()(const events::Untracked& e) {
        note(e.idle ? "untracked idle" : "untracked", e.key);
    }
    void operator()(const events::BackgroundStarted& e) {
        note("started" + number(e.interval.count()) + number(e.configured.count()));
    }
    void operator()(const events::BackgroundStopped&) { note("stopped"); }
    void operator()(const events::RoundEnded& e) {
        note("round" + number(e.variants) + number(e.models) + number(e.failed) +
             number(e.took.count()));
    }
    void operator()(const events::RoundsSkipped& e) { note("skipped" + number(e.rounds)); }
    void operator()(const events::CleanedUp& e) { note("cleaned up" + number(e.entries)); }
    void operator()(const events::EndpointEvent& e) {
        note(std::string(to_string(e.event.kind)) + " " + e.event.endpoint + " " + e.event.reason);
    }
};

struct Case {
    Event event;
    std::string expected;
};

/// Every alternative of `Event` once, in order, and what `Everything` records of it.
std::vector<Case> all_events() {
    static const CollectorConfig config = [] {
        CollectorConfig c;
        c.max_tracked = 5;
        return c;
    }();
    static const Error error(Errc::timeout, "slow");
    static const std::vector<std::string> warnings{"partial"};
    static const ModelReplicas replicas = [] {
        ModelReplicas r;
        r.gone_pods = {"p"};
        return r;
    }();
    static const ModelKey model("ns", "m");
    static const resilience::ProtectionEvent protection{
        resilience::ProtectionEvent::Kind::paused, {}, "http://p", "HTTP 429"};
    const CacheKeyView v = optimizer_key("ns", "v");
    const CacheKeyView m = replica_key(model);
    return {
        {events::Configured{config}, "configured 5"},
        {events::Hit{v, 1ns}, "hit allocation:ns/v 1"},
        {events::StaleHit{m, 2ns}, "stale hit replica:ns/m 2"},
        {events::Miss{v}, "miss allocation:ns/v"},
        {events::Coalesced{m}, "coalesced replica:ns/m"},
        {events::FetchStarted{EntryKind::replica, 3, true}, "fetch started replica 3 1"},
        {events::FetchEnded{EntryKind::optimizer, 4, 1, 5ns, false},
         "fetch ended allocation 4 1 5 0"},
        {events::BatchRefused{EntryKind::replica, 2, error}, "batch refused replica 2 slow"},
        {events::TargetFailed{v, error, true, false}, "failed allocation:ns/v slow 1 0"},
        {events::StaleOnError{m, 6ns}, "stale on error replica:ns/m 6"},
        {events::Discarded{v}, "discarded allocation:ns/v"},
        {events::Warnings{m, warnings}, "warning partial replica:ns/m"},
        {events::PodsLeftOut{replicas}, "left out p"},
        {events::Invalidated{"allocation:ns/", 7}, "invalidated allocation:ns/ 7"},
        {events::Tracked{v}, "tracked allocation:ns/v"},
        {events::TrackingRefused{v, 5, "!"}, "tracking refused allocation:ns/v 5!"},
        {events::Untracked{m, true}, "untracked idle replica:ns/m"},
        {events::BackgroundStarted{8ns, 14ns}, "started 8 14"},
        {events::BackgroundStopped{}, "stopped"},
        {events::RoundEnded{9, 10, 11, 12ns}, "round 9 10 11 12"},
        {events::RoundsSkipped{15}, "skipped 15"},
        {events::CleanedUp{13}, "cleaned up 13"},
        {events::EndpointEvent{protection}, "paused http://p HTTP 429"},
    };
}

/// Delivers the event as a collector does: by its own type.
void deliver_as_collector(AnyObserver& observer, const Event& event) {
    std::visit([&](const auto& one) { deliver(observer, one); }, event);
}

} // namespace

TEST_CASE("every event reaches the observer inside an AnyObserver once, with its data") {
    const std::vector<Case> cases = all_events();
    REQUIRE(cases.size() == std::variant_size_v<Event>);
    const Everything inside;
    AnyObserver any = inside;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CHECK(cases[i].event.index() == i);
        inside.seen->clear();
        deliver_as_collector(any, cases[i].event);
        CHECK(*inside.seen == Lines{cases[i].expected});
    }
}

TEST_CASE("copies of an AnyObserver share the observer inside") {
    int last = 0;
    AnyObserver any = [&last, calls = 0](const events::BackgroundStopped&) mutable {
        last = ++calls;
    };
    AnyObserver copy = any;
    any(events::BackgroundStopped{});
    copy(events::BackgroundStopped{});
    CHECK(last == 2);
}

TEST_CASE("an AnyObserver ignores the events that the observer inside does not handle") {
    int misses = 0;
    AnyObserver any = [&](const events::Miss&) { ++misses; };
    for (const Case& each : all_events())
        deliver_as_collector(any, each.event);
    CHECK(misses == 1);
}

TEST_CASE("an overload for any event handles those that have no overload of their own") {
    struct Observer {
        int* hits;
        std::vector<std::size_t>* others;
        void operator()(const events::Hit&) { ++*hits; }
        void operator()(const Event& event) { others->push_back(event.index()); }
    };
    int hits = 0;
    std::vector<std::size_t> others;
    AnyObserver any = Observer{&hits, &others};
    for (const Case& each : all_events())
        deliver_as_collector(any, each.event);
    CHECK(hits == 1);
    CHECK(others.size() == std::variant_size_v<Event> - 1);
    CHECK(std::ranges::is_sorted(others));
    CHECK(std::ranges::adjacent_find(others) == others.end());
}

TEST_CASE("an AnyObserver holds an observer that cannot be copied") {
    int misses = 0;
    AnyObserver any = [count = std::unique_ptr<int, void (*)(int*)>(&misses, [](int*) {})](
                          const events::Miss&) { ++*count; };
    any(events::Miss{optimizer_key("ns", "v")});
    CHECK(misses == 1);
}

TEST_CASE("an AnyObserver of nothing ignores every event") {
    AnyObserver any;
    for (const Case& each : all_events())
        CHECK_NOTHROW(deliver_as_collector(any, each.event));
}
