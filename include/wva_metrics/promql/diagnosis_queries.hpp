// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/series_selector.hpp"
#include "wva_metrics/promql/quote.hpp"
#include "wva_metrics/signal.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::promql {

/// Labels that may have a pod's namespace if the configured one does not.
inline constexpr std::array<std::string_view, 4> namespace_labels = {
    "namespace", "exported_namespace", "kubernetes_namespace", "k8s_namespace_name"};

/// Labels that may have a model's id if the configured one does not.
inline constexpr std::array<std::string_view, 5> model_labels = {
    "model_name", "exported_model_name", "model", "model_id", "served_model_name"};

/// A metric's name without the prefix of its kind of server: `num_requests_running` of
/// `vllm:num_requests_running`.
inline std::string_view without_prefix(std::string_view metric) noexcept {
    return metric.substr(metric.rfind(':') + 1);
}

/// The models of all namespaces, by the labels that may name the namespace and the model: one
/// element per combination, its value the number of series. Without the configured matchers,
/// because these may be what is wrong.
inline Result<std::string> nearby_models_query(const EngineProfile& profile) {
    detail::SeriesSelector selector(exposed_metrics(profile, Signal::running));
    auto text = std::move(selector).take();
    if (text.has_error())
        return text;
    std::vector<std::string> labels(namespace_labels.begin(), namespace_labels.end());
    labels.insert(labels.end(), model_labels.begin(), model_labels.end());
    labels.push_back(profile.labels.namespace_name);
    labels.push_back(profile.labels.model);
    wva_metrics::detail::sort_unique(labels);
    std::string by;
    for (const std::string& label : labels)
        by += (by.empty() ? "" : ",") + label;
    return "count by (" + by + ") (" + *text + ")";
}

/// The metrics of a namespace whose names end like one of `endings`: one element per name. In the
/// label `namespace_label`, or in all namespaces if `namespace_name` is empty.
///
/// **Errors:** `invalid_argument` if a text is not UTF-8, or there is no ending.
inline Result<std::string> similar_metrics_query(std::span<const std::string> endings,
                                                 std::string_view namespace_label,
                                                 std::string_view namespace_name) {
    std::string names;
    for (const std::string& ending : endings) {
        const auto escaped = quote_regex(ending);
        if (escaped.has_error())
            return escaped.error();
        names += (names.empty() ? "" : "|") + *escaped;
    }
    if (names.empty())
        return Error(Errc::invalid_argument, "a query for metrics needs a name");
    std::string text =
        "count by (__name__) ({__name__=~" + quote(".*(" + names + ")(_count)?").value();
    if (!namespace_name.empty()) {
        const auto quoted = quote(namespace_name);
        if (quoted.has_error())
            return quoted.error();
        text += "," + std::string(namespace_label) + "=" + *quoted;
    }
    return text + "})";
}

} // namespace wva_metrics::promql
