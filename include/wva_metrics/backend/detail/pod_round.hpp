// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/model_judge.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/model_views.hpp"
#include "wva_metrics/backend/detail/pod_impl.hpp"
#include "wva_metrics/backend/detail/pod_reports.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/pod_target.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/view_table.hpp"
#include "wva_metrics/scrape/sample_store.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// From the stores of the targets to the reports of models: the road that the answers of a Prometheus
/// take too.
template <typename Executor>
class PodRound {
public:
    using Target = ListedTarget<Executor>;

    explicit PodRound(PodImpl<Executor>& impl) : impl_(impl) {
        states_.set_preferred_owners(impl.config.owners);
    }

    /// The report of a model at this moment.
    ModelReport report(const ModelKey& model, TimePoint now) {
        std::optional<Error> failure;
        bool was_found = false;
        {
            const std::lock_guard lock(impl_.mutex);
            const FoundPods& finding = impl_.findings[model];
            failure = finding.refused;
            was_found = finding.was_found;
        }
        const std::vector<Target> targets = impl_.fleet->targets_of(model);
        ModelReport report;
        if (failure && !was_found) {
            report.failure = failure;
            return report;
        }
        ModelViews samples;
        samples.clock = clock_of_scrapes(impl_.clock, now);
        samples.now = samples.clock.evaluated;
        std::vector<TargetFacts>& facts = facts_;
        facts.clear();
        std::map<std::size_t, samples::ViewTable> tables;
        for (const Target& target : targets)
            facts.push_back(add(target, model, tables));
        report.clock = samples.clock;
        for (auto& [road, table] : tables) {
            std::map<std::size_t, std::vector<samples::View>> views = std::move(table).take();
            samples.views = std::move(views[0]);
            const ModelJudge judge(impl_.roads[road].metrics, impl_.rules, impl_.undecided);
            impl_.roads.merge(road, judge.judge(model, samples, states_), report);
        }
        if (tables.size() > 1)
            EngineRoads::keep_one_kind(report);
        judged_ = report.warnings;
        judged_.insert(judged_.end(), report.partial_because.begin(), report.partial_because.end());
        PodReports(model, states_, report).complete(facts);
        if (failure)
            report.partial_because.insert("pods of the model may be missing: " +
                                          failure->describe());
        else if (std::ranges::all_of(facts, &TargetFacts::is_retired))
            report.partial_because.insert(no_pods(model));
        return report;
    }

    /// What the targets of the newest report say.
    const std::vector<TargetFacts>& facts() const noexcept { return facts_; }
    /// What of the warnings of the newest report was said of the samples, and not of the targets.
    const std::vector<std::string>& judged() const noexcept { return judged_; }

    /// Why nothing is known of a model without targets.
    static std::string no_pods(const ModelKey& model) {
        constexpr std::size_t max_bytes = 100;
        return "no pod of model '" + clean_text(model.model_id, max_bytes) + "' in namespace '" +
               clean_text(model.namespace_name, max_bytes) +
               "' is known: neither PodConfig::targets nor services name one, nor does "
               "find_targets or pods.kubernetes find one";
    }

private:
    TargetFacts add(const Target& listed, const ModelKey& model,
                    std::map<std::size_t, samples::ViewTable>& tables) const {
        const PodTarget<Executor>& target = *listed.target;
        const ScrapeHistory& history = listed.history;
        const scrape::ScrapeTarget& named = target.scraper.target();
        TargetFacts facts;
        facts.pod = target.scraper.pod();
        facts.url = target.scraper.endpoint() + target.scraper.address().path;
        facts.owner = named.owner;
        facts.failure = history.error;
        if (!history.begun)
            facts.failure = Error(Errc::timeout, "it has not been scraped in time yet",
                                  target.scraper.endpoint());
        facts.was_read = history.was_read;
        facts.is_assigned = named.model == model.model_id;
        facts.is_retired = listed.is_retired;
        facts.remark = target.scraper.remark();
        target.scraper.read([&](const scrape::SampleStore& store) {
            const std::size_t number = road_of(target, store);
            const EngineRoad& road = impl_.roads[number];
            samples::ViewTable& table =
                tables.try_emplace(number, road.metrics, road.profile.labels, impl_.rules)
                    .first->second;
            table.set_end_known();
            store.visit([&](std::span<const LabelView> labels,
                            std::span<const samples::Sample> samples, bool has_ended,
                            std::span<const samples::PackedNative> natives) {
                add_series(labels, {samples, natives, has_ended}, named, model, road, table, facts);
            });
        });
        return facts;
    }

    /// The kind of server that wrote the newest page. Once it is known it stays, until the page has
    /// other series: a runtime may answer before the engine that it starts.
    std::size_t road_of(const PodTarget<Executor>& target, const scrape::SampleStore& store) const {
        const std::size_t known = target.road;
        if (known != PodTarget<Executor>::no_road && target.road_series == store.last_samples())
            return known;
        std::vector<std::string_view> names;
        store.visit([&](std::span<const LabelView> labels, std::span<const samples::Sample>,
                        bool has_ended) {
            if (!has_ended)
                names.push_back(labels.front().value);
        });
        const std::optional<std::size_t> found = impl_.roads.find(names);
        if (found)
            target.road = *found;
        target.road_series = store.last_samples();
        return found ? *found : impl_.roads.likeliest(names);
    }

    /// What a store has of one series besides its labels.
    struct StoredWindow {
        std::span<const samples::Sample> samples;
        std::span<const samples::PackedNative> natives;
        bool has_ended;
    };

    void add_series(std::span<const LabelView> labels, const StoredWindow& window,
                    const scrape::ScrapeTarget& target, const ModelKey& model,
                    const EngineRoad& road, samples::ViewTable& table, TargetFacts& facts) const {
        const bool has_ended = window.has_ended;
        const std::string_view name = labels.front().value;
        const std::optional<samples::MetricId> metric = road.metrics.find(name);
        if (!metric) {
            // What tells since when a counter counts was needed by the store.
            if (name == "up" || name == process_start)
                table.add(std::nullopt, labels, window.samples, has_ended);
            return;
        }
        facts.has_metrics = facts.has_metrics || !has_ended;
        std::string_view of = target.model;
        bool names_model = false;
        for (const LabelView& label : labels)
            if (label.name == road.profile.labels.model && label.value != unset_model) {
                of = label.value;
                names_model = true;
            }
        if (!names_model && !road.metrics.factors(*metric).empty()) {
            // Of all models of its server.
            table.add(std::nullopt, labels, window.samples, has_ended);
            return;
        }
        if (of == model.model_id ||
            (road.profile.name == "dynamo" && is_lowered(of, model.model_id))) {
            facts.has_model = facts.has_model || !has_ended;
            table.add(0, labels, window.samples, has_ended, window.natives);
        } else if (!has_ended && facts.other_models.size() < max_other_models) {
            facts.other_models.emplace(of);
        }
    }

    /// Frontends of Dynamo before 1.2 write the name in lower case for some metrics.
    static bool is_lowered(std::string_view label, std::string_view model) noexcept {
        return std::equal(label.begin(), label.end(), model.begin(), model.end(),
                          [](char written, char c) {
                              return written == (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
                          });
    }

    static constexpr std::size_t max_other_models = 3;
    /// What trtllm-serve writes before 1.3 instead of the model.
    static constexpr std::string_view unset_model = "undefined";

    PodImpl<Executor>& impl_;
    PodStates states_;
    std::vector<TargetFacts> facts_;
    std::vector<std::string> judged_;
};

} // namespace wva_metrics::detail
