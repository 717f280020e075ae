// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "exposition.hpp"
#include "text_page.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vllm_fleet {

/// Under which names an endpoint picker (EPP) publishes its numbers. Bits.
enum class EppNaming : unsigned { old = 1, current = 2, both = 3 };
inline constexpr std::array<std::string_view, 3> epp_naming_names = {"old", "new", "both"};

/// What an EPP sees and says. Frozen: the metrics of no endpoint are fresh, so that none counts as
/// ready, all are stale and saturated, and the averages stay as they were. Folded: it has seen too many
/// names of models, and counts all as `other`.
enum class EppSight { live, frozen, folded };
inline constexpr std::array<std::string_view, 3> epp_sight_names = {"live", "frozen", "folded"};

/// What an EPP knows of the pods that serve one model.
class EppPool {
public:
    EppPool(const Model& model, double now, double period_seconds, EppSight sight)
        : model_(model), sight_(sight) {
        for (const Deployment& deployment : model.deployments)
            for (const Pod& pod : deployment.pods)
                for (std::size_t i = 0; i < pod.engines.size(); ++i)
                    if (pod.alive && pod.has_started(now))
                        endpoints_.emplace_back(pod.name + "-rank-" + std::to_string(i),
                                                &pod.engines[i]);
        arriving_ = std::ceil(model.requests_per_second(now, period_seconds));
    }

    struct Endpoint {
        Endpoint(std::string of_name, const Engine* of_engine)
            : name(std::move(of_name)), engine(of_engine) {}
        std::string name;
        const Engine* engine;
    };

    /// One pool has one model.
    std::string name() const { return slug(model_.id); }
    std::string model() const { return sight_ == EppSight::folded ? "other" : model_.id; }
    std::size_t stale() const { return sight_ == EppSight::frozen ? endpoints_.size() : 0; }
    std::size_t ready() const { return endpoints_.size() - stale(); }
    const std::vector<Endpoint>& endpoints() const { return endpoints_; }

    double mean(double (*value)(const Engine&)) const {
        double sum = 0;
        for (const Endpoint& endpoint : endpoints_)
            sum += value(*endpoint.engine);
        return sum / static_cast<double>(endpoints_.size());
    }
    /// A pool without endpoints whose metrics are fresh is saturated.
    double saturation() const {
        return ready() == 0 ? 1.0 : mean([](const Engine& engine) {
            return std::max(measured::waiting(engine) / enough_waiting,
                            engine.kv_cache_usage() / enough_kv_cache);
        });
    }
    /// Requests that the EPP holds: what exceeds the queues that it allows its endpoints, or, without
    /// any, what arrives in a second.
    double held() const {
        double sum = endpoints_.empty() ? arriving_ : 0;
        for (const Endpoint& endpoint : endpoints_)
            sum += std::max(0.0, measured::waiting(*endpoint.engine) - enough_waiting);
        return sum;
    }

private:
    static constexpr double enough_waiting = 5;
    static constexpr double enough_kv_cache = 0.8;

    const Model& model_;
    EppSight sight_;
    std::vector<Endpoint> endpoints_;
    double arriving_ = 0;
};

/// A metric of an EPP: its old and its new name, and its value per pool.
struct EppFamily {
    std::string_view old_name; ///< Empty: there was none.
    std::string_view new_name;
    std::string_view pool_label;
    double (*value)(const EppPool&);
    bool needs_endpoints;
    /// Further labels, as text.
    std::string (*labels)(const EppPool&) = nullptr;
};

inline std::string epp_flow_labels(const EppPool& pool) {
    return to_text({{"fairness_id", "default"},
                    {"priority", "0"},
                    {"model_name", pool.model()},
                    {"target_model_name", pool.model()}});
}

inline constexpr EppFamily epp_families[] = {
    {"inference_pool_ready_pods", "llm_d_epp_ready_endpoints", "name",
     [](const EppPool& pool) { return static_cast<double>(pool.ready()); }, false},
    {"inference_pool_average_kv_cache_utilization", "llm_d_epp_average_kv_cache_utilization",
     "name", [](const EppPool& pool) { return pool.mean(measured::kv_usage); }, true},
    {"inference_pool_average_queue_size", "llm_d_epp_average_queue_size", "name",
     [](const EppPool& pool) { return pool.mean(measured::waiting); }, true},
    {"inference_pool_average_running_requests", "llm_d_epp_average_running_requests", "name",
     [](const EppPool& pool) { return pool.mean(measured::running); }, true},
    {"inference_extension_flow_control_queue_size", "llm_d_epp_flow_control_queue_size",
     "inference_pool", [](const EppPool& pool) { return pool.held(); }, false, epp_flow_labels},
    {"inference_extension_flow_control_pool_saturation", "llm_d_epp_flow_control_pool_saturation",
     "inference_pool", [](const EppPool& pool) { return pool.saturation(); }, false,
     [](const EppPool&) { return std::string(R"(stage="effective")"); }},
    {"", "llm_d_epp_flow_control_stale_endpoints", "inference_pool",
     [](const EppPool& pool) { return static_cast<double>(pool.stale()); }, false,
     [](const EppPool&) { return std::string(R"(detector="utilization")"); }},
};

inline std::vector<EppPool> epp_pools(const Fleet& fleet, EppSight sight) {
    std::vector<EppPool> pools;
    for (const Model& model : fleet.models())
        pools.emplace_back(model, fleet.now_seconds(), fleet.options().period_seconds, sight);
    return pools;
}

/// The page of an EPP in front of all models: each is a pool. A pool without endpoints has no averages.
/// `seen`: the fleet when the EPP last saw its endpoints; null = it sees them now.
inline std::string epp_page(const Fleet& fleet, EppNaming naming, EppSight sight = EppSight::live,
                            const Fleet* seen = nullptr) {
    const std::vector<EppPool> pools = epp_pools(fleet, sight);
    const std::vector<EppPool> seen_pools = epp_pools(seen == nullptr ? fleet : *seen, sight);

    TextPage page;
    const auto line = [&page](std::string_view name, const std::string& labels, double value) {
        (((page.text += name) += '{') += labels) += "} ";
        append_number(page.text, value);
        page.text += '\n';
    };
    const auto write = [&](const EppFamily& family, std::string_view name) {
        page.family(name, "gauge", "Of the pool.");
        for (const EppPool& pool : family.needs_endpoints ? seen_pools : pools) {
            if (family.needs_endpoints && pool.endpoints().empty())
                continue;
            std::string labels = to_text({{std::string(family.pool_label), pool.name()}});
            if (family.labels != nullptr)
                (labels += ',') += family.labels(pool);
            line(name, labels, family.value(pool));
        }
    };
    const auto write_endpoints = [&](std::string_view name, const std::string& label) {
        page.family(name, "gauge", "Requests that wait at the endpoint.");
        for (const EppPool& pool : pools)
            for (const EppPool::Endpoint& endpoint : pool.endpoints())
                line(name, to_text({{"name", pool.name()}, {label, endpoint.name}}),
                     measured::waiting(*endpoint.engine));
    };
    for (const EppNaming names : {EppNaming::old, EppNaming::current}) {
        if ((static_cast<unsigned>(naming) & static_cast<unsigned>(names)) == 0)
            continue;
        const bool is_old = names == EppNaming::old;
        for (const EppFamily& family : epp_families)
            if (!is_old || !family.old_name.empty())
                write(family, is_old ? family.old_name : family.new_name);
        if (is_old)
            write_endpoints("inference_pool_per_pod_queue_size", "model_server_pod");
        else
            write_endpoints("llm_d_epp_per_endpoint_queue_size", "model_server_endpoint");
    }
    return std::move(page.text);
}

} // namespace vllm_fleet
