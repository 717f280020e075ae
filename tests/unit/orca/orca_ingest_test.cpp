// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/orca/orca_ingest.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/property_cases.hpp"

namespace wva_metrics::orca {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

constexpr TimePoint start{1h};

/// The pod `p` of the namespace `ns`, as a scrape saw it.
ReplicaSamples scraped(std::optional<double> kv, std::optional<double> queue, TimePoint at) {
    ReplicaSamples samples;
    samples.model = {"ns", "m"};
    ReplicaSample& pod = samples.pods.emplace_back();
    pod.pod = "p";
    pod.kv_cache_usage = kv ? Reading<double>::measured(*kv, at)
                            : Reading<double>::missing(ReadingReason::no_series);
    pod.queue_length = queue ? Reading<double>::measured(*queue, at)
                             : Reading<double>::missing(ReadingReason::no_series);
    return samples;
}

std::string report(double kv, double queue) {
    return "TEXT named_metrics.kv_cache_usage_perc=" + std::to_string(kv) +
           ",named_metrics.num_requests_waiting=" + std::to_string(queue);
}

/// An ingest that is past its blackout at `start`.
struct Warm {
    OrcaIngest ingest;

    Warm() { REQUIRE(ingest.ingest_orca("ns", "p", report(0, 0), start - 60s).has_value()); }

    ReplicaSample apply(ReplicaSamples samples, TimePoint now) const {
        ingest.apply(samples, now);
        return samples.pods.front();
    }
};

TEST_CASE("a report of one engine does not lower the value of another", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.2, 1), start + 5s).has_value());
    const ReplicaSample pod = warm.apply(scraped(0.9, 7, start), start + 6s);
    CHECK(pod.kv_cache_usage.value() == 0.9);
    CHECK(pod.kv_cache_usage.sampled_at() == start);
    CHECK(pod.kv_cache_usage.latest() == 0.9);
    CHECK(pod.kv_cache_usage.latest_at() == start);
    CHECK(pod.queue_length.value() == 7);
    CHECK_FALSE(pod.queue_length.is_lower_bound());
}

TEST_CASE("a report raises a value, and the reading is a lower bound then", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.95, 9), start + 5s).has_value());
    const ReplicaSample pod = warm.apply(scraped(0.9, 7, start), start + 6s);
    CHECK(pod.kv_cache_usage.value() == 0.95);
    CHECK(pod.kv_cache_usage.sampled_at() == start + 5s);
    CHECK(pod.kv_cache_usage.age(start + 6s) == 1s);
    CHECK(pod.kv_cache_usage.is_lower_bound());
    CHECK(pod.kv_cache_usage.metric() == "endpoint-load-metrics");
    CHECK(pod.queue_length.value() == 9);
    CHECK(pod.last_sample_at == start + 5s);
}

TEST_CASE("a report that equals the sample makes it fresher and no lower bound", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.5, 7), start + 5s).has_value());
    const ReplicaSample pod = warm.apply(scraped(0.5, 7, start), start + 6s);
    CHECK(pod.queue_length.sampled_at() == start + 5s);
    CHECK_FALSE(pod.queue_length.is_lower_bound());
}

TEST_CASE("a report older than the sample changes nothing", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.95, 9), start).has_value());
    const ReplicaSample pod = warm.apply(scraped(0.9, 7, start), start + 6s);
    CHECK(pod.kv_cache_usage.value() == 0.9);
    CHECK(pod.queue_length.value() == 7);
}

TEST_CASE("a report never proves that a server is idle", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0, 0), start + 5s).has_value());
    const ReplicaSample pod = warm.apply(scraped({}, {}, start), start + 6s);
    CHECK_FALSE(pod.kv_cache_usage.has_value());
    CHECK(pod.queue_length.reason() == ReadingReason::no_series);
}

TEST_CASE("where there is no value, a report of load is a lower bound", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.4, 3), start + 5s).has_value());
    const ReplicaSample pod = warm.apply(scraped({}, {}, start), start + 6s);
    CHECK(pod.kv_cache_usage.value() == 0.4);
    CHECK(pod.queue_length.value() == 3);
    CHECK(pod.queue_length.is_lower_bound());
}

TEST_CASE("of a peak, a report between the last sample and the peak makes the last sample fresher",
          "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.7, 1), start + 5s).has_value());
    ReplicaSamples samples = scraped({}, 1, start);
    ReadingDetails<double> details;
    details.statistic = Statistic::peak;
    details.window = 60s;
    details.latest = 0.5;
    details.last_sample_at = start;
    samples.pods.front().kv_cache_usage =
        Reading<double>::measured(0.9, start - 30s, MetricName("kv"), details);
    const Reading<double> kv = warm.apply(samples, start + 6s).kv_cache_usage;
    CHECK(kv.value() == 0.9);
    CHECK(kv.sampled_at() == start - 30s);
    CHECK(kv.latest() == 0.7);
    CHECK(kv.latest_at() == start + 5s);
    CHECK(kv.metric() == "kv");
    CHECK(kv.window() == 60s);
}

TEST_CASE("a pod's reports are used after the blackout, and until they expire", "[orca]") {
    OrcaIngest ingest;
    const auto kv_at = [&](TimePoint now) {
        ReplicaSamples samples = scraped({}, {}, start);
        ingest.apply(samples, now);
        return samples.pods.front().kv_cache_usage.has_value();
    };
    REQUIRE(ingest.ingest_orca("ns", "p", report(0.4, 3), start).has_value());
    CHECK_FALSE(kv_at(start + 9s));
    CHECK(kv_at(start + 10s));
    CHECK(kv_at(start + 3min));
    CHECK_FALSE(kv_at(start + 3min + 1ns));
    // It is back, and in a blackout again.
    REQUIRE(ingest.ingest_orca("ns", "p", report(0.4, 3), start + 4min).has_value());
    CHECK_FALSE(kv_at(start + 4min + 9s));
    CHECK(kv_at(start + 4min + 10s));
}

TEST_CASE("a lower report replaces a higher one only after a while", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.8, 8), start).has_value());
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.1, 1), start + 15s).has_value());
    CHECK(warm.apply(scraped({}, {}, start), start + 15s).queue_length.value() == 8);
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.1, 1), start + 16s).has_value());
    CHECK(warm.apply(scraped({}, {}, start), start + 16s).queue_length.value() == 1);
}

TEST_CASE("a report that comes out of order makes the same one no older") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.8, 8), start + 5s).has_value());
    REQUIRE(warm.ingest.ingest_orca("ns", "p", report(0.8, 8), start + 4s).has_value());
    const ReplicaSample pod = warm.apply(scraped({}, {}, start), start + 6s);
    CHECK(pod.queue_length.sampled_at() == start + 5s);
}

TEST_CASE("pods of two namespaces are two pods, and a report adds none", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest.ingest_orca("other", "p", report(0.8, 8), start).has_value());
    REQUIRE(warm.ingest.ingest_orca("ns", "q", report(0.8, 8), start).has_value());
    ReplicaSamples samples = scraped({}, {}, start - 90s);
    warm.ingest.apply(samples, start + 20s);
    REQUIRE(samples.pods.size() == 1);
    CHECK_FALSE(samples.pods.front().queue_length.has_value());
    CHECK(warm.ingest.size() == 3);
    warm.ingest.forget("ns", "q");
    CHECK(warm.ingest.size() == 2);
}

TEST_CASE("the first of a signal's names counts, wherever it stands", "[orca]") {
    Warm warm;
    REQUIRE(warm.ingest
                .ingest_orca("ns", "p",
                             "TEXT named_metrics.kv_cache_utilization=0.2,"
                             "named_metrics.kv_cache_usage_perc=0.6",
                             start)
                .has_value());
    CHECK(warm.apply(scraped({}, {}, start), start).kv_cache_usage.value() == 0.6);
}

TEST_CASE("a report that cannot be is refused, and nothing of it is kept", "[orca]") {
    Warm warm;
    const auto refused = [&](const std::string& value) {
        const Result<void> result = warm.ingest.ingest_orca("ns", "p", value, start);
        REQUIRE(result.has_error());
        CHECK(result.error().is(Errc::bad_response));
        CHECK_FALSE(warm.apply(scraped({}, {}, start), start + 1s).queue_length.has_value());
    };
    refused(report(35, 1));
    refused(report(-0.1, 1));
    refused(report(0.5, -1));
    refused("TEXT named_metrics.num_requests_waiting=5,eps=nan");
    CHECK(warm.ingest.ingest_orca("ns", "", report(0.5, 1), start)
              .error()
              .is(Errc::invalid_argument));
}

TEST_CASE("the number of pods is bounded, and expired ones make room", "[orca]") {
    OrcaIngestConfig config;
    config.max_pods = 2;
    OrcaIngest ingest(config);
    REQUIRE(ingest.ingest_orca("ns", "a", report(0.5, 1), start).has_value());
    REQUIRE(ingest.ingest_orca("ns", "b", report(0.5, 1), start + 1min).has_value());
    const Result<void> third = ingest.ingest_orca("ns", "c", report(0.5, 1), start + 3min);
    REQUIRE(third.has_error());
    CHECK(third.error().is(Errc::too_large));
    CHECK_THAT(third.error().message, ContainsSubstring("max_pods = 2"));
    CHECK(ingest.ingest_orca("ns", "c", report(0.5, 1), start + 3min + 1s).has_value());
    CHECK(ingest.size() == 2);
    // A report without a number that is used takes no room.
    CHECK(ingest.ingest_orca("ns", "d", "TEXT eps=1", start + 3min).has_value());
}

TEST_CASE("a configuration's problems are all said", "[orca]") {
    CHECK(validate(OrcaIngestConfig{}).empty());
    OrcaIngestConfig config;
    config.blackout = 5min;
    config.hold = -1s;
    config.max_pods = 0;
    config.limits.max_metrics = 65;
    CHECK(validate(config).size() == 4);
    CHECK_THROWS_AS(OrcaIngest(config), ResultError);
}

TEST_CASE("whatever is reported, no value falls and no time goes back", "[orca][property]") {
    std::mt19937 random(11); // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases in every run.
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    const auto share = [&] { return below(11) / 10.0; };
    for (unsigned round = 0; round < test_support::property_cases(500); ++round) {
        Warm warm;
        TimePoint now = start;
        for (unsigned i = below(6); i > 0; --i) {
            now += std::chrono::seconds(below(20));
            REQUIRE(warm.ingest.ingest_orca("ns", "p", report(share(), below(5)), now).has_value());
        }
        const ReplicaSamples before =
            scraped(share(), below(5), start + std::chrono::seconds(below(60)));
        const ReplicaSample& old = before.pods.front();
        const ReplicaSample pod = warm.apply(before, std::max(now, start + 60s));
        CHECK(pod.kv_cache_usage.value() >= old.kv_cache_usage.value());
        CHECK(pod.kv_cache_usage.sampled_at() >= old.kv_cache_usage.sampled_at());
        CHECK(pod.queue_length.value() >= old.queue_length.value());
        CHECK(pod.queue_length.latest() >= old.queue_length.latest());
        CHECK(pod.queue_length.latest_at() >= old.queue_length.latest_at());
        CHECK(pod.queue_length.is_lower_bound() ==
              (pod.queue_length.value() > old.queue_length.value()));
    }
}

} // namespace
} // namespace wva_metrics::orca
