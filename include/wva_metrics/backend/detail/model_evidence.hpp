// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/promql/diagnosis_queries.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// The models that report at the moment, in the view of one that does not.
struct NearbyModels {
    /// Series have the configured namespace and model: matchers exclude them, if there are any.
    bool is_there = false;
    /// Some series have the configured namespace.
    bool has_namespace = false;
    /// The namespace has more models than are compared: `ids` lacks some.
    bool has_more = false;
    /// Labels that hold the model's namespace, although another label is configured for it.
    std::set<std::string> namespace_labels{};
    /// The same for series of other models.
    std::set<std::string> namespace_labels_of_others{};
    /// Labels that hold the model's id, although another label is configured for it.
    std::set<std::string> model_labels{};
    /// Other namespaces that have a model of this id. An empty one stands for series without any
    /// label of a namespace.
    std::set<std::string> namespaces{};
    /// The ids of the models in the namespace. An empty one stands for series without any label
    /// of a model.
    std::set<std::string> ids{};

    /// Adds an element of the answer to `promql::nearby_models_query`.
    void add(const prometheus::SeriesView& series, const ModelKey& model,
             const EngineLabels& labels) {
        const std::string_view space = series.label(labels.namespace_name);
        const std::string_view id = series.label(labels.model);
        const auto other_space = label_with(series, promql::namespace_labels, labels.namespace_name,
                                            model.namespace_name);
        const auto other_id =
            label_with(series, promql::model_labels, labels.model, model.model_id);
        const bool has_space = space == model.namespace_name;
        const bool has_id = id == model.model_id;
        const bool is_in_namespace = has_space || !other_space.empty();
        is_there = is_there || (has_space && has_id);
        has_namespace = has_namespace || has_space;
        if (!has_space && is_in_namespace)
            (has_id || !other_id.empty() ? namespace_labels : namespace_labels_of_others)
                .emplace(other_space);
        else if (has_id && !has_space)
            namespaces.emplace(own_namespace(series, labels, space));
        if (!is_in_namespace)
            return;
        if (!has_id && !other_id.empty())
            model_labels.emplace(other_id);
        else if (!has_id)
            ids.emplace(id);
        has_more = ++in_namespace_ > promql::max_nearby_models;
    }

    /// Labels to configure for the namespace, unless the configured one is right.
    const std::set<std::string>& unhonored_labels() const noexcept {
        return namespace_labels.empty() && !has_namespace ? namespace_labels_of_others
                                                          : namespace_labels;
    }

private:
    template <typename Names>
    static std::string_view label_with(const prometheus::SeriesView& series, const Names& names,
                                       std::string_view configured, std::string_view value) {
        for (const std::string_view name : names)
            if (name != configured && series.label(name) == value)
                return name;
        return {};
    }

    /// A scrape that does not honour labels keeps the model's namespace in another label.
    static std::string_view own_namespace(const prometheus::SeriesView& series,
                                          const EngineLabels& labels, std::string_view space) {
        const std::string_view own = series.label("exported_" + labels.namespace_name);
        return own.empty() ? space : own;
    }

    std::size_t in_namespace_ = 0;
};

/// What kube-state-metrics says.
struct KubeStateEvidence {
    bool is_asked = false;      ///< It is configured to be asked, and answered.
    bool is_reporting = false;  ///< It reports pods of some namespace.
    bool has_namespace = false; ///< It reports pods of the model's namespace.
    /// Living pods of the model that it does not report, although it reports others there.
    std::vector<std::string> unknown_pods{};
};

/// All that a diagnosis of one model knows. What was not asked for is empty.
struct ModelEvidence {
    ModelKey model{};
    std::vector<VariantAutoscaling> variants{};
    ModelReport report{};
    std::vector<samples::View> views{};
    samples::ServerTime now{};
    std::optional<NearbyModels> nearby{};
    /// Names of metrics in the namespace that are similar to the configured ones.
    std::set<std::string> similar_metrics{};
    /// Jobs of the namespace with a target that the server cannot read.
    std::set<std::string> failing_jobs{};
    /// Other jobs of the namespace.
    std::set<std::string> answering_jobs{};
    std::optional<LastReport> last_report{};
    KubeStateEvidence kube_state{};
    /// Why something that was asked for is empty.
    std::vector<Error> failures{};
    prometheus::Flavor flavor = prometheus::Flavor::unknown;
    /// The server's clock minus the local one.
    std::optional<samples::ServerDuration> clock_ahead{};
};

/// True if a pod of the model answers.
inline bool has_living_pods(const ModelReport& report) {
    return std::any_of(report.pods.begin(), report.pods.end(), [](const JudgedPod& pod) {
        return pod.report.life != samples::PodLife::ended &&
               pod.report.life != samples::PodLife::gone;
    });
}

/// A text that begins with one of several names: `'a', 'b'`, at most five.
inline std::string quoted_names(std::span<const std::string> names) {
    return quoted_list({names.begin(), names.end()});
}

} // namespace wva_metrics::detail
