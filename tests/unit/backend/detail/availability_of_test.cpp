// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/availability_of.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include "support/labelled_series.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using samples::ServerTime;

namespace {

const ModelKey llama{"llm", "meta/llama"};
const ServerClock availability_clock{ServerTime(1'700'000'000s), TimePoint(100h)};
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

/// Samples of one series: how old, and the value.
void add_samples(LastReport& report,
                 const std::vector<std::pair<samples::ServerDuration, double>>& all) {
    std::vector<samples::Sample> sent;
    for (const auto& [age, value] : all)
        sent.push_back({availability_clock.evaluated - age, value});
    report.add(prometheus::SeriesView{.samples = sent});
}

void add_value(LastReport& report, double value) {
    test_support::with_series(
        {}, {}, value, [&](const prometheus::SeriesView& series) { report.add_time(series); });
}

LastReport reported(samples::ServerDuration age) {
    LastReport report;
    add_samples(report, {{age, 0}});
    return report;
}

std::optional<Availability> verdict_on(const LastReport& report, Duration stale_after) {
    PrometheusConfig config;
    config.stale_after = stale_after;
    return availability_of(llama, report, availability_clock, config);
}

} // namespace

TEST_CASE("the newest sample of all series counts") {
    LastReport report;
    add_samples(report, {{90s, 1}, {30s, 1}});
    add_samples(report, {{60s, 1}, {7s, 0}});
    add_samples(report, {{20s, 1}});
    CHECK(report.newest == availability_clock.evaluated - 7s);
}

TEST_CASE("what is not a sample does not show that a model reports") {
    LastReport report;
    add_samples(report, {});
    add_samples(report, {{1s, no_number}});
    CHECK_FALSE(report.newest.has_value());
    // The marker has the time at which the series ended.
    add_samples(report, {{40s, 1}, {25s, no_number}});
    CHECK(report.newest == availability_clock.evaluated - 40s);
}

TEST_CASE("the last report of a long time is the value of its element") {
    LastReport report;
    add_value(report, 1'699'999'400.5);
    CHECK(report.newest == ServerTime(1'699'999'400'500ms));
    add_value(report, 1'699'999'000);
    CHECK(report.newest == ServerTime(1'699'999'400'500ms));
}

TEST_CASE("a time that is none is ignored, and an absurd one overflows nothing") {
    LastReport report;
    add_value(report, no_number);
    add_value(report, std::numeric_limits<double>::infinity());
    report.add_time(prometheus::SeriesView{});
    CHECK_FALSE(report.newest.has_value());
    add_value(report, -1e300);
    CHECK(report.newest == ServerTime());
    add_value(report, 1e300);
    CHECK(report.newest == ServerTime(100'000'000'000s));
    CHECK(verdict_on(report, 60s)->available);
}

TEST_CASE("a report from the future has age zero") {
    const auto verdict = verdict_on(reported(-30s), 60s);
    REQUIRE(verdict);
    CHECK(verdict->available);
    CHECK(verdict->last_sample_at == availability_clock.requested);
    CHECK_THAT(verdict->message, ContainsSubstring("0 s ago"));
}

TEST_CASE("a report exactly as old as allowed is not stale") {
    CHECK(verdict_on(reported(60s), 60s)->available);
    CHECK(verdict_on(reported(60s), 60s)->reason == AvailabilityReason::metrics_found);
    const auto stale = verdict_on(reported(60s), 59'999ms);
    CHECK_FALSE(stale->available);
    CHECK(stale->reason == AvailabilityReason::metrics_stale);
    CHECK(stale->last_sample_at == availability_clock.requested - 60s);
    CHECK_THAT(stale->message, ContainsSubstring("'meta/llama'") && ContainsSubstring("'llm'") &&
                                   ContainsSubstring("60 s"));
}

TEST_CASE("the message of a stale report has an age above the bound, and the bound") {
    const auto message_of = [](samples::ServerDuration age, Duration bound) {
        return verdict_on(reported(age), bound)->message;
    };
    CHECK_THAT(message_of(1200ms, 1s),
               ContainsSubstring("is 2 s old, more than stale_after = 1s."));
    CHECK_THAT(message_of(600ms, 500ms),
               ContainsSubstring("is 1 s old, more than stale_after = 500ms."));
    CHECK_THAT(message_of(1h, 5min),
               ContainsSubstring("is 3600 s old, more than stale_after = 5m0s."));
}

TEST_CASE("without a report there is no availability yet") {
    CHECK_FALSE(verdict_on({}, 300s).has_value());
}

TEST_CASE("an age of any size can be formatted") {
    CHECK(whole_seconds(0.4) == "0 s");
    CHECK(whole_seconds(1e300) == "1000000000 s");
}

namespace {

/// The message if these series of the model are found: their labels, with names.
std::string
message_if_found(const std::vector<std::vector<std::pair<std::string, std::string>>>& found,
                 std::vector<promql::Matcher> matchers = {}) {
    Elsewhere elsewhere;
    for (const auto& series : found) {
        std::vector<std::string> names;
        std::vector<std::string_view> values;
        for (const auto& [name, value] : series) {
            names.push_back(name);
            values.push_back(value);
        }
        test_support::with_series(names, values, 1, [&](const prometheus::SeriesView& view) {
            elsewhere.add(view, llama, vllm_profile().labels);
        });
    }
    PrometheusConfig config;
    config.matchers = std::move(matchers);
    return nothing_found(llama, elsewhere, config).message;
}

} // namespace

TEST_CASE("the message about a missing model names the namespaces with a model of that name") {
    CHECK_THAT(message_if_found({{{"namespace", "b"}}, {{"namespace", "a"}}}),
               ContainsSubstring("'a', 'b'. Check the namespace"));
    CHECK_THAT(message_if_found({{{"pod", "p"}}, {{"namespace", "a"}}}),
               ContainsSubstring("in namespace 'a'. Check"));
    CHECK_THAT(message_if_found({}), ContainsSubstring("ServiceMonitor"));
}

TEST_CASE("the message about a missing label names the field of the document and of C++") {
    CHECK_THAT(message_if_found({{{"pod", "p"}}}),
               ContainsSubstring("without the label 'namespace'") &&
                   ContainsSubstring("prometheus.engine.labels.namespace in a document") &&
                   ContainsSubstring("EngineLabels::namespace_name in C++"));
}

TEST_CASE(
    "a namespace that is under another label is found there, and the scraper's is not named") {
    for (const std::string label : {"exported_namespace", "kubernetes_namespace"}) {
        const std::string message = message_if_found(
            {{{label, "llm"}, {"namespace", "monitoring"}, {"pod", "prometheus-0"}}});
        CHECK_THAT(message, ContainsSubstring("in the label '" + label + "'") &&
                                ContainsSubstring("honor_labels") &&
                                ContainsSubstring("prometheus.engine.labels.namespace") &&
                                ContainsSubstring("prometheus.engine.labels.pod"));
        CHECK_THAT(message, !ContainsSubstring("monitoring"));
    }
}

TEST_CASE("another name of the namespace's label is not blamed on labels that are not honoured") {
    const std::string message = message_if_found({{{"kubernetes_namespace", "llm"}}});
    CHECK_THAT(message,
               ContainsSubstring("in the label 'kubernetes_namespace', not in 'namespace'"));
    CHECK_THAT(message, !ContainsSubstring("honor_labels"));
}

TEST_CASE("series that the matchers exclude are said to be there") {
    const std::vector<promql::Matcher> matchers = {
        {"cluster", promql::MatchOperator::equal, "ours"}};
    CHECK_THAT(message_if_found({{{"namespace", "llm"}, {"cluster", "other"}}}, matchers),
               ContainsSubstring("the matchers exclude") &&
                   ContainsSubstring("prometheus.matchers"));
    CHECK_THAT(message_if_found({{{"namespace", "llm"}}}), !ContainsSubstring("matchers"));
}

TEST_CASE("the namespace of the scraper is never recommended") {
    const std::string message =
        message_if_found({{{"exported_namespace", "prod"}, {"namespace", "monitoring"}}});
    CHECK_THAT(message, ContainsSubstring("in namespace 'prod'"));
    CHECK_THAT(message, !ContainsSubstring("monitoring"));
}
