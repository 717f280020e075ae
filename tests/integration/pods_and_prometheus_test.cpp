// SPDX-License-Identifier: Apache-2.0
//
// A fleet seen live in two ways, by its own pages and through a real Prometheus that scrapes it every
// second: the numbers are the same within the change of one scrape interval.
#include "support/pinned_time.hpp"
#include "support/running_context.hpp"
#include "support/watched_fleet.hpp"
#include "wva_metrics/backend/pod_backend.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

using namespace std::chrono_literals;

constexpr Duration rate_window_of_both = 4s;
constexpr Duration interval_of_both = 1s;

/// A reading, and when the sample that it ends with was scraped, in Unix seconds.
struct SeenReading {
    Reading<double> reading;
    double time = 0;
};

/// All readings of a fleet, by whose and which they are.
using SeenFleet = std::map<std::string, SeenReading>;

template <typename T>
T completed(RunningContext& on, boost::asio::awaitable<T> call) {
    return boost::asio::co_spawn(on.context(), std::move(call), boost::asio::use_future).get();
}

double unix_now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Asks a backend for all that there is. `evaluated`: the time that it takes for now, in Unix seconds.
template <typename Backend>
SeenFleet seen_by(RunningContext& context, Backend& backend, const std::vector<FleetModel>& models,
                  std::optional<double> evaluated = {}) {
    std::vector<VariantAutoscaling> variants;
    std::vector<ModelKey> keys;
    for (const FleetModel& model : models) {
        keys.push_back(model.key);
        for (const VariantAutoscaling& variant : model.variants())
            variants.push_back(variant);
    }
    SeenFleet seen;
    const auto add = [&](const std::string& whose, std::string_view which, Reading<double> reading,
                         TimePoint asked, double now) {
        const Duration later = reading.last_sample_at().value_or(asked) - asked;
        const double time = now + std::chrono::duration<double>(later).count();
        seen[whose + ' ' + std::string(which)] = {std::move(reading), time};
    };
    const auto add_optional = [&](const std::string& whose, const OptionalReadings& readings,
                                  TimePoint asked, double now) {
        for (const OptionalReadingInfo& info : optional_readings)
            add(whose, info.name, readings.find(info.reading), asked, now);
    };
    TimePoint asked = std::chrono::steady_clock::now();
    double now = evaluated.value_or(unix_now());
    for (const auto& answer : completed(context, backend.fetch_optimizer_metrics(variants))) {
        const OptimizerMetrics& metrics = answer.value();
        INFO(metrics.variant);
        CHECK_FALSE(metrics.partial);
        CHECK(metrics.warnings == std::vector<std::string>());
        CHECK(metrics.coverage.is_whole());
        for (const auto& field : optimizer_readings)
            add(metrics.variant, field.name, metrics.*field.member, asked, now);
        add_optional(metrics.variant, metrics.optional, asked, now);
    }
    asked = std::chrono::steady_clock::now();
    now = evaluated.value_or(unix_now());
    for (const auto& answer : completed(context, backend.fetch_replica_samples(keys))) {
        const ReplicaSamples& samples = answer.value();
        INFO(samples.model.model_id);
        CHECK_FALSE(samples.partial);
        CHECK(samples.warnings == std::vector<std::string>());
        for (const ReplicaSample& pod : samples.pods) {
            CHECK(pod.engine == "vllm");
            for (const auto& field : replica_readings<ReplicaSample>)
                add(pod.pod, field.name, pod.*field.member, asked, now);
            add_optional(pod.pod, pod.optional, asked, now);
        }
    }
    return seen;
}

/// What Prometheus shows of one reading around a time.
struct Interval {
    std::set<double> values;
    std::set<Statistic> statistics;
    std::set<ReadingReason> reasons;

    /// A rate or an average is within their range, or outside by no more than they change in it, and
    /// 2 % for the times of the scrapes. A gauge has the value that Prometheus has if the fleet stands
    /// still; otherwise it may have had any other between two scrapes.
    bool admits(const Reading<double>& reading, bool is_still) const {
        if (!reading.has_value())
            return reasons.contains(reading.reason());
        if (values.empty() || !statistics.contains(reading.statistic()))
            return false;
        if (reading.statistic() == Statistic::last_sample)
            return !is_still || values == std::set<double>{reading.value()};
        const double lowest = *values.begin();
        const double highest = *values.rbegin();
        const double change = highest - lowest + 0.02 * std::abs(highest);
        return reading.value() >= lowest - change && reading.value() <= highest + change;
    }
};

Interval around(const std::vector<SeenFleet>& through_prometheus, const std::string& name,
                double time) {
    // As far from each other as two that scrape every second can be, and late by a busy machine.
    constexpr double farthest = 1.25;
    Interval found;
    for (const SeenFleet& seen : through_prometheus) {
        const auto one = seen.find(name);
        if (one == seen.end() || std::abs(one->second.time - time) > farthest)
            continue;
        const Reading<double>& reading = one->second.reading;
        if (reading.has_value()) {
            found.values.insert(reading.value());
            found.statistics.insert(reading.statistic());
        } else {
            found.reasons.insert(reading.reason());
        }
    }
    return found;
}

PodConfig pods_of(const RunningFleet& fleet, const std::vector<FleetModel>& models) {
    PodConfig config;
    for (const FleetModel& model : models)
        for (const std::string& pod : model.pods()) {
            scrape::ScrapeTarget& target = config.targets.emplace_back();
            target.url = "http://" + fleet.address() + "/pods/" + pod + "/metrics";
            target.pod = pod;
            target.namespace_name = model.key.namespace_name;
        }
    config.schedule.interval = interval_of_both;
    config.scrape_timeout = 30s;
    config.batch_timeout = 1min;
    config.rate_window = rate_window_of_both;
    config.peak_window = 0s;
    config.optional_readings = OptionalReadingSet::all();
    return config;
}

/// All readings of Prometheus at one time in the past.
SeenFleet seen_in_the_past(const WatchedFleet& watched, std::uint16_t port,
                           const std::vector<FleetModel>& models, double time) {
    const PinnedTime pinned(port, time);
    PrometheusConfig config = watched.config();
    config.client.http.url = pinned.url();
    config.batch_timeout = 1min;
    config.windows.rate = rate_window_of_both;
    config.windows.peak = 0s;
    config.optional_readings = OptionalReadingSet::all();
    RunningContext context;
    PrometheusBackend backend(context.context().get_executor(), config);
    return seen_by(context, backend, models, time);
}

} // namespace

TEST_CASE("the pods of a live fleet say what a Prometheus that scrapes them every second says") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--models", "2", "--variants", "2", "--engines", "2", "--period", "20"},
                         "1s");
    const std::vector<FleetModel> models = watched.fleet().models();
    RunningContext context;
    PodBackend pods(context.context().get_executor(), pods_of(watched.fleet(), models));
    for (const FleetModel& model : models) // From then on they are scraped.
        CHECK(completed(context, pods.check_availability(model.key)).value().available);
    watched.fleet().control({{"load", "*"}, {"factor", "3"}});
    watched.wait_for("min(count_over_time(vllm:num_requests_running[5s])) >= bool 5");

    std::size_t values = 0;
    std::size_t changing = 0;
    const auto compare = [&](bool is_still) {
        const SeenFleet live = seen_by(context, pods, models);
        const double moment = unix_now();
        REQUIRE(eventually(
            [&] { return watched.query("min(timestamp(up))").value_or(0) > moment + 1.5; }));
        std::vector<SeenFleet> stored;
        for (double time = moment - 2; time < moment + 1.75; time += 0.5)
            stored.push_back(seen_in_the_past(watched, watched.prometheus().port(), models, time));
        std::set<std::string> wrong;
        values = changing = 0;
        for (const auto& [name, seen] : live) {
            const Interval interval = around(stored, name, seen.time);
            if (seen.reading.has_value())
                ++values;
            if (interval.values.size() > 1)
                ++changing;
            if (!interval.admits(seen.reading, is_still))
                wrong.insert(name);
        }
        for (const auto& [name, seen] : stored.front())
            if (!live.contains(name))
                wrong.insert("only Prometheus has " + name);
        return wrong;
    };
    // A value that Prometheus scraped a moment too late to see is seen in the next round.
    const auto compare_again = [&](bool is_still) {
        std::set<std::string> unlike = compare(is_still);
        for (int round = 0; round < 2 && !unlike.empty(); ++round) {
            const std::set<std::string> wrong = compare(is_still);
            std::set<std::string> still;
            std::ranges::set_intersection(unlike, wrong, std::inserter(still, still.end()));
            unlike = still;
        }
        return unlike;
    };
    CHECK(compare_again(false) == std::set<std::string>());
    CAPTURE(values, changing);
    // Four variants and eight pods.
    CHECK(values > 4 * optimizer_readings.size() + 8 * replica_readings<ReplicaSample>.size());
    CHECK(changing > values / 4);

    watched.fleet().control({{"freeze", "1"}});
    const double frozen = unix_now();
    REQUIRE(
        eventually([&] { return watched.query("min(timestamp(up))").value_or(0) > frozen + 4; }));
    CHECK(compare_again(true) == std::set<std::string>());
}
