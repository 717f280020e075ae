// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// What one series of kube-state-metrics says of a pod.
struct KubePodSeries {
    std::string namespace_name{}; ///< The pod's namespace.
    std::string pod{};            ///< The pod's name.
    /// Differs between a pod and its successor of the same name. Empty if it is not exposed.
    std::string uid{};
    /// Which instance of kube-state-metrics reports it: a number of `KubeReporters`.
    std::size_t reporter = 0;
    /// The newest sample; that of the staleness marker if there is no other.
    samples::ServerTime last{};
    /// The lower median of the time between two samples. Empty if there are fewer than two.
    std::optional<samples::ServerDuration> spacing{};
    /// A staleness marker ended it.
    bool has_ended = false;
    std::optional<PodOwner> owner{}; ///< In a series of owners, if the pod has one.
    std::optional<bool> ready{};     ///< In a series of readiness, unless it is unknown.
};

/// Reads the series of the answer to `promql::KubeStateQueries::samples`.
class KubePodSeriesReader {
public:
    /// The names may be those with or without `exported_`: a series is read by the labels it has.
    explicit KubePodSeriesReader(const KubeStateNames& names)
        : names_(names), namespace_labels_(both_forms(names.namespace_name)),
          pod_labels_(both_forms(names.pod)) {}

    /// VictoriaMetrics returns a staleness marker as a last sample that is NaN.
    void set_nan_ends_series(bool value) noexcept { nan_ends_series_ = value; }

    /// Everything except the reporter. Empty if the series has another name, or names no pod, or
    /// has no samples.
    std::optional<KubePodSeries> read(const prometheus::SeriesView& series) {
        const std::string_view metric = series.label("__name__");
        const bool is_owner = metric == names_.pod_owner;
        const bool is_ready = metric == promql::pod_ready;
        const std::string_view pod = first_label(series, pod_labels_);
        if (pod.empty() || series.samples.empty() ||
            (metric != names_.pod_info && !is_owner && !is_ready))
            return std::nullopt;
        KubePodSeries result;
        result.namespace_name = first_label(series, namespace_labels_);
        result.pod = pod;
        result.uid = series.label("uid");
        read_samples(series.samples, result);
        if (is_owner)
            result.owner = owner_of(series);
        else if (is_ready && series.label("condition") == "true")
            result.ready = readiness(series.samples.back().value);
        return result;
    }

private:
    /// The names of a label in order of preference. If a target has a label of the same name and
    /// its scrape does not honour labels, the plain name is that of the target's label.
    using BothForms = std::array<std::string, 2>;

    static BothForms both_forms(const std::string& name) {
        constexpr std::string_view prefix = "exported_";
        if (name.starts_with(prefix))
            return {name, name.substr(prefix.size())};
        return {std::string(prefix) + name, name};
    }

    static std::string_view first_label(const prometheus::SeriesView& series,
                                        const BothForms& names) noexcept {
        const std::string_view exported = series.label(names.front());
        return exported.empty() ? series.label(names.back()) : exported;
    }

    void read_samples(std::span<const samples::Sample> samples, KubePodSeries& result) {
        result.last = samples.back().time;
        result.has_ended = nan_ends_series_ && std::isnan(samples.back().value);
        if (result.has_ended) {
            const auto newest =
                std::find_if(samples.rbegin(), samples.rend(), [](const samples::Sample& sample) {
                    return !std::isnan(sample.value);
                });
            if (newest != samples.rend())
                result.last = newest->time;
        }
        result.spacing = spacing_of(samples);
    }

    std::optional<samples::ServerDuration> spacing_of(std::span<const samples::Sample> samples) {
        if (samples.size() < 2)
            return std::nullopt;
        gaps_.clear();
        for (std::size_t i = 1; i < samples.size(); ++i)
            gaps_.push_back(samples[i].time - samples[i - 1].time);
        const auto middle = gaps_.begin() + static_cast<std::ptrdiff_t>((gaps_.size() - 1) / 2);
        std::nth_element(gaps_.begin(), middle, gaps_.end());
        return *middle;
    }

    std::optional<PodOwner> owner_of(const prometheus::SeriesView& series) const {
        const std::string_view name = series.label(names_.owner_name);
        // The first major version of kube-state-metrics writes <none> for a pod without an owner.
        if (name.empty() || name == "<none>")
            return std::nullopt;
        return PodOwner{std::string(series.label(names_.owner_kind)), std::string(name),
                        OwnerSource::kube_state_metrics};
    }

    static std::optional<bool> readiness(double value) noexcept {
        if (value != 0 && value != 1)
            return std::nullopt;
        return value == 1;
    }

    KubeStateNames names_;
    BothForms namespace_labels_;
    BothForms pod_labels_;
    bool nan_ends_series_ = false;
    std::vector<samples::ServerDuration> gaps_; ///< To save allocations.
};

} // namespace wva_metrics::detail
