// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/deployment_index.hpp"
#include "wva_metrics/backend/detail/histogram_total.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/request_total.hpp"
#include "wva_metrics/backend/detail/signal_total.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/workload.hpp"

#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The totals of all signals of one workload.
using SignalTotals = std::map<Signal, SignalTotal>;

/// The totals of one workload.
struct WorkloadTotal {
    SignalTotals signals{}; ///< Rates and averages.
    /// What quantiles are taken of.
    std::map<Signal, HistogramTotal> histograms{};
    /// Empty if requests are not counted.
    std::optional<RequestTotal> requests{};

    void add(const samples::PodReport& report) {
        for (auto& [signal, total] : signals)
            total.add(report);
        for (auto& [signal, total] : histograms)
            total.add(report);
        if (requests)
            requests->add(report);
    }
};

/// The rates and averages of one model, summed over the pods of each workload.
///
/// Visits every pod once, however many variants there are. Refers to the names of the variants that
/// `deployments` was made from.
class WorkloadTotals {
public:
    /// `signals` are totalled, and the histograms of which `chosen` needs a quantile; `pods` are
    /// sorted by name.
    WorkloadTotals(std::span<const Signal> signals, std::span<const JudgedPod> pods,
                   const DeploymentIndex& deployments, OptionalReadingSet chosen = {}) {
        for (const Signal signal : signals)
            without_pod_.signals.emplace(signal, SignalTotal(signal));
        for (const SignalInfo& info : wva_metrics::signals)
            if (chosen.needs_histogram(info.signal))
                without_pod_.histograms.emplace(info.signal, HistogramTotal(info.signal));
        if (chosen.contains(OptionalReading::requests_in_window))
            without_pod_.requests.emplace();
        // The processes without a pod come first.
        for (const JudgedPod& pod : pods) {
            if (pod.report.pod.empty()) {
                has_series_without_pod_ = true;
                without_pod_.add(pod.report);
                continue;
            }
            const VariantAutoscaling* owner = deployments.owner_of(pod.report.pod, pod.owner);
            if (owner == nullptr) {
                has_unattributed_ = true;
                continue;
            }
            of_workload_.try_emplace(workload_of(*owner), without_pod_)
                .first->second.add(pod.report);
        }
    }

    /// The totals of the pods of a variant's workload, and of the series without a pod.
    const SignalTotals& of(const VariantAutoscaling& variant) const {
        return total_of(variant).signals;
    }
    /// All of them.
    const WorkloadTotal& total_of(const VariantAutoscaling& variant) const {
        const auto found = of_workload_.find(workload_of(variant));
        return found == of_workload_.end() ? without_pod_ : found->second;
    }

    /// True if some pods of the model do not belong to any of the variants.
    bool has_unattributed() const noexcept { return has_unattributed_; }

    /// True if some series have no pod label; they count for each variant.
    bool has_series_without_pod() const noexcept { return has_series_without_pod_; }

private:
    /// Kind and name. Several variants may scale one workload, and workloads of different kinds may
    /// have the same name.
    using Workload = std::pair<std::string_view, std::string_view>;
    static Workload workload_of(const VariantAutoscaling& variant) noexcept {
        return {variant.target_kind, variant.deployment};
    }

    WorkloadTotal without_pod_;
    /// Each includes `without_pod_`.
    std::map<Workload, WorkloadTotal> of_workload_;
    bool has_unattributed_ = false;
    bool has_series_without_pod_ = false;
};

} // namespace wva_metrics::detail
