// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/view_table.hpp"

#include "support/property_cases.hpp"
#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

/// Labels by name, with `__name__`.
using LabelMap = std::map<std::string, std::string>;

/// Of one metric only the series count that have this label, which is one of the scrape in others.
const MetricSet& metrics_with_choice() {
    static const MetricSet metrics = [] {
        EngineProfile profile = vllm_profile();
        profile.queue_length = {std::string(queue) + "{zone=\"1\"}"};
        return MetricSet(profile);
    }();
    return metrics;
}

/// A series as a server sends it.
struct GroupedSeries {
    std::size_t model;
    LabelMap labels;
};

/// The series of a view: their metrics and their server labels.
using SeriesSet = std::set<std::pair<std::string, LabelMap>>;
/// The views, by model and labels.
using Views = std::map<std::pair<std::size_t, LabelMap>, SeriesSet>;

/// A label of the server, the model, copies or the scrape, which may be missing or empty. Few names
/// and values, so that series often share some and seldom all.
std::vector<GroupedSeries> any_series(std::mt19937& random) {
    constexpr std::array names{"engine", "finished_reason", "pid", "pod", "zone", "job"};
    constexpr std::array values{"", "0", "1", "10"};
    constexpr std::array metrics{finished, queue, running, kv_usage};
    std::vector<GroupedSeries> all(1 + random() % 40);
    for (GroupedSeries& series : all) {
        series.model = random() % 2;
        series.labels["__name__"] = metrics[random() % metrics.size()];
        series.labels["model_name"] = std::to_string(series.model);
        for (const char* name : names)
            if (random() % 2 == 0)
                series.labels[name] = values[random() % values.size()];
    }
    return all;
}

/// What the table should make of them: each label is looked at alone.
Views expected_views(const std::vector<GroupedSeries>& all) {
    Views views;
    for (const auto& [model, labels] : all) {
        const bool is_choice = labels.at("__name__") == queue;
        if (is_choice && (!labels.contains("zone") || labels.at("zone") != "1"))
            continue;
        LabelMap target;
        LabelMap server;
        for (const auto& [name, value] : labels) {
            if (value.empty() || name == "__name__" || name == "model_name" || name == "pid" ||
                (is_choice && name == "zone"))
                continue;
            (name == "engine" || name == "finished_reason" ? server : target)[name] = value;
        }
        views[{model, target}].emplace(labels.at("__name__"), server);
    }
    return views;
}

Views views_of_table(std::vector<GroupedSeries> all, std::mt19937& random) {
    static const SampleRules rules;
    EngineLabels labels;
    labels.copies = {"pid"};
    ViewTable table(metrics_with_choice(), labels, rules);
    const bool is_sorted = random() % 2 == 0;
    if (is_sorted) // As Prometheus does.
        std::ranges::sort(all, {}, &GroupedSeries::labels);
    for (const GroupedSeries& series : all) {
        std::vector<LabelView> sent;
        for (const auto& [name, value] : series.labels)
            sent.push_back({name, value});
        if (!is_sorted)
            std::ranges::shuffle(sent, random);
        table.add(series.model, sent, spaced(15s, 0s, {1, 1}));
    }
    const auto as_map = [](const Labels& list) { return LabelMap(list.begin(), list.end()); };
    Views result;
    for (const auto& [model, views] : std::move(table).take())
        for (const View& view : views) {
            SeriesSet& found = result[{model, as_map(view.labels)}];
            CHECK(found.empty());
            for (const Series& series : view.series)
                found.emplace(metrics_with_choice().names()[series.metric],
                              as_map(series.server_labels));
        }
    return result;
}

} // namespace

TEST_CASE(
    "series are one view if each label of the scrape is equal, in whichever order they come") {
    for (unsigned seed = 0; seed < test_support::property_cases(500); ++seed) {
        std::mt19937 random(seed);
        const std::vector<GroupedSeries> all = any_series(random);
        INFO("seed " << seed);
        REQUIRE(views_of_table(all, random) == expected_views(all));
    }
}

} // namespace wva_metrics::samples::measured
