// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/detail/replica_health.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using prometheus::detail::ReplicaHealth;
using resilience::ProtectionConfig;
using resilience::ProtectionEvent;

namespace {

constexpr TimePoint health_start{1h};
const std::vector<std::string> two_endpoints{"http://a:9090", "http://b:9090"};

void fail_once(ReplicaHealth& health, std::size_t replica, const std::string& text) {
    health.fail(replica, health_start, health_start, Error(Errc::unavailable, text),
                TimePoint::min());
}

TEST_CASE("a query that is sent again is told, and one that must not be for want of budget") {
    std::vector<ProtectionEvent> events;
    ProtectionConfig config;
    config.retry.first_backoff = config.retry.max_backoff = 1s;
    config.on_event = [&](const ProtectionEvent& event) { events.push_back(event); };
    ReplicaHealth health(config, two_endpoints);
    health.tell_retry(0, 1, health_start);
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == ProtectionEvent::Kind::retrying);
    CHECK(events[0].endpoint == "http://b:9090");
    CHECK(events[0].reason == "instead of http://a:9090, which failed");
    const auto plan = [&] {
        return health.plan_retry(1, TimePoint::min(), health_start, health_start + 1min, 0.5);
    };
    while (plan())
        CHECK(events.back().kind == ProtectionEvent::Kind::retrying);
    REQUIRE(events.size() > 2);
    CHECK(events[1].endpoint == "http://a:9090");
    CHECK(events[1].reason.starts_with("none of the replicas answered; attempt 2 in "));
    CHECK(events.back().kind == ProtectionEvent::Kind::budget_exhausted);
    const std::size_t told = events.size();
    // Too late for another attempt, whatever the budget.
    CHECK_FALSE(health.plan_retry(1, TimePoint::min(), health_start, health_start, 0.5));
    CHECK(events.size() == told);
}

} // namespace

TEST_CASE("all replicas share one budget for retries, which successes fill") {
    ReplicaHealth health(ProtectionConfig{}, two_endpoints);
    const auto plan = [&](TimePoint not_before = TimePoint::min()) {
        return health.plan_retry(1, not_before, health_start, health_start + 10s, 0.5);
    };
    for (int i = 0; i < 5; ++i)
        CHECK(plan() == health_start + 50ms);
    CHECK_FALSE(plan());
    for (int i = 0; i < 10; ++i)
        health.succeed(i % 2 == 0 ? 0 : 1, health_start, health_start);
    CHECK(plan(health_start + 2s) == health_start + 2s + 50ms);
    CHECK_FALSE(plan());
}

TEST_CASE("a retry that must not be made takes nothing from the budget") {
    ReplicaHealth health(ProtectionConfig{}, two_endpoints);
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(health.plan_retry(3, TimePoint::min(), health_start, health_start + 10s, 0.5));
        CHECK_FALSE(health.plan_retry(1, health_start + 20s, health_start, health_start + 10s, 0));
    }
    CHECK(health.plan_retry(1, TimePoint::min(), health_start, health_start + 10s, 0));
}

TEST_CASE("the text of a failure has what each replica said, or why it was not asked") {
    ReplicaHealth health(ProtectionConfig{}, {"http://a:1", "http://b:2", "http://c:3"});
    fail_once(health, 1, "starting");
    const std::vector<std::string> said{"timeout: no answer", "", ""};
    CHECK(health.describe_all(said) ==
          "none of the 3 replicas answered: http://a:1: timeout: no answer; "
          "http://b:2 was not asked, because it failed before: unavailable: starting; "
          "http://c:3 was not asked, because no time was left");
}

TEST_CASE("what a replica says is kept in bounds, on one line") {
    ReplicaHealth health(ProtectionConfig{}, two_endpoints);
    fail_once(health, 0, std::string(100'000, 'x') + "\n");
    CHECK(health.stats()[0].last_failure.size() == ReplicaHealth::max_failure_bytes);
    fail_once(health, 1, "a\nb");
    CHECK_THAT(health.stats()[1].last_failure, ContainsSubstring("a b"));
}

TEST_CASE("a change of the replica is told once, and what the listener throws is dropped") {
    std::vector<ProtectionEvent> events;
    ProtectionConfig config;
    config.on_event = [&](const ProtectionEvent& event) {
        events.push_back(event);
        throw std::runtime_error("listener");
    };
    ReplicaHealth health(config, two_endpoints);
    fail_once(health, 0, "down");
    fail_once(health, 0, "down");
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == ProtectionEvent::Kind::replica_chosen);
    CHECK(events[0].at == health_start);
    CHECK(events[0].endpoint == "http://b:9090");
    CHECK(events[0].reason == "http://a:9090 failed: unavailable: down");
    health.succeed(0, health_start, health_start + 5s);
    REQUIRE(events.size() == 2);
    CHECK(events[1].endpoint == "http://a:9090");
}
