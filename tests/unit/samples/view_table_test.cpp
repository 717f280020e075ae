// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/view_table.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

using Sent = std::map<std::string, std::string>;

/// The labels of a series of a model; an empty value removes one.
Sent series_of(std::string_view name, Sent more = {}) {
    Sent labels = {{"__name__", std::string(name)},
                   {"namespace", "prod"},
                   {"pod", "p"},
                   {"instance", "10.0.0.1:8000"},
                   {"job", "vllm"},
                   {"model_name", "m"},
                   {"engine", "0"}};
    for (const auto& [label, value] : more)
        labels[label] = value;
    std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
    return labels;
}

std::vector<LabelView> as_views(const Sent& labels) {
    std::vector<LabelView> result;
    for (const auto& [name, value] : labels)
        result.push_back({name, value});
    return result;
}

class Table {
public:
    void add(const Sent& labels, std::vector<Sample> samples, std::size_t model = 0) {
        const bool has_model = labels.contains("model_name");
        table.add(has_model ? std::optional(model) : std::nullopt, as_views(labels), samples);
    }
    void live(const Sent& labels, std::size_t model = 0) {
        table.add_living(model, as_views(labels));
    }
    std::vector<View> take(std::size_t model = 0) { return std::move(table).take()[model]; }

    ViewTable table{vllm_metrics(), EngineLabels{}, rules};

private:
    inline static const SampleRules rules;
};

std::vector<Sample> four(double value = 1, ServerDuration age = 0s) {
    return spaced(15s, age, {value, value, value, value});
}

/// The metrics of the series that have ended.
std::vector<std::string> ended_ones(const View& view) {
    std::vector<std::string> names;
    for (const Series& series : view.series)
        if (series.has_ended)
            names.push_back(vllm_metrics().names()[series.metric]);
    return names;
}

} // namespace

TEST_CASE("series that differ only in what the server writes are one view") {
    Table table;
    table.add(series_of(finished, {{"finished_reason", "stop"}}), four());
    table.add(series_of(finished, {{"finished_reason", "length"}}), four());
    table.add(series_of(queue, {{"engine", "1"}}), four());
    table.add(series_of(queue), four(2));
    const std::vector<View> views = table.take();
    REQUIRE(views.size() == 1);
    CHECK(views[0].labels ==
          Labels{
              {"instance", "10.0.0.1:8000"}, {"job", "vllm"}, {"namespace", "prod"}, {"pod", "p"}});
    REQUIRE(views[0].series.size() == 4);
    CHECK(views[0].series[0].metric == *vllm_metrics().find(queue));
    CHECK(views[0].series[0].server_labels == Labels{{"engine", "0"}});
    CHECK(views[0].series[1].server_labels == Labels{{"engine", "1"}});
    CHECK(views[0].series[2].server_labels ==
          Labels{{"engine", "0"}, {"finished_reason", "length"}});
    CHECK(views[0].pod == "p");
    CHECK(views[0].pod_label == "pod");
    CHECK(views[0].address == "10.0.0.1:8000");
    CHECK(views[0].times.size() == 4);
    CHECK_FALSE(views[0].has_ended);
}

TEST_CASE("any other label makes a view of its own, also one that only some have") {
    const std::string label = GENERATE("job", "instance", "pod", "namespace", "lane", "cluster");
    Table table;
    table.add(series_of(queue), four());
    table.add(series_of(queue, {{label, "other"}}), four());
    CHECK(table.take().size() == 2);
}

TEST_CASE("views belong to models by the caller's number") {
    Table table;
    table.add(series_of(queue), four(), 7);
    table.add(series_of(queue), four(), 3);
    table.add(series_of(kv_usage), four(), 3);
    const auto models = std::move(table.table).take();
    REQUIRE(models.size() == 2);
    CHECK(models.at(3)[0].series.size() == 2);
    CHECK(models.at(7)[0].series.size() == 1);
}

TEST_CASE("the labels of the profile are the server's, whatever their names") {
    const SampleRules rules;
    const EngineLabels labels{.model = "served", .engine = {"rank", "stage"}};
    ViewTable table(vllm_metrics(), labels, rules);
    const Sent sent = {{"__name__", std::string(queue)},
                       {"served", "m"},
                       {"stage", "1"},
                       {"rank", "2"},
                       {"engine", "3"},
                       {"le", "0.5"}};
    table.add(0, as_views(sent), four());
    const auto models = std::move(table).take();
    CHECK(models.at(0)[0].labels == Labels{{"engine", "3"}});
    CHECK(models.at(0)[0].series[0].server_labels ==
          Labels{{"le", "0.5"}, {"rank", "2"}, {"stage", "1"}});
}

TEST_CASE("pod and address are found by the order of preference") {
    Table table;
    table.add(series_of(queue, {{"exported_pod", "inner"}, {"exported_instance", "inner:1"}}),
              four());
    CHECK(table.table.unmatched_up().empty());
    const std::vector<View> views = table.take();
    CHECK(views[0].pod == "inner");
    CHECK(views[0].pod_label == "exported_pod");
    CHECK(views[0].address == "inner:1");

    Table other;
    other.add(series_of(queue, {{"exported_instance", "no address"}}), four());
    other.add(series_of(queue, {{"instance", "p"}, {"pod", ""}}), four());
    const std::vector<View> found = other.take();
    CHECK(found[0].address == "10.0.0.1:8000");
    CHECK(found[1].address.empty());
    CHECK(found[1].pod.empty());
    CHECK(found[1].pod_label.empty());
}

TEST_CASE("an address is a host and a port") {
    CHECK(detail::is_address("10.0.0.1:8000"));
    CHECK(detail::is_address("[::1]:8000"));
    CHECK(detail::is_address("vllm.prod.svc:80"));
    for (const char* text : {"", ":", ":80", "host", "host:", "host:http", "host:80/metrics"})
        CHECK_FALSE(detail::is_address(text));
}

TEST_CASE("unknown metrics, series without samples and series without a model are ignored") {
    Table table;
    table.add(series_of("go_goroutines"), four());
    table.add(series_of(queue), {});
    table.add(series_of(queue, {{"model_name", ""}}), four());
    table.add(series_of(queue, {{"__name__", ""}}), four());
    table.table.add(std::nullopt, {}, four());
    CHECK(table.table.unmatched_up().empty());
    CHECK(std::move(table.table).take().empty());
}

TEST_CASE("a series that comes twice is kept once, with the newest samples, in any order") {
    const bool is_swapped = GENERATE(false, true);
    std::vector<std::vector<Sample>> both = {four(1, 15s), four(2)};
    if (is_swapped)
        std::swap(both[0], both[1]);
    Table table;
    for (const std::vector<Sample>& samples : both)
        table.add(series_of(queue), samples);
    const std::vector<View> views = table.take();
    REQUIRE(views[0].series.size() == 1);
    CHECK(views[0].series[0].samples == four(2));
    CHECK(views[0].times.size() == 4);
}

TEST_CASE("a view has the times of all of its series") {
    Table table;
    table.add(series_of(queue), spaced(20s, 0s, {1, 1}));
    table.add(series_of(kv_usage), spaced(20s, 10s, {1, 1}));
    table.add(series_of(finished), spaced(10s, 0s, {1, 1}));
    const std::vector<View> views = table.take();
    CHECK(views[0].times == std::vector<ServerTime>{now - 30s, now - 20s, now - 10s, now});
}

TEST_CASE("a last sample that is not a number ends a series where the store says so") {
    Table table;
    table.table.set_nan_ends_series(true);
    table.add(series_of(queue), spaced(15s, 0s, {1, 2, not_a_number}));
    table.add(series_of(kv_usage), spaced(15s, 0s, {1, not_a_number, not_a_number}));
    table.add(series_of(finished), {{now, not_a_number}});
    const std::vector<View> views = table.take();
    REQUIRE(views.size() == 1);
    REQUIRE(views[0].series.size() == 2);
    CHECK(views[0].series[0].samples.size() == 1);
    CHECK(views[0].series[1].samples.size() == 2);
    CHECK(views[0].has_ended);
    CHECK(views[0].last() == now - 15s);
}

TEST_CASE("on Prometheus a last sample that is not a number is a value") {
    Table table;
    table.add(series_of(queue), spaced(15s, 0s, {1, not_a_number}));
    const std::vector<View> views = table.take();
    CHECK(views[0].series[0].samples.size() == 2);
    CHECK_FALSE(views[0].has_ended);
}

TEST_CASE("a series of markers alone leaves no view") {
    Table table;
    table.table.set_nan_ends_series(true);
    table.add(series_of(queue), {{now, not_a_number}});
    CHECK(std::move(table.table).take().empty());
}

TEST_CASE("a view ends when its series of running requests live no more") {
    const bool lives_first = GENERATE(true, false);
    Table table;
    table.table.set_living_known();
    if (lives_first)
        table.live(series_of(running, {{"pod", "lives"}}));
    for (const char* pod : {"lives", "ended"}) {
        table.add(series_of(running, {{"pod", pod}}), four());
        table.add(series_of(finished, {{"pod", pod}, {"finished_reason", "stop"}}), four());
        table.add(series_of(queue, {{"pod", pod}, {"engine", ""}}), four());
    }
    if (!lives_first)
        table.live(series_of(running, {{"pod", "lives"}}));
    const std::vector<View> views = table.take();
    REQUIRE(views.size() == 2);
    CHECK(views[0].pod == "ended");
    CHECK(views[0].has_ended);
    CHECK(ended_ones(views[0]).size() == 3);
    CHECK(views[1].pod == "lives");
    CHECK(ended_ones(views[1]).empty());
}

TEST_CASE("a series that has just come is not ended by an answer that does not have it yet") {
    // What was scraped once may have ended 5 s later, what is scraped every 4 s 2 s later.
    const auto [spacing, age, has_ended] =
        GENERATE(table<ServerDuration, ServerDuration, bool>({{0s, 0s, false},
                                                              {0s, 4999ms, false},
                                                              {0s, 5s, true},
                                                              {15s, 4999ms, false},
                                                              {15s, 5s, true},
                                                              {4s, 1999ms, false},
                                                              {4s, 2s, true}}));
    CAPTURE(spacing.count(), age.count());
    Table table;
    table.table.set_living_known(now + age);
    table.add(series_of(running),
              spacing == 0s ? spaced(15s, 0s, {1}) : spaced(spacing, 0s, {1, 1}));
    CHECK(table.take()[0].has_ended == has_ended);
}

TEST_CASE("one engine ends while another lives") {
    Table table;
    table.table.set_living_known();
    for (const char* engine : {"0", "1"}) {
        table.add(series_of(running, {{"engine", engine}}), four());
        table.add(series_of(finished, {{"engine", engine}, {"finished_reason", "stop"}}), four());
    }
    table.add(series_of(kv_usage, {{"engine", "2"}}), four());
    table.add(series_of(queue, {{"engine", ""}}), four());
    table.live(series_of(running, {{"engine", "1"}}));
    const std::vector<View> views = table.take();
    REQUIRE(views.size() == 1);
    CHECK_FALSE(views[0].has_ended);
    for (const Series& series : views[0].series)
        CHECK(series.has_ended == (find_label(series.server_labels, "engine") == "0"));
}

TEST_CASE("what lives is unknown without a complete answer, and of a view without the signal") {
    Table table;
    table.add(series_of(running), four());
    CHECK_FALSE(table.take()[0].has_ended);

    Table without;
    without.table.set_living_known();
    without.add(series_of(queue), four());
    without.live(series_of("go_goroutines"));
    CHECK_FALSE(without.take()[0].has_ended);

    Table only_living;
    only_living.table.set_living_known();
    only_living.live(series_of(running));
    CHECK(std::move(only_living.table).take().empty());
}

TEST_CASE("a model or metric that lives elsewhere keeps nothing alive") {
    Table table;
    table.table.set_living_known();
    table.add(series_of(running), four());
    table.live(series_of(running), 1);
    table.live(series_of(queue));
    table.live(series_of(running, {{"finished_reason", "stop"}}));
    CHECK(table.take()[0].has_ended);
}

TEST_CASE("a series that lags by more than a scrape has ended, one scrape may be on its way") {
    Table table;
    table.add(series_of(queue), four());
    table.add(series_of(kv_usage), spaced(15s, 15s, {1, 1, 1}));
    table.add(series_of(older_kv_usage), spaced(15s, 30s, {1, 1}));
    // Of a slower writer, which is not late by its own measure.
    table.add(series_of(finished), spaced(30s, 30s, {1, 1}));
    const std::vector<View> views = table.take();
    CHECK(ended_ones(views[0]) == std::vector<std::string>{std::string(older_kv_usage)});
    CHECK_FALSE(views[0].has_ended);
}

} // namespace wva_metrics::samples::measured
