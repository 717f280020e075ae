// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/availability_of.hpp"

#include "support/labelled_series.hpp"

#include <catch2/catch_all.hpp>

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

namespace {

const ModelKey llama{"llm", "meta/llama"};

void add(LastReport& report, const std::string& part, double seconds_ago) {
    const std::vector<std::string> names = {"wva_part", "namespace", "model_name"};
    const std::vector<std::string_view> labels = {part, "llm", "meta/llama"};
    test_support::with_series(names, labels, 1'700'000'000 - seconds_ago, report);
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
