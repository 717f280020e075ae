// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/posture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

const TimePoint posture_now{24h};
constexpr Duration fresh_below = 30s;
constexpr Duration unavailable_from = 5min;

constexpr SignalPosture use_last{Posture::last_value};
constexpr SignalPosture use_full{Posture::saturated, 0.95};
constexpr SignalPosture use_none{Posture::missing};

Reading<double> measured_ago(double value, Duration age) {
    return Reading<double>::measured(value, posture_now - age);
}

ReplicaMetrics replica_with(const Reading<double>& usage) {
    ReplicaMetrics replica;
    replica.kv_cache_usage = usage;
    return replica;
}

AssessedReplicas assess_usage(const std::vector<ReplicaMetrics>& replicas,
                              const SignalPosture& posture) {
    return assess(replicas, &ReplicaMetrics::kv_cache_usage, posture, fresh_below, unavailable_from,
                  posture_now);
}

AssessedValue assess_one(const Reading<double>& reading, const SignalPosture& posture) {
    return assess(reading, posture, fresh_below, unavailable_from, posture_now);
}

const ReplicaMetrics fresh_low = replica_with(measured_ago(0.2, 5s));
const ReplicaMetrics fresh_high = replica_with(measured_ago(0.6, 10s));
const ReplicaMetrics stale_one = replica_with(measured_ago(0.4, 60s));
const ReplicaMetrics stale_two = replica_with(measured_ago(0.8, 90s));
const ReplicaMetrics silent = replica_with(Reading<double>::missing(ReadingReason::no_series));

struct Expected {
    std::optional<double> average;
    std::optional<double> highest;
    Basis basis;
    std::size_t known;
};

} // namespace

TEST_CASE("each posture, when one replica is stale, some are, all are, or there is none") {
    struct Row {
        std::string name;
        std::vector<ReplicaMetrics> replicas;
        Expected last;
        Expected full;
        Expected none;
    };
    const auto none = std::nullopt;
    const auto row = GENERATE_COPY(Row{"one stale",
                                       {fresh_low, fresh_high, stale_one},
                                       {0.4, 0.6, Basis::last_value, 3},
                                       {(0.2 + 0.6 + 0.95) / 3, 0.95, Basis::saturated, 3},
                                       {0.4, 0.6, Basis::measured, 2}},
                                   Row{"mixed",
                                       {fresh_low, stale_two, silent},
                                       {0.5, 0.8, Basis::last_value, 2},
                                       {(0.2 + 0.95 + 0.95) / 3, 0.95, Basis::saturated, 3},
                                       {0.2, 0.2, Basis::measured, 1}},
                                   Row{"all stale",
                                       {stale_one, stale_two},
                                       {0.6, 0.8, Basis::last_value, 2},
                                       {0.95, 0.95, Basis::saturated, 2},
                                       {none, none, Basis::missing, 0}},
                                   Row{"empty",
                                       {},
                                       {none, none, Basis::missing, 0},
                                       {0.95, 0.95, Basis::saturated, 0},
                                       {none, none, Basis::missing, 0}});
    const auto [posture, expected] =
        GENERATE_COPY(std::pair(use_last, row.last), std::pair(use_full, row.full),
                      std::pair(use_none, row.none));
    CAPTURE(row.name, to_string(posture.posture));
    const AssessedReplicas all = assess_usage(row.replicas, posture);
    for (const auto& [total, value] :
         {std::pair(all.average, expected.average), std::pair(all.highest, expected.highest)}) {
        REQUIRE(total.value.has_value() == value.has_value());
        if (value)
            CHECK_THAT(*total.value, Catch::Matchers::WithinRel(*value, 1e-12));
        CHECK(total.basis == expected.basis);
        CHECK(total.posture == posture.posture);
    }
    CHECK(all.values.size() == row.replicas.size());
    CHECK(all.values.size() - all.count(Basis::missing) == expected.known);
}

TEST_CASE("an assessed value says its age and why there is no measurement") {
    CHECK(assess_one(measured_ago(0.5, 29s), use_none).basis == Basis::measured);
    CHECK(assess_one(measured_ago(0.5, 30s), use_none).basis == Basis::missing);
    CHECK(assess_one(measured_ago(0.5, 30s), use_last).basis == Basis::last_value);
    CHECK(assess_one(measured_ago(0.5, 299s), use_last).value == 0.5);
    CHECK(assess_one(measured_ago(0.5, 299s), use_last).age == Duration(299s));
    CHECK(assess_one(measured_ago(0.5, 300s), use_last).basis == Basis::missing);
    CHECK(assess_one(measured_ago(0.5, 300s), use_last).age == Duration(300s));
    CHECK(assess_one(silent.kv_cache_usage, use_last).reason == ReadingReason::no_series);
    CHECK_FALSE(assess_one(silent.kv_cache_usage, use_full).age);
}

TEST_CASE("what is no number is never used as one") {
    const double bad =
        GENERATE(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity());
    CHECK_FALSE(assess_one(measured_ago(bad, 1s), use_last).value);
    CHECK(assess_one(measured_ago(bad, 1s), use_full).value == 0.95);
    CHECK(assess_one(measured_ago(bad, 1s), use_last).reason == ReadingReason::not_finite);
}

TEST_CASE("the age of a total is that of its oldest value") {
    CHECK(assess_usage({fresh_low, stale_one, stale_two}, use_last).average.age == Duration(90s));
    CHECK(assess_usage({fresh_low, fresh_high, stale_two}, use_none).average.age == Duration(10s));
}

TEST_CASE("a stale value that is higher than what means full is not made lower") {
    const AssessedValue higher = assess_one(measured_ago(50, 60s), use_full);
    CHECK(higher.value == 50);
    CHECK(higher.basis == Basis::saturated);
    CHECK(assess_one(measured_ago(0.4, 60s), use_full).value == 0.95);
    // It is too old to be used at all.
    CHECK(assess_one(measured_ago(50, 300s), use_full).value == 0.95);
}

TEST_CASE("a lower bound stays one") {
    const auto bound_ago = [](double value, Duration age) {
        return Reading<double>::measured(value, posture_now - age, {}, {.is_lower_bound = true});
    };
    CHECK(assess_one(bound_ago(0.5, 5s), use_last).is_lower_bound);
    CHECK(assess_one(bound_ago(0.5, 60s), use_last).is_lower_bound);
    CHECK_FALSE(assess_one(measured_ago(0.5, 5s), use_last).is_lower_bound);
    // What means full is not measured.
    CHECK_FALSE(assess_one(bound_ago(0.5, 60s), use_full).is_lower_bound);

    const AssessedReplicas all = assess_usage({fresh_low, fresh_high}, use_last);
    CHECK_FALSE(all.average.is_lower_bound);
    CHECK_FALSE(all.highest.is_lower_bound);
    const AssessedReplicas one =
        assess_usage({replica_with(bound_ago(0.1, 5s)), fresh_high}, use_last);
    CHECK(one.average.is_lower_bound);
    CHECK(one.highest.is_lower_bound);
    const AssessedReplicas unknown = assess_usage({fresh_low, silent}, use_last);
    CHECK_FALSE(unknown.average.is_lower_bound);
    CHECK(unknown.highest.is_lower_bound);
    CHECK_FALSE(assess_usage({silent}, use_last).highest.is_lower_bound);
}

TEST_CASE("a signal that the server does not provide is never taken for full") {
    const Reading<double> reading = Reading<double>::missing(ReadingReason::not_provided);
    for (const SignalPosture& posture : {use_last, use_full, use_none}) {
        const AssessedValue assessed = assess_one(reading, posture);
        CHECK_FALSE(assessed.value.has_value());
        CHECK(assessed.basis == Basis::missing);
        CHECK(assessed.reason == ReadingReason::not_provided);
        CHECK(assessed.posture == posture.posture);
    }
}
