// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unit/samples/measured_view.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/processes.hpp"
#include "wva_metrics/samples/reference_time.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Servers, the scrapers that read them, and what a store answers about them. Nothing runs: what a
/// scrape reads is a function of its time.
namespace wva_metrics::samples::simulated {

using namespace std::chrono_literals;
using measured::not_a_number;
using measured::now;
using measured::vllm_metrics;

using Tags = std::map<std::string, std::string>;

/// One inference server.
struct Server {
    double per_second = 1;
    double queue = 3;
    double kv = 0.5;
    ServerDuration started = 10min; ///< Before now.
    ServerDuration ended = -1h;     ///< Before now.
    std::vector<std::string> engines = {"0"};
    double seconds_to_token = 0.0371234567;
    /// What it calls its engines; "" if it has no such label.
    std::string engine_label = "engine";
    double running = 1;
    /// It is alive, but too busy to answer for so long.
    ServerDuration busy_since = -1h;

    bool answers(ServerTime time) const {
        return time >= now - started && time < now - ended && time < now - busy_since;
    }
    double requests(ServerTime time) const {
        return std::floor(per_second *
                          std::chrono::duration<double>(time - (now - started)).count());
    }
    double created() const { return unix_seconds(now - started) + 0.123456; }
};

/// One target of one scraper, and what is stored of it.
struct Target {
    const Server* server = nullptr;
    Tags labels;
    ServerDuration spacing = 15s;
    ServerDuration phase = 2s; ///< The age of the newest scrape.
    ServerDuration behind{};   ///< Newer samples have not arrived in the store.
    /// The target is discovered, and removed; before now.
    ServerDuration from = 1h;
    ServerDuration until = -1h;
    /// Labels that the server itself writes to metrics of queues, e.g. `{{"lane", "1"}}`.
    Tags own{};
};

/// The labels of an ordinary target of a pod.
inline Tags pod_target(const std::string& pod, const std::string& address, Tags more = {}) {
    Tags labels = {{"namespace", "prod"},   {"pod", pod},
                   {"instance", address},   {"job", "vllm"},
                   {"endpoint", "metrics"}, {"service", "vllm"}};
    for (auto& [name, value] : more)
        labels[name] = value;
    std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
    return labels;
}

struct SentSeries {
    Tags labels;
    std::vector<Sample> samples;
    bool is_living = true;
};

enum class Store { prometheus, victoria_metrics };

/// All that a store answers about a set of targets.
class Cluster {
public:
    ServerDuration window = 1min;
    bool asks_identity = false;
    /// By the model's index; the names are "m0", "m1".
    std::size_t model = 0;

    void scrape(const Target& target) {
        for (const std::string& engine : target.server->engines)
            scrape_engine(target, engine);
        add(target, "up", {}, false,
            [&](ServerTime time) { return target.server->answers(time) ? 1.0 : 0.0; });
        if (asks_identity) {
            const double created = target.server->created();
            add(target, "process_start_time_seconds", {}, true,
                [&](ServerTime) { return std::round(created * 100) / 100; });
            for (const std::string& engine : target.server->engines)
                add_of_model(target, "vllm:request_success_created", engine,
                             {{"finished_reason", "stop"}}, [&](ServerTime) { return created; });
        }
    }

    std::vector<SentSeries>& series() { return series_; }

    /// The views of all models, as from an answer.
    std::map<std::size_t, std::vector<View>> views(Store store, unsigned shuffle = 0) {
        ViewTable table = fill(store, shuffle);
        others = table.unmatched_up();
        return std::move(table).take();
    }

    ViewTable fill(Store store, unsigned shuffle = 0) {
        ViewTable table(vllm_metrics(), EngineLabels{}, rules);
        table.set_nan_ends_series(store == Store::victoria_metrics);
        if (store == Store::prometheus)
            table.set_living_known();
        std::vector<SentSeries> sent = series_;
        std::mt19937 random(shuffle);
        if (shuffle > 0)
            std::ranges::shuffle(sent, random);
        for (SentSeries& one : sent) {
            std::vector<LabelView> labels;
            for (const auto& [name, value] : one.labels)
                labels.push_back({name, value});
            if (shuffle > 0)
                std::ranges::shuffle(labels, random);
            const auto found = one.labels.find("model_name");
            const std::optional<std::size_t> index =
                found == one.labels.end()
                    ? std::nullopt
                    : std::optional<std::size_t>(std::stoul(found->second.substr(1)));
            if (store == Store::prometheus && !one.samples.empty() &&
                std::isnan(one.samples.back().value))
                one.samples.pop_back();
            table.add(index, labels, one.samples);
            if (store == Store::prometheus && one.is_living && index &&
                one.labels.at("__name__") == measured::running)
                table.add_living(*index, labels);
        }
        return table;
    }

    SampleRules rules{};
    std::vector<TargetUp> others{};

private:
    void scrape_engine(const Target& target, const std::string& engine) {
        const Server& server = *target.server;
        const auto requests = [&](ServerTime time) { return server.requests(time); };
        const auto times = [&](double factor) {
            return [&server, factor](ServerTime time) { return server.requests(time) * factor; };
        };
        add_of_model(target, measured::running, engine, target.own,
                     [&](ServerTime) { return server.running; });
        add_of_model(target, measured::queue, engine, target.own,
                     [&](ServerTime) { return server.queue; });
        add_of_model(target, measured::kv_usage, engine, {}, [&](ServerTime) { return server.kv; });
        add_of_model(target, measured::finished, engine, {{"finished_reason", "stop"}}, requests);
        const std::pair<std::string, double> histograms[] = {
            {"vllm:request_prompt_tokens", 100},
            {"vllm:request_generation_tokens", 50},
            {"vllm:time_to_first_token_seconds", server.seconds_to_token},
        };
        for (const auto& [name, factor] : histograms) {
            add_of_model(target, name + "_count", engine, {}, requests);
            add_of_model(target, name + "_sum", engine, {}, times(factor));
        }
        add_of_model(target, "vllm:inter_token_latency_seconds_count", engine, {}, times(49));
        add_of_model(target, "vllm:inter_token_latency_seconds_sum", engine, {},
                     times(server.seconds_to_token / 3));
    }

    template <typename Value>
    void add_of_model(const Target& target, std::string_view name, const std::string& engine,
                      Tags more, Value value) {
        more["model_name"] = "m" + std::to_string(model);
        if (!target.server->engine_label.empty())
            more[target.server->engine_label] = engine;
        add(target, name, std::move(more), true, value);
    }

    /// What the store has of one series in the window. A scrape that fails ends the series.
    template <typename Value>
    void add(const Target& target, std::string_view name, Tags labels, bool is_of_page,
             Value value) {
        SentSeries sent;
        labels["__name__"] = name;
        labels.insert(target.labels.begin(), target.labels.end());
        sent.labels = std::move(labels);
        sent.is_living = false;
        const int count = static_cast<int>((window + target.spacing) / target.spacing) + 1;
        for (int i = count; i >= 0; --i) {
            const ServerTime time = now - target.phase - target.spacing * i;
            if (time <= now - window || time > now - target.behind || time < now - target.from)
                continue;
            const bool is_there =
                time < now - target.until && (!is_of_page || target.server->answers(time));
            const bool was_there = sent.is_living;
            sent.is_living = is_there;
            if (is_there)
                sent.samples.push_back({time, value(time)});
            else if (was_there)
                sent.samples.push_back({time, not_a_number});
        }
        series_.push_back(std::move(sent));
    }

    std::vector<SentSeries> series_;
};

/// What comes out for model 0.
struct Outcome {
    std::map<std::size_t, std::vector<View>> views;
    ServerTime time;
    ModelProcesses found;
    std::vector<PodReport> pods;

    /// Of the report of a pod; not a number if there is none.
    double value(std::string_view pod, Signal signal) const {
        for (const PodReport& report : pods)
            if (report.pod == pod)
                return report[signal].reason == ReadingReason::none ? report[signal].value
                                                                    : not_a_number;
        return not_a_number;
    }
    double per_minute(std::string_view pod = "p") const {
        return value(pod, Signal::arrival_rate) * 60;
    }
    double queue(std::string_view pod = "p") const { return value(pod, Signal::queue_length); }
    double kv(std::string_view pod = "p") const { return value(pod, Signal::kv_cache_usage); }
    std::string life(std::string_view pod = "p") const {
        for (const PodReport& report : pods)
            if (report.pod == pod)
                return std::string(to_string(report.life));
        return "absent";
    }
    bool warns_of(std::string_view text) const {
        return std::ranges::any_of(found.warnings, [text](const std::string& warning) {
            return warning.find(text) != std::string::npos;
        });
    }
};

/// The processes of views, with the warnings of both kinds in one list.
inline ModelProcesses find_all(std::span<const View> views, ServerTime time) {
    static const SampleRules rules;
    ModelProcesses found = find_processes(views, vllm_metrics(), rules, time);
    found.warnings.insert(found.warnings.begin(), found.ambiguity_warnings.begin(),
                          found.ambiguity_warnings.end());
    return found;
}

inline Outcome outcome(Cluster cluster, Store store = Store::prometheus, unsigned shuffle = 0) {
    static const SampleRules rules;
    Outcome result;
    result.views = cluster.views(store, shuffle);
    result.time = reference_time(now, result.views, cluster.others, rules);
    result.found = find_all(result.views[0], result.time);
    result.pods = report_pods(result.found, vllm_metrics(), result.time, rules);
    return result;
}

} // namespace wva_metrics::samples::simulated
