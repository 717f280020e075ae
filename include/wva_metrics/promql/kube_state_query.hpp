// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/series_selector.hpp"
#include "wva_metrics/promql/duration.hpp"
#include "wva_metrics/promql/matcher.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// The names of the same series if their scrape does not honour labels: the target's own
/// `namespace` and `pod` have these names then, and those of the pods begin with `exported_`.
inline KubeStateNames without_honor_labels(KubeStateNames names) {
    names.namespace_name.insert(0, "exported_");
    names.pod.insert(0, "exported_");
    return names;
}

/// The metric that is 1, with the label `condition="true"`, for each pod that is ready.
inline constexpr std::string_view pod_ready = "kube_pod_status_ready";

/// The queries for the series of kube-state-metrics.
///
/// **Threads:** safe, because it does not change.
class KubeStateQueries {
public:
    /// `names` and `matchers` must be valid.
    KubeStateQueries(const KubeStateNames& names, std::span<const Matcher> matchers)
        : metrics_{names.pod_info, names.pod_owner, std::string(pod_ready)},
          namespace_label_(names.namespace_name), matchers_(to_string(matchers)) {}

    /// The samples of the pods of these namespaces: that they exist, who owns them, and whether
    /// they are ready. There must be at least one namespace, and `window` must be positive.
    ///
    /// The absence of a pod is only meaningful if kube-state-metrics reports (see `reporting`).
    ///
    /// **Errors:** `invalid_argument` if there is no namespace, or one is not UTF-8.
    Result<std::string> samples(std::span<const std::string> namespaces, Duration window) const {
        if (namespaces.empty())
            return Error(Errc::invalid_argument, "a query needs at least one namespace");
        detail::SeriesSelector selector(metrics_);
        selector.add(namespace_label_, namespaces);
        // Of the three conditions of a pod (true, false, unknown) one is enough. Only `pod_ready`
        // has this label.
        const std::string is_ready = "true";
        selector.add("condition", std::span(&is_ready, 1), detail::WithoutLabel::included);
        selector.add(matchers_);
        auto text = std::move(selector).take();
        if (text.has_value())
            *text += "[" + format_duration(window) + "]";
        return text;
    }

    /// How many pods of any namespace kube-state-metrics reports at the moment; 0 if it does not
    /// report. One element without labels, whose time is the server's evaluation time.
    ///
    /// All namespaces are counted, because the last pod of some may be gone. So this shows an
    /// outage of all instances of kube-state-metrics, but not of one among several.
    std::string reporting() const {
        const std::string& pod_info = metrics_.front();
        detail::SeriesSelector selector(std::span(&pod_info, 1));
        selector.add(matchers_);
        return "count(" + std::move(selector).take().value() + ") or vector(0)";
    }

    /// The bytes of `samples` without the namespaces; an upper bound.
    std::size_t frame_bytes() const {
        const std::vector<std::string> namespaces = {"", "n"};
        return samples(namespaces, Duration::max()).value().size();
    }

private:
    std::vector<std::string> metrics_;
    std::string namespace_label_;
    std::string matchers_;
};

} // namespace wva_metrics::promql
