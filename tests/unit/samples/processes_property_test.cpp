// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/processes.hpp"

#include "support/property_cases.hpp"
#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace wva_metrics::samples::simulated {

namespace {

class Dice {
public:
    explicit Dice(unsigned seed) : random_(seed) {}
    /// 0 to `sides` - 1.
    int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }
    template <typename Element>
    const Element& pick(const std::vector<Element>& from) {
        return from[static_cast<std::size_t>(roll(static_cast<int>(from.size())))];
    }
    std::mt19937& engine() { return random_; }

private:
    std::mt19937 random_;
};

/// All that was decided, as a text.
std::string text_of(const ModelProcesses& found) {
    std::string text;
    for (const Process& process : found.processes) {
        text += process.pod + '/' + std::to_string(static_cast<int>(process.status));
        for (const View* copy : process.copies) {
            text += " {";
            for (const auto& [name, value] : copy->labels)
                text += name + '=' + value + ',';
            text += '}';
        }
        for (const std::string& evidence : process.evidence)
            text += " by " + evidence;
        text += '\n';
    }
    for (const std::string& warning : found.warnings)
        text += warning + '\n';
    for (const PodSelector& undecided : found.undecided)
        text += "undecided " + undecided.label + '=' + undecided.pod + '\n';
    return text;
}

/// Servers, and targets of all kinds, as they come.
struct RandomCluster {
    explicit RandomCluster(unsigned seed) {
        Dice dice(seed);
        for (int i = 0; i < 4; ++i)
            servers.push_back({.per_second = static_cast<double>(dice.roll(4)),
                               .queue = static_cast<double>(dice.roll(3)),
                               .started = std::chrono::seconds(10 + dice.roll(2000)),
                               .ended = std::chrono::seconds(dice.roll(4) == 0 ? 20 : -10),
                               .engines = {std::to_string(dice.roll(2))}});
        cluster.asks_identity = dice.roll(3) == 0;
        const int targets = 1 + dice.roll(8);
        for (int i = 0; i < targets; ++i) {
            const std::string host = dice.pick(std::vector<std::string>{"10.0.0.1", "10.0.0.2"});
            const std::string port = dice.pick(std::vector<std::string>{":8000", ":8001"});
            Tags labels = pod_target(dice.pick(std::vector<std::string>{"p", "q", ""}),
                                     dice.roll(4) == 0 ? "" : host + port);
            const std::string label = dice.pick(std::vector<std::string>{
                "job", "container", "lane", "replica", "cluster", "exported_pod"});
            if (dice.roll(2) == 0)
                labels[label] = dice.pick(std::vector<std::string>{"a", "b"});
            const bool is_new = seen.insert(labels).second;
            if (is_new)
                cluster.scrape({&servers[static_cast<std::size_t>(dice.roll(4))], labels,
                                std::chrono::seconds(5 + dice.roll(40)),
                                std::chrono::milliseconds(dice.roll(5000))});
        }
    }

    std::deque<Server> servers;
    std::set<Tags> seen;
    Cluster cluster;
};

View random_view(Dice& dice) {
    View view;
    const std::vector<double> odd = {0,     1,  2.5,          1.2345678,
                                     1e300, -1, not_a_number, measured::infinity};
    for (const char* name : {"cluster", "container", "instance", "job", "lane", "pod"})
        if (dice.roll(3) > 0)
            view.labels.emplace_back(name, dice.pick(std::vector<std::string>{"a", "b", "h:1"}));
    view.pod = find_label(view.labels, "pod");
    view.pod_label = view.pod.empty() ? "" : "pod";
    view.address = find_label(view.labels, "instance") == "h:1" ? "h:1" : "";
    std::set<ServerTime> times;
    for (MetricId metric = 0; metric < vllm_metrics().names().size(); ++metric) {
        if (dice.roll(2) == 0)
            continue;
        Series series{metric, {}, {}, dice.roll(4) == 0};
        if (dice.roll(2) == 0)
            series.server_labels = {{"engine", std::to_string(dice.roll(2))}};
        ServerTime time = now - std::chrono::seconds(dice.roll(60));
        for (int i = 0; i <= dice.roll(6); ++i) {
            series.samples.push_back({time, dice.pick(odd)});
            times.insert(time);
            time += std::chrono::milliseconds(1 + dice.roll(9000));
        }
        view.series.push_back(std::move(series));
    }
    view.times.assign(times.begin(), times.end());
    view.has_ended = dice.roll(4) == 0;
    for (int i = dice.roll(3); i > 0; --i)
        view.identity.push_back({dice.roll(2) == 0 ? "a_created" : "process_start_time_seconds",
                                 static_cast<double>(1 + dice.roll(2))});
    std::ranges::sort(view.identity);
    return view;
}

} // namespace

TEST_CASE("no order of series, labels or views changes what is found") {
    std::map<std::string, int> seen;
    const unsigned seeds = test_support::property_cases(300);
    for (unsigned seed = 0; seed < seeds; ++seed) {
        RandomCluster random(seed);
        for (const Store store : {Store::prometheus, Store::victoria_metrics}) {
            const Outcome expected = outcome(random.cluster, store);
            const std::string text = text_of(expected.found);
            ++seen[text];
            for (unsigned shuffle = 1; shuffle <= 3; ++shuffle) {
                Outcome other = outcome(random.cluster, store, shuffle + seed);
                REQUIRE(text_of(other.found) == text);
                std::vector<View> views = other.views[0];
                std::mt19937 engine(shuffle);
                std::ranges::shuffle(views, engine);
                REQUIRE(text_of(find_all(views, other.time)) == text);
            }
        }
    }
    // Chance has found many cases.
    CHECK(seen.size() > seeds / 2);
}

TEST_CASE("each server counts once, however often it is scraped") {
    const std::vector<std::string> copies = {"job", "replica", "container", "endpoint", "service"};
    for (unsigned seed = 0; seed < 100; ++seed) {
        Dice dice(seed);
        std::deque<Server> servers;
        std::map<std::string, double> queues;
        Cluster cluster;
        cluster.asks_identity = true;
        for (int pod = 0; pod <= dice.roll(4); ++pod) {
            const std::string name = "p" + std::to_string(pod);
            for (int port = 0; port <= dice.roll(3); ++port) {
                const Server& server = servers.emplace_back(
                    Server{.per_second = static_cast<double>(dice.roll(3)),
                           .queue = static_cast<double>(dice.roll(5)),
                           .started = std::chrono::seconds(100 + servers.size())});
                queues[name] += server.queue;
                const std::string& label = dice.pick(copies);
                for (int copy = 0; copy <= dice.roll(3); ++copy)
                    cluster.scrape(
                        {&server,
                         pod_target(name,
                                    "10.0.0." + std::to_string(pod) + ":800" + std::to_string(port),
                                    {{label, "copy" + std::to_string(copy)}}),
                         15s, std::chrono::milliseconds(dice.roll(15'000))});
            }
        }
        const Outcome result = outcome(cluster);
        INFO("seed " << seed << '\n' << text_of(result.found));
        REQUIRE(result.found.processes.size() == servers.size());
        REQUIRE(result.found.warnings.empty());
        for (const auto& [pod, queue] : queues)
            REQUIRE(result.queue(pod) == queue);
    }
}

TEST_CASE("of random views each is in one process, and nothing crashes") {
    for (unsigned seed = 0; seed < 500; ++seed) {
        Dice dice(seed);
        std::map<Labels, View> by_labels;
        for (int i = dice.roll(12); i >= 0; --i) {
            View view = random_view(dice);
            by_labels.try_emplace(view.labels, std::move(view));
        }
        std::vector<View> views;
        std::size_t filled = 0;
        for (const auto& [labels, view] : by_labels) {
            views.push_back(view);
            filled += view.series.empty() ? 0U : 1U;
        }
        const ModelProcesses found = find_processes(views, vllm_metrics(), {}, now);
        std::multiset<const View*> counted;
        for (const Process& process : found.processes) {
            REQUIRE_FALSE(process.copies.empty());
            counted.insert(process.copies.begin(), process.copies.end());
        }
        REQUIRE(counted.size() == filled);
        REQUIRE(std::set<const View*>(counted.begin(), counted.end()).size() == filled);
        REQUIRE(report_pods(found, vllm_metrics(), now, {}).size() <= filled);
        const std::string text = text_of(found);
        std::ranges::shuffle(views, dice.engine());
        REQUIRE(text_of(find_processes(views, vllm_metrics(), {}, now)) == text);
    }
}

TEST_CASE("a model of a thousand pods is divided without comparing them") {
    Server server;
    Cluster cluster;
    for (int i = 0; i < 1000; ++i)
        cluster.scrape(
            {&server, pod_target("p" + std::to_string(i), "10.0." + std::to_string(i / 250) + '.' +
                                                              std::to_string(i % 250) + ":8000")});
    const Outcome result = outcome(cluster);
    CHECK(result.found.processes.size() == 1000);
    CHECK(result.pods.size() == 1000);
    CHECK(result.found.warnings.empty());
}

} // namespace wva_metrics::samples::simulated
