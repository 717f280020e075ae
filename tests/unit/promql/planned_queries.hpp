// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/plan.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::promql {

/// The queries of a round, and the plan of its targets.
struct PlannedQueries {
    RawQueries models;
    KubeStateQueries pods;

    explicit PlannedQueries(const std::vector<Matcher>& matchers = {})
        : models(vllm_profile(), matchers), pods(vllm_profile().kube_state, matchers) {}

    QueryPlan plan(const std::vector<ModelKey>& targets, const PlanLimits& limits = {},
                   const PlanDensity& density = {}, const AnswerBounds& bounds = {}) const {
        return {targets, models, pods, limits, density, bounds};
    }

    /// All query texts of a round.
    std::vector<std::string> texts(const QueryPlan& plan) const {
        using namespace std::chrono_literals;
        std::vector<std::string> texts;
        for (const ModelChunk chunk : plan.chunks()) {
            texts.push_back(models.living(plan.scope(chunk)).value());
            texts.push_back(models.samples(plan.scope(chunk), 60s).value());
        }
        for (const NamespaceChunk chunk : plan.namespace_chunks())
            texts.push_back(pods.samples(plan.namespaces(chunk), 5min).value());
        return texts;
    }
};

/// Models of these namespaces in turn, with characters that a regular expression escapes.
inline std::vector<ModelKey> numbered_models(std::size_t count, std::size_t namespaces = 1) {
    std::vector<ModelKey> models;
    for (std::size_t i = 0; i < count; ++i)
        models.push_back(
            {"ns-" + std::to_string(i % namespaces), "org/model-" + std::to_string(i) + "-7.5b"});
    return models;
}

inline std::vector<std::size_t> chunk_sizes(const auto& chunks) {
    std::vector<std::size_t> sizes;
    for (const auto chunk : chunks)
        sizes.push_back(chunk.size());
    return sizes;
}

} // namespace wva_metrics::promql
