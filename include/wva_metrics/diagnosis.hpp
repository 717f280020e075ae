// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// What a diagnosis found. The first ones are the first to check.
enum class FindingCode : std::uint8_t {
    // Nothing could be asked.
    invalid_argument, ///< The model id or the namespace cannot be queried.
    no_targets,       ///< No pod of the model is configured or found.
    unreachable,      ///< No connection to the server, or no answer in time.
    unauthorized,     ///< HTTP 401.
    forbidden,        ///< HTTP 403.
    login_page,       ///< A web page answers, not the query API.
    wrong_path,       ///< The server answers, but not with the query API's answers, or a page.
    not_found,        ///< HTTP 404: there is no query API, or no page of metrics, at the URL.
    limit_hit,        ///< A limit of the server or of this library.
    server_trouble,   ///< The server cannot answer at the moment, or rejects the query.

    // There are no series of the model.
    scrape_failed,      ///< Prometheus cannot read targets of the namespace.
    labels_not_honored, ///< The model's namespace is in a label such as `exported_namespace`.
    matchers_exclude,   ///< The configured matchers exclude the model's series.
    wrong_namespace,    ///< A model of this id is in another namespace.
    label_missing,      ///< Series lack the label of the namespace, the model or the pod.
    model_id_mismatch,  ///< The namespace has models, but with other ids.
    metrics_renamed,    ///< The metrics have another name or prefix.
    other_engine,       ///< The namespace has the metrics of another kind of server.
    metrics_stale,      ///< There were series, but not recently.
    not_scraped,        ///< There is nothing like the model's series.

    // There are series, but something is wrong with them.
    several_clusters,         ///< One store holds the series of several clusters.
    pod_undecided,            ///< It is unknown whether a pod's series are one process or several.
    pod_unread,               ///< A pod is scraped, but does not answer.
    warming_up,               ///< Pods have one sample so far, and a rate needs two.
    scrape_interval_too_long, ///< The window of rates holds fewer than two samples.
    pods_match_no_variant,    ///< Pods belong to none of the variants.
    metric_not_exposed,       ///< No pod has a metric that a signal needs.
    value_unusable,           ///< A pod has values that cannot be true, or contradict each other.
    kube_state_absent,        ///< There are no series of kube-state-metrics.
    kube_state_elsewhere,     ///< kube-state-metrics reports pods, but not those of the model.
    warning,                  ///< Something else that the readings' warnings say.

    // Remarks.
    scraped_twice, ///< Several scrapes of one pod, which counts once.
    ha_copies,     ///< Copies of several Prometheus servers, which count once.
    clock_skew,    ///< The server's clock and the local one differ. Readings do not depend on it.
    server_make,   ///< What kind of server answers.
};

namespace detail {

inline constexpr std::array<std::pair<FindingCode, std::string_view>, 35> finding_names{{
    {FindingCode::invalid_argument, "invalid_argument"},
    {FindingCode::no_targets, "no_targets"},
    {FindingCode::unreachable, "unreachable"},
    {FindingCode::unauthorized, "unauthorized"},
    {FindingCode::forbidden, "forbidden"},
    {FindingCode::login_page, "login_page"},
    {FindingCode::wrong_path, "wrong_path"},
    {FindingCode::not_found, "not_found"},
    {FindingCode::limit_hit, "limit_hit"},
    {FindingCode::server_trouble, "server_trouble"},
    {FindingCode::scrape_failed, "scrape_failed"},
    {FindingCode::labels_not_honored, "labels_not_honored"},
    {FindingCode::matchers_exclude, "matchers_exclude"},
    {FindingCode::wrong_namespace, "wrong_namespace"},
    {FindingCode::label_missing, "label_missing"},
    {FindingCode::model_id_mismatch, "model_id_mismatch"},
    {FindingCode::metrics_renamed, "metrics_renamed"},
    {FindingCode::other_engine, "other_engine"},
    {FindingCode::metrics_stale, "metrics_stale"},
    {FindingCode::not_scraped, "not_scraped"},
    {FindingCode::several_clusters, "several_clusters"},
    {FindingCode::pod_undecided, "pod_undecided"},
    {FindingCode::pod_unread, "pod_unread"},
    {FindingCode::warming_up, "warming_up"},
    {FindingCode::scrape_interval_too_long, "scrape_interval_too_long"},
    {FindingCode::pods_match_no_variant, "pods_match_no_variant"},
    {FindingCode::metric_not_exposed, "metric_not_exposed"},
    {FindingCode::value_unusable, "value_unusable"},
    {FindingCode::kube_state_absent, "kube_state_absent"},
    {FindingCode::kube_state_elsewhere, "kube_state_elsewhere"},
    {FindingCode::warning, "warning"},
    {FindingCode::scraped_twice, "scraped_twice"},
    {FindingCode::ha_copies, "ha_copies"},
    {FindingCode::clock_skew, "clock_skew"},
    {FindingCode::server_make, "server_make"},
}};

} // namespace detail

/// The enumerator's name. It never changes, so scripts may rely on it.
constexpr std::string_view to_string(FindingCode code) noexcept {
    for (const auto& [known, name] : detail::finding_names)
        if (known == code)
            return name;
    return "unknown";
}

/// One thing that a diagnosis found.
struct Finding {
    /// What it is about.
    FindingCode code = FindingCode::warning;
    /// It explains a missing or incomplete number. False for a remark.
    bool is_problem = true;
    /// For people: what is wrong, and what to change.
    std::string text{};

    friend bool operator==(const Finding&, const Finding&) = default;
};

/// Why a model has no numbers, or not all of them.
struct Diagnosis {
    /// The model that was asked for.
    ModelKey model{};
    /// Problems, the likeliest first, then remarks.
    std::vector<Finding> findings{};

    /// True if nothing is wrong, so that `findings` has at most remarks.
    bool is_healthy() const noexcept {
        return std::none_of(findings.begin(), findings.end(),
                            [](const Finding& finding) { return finding.is_problem; });
    }

    friend bool operator==(const Diagnosis&, const Diagnosis&) = default;
};

} // namespace wva_metrics
