// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/workload_totals.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;

namespace {

constexpr std::array totalled = {Signal::arrival_rate, Signal::ttft};

JudgedPod pod_with_rate(const std::string& name, double per_second) {
    JudgedPod pod;
    pod.report.pod = name;
    pod.report.life = samples::PodLife::alive;
    samples::SignalValue& value =
        pod.report.values[wva_metrics::detail::index_of(Signal::arrival_rate)];
    value.reason = ReadingReason::none;
    value.value = per_second;
    return pod;
}

VariantAutoscaling scaling(const std::string& name, const std::string& workload,
                           const std::string& kind = "Deployment") {
    return {"llm", name, "m", workload, {}, default_variant_cost, kind};
}

/// The totals of some pods; keeps what they refer to.
struct TotalledPods {
    TotalledPods(std::vector<VariantAutoscaling> all, const std::vector<JudgedPod>& pods)
        : variants(std::move(all)), deployments({"llm", "m"}, variants),
          totals(totalled, pods, deployments) {}

    /// Per minute; -1 if there is none.
    double rate(std::size_t variant) const {
        const SignalTotal& total = totals.of(variants[variant]).at(Signal::arrival_rate);
        static const wva_metrics::detail::SignalMetrics names(vllm_profile());
        return total.empty() ? -1 : total.reading(names, {}, 0).value();
    }

    std::vector<VariantAutoscaling> variants;
    DeploymentIndex deployments;
    WorkloadTotals totals;
};

} // namespace

TEST_CASE("each workload has the totals of its own pods") {
    const TotalledPods found({scaling("big", "big"), scaling("small", "small"), scaling("c", "c")},
                             {pod_with_rate("big-7d9f8b6c5d-aaaaa", 1),
                              pod_with_rate("big-7d9f8b6c5d-bbbbb", 2),
                              pod_with_rate("small-7d9f8b6c5d-aaaaa", 4)});
    CHECK(found.rate(0) == 180);
    CHECK(found.rate(1) == 240);
    CHECK(found.rate(2) == -1);
    CHECK(found.totals.of(found.variants[0]).at(Signal::arrival_rate).counted() == 2);
    CHECK(found.totals.of(found.variants[0]).at(Signal::ttft).empty());
    CHECK_FALSE(found.totals.has_unattributed());
    CHECK_FALSE(found.totals.has_series_without_pod());
}

TEST_CASE("variants that scale one workload have the same totals") {
    const TotalledPods found({scaling("a", "llama"), scaling("b", "llama")},
                             {pod_with_rate("llama-7d9f8b6c5d-aaaaa", 1)});
    CHECK(found.rate(0) == 60);
    CHECK(found.rate(1) == 60);
}

TEST_CASE("workloads of one name and several kinds have their own totals") {
    const TotalledPods found(
        {scaling("a", "llama"), scaling("b", "llama", "StatefulSet")},
        {pod_with_rate("llama-0", 2), pod_with_rate("llama-7d9f8b6c5d-aaaaa", 1)});
    CHECK(found.rate(0) == 60);
    CHECK(found.rate(1) == 120);
}

TEST_CASE("the known owner of a pod counts, not the pod's name") {
    JudgedPod pod = pod_with_rate("llama-7d9f8b6c5d-aaaaa", 1);
    pod.owner = PodOwner{"Deployment", "other", OwnerSource::owner_references};
    const TotalledPods found({scaling("a", "llama"), scaling("b", "other")}, {pod});
    CHECK(found.rate(0) == -1);
    CHECK(found.rate(1) == 60);
}

TEST_CASE("a pod of no variant is in no total, and is told") {
    const TotalledPods found({scaling("a", "llama")}, {pod_with_rate("somebody-elses", 1)});
    CHECK(found.rate(0) == -1);
    CHECK(found.totals.has_unattributed());
}

TEST_CASE("series without a pod count for each variant, with and without pods of its own") {
    const TotalledPods found({scaling("a", "llama"), scaling("b", "other")},
                             {pod_with_rate("", 1), pod_with_rate("llama-7d9f8b6c5d-aaaaa", 2)});
    CHECK(found.rate(0) == 180);
    CHECK(found.rate(1) == 60);
    CHECK(found.totals.has_series_without_pod());
    CHECK_FALSE(found.totals.has_unattributed());
}
