// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/deployment_index.hpp"
#include "wva_metrics/backend/detail/pod_facts.hpp"
#include "wva_metrics/backend/detail/pod_readings.hpp"
#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/workload.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// A rate or an average of one model, summed over the pods of each workload.
///
/// Visits every pod once, however many variants there are. Refers to the names of the variants that
/// `deployments` was made from.
class WorkloadRates {
public:
    /// `rows` are the sorted rows of one signal of one model; `names` is the number of the signal's
    /// metric names.
    WorkloadRates(Signal signal, std::span<const SignalRow> rows, std::size_t names,
                  Duration window, const std::string& namespace_name,
                  const DeploymentIndex& deployments, const PodFacts& pods) {
        const auto add = [&](RateTotal& total, std::span<const SignalRow> pod) {
            if (computation_of(signal) == Computation::average)
                add_average(total, pod, names, window);
            else
                add_rate(total, pod, names, window);
        };
        // The rows without a pod come first.
        for_each_pod(rows, [&](const std::string& pod, std::span<const SignalRow> of_pod) {
            if (pod.empty()) {
                add(without_pod_, of_pod);
                return;
            }
            const VariantAutoscaling* owner =
                deployments.owner_of(pod, pods.owner_of(namespace_name, pod));
            if (owner == nullptr) {
                has_unattributed_ = true;
                return;
            }
            add(of_workload_.try_emplace(workload_of(*owner), without_pod_).first->second, of_pod);
        });
    }

    /// The total of the pods of a variant's workload, and of the series without a pod.
    const RateTotal& of(const VariantAutoscaling& variant) const {
        const auto found = of_workload_.find(workload_of(variant));
        return found == of_workload_.end() ? without_pod_ : found->second;
    }

    /// True if some pods of the model do not belong to any of the variants.
    bool has_unattributed() const noexcept { return has_unattributed_; }

    /// True if some series have no pod label; they count for each variant.
    bool has_series_without_pod() const noexcept { return without_pod_.pods > 0; }

private:
    /// Kind and name. Several variants may scale one workload, and workloads of different kinds may
    /// have the same name.
    using Workload = std::pair<std::string_view, std::string_view>;
    static Workload workload_of(const VariantAutoscaling& variant) noexcept {
        return {variant.target_kind, variant.deployment};
    }

    RateTotal without_pod_;
    /// Each includes `without_pod_`.
    std::map<Workload, RateTotal> of_workload_;
    bool has_unattributed_ = false;
};

} // namespace wva_metrics::detail
