// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/view_table.hpp"

#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::simulated {

namespace {

const std::string start_metric = "process_start_time_seconds";
const std::string created_metric = "vllm:request_success_created";

/// A table with one view, and the series of targets that belong to it or not.
class Joined {
public:
    explicit Joined(Tags target) : target_(std::move(target)) {
        Tags labels = target_;
        labels["model_name"] = "m0";
        labels["engine"] = "0";
        add(0, std::string(measured::queue), labels, {{now - 15s, 1}, {now, 1}});
    }

    /// A series with the labels of the view's target, but for `changes`; an empty value removes one.
    Joined& with(std::optional<std::size_t> model, const std::string& name, const Tags& changes,
                 std::vector<Sample> samples) {
        Tags labels = target_;
        for (const auto& [label, value] : changes)
            labels[label] = value;
        std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
        add(model, name, labels, std::move(samples));
        return *this;
    }

    std::size_t unmatched() const { return table_.unmatched_up().size(); }
    ViewTable& table() { return table_; }
    View view() { return std::move(table_).take().at(0).at(0); }

private:
    void add(std::optional<std::size_t> model, const std::string& name, const Tags& tags,
             std::vector<Sample> samples) {
        std::vector<LabelView> labels = {{"__name__", name}};
        for (const auto& [label, value] : tags)
            labels.push_back({label, value});
        table_.add(model, labels, samples);
    }

    inline static const SampleRules rules;
    Tags target_;
    ViewTable table_{vllm_metrics(), EngineLabels{}, rules};
};

const std::vector<Sample> one_sample = {{now, 1}};

} // namespace

TEST_CASE("up belongs to the view that has all of its labels") {
    const Tags target = pod_target("p", "10.0.0.1:8000");
    Joined exact(target);
    exact.with({}, "up", {}, {{now - 15s, 1}, {now, 0}});
    CHECK(exact.unmatched() == 0);
    CHECK(exact.view().up == std::vector<Sample>{{now - 15s, 1}, {now, 0}});

    Joined fewer(target);
    fewer.with({}, "up", {{"pod", ""}, {"job", ""}}, one_sample);
    CHECK(fewer.view().up == one_sample);

    for (const Tags& change : {Tags{{"job", "other"}}, Tags{{"more", "labels"}},
                               Tags{{"instance", "10.0.0.1:8001"}}, Tags{{"instance", ""}}}) {
        Joined other(target);
        other.with({}, "up", change, one_sample);
        CHECK(other.unmatched() == 1);
        CHECK(other.view().up.empty());
    }
}

TEST_CASE("without an address, up belongs to the view of its pod") {
    Joined table(pod_target("p", ""));
    table.with({}, "up", {}, one_sample);
    CHECK(table.view().up == one_sample);

    Joined nameless(pod_target("", ""));
    nameless.with({}, "up", {}, one_sample);
    CHECK(nameless.unmatched() == 1);
}

TEST_CASE("up of a scraper that passes samples on is not that of the server") {
    Tags federated = pod_target("p", "prometheus:9090");
    federated["exported_instance"] = "10.0.0.1:8000";
    Joined table(federated);
    table.with({}, "up", {{"exported_instance", ""}}, one_sample);
    table.with({}, start_metric, {{"exported_instance", ""}}, {{now, 1234}});
    const View view = table.view();
    CHECK(view.address == "10.0.0.1:8000");
    CHECK(view.up.empty());
    CHECK(view.identity.empty());
}

TEST_CASE("the end of a target stays in its up") {
    Joined table(pod_target("p", "10.0.0.1:8000"));
    table.table().set_nan_ends_series(true);
    table.with({}, "up", {}, {{now - 15s, 0}, {now, not_a_number}});
    const View view = table.view();
    CHECK(view.up.size() == 2);
    CHECK_FALSE(is_unread(view, now, {}));
}

TEST_CASE("the newest of several series of up counts") {
    const bool is_swapped = GENERATE(false, true);
    std::vector<Sample> older = {{now - 5s, 1}};
    std::vector<Sample> newer = {{now, 0}};
    if (is_swapped)
        std::swap(older, newer);
    Joined table(pod_target("p", "10.0.0.1:8000"));
    table.with({}, "up", {}, older);
    table.with({}, "up", {{"job", ""}}, newer);
    CHECK(table.view().up == std::vector<Sample>{{now, 0}});
}

TEST_CASE("up without a view tells of its pod") {
    Joined table(pod_target("p", "10.0.0.1:8000"));
    table.with({}, "up", {{"pod", "z"}, {"instance", "10.0.0.3:8000"}}, one_sample);
    table.with({}, "up", {{"pod", "b"}, {"instance", "10.0.0.2:8000"}}, {{now, 0}});
    const std::vector<TargetUp> found = table.table().unmatched_up();
    REQUIRE(found.size() == 2);
    CHECK(found[0].pod == "b");
    CHECK(found[0].pod_label == "pod");
    CHECK(found[0].address == "10.0.0.2:8000");
    CHECK(found[0].samples == std::vector<Sample>{{now, 0}});
    CHECK(find_label(found[0].labels, "job") == "vllm");
    CHECK(found[1].pod == "z");
}

TEST_CASE("the identity is that of the server's start and of its counters, each value once") {
    Joined table(pod_target("p", "10.0.0.1:8000"));
    table.with({}, start_metric, {}, {{now - 30s, 5}, {now - 15s, 5}, {now, 6}});
    table.with(0, created_metric, {{"engine", "1"}, {"finished_reason", "stop"}}, {{now, 9.5}});
    table.with(0, created_metric, {{"engine", "0"}}, {{now, 9.5}});
    table.with(1, created_metric, {}, {{now, 7.5}});
    CHECK(table.view().identity == std::vector<ProcessIdentity>{{start_metric, 5},
                                                                {start_metric, 6},
                                                                {created_metric, 9.5}});
}

TEST_CASE("a start that is zero or not a number identifies nothing") {
    Joined table(pod_target("p", "10.0.0.1:8000"));
    table.with({}, start_metric, {},
               {{now - 30s, 0}, {now - 20s, -1}, {now - 10s, measured::infinity}});
    table.with(0, created_metric, {}, {{now, not_a_number}});
    CHECK(table.view().identity.empty());
}

TEST_CASE("one target serves the views of several models") {
    Server server;
    Cluster cluster;
    for (cluster.model = 0; cluster.model < 3; ++cluster.model)
        cluster.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    const auto models = cluster.views(Store::prometheus);
    REQUIRE(models.size() == 3);
    for (const auto& [model, views] : models)
        CHECK(views.at(0).up.size() == 4);
}

TEST_CASE("neither the order of series nor that of labels changes the views") {
    const Store store = GENERATE(Store::prometheus, Store::victoria_metrics);
    Server one{.engines = {"0", "1"}};
    Server two{.ended = 20s};
    Cluster cluster;
    cluster.asks_identity = true;
    for (cluster.model = 0; cluster.model < 2; ++cluster.model) {
        cluster.scrape({&one, pod_target("a", "10.0.0.1:8000")});
        cluster.scrape({&one, pod_target("a", "10.0.0.1:8000", {{"job", "pods"}}), 15s, 8s});
        cluster.scrape({&two, pod_target("b", "10.0.0.2:8000")});
        cluster.scrape({&two, pod_target("b", ""), 5s});
    }
    const auto text_of = [](const std::map<std::size_t, std::vector<View>>& models) {
        std::string text;
        for (const auto& [model, views] : models) {
            for (const View& view : views) {
                for (const auto& [name, value] : view.labels)
                    text += name + '=' + value + ' ';
                for (const Series& series : view.series)
                    text += std::to_string(series.metric) + '/' +
                            std::to_string(series.server_labels.size()) + '/' +
                            std::to_string(series.samples.size()) +
                            (series.has_ended ? "ended " : " ");
                text += std::to_string(view.identity.size()) + ' ' +
                        std::to_string(view.up.size()) + ' ' + std::to_string(view.times.size()) +
                        (view.has_ended ? "ended\n" : "\n");
            }
        }
        return text;
    };
    const std::string expected = text_of(cluster.views(store));
    CHECK(expected.find("ended\n") != std::string::npos);
    for (unsigned shuffle = 1; shuffle <= 50; ++shuffle)
        REQUIRE(text_of(cluster.views(store, shuffle)) == expected);
}

} // namespace wva_metrics::samples::simulated
