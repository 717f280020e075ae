// SPDX-License-Identifier: Apache-2.0
#include "../../../benchmarks/hit_rate/points.hpp"
#include "../../../benchmarks/hit_rate/simulation.hpp"
#include "../../../benchmarks/hit_rate/workload.hpp"

#include "wva_metrics/observer/trace_observer.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace hit_rate;
using namespace std::chrono_literals;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

namespace {

Workload trace(const std::string& text) {
    std::istringstream input(text);
    return read_trace(input);
}

wva_metrics::CollectorConfig ttl_alone(wva_metrics::Duration ttl) {
    wva_metrics::CollectorConfig config;
    config.cache.ttl = ttl;
    config.cache.fetch_interval = 0s;
    config.cache.stale_while_revalidate = 0s;
    return config;
}

} // namespace

TEST_CASE("a workload is reproducible, sorted, and has the requested rate") {
    const Reconciling reconciling{Seconds(10), 20, 0};
    const Workload workload = make_workload(reconciling, Seconds(3600));
    CHECK(workload.names.size() == 20);
    CHECK(static_cast<double>(workload.lookups.size()) == Approx(20 * 360).epsilon(0.01));
    CHECK(std::ranges::is_sorted(workload.lookups, {}, &LookUp::at));
    const Workload again = make_workload(reconciling, Seconds(3600));
    CHECK(std::ranges::equal(workload.lookups, again.lookups, [](const auto& a, const auto& b) {
        return a.at == b.at && a.variant == b.variant;
    }));
}

TEST_CASE("churn replaces the given fraction of the variants per hour for good") {
    const Workload workload = make_workload({Seconds(10), 1000, 0.5}, Seconds(3600));
    CHECK(static_cast<double>(workload.names.size()) == Approx(1500).epsilon(0.04));
    std::map<std::size_t, std::pair<Seconds, Seconds>> lives;
    for (const LookUp& look_up : workload.lookups) {
        auto& life = lives.try_emplace(look_up.variant, look_up.at, look_up.at).first->second;
        // No variant is ever skipped.
        CHECK(look_up.at - life.second <= Seconds(11.001));
        life.second = look_up.at;
    }
}

TEST_CASE("a trace is sorted by time, with or without a heading") {
    const Workload workload =
        trace("seconds,key\r\n2.5,allocation:a/b,c\r\n\n0.25,replica:x/y\n7,allocation:a/b,c");
    CHECK(workload.names == std::vector<std::string>{"allocation:a/b,c", "replica:x/y"});
    REQUIRE(workload.lookups.size() == 3);
    CHECK(workload.lookups[0].at.count() == 0.25);
    CHECK(workload.lookups[0].variant == 1);
    CHECK(workload.lookups[2].variant == 0);
    CHECK(workload.length.count() == 7);
}

TEST_CASE("an invalid line of a trace is reported with its number") {
    CHECK_THROWS_WITH(trace("1,a\nx,b\n"), ContainsSubstring("line 2"));
    CHECK_THROWS_WITH(trace("1,a\n-1,b\n"), ContainsSubstring("line 2"));
    CHECK_THROWS_WITH(trace("1,a\n2\n"), ContainsSubstring("line 2"));
    CHECK_THROWS_WITH(trace("1,a\n2,\n"), ContainsSubstring("line 2"));
    CHECK_THROWS_WITH(trace("1,a\n2x,b\n"), ContainsSubstring("line 2"));
    CHECK_THROWS_WITH(trace("1,a\nnan,b\n"), ContainsSubstring("line 2"));
    CHECK_THROWS_WITH(trace("1,a\ninf,b\n"), ContainsSubstring("line 2"));
    CHECK_THROWS_WITH(trace("seconds,key\n"), ContainsSubstring("no look-up"));
    CHECK_THROWS_WITH(trace(""), ContainsSubstring("no look-up"));
}

TEST_CASE("the trace of a collector can be replayed") {
    std::string text;
    const auto write = [&](std::string_view line) { text += std::string(line) + '\n'; };
    wva_metrics::TraceObserver<decltype(write), ManualClock> observer(write);
    observer(wva_metrics::events::Miss{wva_metrics::optimizer_key("ns", "a, \"b\"\n")});
    ManualClock::advance(12s);
    observer(wva_metrics::events::Hit{wva_metrics::optimizer_key("ns", "a, \"b\"\n")});
    ManualClock::advance(40s);
    observer(wva_metrics::events::Miss{wva_metrics::optimizer_key("ns", "a, \"b\"\n")});
    const Outcome outcome = simulate<wva_metrics::MemoryCache>(trace(text), ttl_alone(30s));
    CHECK(outcome.hits == 1);
    CHECK(outcome.misses == 2);
    CHECK(outcome.length.count() == 52);
    CHECK(outcome.age(0.5).count() == 0);
    CHECK(outcome.age(0.99).count() == Approx(12));
}

TEST_CASE("a TTL alone has the same hits and ages as a model of it") {
    std::mt19937 random(11);
    std::uniform_real_distribution<double> gap(0.0, 0.9);
    Workload workload;
    for (int i = 0; i < 20; ++i)
        workload.names.push_back("v" + std::to_string(i));
    double now = 0;
    for (int i = 0; i < 3000; ++i)
        workload.lookups.push_back({Seconds(now += gap(random)), random() % 20});
    workload.length = Seconds(now);

    std::map<std::size_t, double> fetched;
    std::uint64_t hits = 0;
    std::vector<double> ages;
    for (const LookUp& look_up : workload.lookups) {
        const double at = look_up.at.count();
        const auto found = fetched.find(look_up.variant);
        if (found != fetched.end() && at - found->second <= 15) {
            ++hits;
            ages.push_back(at - found->second);
        } else {
            fetched[look_up.variant] = at;
            ages.push_back(0);
        }
    }
    std::ranges::sort(ages);
    for (const char* cache : {"memory", "sharded"}) {
        const Outcome outcome = simulate(workload, {{}, ttl_alone(15s), cache});
        CHECK(outcome.hits == hits);
        CHECK(outcome.stale_hits == 0);
        CHECK(outcome.requests == outcome.misses);
        CHECK(outcome.age(0.5).count() == Approx(ages[1499]).margin(1e-6));
        CHECK(outcome.age(1).count() == Approx(ages.back()).margin(1e-6));
        CHECK(outcome.bytes > 20 * 100);
    }
    const Outcome uncached = simulate(workload, {{}, ttl_alone(15s), "none"});
    CHECK(uncached.hits == 0);
    CHECK(uncached.misses == workload.lookups.size());
}

TEST_CASE("background fetching leaves one miss per variant, and fresh answers") {
    const Workload workload = make_workload({Seconds(30), 50, 0}, Seconds(1800));
    wva_metrics::CollectorConfig config;
    config.cache.fetch_interval = 15s;
    const Outcome outcome = simulate<wva_metrics::MemoryCache>(workload, config);
    CHECK(outcome.misses == 50);
    CHECK(outcome.stale_hits == 0);
    CHECK(outcome.age(1).count() <= 16);
}

TEST_CASE("options set settings, and reject values that are not numbers") {
    Point point;
    CHECK(set(point, "--ttl", "45"));
    CHECK(set(point, "--reconcile", "2.5"));
    CHECK(set(point, "--churn", "10"));
    CHECK(set(point, "--entries", "7"));
    CHECK(set(point, "--cache", "sharded"));
    CHECK_FALSE(set(point, "--nothing", "1"));
    CHECK(point.config.cache.ttl == 45s);
    CHECK(point.reconciling.interval.count() == 2.5);
    CHECK(point.reconciling.churn_per_hour == Approx(0.1));
    CHECK(point.config.cache.max_entries == 7);
    for (const char* wrong : {"", "x", "1s", "-1", "nan", "1e20"})
        CHECK_THROWS_WITH(set(point, "--ttl", wrong), ContainsSubstring("is not a number"));
    point.cache = "other";
    CHECK_THROWS_WITH(simulate(Workload{}, point), ContainsSubstring("unknown cache 'other'"));
    CHECK(parts_of("5,,x") == std::vector<std::string>{"5", "", "x"});
}
