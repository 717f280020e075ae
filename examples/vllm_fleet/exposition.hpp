// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialects/all.hpp"
#include "metric_families.hpp"
#include "simulation.hpp"
#include "text_format.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vllm_fleet {

/// An engine and the labels that all its series have. They are formatted once per page, not once
/// per series.
struct Target {
    Target(const Engine* of_engine, std::string_view of_pod, Labels common_labels)
        : engine(of_engine), pod(of_pod), labels(std::move(common_labels)), text(to_text(labels)) {}

    const Engine* engine; ///< Null for series that are not vLLM's.
    std::string_view pod;
    Labels labels;
    std::string text;
};

/// Calls the visitor for all families and samples of the fleet, in the order of a page:
///
///     visitor.family(name, type, help)
///     visitor.sample(name, target, extra_label_name, extra_label_value, value)
///
/// The name of the extra label is empty if there is none. TextPage is such a visitor.
template <class Visitor>
class SeriesWalk {
public:
    SeriesWalk(const View& view, bool lean, Visitor& visitor)
        : view_(view), lean_(lean), visitor_(visitor) {}

    void vllm(std::span<const Target> targets, std::span<const Target> cache_configs) {
        for (const ScalarFamily& family : scalar_families)
            if (shown(family.name, family.versions, family.lean)) {
                visitor_.family(family.name, family.type, family.help);
                for (const Target& target : targets)
                    sample(family.name, family.name, target, "", "", family.value(*target.engine));
            }
        success(targets);
        for (const HistogramFamily& family : histogram_families)
            if (shown(family.name, family.versions, family.lean)) {
                visitor_.family(family.name, "histogram", family.help);
                histogram(family.name, family.histogram, targets);
            }
        if (shown(cache_config_name, every_version, false)) {
            visitor_.family(cache_config_name, "gauge", "Information of the LLMEngine CacheConfig");
            for (const Target& target : cache_configs)
                sample(cache_config_name, cache_config_name, target, "", "", 1);
        }
    }

    void family(const DialectRow& row) {
        if (!view_.dropped.contains(row.family))
            visitor_.family(row.family, row.type, row.help);
    }

    void row(const DialectRow& row, std::span<const Target> targets) {
        if (view_.dropped.contains(row.family))
            return;
        if (row.histogram != nullptr)
            return histogram(row.family, row.histogram, targets);
        for (const Target& target : targets)
            sample(row.family, row.family, target, row.label, row.label_value,
                   row.value(*target.engine));
    }

    /// A family of kube-state-metrics: the value is always 1, the labels hold the information.
    void info(std::string_view name, std::string_view help, std::span<const Target> targets) {
        if (!shown(name, every_version, true))
            return;
        visitor_.family(name, "gauge", help);
        for (const Target& target : targets)
            sample(name, name, target, "", "", 1);
    }

private:
    bool shown(std::string_view name, unsigned versions, bool lean) const {
        return (versions & view_.names) != 0 && (lean || !lean_) && !view_.dropped.contains(name);
    }

    void success(std::span<const Target> targets) {
        static constexpr std::array<std::string_view, 3> reasons = {"stop", "length", "abort"};
        if (!shown(success_name, every_version, true))
            return;
        visitor_.family(success_name, "counter", "Requests finished, by reason.");
        for (const Target& target : targets)
            for (std::size_t i = 0; i < reasons.size(); ++i)
                sample(success_name, success_name, target, "finished_reason", reasons[i],
                       static_cast<double>(target.engine->finished[i]));
    }

    void histogram(std::string_view family, Histogram Engine::*member,
                   std::span<const Target> targets) {
        const std::string base(family);
        const std::string bucket = base + "_bucket";
        const std::string sum = base + "_sum";
        const std::string count = base + "_count";
        if (targets.empty())
            return;
        std::vector<std::string> bounds;
        for (const double bound : *(targets.front().engine->*member).bounds)
            bounds.push_back(bound_text(bound));
        bounds.push_back("+Inf");

        for (const Target& target : targets) {
            const Histogram& histogram = target.engine->*member;
            std::uint64_t cumulative = 0;
            for (std::size_t i = 0; i < bounds.size(); ++i) {
                cumulative += histogram.counts[i];
                if (!lean_ || i + 1 == bounds.size())
                    sample(bucket, base, target, "le", bounds[i], static_cast<double>(cumulative));
            }
            sample(sum, base, target, "", "", histogram.sum);
            sample(count, base, target, "", "", static_cast<double>(histogram.count));
        }
    }

    void sample(std::string_view name, std::string_view family, const Target& target,
                std::string_view label, std::string_view label_value, double value) {
        if (!view_.dropped.empty() && view_.dropped.contains(name))
            return;
        for (const View::NotANumber& wrong : view_.not_a_number)
            if ((wrong.metric == name || wrong.metric == family) &&
                (wrong.pod.empty() || wrong.pod == target.pod))
                value = std::numeric_limits<double>::quiet_NaN();
        visitor_.sample(name, target, label, label_value, value);
    }

    const View& view_;
    bool lean_;
    Visitor& visitor_;
};

/// vLLM's own labels of an engine's series.
inline Labels engine_labels(const Model& model, const Pod& pod, std::size_t engine,
                            const View& view) {
    Labels labels{{"model_name", model.id}};
    // vLLM 0.8 has this label only with several engines.
    if (view.names != v0_8 || pod.engines.size() > 1)
        labels.emplace_back("engine", std::to_string(engine));
    return labels;
}

/// The labels of vllm:cache_config_info: the configuration itself, but not the model's name.
inline Labels cache_config_labels(const Pod& pod, std::size_t engine) {
    constexpr double block_size = 16;
    const double blocks = pod.engines[engine].profile().kv_capacity_tokens / block_size;
    return {{"block_size", "16"},
            {"cache_dtype", "auto"},
            {"calculate_kv_scales", "False"},
            {"enable_prefix_caching", "True"},
            {"engine", std::to_string(engine)},
            {"gpu_memory_utilization", "0.9"},
            {"num_cpu_blocks", "None"},
            {"num_gpu_blocks", std::to_string(static_cast<long>(blocks))},
            {"num_gpu_blocks_override", "None"},
            {"sliding_window", "None"},
            {"swap_space", "4.0"}};
}

inline void append(Labels& labels, const Labels& more) {
    labels.insert(labels.end(), more.begin(), more.end());
}

/// The engines of servers, by the kind of server.
class EngineTargets {
public:
    /// `scraped`: the labels that a scrape adds.
    void add(const Model& model, const Pod& pod, const View& view, const Labels& scraped = {}) {
        const Dialect& dialect = pod.dialect == nullptr ? vllm_dialect : *pod.dialect;
        for (std::size_t i = 0; i < pod.engines.size(); ++i) {
            const auto add_to = [&](auto& targets, const Engine* engine, const Labels& own) {
                Labels labels = scraped;
                append(labels, own);
                targets.emplace_back(engine, pod.name, std::move(labels));
            };
            const Engine* const engine = &pod.engines[i];
            if (dialect.has_vllm_page) {
                add_to(vllm_, engine, engine_labels(model, pod, i, view));
                if (scraped.empty() || !view.lean)
                    add_to(cache_configs_, nullptr, cache_config_labels(pod, i));
            }
            if (dialect.rows.empty())
                continue;
            ByDialect& targets = of(dialect);
            add_to(targets.servers, engine, dialect.labels({model, pod, i, Scope::server, 0}));
            for (std::size_t copy = 0; copy < dialect.copies; ++copy)
                add_to(targets.parts, engine, dialect.labels({model, pod, i, Scope::part, copy}));
        }
    }

    template <class Visitor>
    void visit(SeriesWalk<Visitor>& walk) const {
        if (!vllm_.empty() || others_.empty())
            walk.vllm(vllm_, cache_configs_);
        std::set<std::string_view> written; // Two kinds of servers may share a family.
        for (const ByDialect& first : others_)
            for (const DialectRow& row : first.dialect->rows) {
                if (!written.insert(row.family).second)
                    continue;
                walk.family(row);
                for (const ByDialect& each : others_)
                    for (const DialectRow& same : each.dialect->rows)
                        if (same.family == row.family)
                            walk.row(same, same.scope == Scope::part ? each.parts : each.servers);
            }
    }

private:
    struct ByDialect {
        const Dialect* dialect;
        std::vector<Target> servers;
        std::vector<Target> parts;
    };

    ByDialect& of(const Dialect& dialect) {
        const auto found = std::ranges::find(others_, &dialect, &ByDialect::dialect);
        return found != others_.end() ? *found : others_.emplace_back(ByDialect{&dialect, {}, {}});
    }

    std::vector<Target> vllm_;
    std::vector<Target> cache_configs_;
    std::vector<ByDialect> others_;
};

/// Visits the whole fleet as Prometheus sees it: the servers' series with the labels of their pod, and
/// the series of kube-state-metrics for the pods that are alive.
template <class Visitor>
void visit_fleet(const Fleet& fleet, const View& view, Visitor& visitor) {
    EngineTargets engines;
    std::vector<Target> pod_infos;
    std::vector<Target> pod_owners;
    std::vector<Target> replica_sets;
    for (const Model& model : fleet.models())
        for (const Deployment& deployment : model.deployments) {
            const std::string& ns = model.namespace_name;
            if (!deployment.deleted)
                replica_sets.emplace_back(nullptr, "",
                                          Labels{{"namespace", ns},
                                                 {"replicaset", deployment.replica_set},
                                                 {"owner_kind", "Deployment"},
                                                 {"owner_name", deployment.name},
                                                 {"owner_is_controller", "true"}});
            for (const Pod& pod : deployment.pods) {
                if (pod.has_started(fleet.now_seconds()))
                    engines.add(model, pod, view,
                                {{"namespace", ns}, {"pod", pod.name}, {"container", "vllm"}});
                if (!pod.alive)
                    continue;
                const Labels id{{"namespace", ns}, {"pod", pod.name}, {"uid", pod.uid}};
                Labels info = id;
                append(info, {{"node", pod.node},
                              {"pod_ip", pod.ip},
                              {"host_ip", pod.host_ip},
                              {"host_network", "false"},
                              {"created_by_kind", "ReplicaSet"},
                              {"created_by_name", deployment.replica_set}});
                pod_infos.emplace_back(nullptr, pod.name, std::move(info));
                Labels owner = id;
                append(owner, {{"owner_kind", "ReplicaSet"},
                               {"owner_name", deployment.replica_set},
                               {"owner_is_controller", "true"}});
                pod_owners.emplace_back(nullptr, pod.name, std::move(owner));
            }
        }

    SeriesWalk walk(view, view.lean, visitor);
    engines.visit(walk);
    if (view.kube_state_metrics) {
        walk.info("kube_pod_info", "Information about pod.", pod_infos);
        walk.info("kube_pod_owner", "Information about the Pod's owner.", pod_owners);
        walk.info("kube_replicaset_owner", "Information about the ReplicaSet's owner.",
                  replica_sets);
    }
}

/// Visits one pod's series as its server exposes them, without the labels of the pod.
template <class Visitor>
void visit_pod(const Model& model, const Pod& pod, const View& view, Visitor& visitor) {
    EngineTargets engines;
    engines.add(model, pod, view);
    SeriesWalk walk(view, false, visitor);
    engines.visit(walk);
}

} // namespace vllm_fleet
