// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/availability_of.hpp"

#include <catch2/catch_all.hpp>

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

const ModelKey llama{"llm", "meta/llama"};

void add(LastReport& report, const std::string& part, double seconds_ago) {
    const std::vector<std::string_view> labels = {part, "llm", "meta/llama"};
    report({labels, 1'700'000'000 - seconds_ago, 1'700'000'000});
}

PrometheusConfig stale_after(Duration age) {
    PrometheusConfig config;
    config.stale_after = age;
    return config;
}

} // namespace

TEST_CASE("the latest report counts, whatever the metric's name") {
    LastReport report;
    add(report, "time0", 200);
    add(report, "time1", 7);
    add(report, "recent0", 3);
    CHECK(report.age == 7.0);
    CHECK(report.past_age == 3.0);
}

TEST_CASE("a report from the future has age zero") {
    LastReport report;
    add(report, "time0", -30);
    CHECK(report.age == 0.0);
}

TEST_CASE("series that are not reports are ignored") {
    LastReport report;
    add(report, "", 1);
    add(report, "time0", std::numeric_limits<double>::quiet_NaN());
    CHECK_FALSE(report.age.has_value());
    CHECK_FALSE(report.past_age.has_value());
}

TEST_CASE("a report exactly as old as allowed is not stale") {
    LastReport report;
    add(report, "time0", 60);
    CHECK(availability_of(llama, report, stale_after(60s))->available);
    CHECK(availability_of(llama, report, stale_after(59s))->reason ==
          AvailabilityReason::metrics_stale);
}

TEST_CASE("a model whose series have all ended is stale, however young they are") {
    LastReport report;
    add(report, "recent0", 1);
    const std::optional<Availability> verdict = availability_of(llama, report, stale_after(300s));
    REQUIRE(verdict);
    CHECK_FALSE(verdict->available);
    CHECK(verdict->reason == AvailabilityReason::metrics_stale);
    CHECK_THAT(verdict->message, ContainsSubstring("'meta/llama'") && ContainsSubstring("'llm'") &&
                                     ContainsSubstring("1 s"));
}

TEST_CASE("without a report there is no availability yet") {
    CHECK_FALSE(availability_of(llama, {}, stale_after(300s)).has_value());
}

TEST_CASE("an age of any size can be formatted") {
    CHECK(whole_seconds(0.4) == "0 s");
    CHECK(whole_seconds(1e300) == "1000000000 s");
}

TEST_CASE("the message about a missing model names the namespaces with a model of that name") {
    const PrometheusConfig config;
    CHECK_THAT(nothing_found(llama, {"b", "a"}, config).message, ContainsSubstring("'a', 'b'"));
    CHECK_THAT(nothing_found(llama, {"", "a"}, config).message,
               ContainsSubstring("in namespace 'a'. Check"));
    CHECK_THAT(nothing_found(llama, {""}, config).message,
               ContainsSubstring("without the label 'namespace'"));
    CHECK_THAT(nothing_found(llama, {}, config).message, ContainsSubstring("ServiceMonitor"));
}
