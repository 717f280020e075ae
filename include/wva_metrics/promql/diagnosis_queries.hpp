// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/series_selector.hpp"
#include "wva_metrics/promql/quote.hpp"
#include "wva_metrics/signal.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// How many elements each of the two parts of `nearby_models_query` has at most. The part for the
/// namespace has one more if there are more.
inline constexpr std::size_t max_nearby_models = 1000;

namespace detail {

/// The labels that may hold what `configured` does, sorted.
template <typename Names>
std::vector<std::string> label_choices(const Names& names, const std::string& configured) {
    std::vector<std::string> labels(names.begin(), names.end());
    labels.push_back(configured);
    wva_metrics::detail::sort_unique(labels);
    return labels;
}

/// Series of `Signal::running` in which one of several labels has this value.
inline Result<std::string> with_value(const EngineProfile& profile,
                                      const std::vector<std::string>& labels,
                                      const std::string& value) {
    const std::vector<std::string> metrics = exposed_metrics(profile, Signal::running);
    std::string text;
    for (const std::string& label : labels) {
        SeriesSelector selector(metrics);
        selector.add(label, std::span(&value, 1));
        const auto selected = std::move(selector).take();
        if (selected.has_error())
            return selected.error();
        text += (text.empty() ? "" : " or ") + *selected;
    }
    return text;
}

} // namespace detail

/// Models with this id in any namespace, and all models of this namespace, by the labels that may
/// name the namespace and the model: one element per combination, its value the number of series.
/// Without the configured matchers, because these may be what is wrong.
///
/// Bounded by `max_nearby_models`, for a namespace may have very many models. `topk`, because no
/// other aggregation that bounds an answer is known to all servers.
///
/// **Errors:** `invalid_argument` if a text is not UTF-8.
inline Result<std::string> nearby_models_query(const EngineProfile& profile,
                                               const std::string& namespace_name,
                                               const std::string& model_id) {
    const auto spaces = detail::label_choices(namespace_labels, profile.labels.namespace_name);
    const auto models = detail::label_choices(model_labels, profile.labels.model);
    const auto of_model = detail::with_value(profile, models, model_id);
    if (of_model.has_error())
        return of_model.error();
    const auto of_namespace = detail::with_value(profile, spaces, namespace_name);
    if (of_namespace.has_error())
        return of_namespace.error();
    std::vector<std::string> labels = spaces;
    labels.insert(labels.end(), models.begin(), models.end());
    wva_metrics::detail::sort_unique(labels);
    std::string by;
    for (const std::string& label : labels)
        by += (by.empty() ? "" : ",") + label;
    const auto part = [&](std::size_t most, const std::string& selected) {
        return "topk(" + std::to_string(most) + ", count by (" + by + ") (" + selected + "))";
    };
    return part(max_nearby_models, *of_model) + " or " + part(max_nearby_models + 1, *of_namespace);
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

/// The scrape jobs of a namespace: one `up` for each, 0 if a target of it cannot be read.
///
/// **Errors:** `invalid_argument` if the text is not UTF-8.
inline Result<std::string> scrape_jobs_query(std::string_view namespace_label,
                                             std::string_view namespace_name) {
    const auto quoted = quote(namespace_name);
    if (quoted.has_error())
        return quoted.error();
    return "min by (__name__,job) (up{" + std::string(namespace_label) + "=" + *quoted + "})";
}

} // namespace wva_metrics::promql
