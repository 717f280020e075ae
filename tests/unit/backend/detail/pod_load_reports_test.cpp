// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/backend/detail/pod_load_reports.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "support/property_cases.hpp"

namespace wva_metrics::detail {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

constexpr TimePoint morning{1h};

std::string kv_report(double kv) {
    return "TEXT named_metrics.kv_cache_usage_perc=" + std::to_string(kv);
}

/// The target 1 is the pod `llm/p`.
struct OnePod {
    orca::OrcaIngestConfig config{};
    PodLoadReports reports{config};

    explicit OnePod(orca::OrcaIngestConfig with = {}) : config(std::move(with)) {
        reports.add("llm", "p", 1);
    }

    Result<void> tell(double kv, TimePoint now, const std::string& pod = "p") {
        return reports.ingest("llm", pod, kv_report(kv), now, orca::OrcaHeader::load_metrics);
    }

    /// The KV cache usage, where a scrape has seen this much at this time.
    Reading<double> kv(std::optional<double> scraped, TimePoint at, TimePoint now) const {
        ReplicaSamples samples;
        samples.model = {"llm", "m"};
        ReplicaSample& pod = samples.pods.emplace_back();
        pod.pod = "p";
        pod.kv_cache_usage = scraped ? Reading<double>::measured(*scraped, at)
                                     : Reading<double>::missing(ReadingReason::unread);
        reports.apply(samples, now);
        return samples.pods.front().kv_cache_usage;
    }
};

TEST_CASE("a load report raises what was scraped before it, and names itself") {
    OnePod pod;
    REQUIRE(pod.tell(0.1, morning).has_value());
    REQUIRE(pod.tell(0.95, morning + 20s).has_value());
    const Reading<double> kv = pod.kv(0.4, morning + 19s, morning + 21s);
    CHECK(kv.value() == 0.95);
    CHECK(kv.sampled_at() == morning + 20s);
    CHECK(kv.is_lower_bound());
    CHECK(kv.metric() == orca::report_header);
}

TEST_CASE("a page that was read after a load report supersedes it, also one without the metric") {
    OnePod pod;
    REQUIRE(pod.tell(0.1, morning).has_value());
    REQUIRE(pod.tell(0.95, morning + 20s).has_value());
    // Such as a server that has restarted and loads its model.
    pod.reports.was_read("llm", "p", 1, morning + 21s);
    CHECK_FALSE(pod.kv({}, morning, morning + 22s).has_value());
    // A report that comes late says nothing new.
    REQUIRE(pod.tell(0.95, morning + 21s).has_value());
    CHECK_FALSE(pod.kv({}, morning, morning + 22s).has_value());
    // A lower one than before the page counts at once: it is not compared with what is superseded.
    REQUIRE(pod.tell(0.6, morning + 23s).has_value());
    CHECK(pod.kv(0.3, morning + 21s, morning + 24s).value() == 0.6);
}

TEST_CASE("of a pod with two pages, a load report counts until both were read") {
    OnePod pod;
    pod.reports.add("llm", "p", 2);
    REQUIRE(pod.tell(0.1, morning).has_value());
    REQUIRE(pod.tell(0.95, morning + 20s).has_value());
    pod.reports.was_read("llm", "p", 1, morning + 21s);
    CHECK(pod.kv({}, morning, morning + 22s).has_value());
    pod.reports.was_read("llm", "p", 2, morning + 22s);
    CHECK_FALSE(pod.kv({}, morning, morning + 23s).has_value());
}

TEST_CASE("load reports expire while no page can be read") {
    OnePod pod;
    REQUIRE(pod.tell(0.1, morning).has_value());
    REQUIRE(pod.tell(0.95, morning + 20s).has_value());
    CHECK(pod.kv({}, morning, morning + 20s + 3min).value() == 0.95);
    CHECK_FALSE(pod.kv({}, morning, morning + 20s + 3min + 1ns).has_value());
}

TEST_CASE("a pod that takes the place of another begins without load reports") {
    OnePod pod;
    REQUIRE(pod.tell(0.1, morning).has_value());
    REQUIRE(pod.tell(0.95, morning + 20s).has_value());
    pod.reports.add("llm", "p", 2); // The same name with another uid.
    pod.reports.remove("llm", "p", 1);
    CHECK_FALSE(pod.kv({}, morning, morning + 21s).has_value());
    REQUIRE(pod.tell(0.9, morning + 22s).has_value());
    CHECK_FALSE(pod.kv({}, morning, morning + 31s).has_value()); // In its blackout.
    CHECK(pod.kv({}, morning, morning + 32s).value() == 0.9);
    pod.reports.remove("llm", "p", 1); // When the last copy of the old target has gone.
    pod.reports.was_read("llm", "p", 1, morning + 40s);
    CHECK(pod.kv({}, morning, morning + 41s).value() == 0.9);
    pod.reports.remove("llm", "p", 2);
    CHECK(pod.reports.size() == 0);
    CHECK(pod.tell(0.9, morning + 42s).has_error());
}

TEST_CASE("load reports of pods that are not scraped are refused and take no room") {
    orca::OrcaIngestConfig config;
    config.max_pods = 1;
    OnePod pod(config);
    for (int i = 0; i < 100; ++i) {
        const Result<void> refused = pod.tell(0.9, morning, "other-" + std::to_string(i));
        REQUIRE(refused.has_error());
        CHECK(refused.error().is(Errc::invalid_argument));
    }
    CHECK(pod.tell(0.9, morning, "").error().is(Errc::invalid_argument));
    CHECK(pod.reports.size() == 0);
    CHECK(pod.tell(0.9, morning).has_value());
    const Result<void> hidden = pod.tell(0.9, morning, "a\nb\x1b[2J");
    CHECK(hidden.error().message.find('\n') == std::string::npos);
    const Result<void> huge = pod.reports.ingest("llm", "p", "TEXT " + std::string(9000, 'a'),
                                                 morning, orca::OrcaHeader::load_metrics);
    CHECK(huge.error().is(Errc::too_large));
    CHECK_THAT(huge.error().message, ContainsSubstring("max_header_bytes"));
}

TEST_CASE("a target without a namespace takes the load reports of any") {
    OnePod pod;
    pod.reports.add("", "q", 2);
    REQUIRE(pod.tell(0.1, morning, "q").has_value());
    REQUIRE(pod.tell(0.8, morning + 20s, "q").has_value());
    ReplicaSamples samples;
    samples.model = {"llm", "m"};
    samples.pods.emplace_back().pod = "q";
    pod.reports.apply(samples, morning + 21s);
    CHECK(samples.pods.front().kv_cache_usage.value() == 0.8);
}

TEST_CASE("whatever load reports say, no reading of a page falls", "[property]") {
    std::mt19937 random(7); // NOLINT(cert-msc32-c,cert-msc51-cpp): the same cases in every run.
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    for (unsigned round = 0; round < test_support::property_cases(300); ++round) {
        OnePod pod;
        TimePoint now = morning;
        TimePoint read = morning;
        // The highest report since the page.
        double highest = 0;
        REQUIRE(pod.tell(0, morning - 1min).has_value());
        pod.reports.was_read("llm", "p", 1, read);
        for (unsigned i = below(8); i > 0; --i) {
            now += std::chrono::milliseconds(1 + below(1000));
            if (below(3) == 0) {
                read = now;
                highest = 0;
                pod.reports.was_read("llm", "p", 1, read);
            } else {
                const double kv = below(11) / 10.0;
                highest = std::max(highest, kv);
                REQUIRE(pod.tell(kv, now).has_value());
            }
        }
        const double scraped = below(11) / 10.0;
        const Reading<double> kv = pod.kv(scraped, read, now);
        CHECK(kv.value() == std::max(scraped, std::stod(std::to_string(highest))));
        CHECK(kv.sampled_at() >= read);
        CHECK(kv.is_lower_bound() == (kv.value() > scraped));
    }
}

} // namespace
} // namespace wva_metrics::detail
