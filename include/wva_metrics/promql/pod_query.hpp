// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/alternative_bytes.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/promql/selector.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// A pod, and the label that names it in its series.
struct PodName {
    /// The label's name: `pod`, or another one if the scrape renames it.
    std::string label{};
    /// The pod's namespace.
    std::string namespace_name{};
    /// The pod's name.
    std::string pod{};

    friend auto operator<=>(const PodName&, const PodName&) = default;
};

/// A query for the samples of pods.
struct PodQuery {
    /// The query.
    std::string text{};
    /// Its pods, sorted, each once.
    std::vector<PodName> pods{};
};

/// Limits of one query for pods.
struct PodQueryLimits {
    /// Pods per query.
    std::size_t max_pods = 1000;
    /// Bytes of a query.
    std::size_t max_query_bytes = std::size_t{1} << 20;
};

namespace detail {

/// Adds pods to a query until a limit is reached.
class PodQueryWriter {
public:
    PodQueryWriter(const RawQueries& queries, Duration window, const PodQueryLimits& limits)
        : queries_(queries), window_(window), limits_(limits) {}

    /// Pods come in ascending order.
    std::optional<Error> add(const PodName& pod) {
        const std::size_t bytes =
            alternative_bytes(pod.namespace_name) + alternative_bytes(pod.pod);
        if (pods_.size() >= limits_.max_pods || bytes_ + bytes > limits_.max_query_bytes ||
            pod.label != label_) {
            if (auto error = finish_query())
                return error;
        }
        if (pods_.empty()) {
            label_ = pod.label;
            bytes_ = frame_bytes();
        }
        bytes_ += bytes;
        scope_.namespaces.push_back(pod.namespace_name);
        names_.push_back(pod.pod);
        pods_.push_back(pod);
        return std::nullopt;
    }

    std::optional<Error> finish_query() {
        if (pods_.empty())
            return std::nullopt;
        auto text = queries_.samples_of_pods(scope_, label_, names_, window_);
        scope_.namespaces.clear();
        names_.clear();
        if (text.has_error())
            return text.error();
        made_.push_back({*std::move(text), std::exchange(pods_, {})});
        return std::nullopt;
    }

    std::vector<PodQuery> take() && { return std::move(made_); }

private:
    /// Bytes of a query without the names of its pods and namespaces.
    std::size_t frame_bytes() const {
        // Several values make the longest form of a matcher.
        const std::vector<std::string> two = {"a", "b"};
        return queries_.samples_of_pods({two, {}}, label_, two, window_).value().size();
    }

    const RawQueries& queries_;
    const Duration window_;
    const PodQueryLimits limits_;
    std::string label_;
    QueryScope scope_;
    std::vector<std::string> names_;
    std::vector<PodName> pods_;
    std::size_t bytes_ = 0;
    std::vector<PodQuery> made_;
};

} // namespace detail

/// The queries for the samples of these pods and of what identifies their processes, as few as the
/// limits allow. A series has one of several labels for its pod, so each label has its own queries.
///
/// Pods may come in any order and more than once. A query also selects a pod of the same name in
/// the namespace of another pod.
///
/// **Errors:** `invalid_argument` if a pod's name is empty, or a text is not UTF-8.
inline Result<std::vector<PodQuery>> pod_queries(const RawQueries& queries,
                                                 std::vector<PodName> pods, Duration window,
                                                 const PodQueryLimits& limits = {}) {
    std::sort(pods.begin(), pods.end());
    pods.erase(std::unique(pods.begin(), pods.end()), pods.end());
    detail::PodQueryWriter writer(queries, window, limits);
    for (const PodName& pod : pods)
        if (auto error = writer.add(pod))
            return *std::move(error);
    if (auto error = writer.finish_query())
        return *std::move(error);
    return std::move(writer).take();
}

} // namespace wva_metrics::promql
