// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/merge_layers.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace wva_metrics::detail {

/// What all sources found, with their names; problems before remarks. A source has one answer, or
/// none if it cannot tell.
inline Diagnosis
merge_diagnoses(const LayerMerger& merger, const ModelKey& model,
                std::span<const std::optional<std::vector<Result<Diagnosis>>>> sources) {
    Diagnosis merged;
    merged.model = model;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (!sources[i] || sources[i]->empty())
            continue;
        const Result<Diagnosis>& said = sources[i]->front();
        if (said.has_error())
            merged.findings.push_back({FindingCode::server_trouble, true,
                                       merger.name(i) + ": " + said.error().describe()});
        else
            for (const Finding& finding : said->findings)
                merged.findings.push_back(
                    {finding.code, finding.is_problem, merger.name(i) + ": " + finding.text});
    }
    std::stable_sort(
        merged.findings.begin(), merged.findings.end(),
        [](const Finding& a, const Finding& b) { return a.is_problem && !b.is_problem; });
    return merged;
}

} // namespace wva_metrics::detail
