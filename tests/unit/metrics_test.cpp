// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/metrics.hpp"

#include <boost/pfr.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint noon(12h);

/// Counts the members of a struct that are readings, and checks that the table has each of them.
template <typename Metrics, typename Fields>
std::size_t count_readings(const Fields& fields) {
    const Metrics metrics;
    std::size_t count = 0;
    boost::pfr::for_each_field(metrics, [&](const auto& member) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, Reading<double>>) {
            ++count;
            CHECK(std::ranges::any_of(
                fields, [&](const auto& field) { return &(metrics.*field.member) == &member; }));
        }
    });
    return count;
}

constexpr std::ptrdiff_t count_rows(Signal signal) {
    const auto is_row = [signal](const auto& field) { return field.signal == signal; };
    return std::ranges::count_if(optimizer_readings, is_row) +
           std::ranges::count_if(replica_readings<ReplicaSample>, is_row);
}

static_assert(std::ranges::all_of(all_signals, [](Signal signal) {
    return count_rows(signal) == (computation_of(signal) == Computation::presence ? 0 : 1);
}));

// What the backend does with the readings of each table.
static_assert(std::ranges::all_of(optimizer_readings, [](const auto& field) {
    const Computation computation = computation_of(field.signal);
    return computation == Computation::counter_rate || computation == Computation::average;
}));
static_assert(std::ranges::all_of(replica_readings<ReplicaSample>, [](const auto& field) {
    return computation_of(field.signal) == Computation::gauge_peak;
}));

} // namespace

TEST_CASE("the tables have every reading of the metrics") {
    CHECK(count_readings<OptimizerMetrics>(optimizer_readings) == optimizer_readings.size());
    CHECK(count_readings<ReplicaSample>(replica_readings<ReplicaSample>) ==
          replica_readings<ReplicaSample>.size());
    CHECK(count_readings<ReplicaMetrics>(replica_readings<ReplicaMetrics>) ==
          replica_readings<ReplicaMetrics>.size());
}

TEST_CASE("each reading has its own name") {
    std::set<std::string_view> names;
    for (const auto& field : optimizer_readings)
        names.insert(field.name);
    for (const auto& field : replica_readings<ReplicaMetrics>)
        names.insert(field.name);
    CHECK(names.size() == optimizer_readings.size() + replica_readings<ReplicaMetrics>.size());
}

TEST_CASE("the oldest sample of a variant is that of any reading with a value") {
    OptimizerMetrics metrics;
    CHECK_FALSE(oldest_sample(metrics).has_value());
    for (const auto& field : optimizer_readings) {
        metrics.*field.member = Reading<double>::measured(1, noon);
        CHECK(oldest_sample(metrics) == noon);
    }
    for (const auto& field : optimizer_readings) {
        OptimizerMetrics older = metrics;
        older.*field.member = Reading<double>::measured(1, noon - 5s);
        CHECK(oldest_sample(older) == noon - 5s);
    }
}

TEST_CASE("the oldest sample of a model is that of any replica") {
    ModelReplicas model;
    CHECK_FALSE(oldest_sample(model).has_value());
    model.replicas.resize(2);
    for (const auto& field : replica_readings<ReplicaMetrics>)
        model.replicas[0].*field.member = Reading<double>::measured(1, noon);
    CHECK(oldest_sample(model) == noon);
    model.replicas[1].queue_length = Reading<double>::measured(0, noon - 5s);
    CHECK(oldest_sample(model) == noon - 5s);
}

TEST_CASE("a metric is as fresh as its last sample, also if its peak was earlier") {
    OptimizerMetrics metrics;
    metrics.arrival_rate_per_minute = Reading<double>::measured(1, noon);
    CHECK(oldest_sample(metrics) == noon);
    ModelReplicas model;
    model.replicas.resize(1);
    model.replicas[0].kv_cache_usage = Reading<double>::measured(
        0.95, noon - 55s, {},
        {.statistic = Statistic::peak, .latest = 0.0, .last_sample_at = noon});
    CHECK(oldest_sample(model) == noon);
}

TEST_CASE("the coverage of a total names the pods that it lacks, sorted, and counts all of them") {
    CHECK(TotalCoverage().is_whole());
    CHECK(cover(2, {}) == TotalCoverage{.seen = 2, .counted = 2});
    CHECK(cover(2, {}).is_whole());

    const TotalCoverage lacking = cover(1, {"c", "a"});
    CHECK(lacking.seen == 3);
    CHECK(lacking.counted == 1);
    CHECK(lacking.lacking() == 2);
    CHECK_FALSE(lacking.is_whole());
    CHECK(lacking.missing == std::vector<std::string>{"a", "c"});

    const TotalCoverage nothing = cover(0, {"a"});
    CHECK(nothing.lacking() == 1);
    CHECK_FALSE(nothing.is_whole());
}

TEST_CASE("the coverage of a total names ten pods at most") {
    for (std::size_t count = 0; count <= 25; ++count) {
        std::vector<std::string> pods;
        for (std::size_t i = 0; i < count; ++i)
            pods.insert(pods.begin(), std::string(1, static_cast<char>('a' + i)));
        const TotalCoverage coverage = cover(3, pods);
        CHECK(coverage.seen == 3 + count);
        CHECK(coverage.lacking() == count);
        CHECK(coverage.missing.size() == std::min<std::size_t>(count, 10));
        CHECK(std::ranges::is_sorted(coverage.missing));
        if (count > 0)
            CHECK(coverage.missing.front() == "a");
    }
}

TEST_CASE("more pods counted than seen lack nothing") {
    CHECK(TotalCoverage{.seen = 1, .counted = 2}.lacking() == 0);
}
