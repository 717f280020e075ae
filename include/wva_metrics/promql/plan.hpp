// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/chunk.hpp"
#include "wva_metrics/promql/density.hpp"
#include "wva_metrics/promql/detail/alternative_bytes.hpp"
#include "wva_metrics/promql/detail/make_chunks.hpp"
#include "wva_metrics/promql/detail/text.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/model_index.hpp"
#include "wva_metrics/promql/quote.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/promql/selector.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// Limits of one query.
struct PlanLimits {
    /// Models per query; in queries about pods, namespaces.
    std::size_t max_models_per_query = 1000;
    /// Bytes of a query, before it is encoded for HTTP.
    std::size_t max_query_bytes = std::size_t{1} << 20;
};

/// The problems of the limits, one sentence each; empty if they are valid.
inline std::vector<std::string> validate(const PlanLimits& limits) {
    std::vector<std::string> problems;
    if (limits.max_models_per_query == 0)
        problems.emplace_back("limits.max_models_per_query must be positive");
    if (limits.max_query_bytes < 4096)
        problems.emplace_back("limits.max_query_bytes must be at least 4096");
    return problems;
}

/// A target that cannot be queried.
struct RejectedTarget {
    /// Its index in the list of targets.
    std::size_t target = 0;
    /// The reason.
    Error error;
};

/// Groups the targets of a round into few queries, and maps the series of an answer back to them.
///
/// The order of the targets does not matter: the same targets make the same query texts every
/// round. Models are sorted by namespace, so that a query selects few namespaces.
///
/// **Threads:** safe, because a plan does not change.
class QueryPlan {
public:
    /// A chunk is so small that its answer is expected to stay within the bounds, by the density of
    /// earlier answers. `limits` must be valid. Takes O(n log n) time.
    QueryPlan(std::span<const ModelKey> targets, const RawQueries& samples_queries,
              const KubeStateQueries& pods_queries, const PlanLimits& limits = {},
              const PlanDensity& density = {}, const AnswerBounds& bounds = {}) {
        const std::size_t samples_frame = samples_queries.frame_bytes();
        const std::size_t pods_frame = pods_queries.frame_bytes();
        std::vector<std::size_t> order;
        order.reserve(targets.size());
        for (std::size_t target = 0; target < targets.size(); ++target) {
            if (auto error = rejection_reason(targets[target], samples_frame, pods_frame,
                                              limits.max_query_bytes))
                rejected_.push_back({target, std::move(*error)});
            else
                order.push_back(target);
        }
        std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
            return std::tie(targets[left], left) < std::tie(targets[right], right);
        });
        group(targets, std::move(order));
        index_ = ModelIndex(models_);
        chunk_models(samples_frame, limits, max_members(density.models, bounds));
        chunk_namespaces(pods_frame, limits, max_members(density.namespaces, bounds));
    }

    /// The models of the targets, each once, sorted.
    std::span<const ModelKey> models() const noexcept { return models_; }
    /// Their namespaces, each once, sorted, except the empty one: it contains no pods.
    std::span<const std::string> namespaces() const noexcept { return namespaces_; }
    /// For each query for samples: its part of `models()`.
    std::span<const ModelChunk> chunks() const noexcept { return chunks_; }
    /// For each query about pods: its part of `namespaces()`.
    std::span<const NamespaceChunk> namespace_chunks() const noexcept { return namespace_chunks_; }
    /// The targets that are in no chunk, in ascending order.
    std::span<const RejectedTarget> rejected() const noexcept { return rejected_; }

    /// The targets that a model belongs to: indices in ascending order, at least one. `model`:
    /// index in `models()`.
    std::span<const std::size_t> targets(std::size_t model) const noexcept {
        return std::span(targets_).subspan(first_target_[model],
                                           first_target_[model + 1] - first_target_[model]);
    }

    /// The scope of the query for a chunk, or for a part of one.
    QueryScope scope(ModelChunk chunk) const {
        QueryScope scope;
        for (const ModelKey& key : models().subspan(chunk.first, chunk.size())) {
            if (scope.namespaces.empty() || scope.namespaces.back() != key.namespace_name)
                scope.namespaces.push_back(key.namespace_name);
            scope.models.push_back(key.model_id);
        }
        return scope;
    }
    /// True if selecting whole namespaces is cheaper than listing models: the chunk is large, and
    /// the plan contains most of the models in its namespaces.
    bool takes_namespaces(ModelChunk chunk) const {
        // A regular expression of fewer models compiles fast, and the namespaces may contain many
        // others.
        constexpr std::size_t few = 100;
        if (chunk.size() < few)
            return false;
        ModelChunk whole = chunk;
        while (whole.first > 0 &&
               models_[whole.first - 1].namespace_name == models_[chunk.first].namespace_name)
            --whole.first;
        while (whole.last < models_.size() &&
               models_[whole.last].namespace_name == models_[chunk.last - 1].namespace_name)
            ++whole.last;
        return whole.size() <= 2 * chunk.size();
    }
    /// The namespaces of a chunk, sorted.
    std::span<const std::string> namespaces(NamespaceChunk chunk) const noexcept {
        return namespaces().subspan(chunk.first, chunk.size());
    }

    /// The index in `models()` of a series in the answer to this chunk's query.
    ///
    /// Empty if the series is not in the chunk: a query selects each of its models in each of its
    /// namespaces, so it also matches models that belong to another chunk or to no target. Does not
    /// allocate.
    std::optional<std::size_t> find(ModelChunk chunk, std::string_view namespace_name,
                                    std::string_view model_id) const {
        const auto model = index_.find(namespace_name, model_id);
        return model && chunk.contains(*model) ? model : std::nullopt;
    }

private:
    static std::optional<Error> rejection_reason(const ModelKey& key, std::size_t samples_frame,
                                                 std::size_t pods_frame, std::size_t max_bytes) {
        if (key.model_id.empty())
            return Error(Errc::invalid_argument, "the model id is empty");
        if (const auto at = detail::find_invalid_utf8(key.model_id))
            return Error(Errc::invalid_argument,
                         "model id: " + detail::invalid_utf8_error(key.model_id, *at).message);
        if (const auto at = detail::find_invalid_utf8(key.namespace_name))
            return Error(Errc::invalid_argument,
                         "namespace: " +
                             detail::invalid_utf8_error(key.namespace_name, *at).message);
        const std::size_t in_namespace = detail::alternative_bytes(key.namespace_name);
        const std::size_t bytes =
            in_namespace +
            std::max(samples_frame + detail::alternative_bytes(key.model_id), pods_frame);
        if (bytes > max_bytes)
            return Error(
                Errc::invalid_argument,
                "the model id and namespace are too long: a query for them alone may take " +
                    std::to_string(bytes) + " bytes, limits.max_query_bytes allows " +
                    std::to_string(max_bytes));
        return std::nullopt;
    }

    void group(std::span<const ModelKey> targets, std::vector<std::size_t> order) {
        targets_ = std::move(order);
        for (std::size_t place = 0; place < targets_.size(); ++place) {
            const ModelKey& key = targets[targets_[place]];
            if (!models_.empty() && models_.back() == key)
                continue;
            if (!key.namespace_name.empty() &&
                (namespaces_.empty() || namespaces_.back() != key.namespace_name))
                namespaces_.push_back(key.namespace_name);
            models_.push_back(key);
            first_target_.push_back(place);
        }
        first_target_.push_back(targets_.size());
    }

    void chunk_models(std::size_t frame, const PlanLimits& limits, std::size_t most_by_density) {
        // Prefix sums, so that the bytes of a chunk are a difference.
        std::vector<std::size_t> model_bytes = {0};
        std::vector<std::size_t> namespace_bytes = {0};
        for (std::size_t place = 0; place < models_.size(); ++place) {
            const ModelKey& key = models_[place];
            const bool is_new_namespace =
                place == 0 || models_[place - 1].namespace_name != key.namespace_name;
            model_bytes.push_back(model_bytes.back() + detail::alternative_bytes(key.model_id));
            namespace_bytes.push_back(namespace_bytes.back());
            if (is_new_namespace)
                namespace_bytes.back() += detail::alternative_bytes(key.namespace_name);
        }
        const auto fits = [&](ModelChunk chunk) {
            // The chunk's first namespace may have begun in the chunk before.
            const std::size_t bytes =
                model_bytes[chunk.last] - model_bytes[chunk.first] +
                detail::alternative_bytes(models_[chunk.first].namespace_name) +
                namespace_bytes[chunk.last] - namespace_bytes[chunk.first + 1];
            return frame + bytes <= limits.max_query_bytes;
        };
        chunks_ = detail::make_chunks<ModelKey>(
            models_.size(), std::min(limits.max_models_per_query, most_by_density), fits);
    }

    void chunk_namespaces(std::size_t frame, const PlanLimits& limits,
                          std::size_t most_by_density) {
        const auto fits = [&](NamespaceChunk chunk) {
            std::size_t bytes = 0;
            for (const std::string& name : namespaces(chunk))
                bytes += detail::alternative_bytes(name);
            return frame + bytes <= limits.max_query_bytes;
        };
        namespace_chunks_ = detail::make_chunks<std::string>(
            namespaces_.size(), std::min(limits.max_models_per_query, most_by_density), fits);
    }

    std::vector<ModelKey> models_;
    std::vector<std::string> namespaces_;
    std::vector<std::size_t> targets_;
    /// The index in `targets_` of each model's first target, and finally the size of `targets_`.
    std::vector<std::size_t> first_target_;
    std::vector<ModelChunk> chunks_;
    std::vector<NamespaceChunk> namespace_chunks_;
    std::vector<RejectedTarget> rejected_;
    ModelIndex index_;
};

} // namespace wva_metrics::promql
