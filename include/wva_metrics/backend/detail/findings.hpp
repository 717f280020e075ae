// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/absence_findings.hpp"
#include "wva_metrics/backend/detail/failure_finding.hpp"
#include "wva_metrics/backend/detail/model_evidence.hpp"
#include "wva_metrics/backend/detail/presence_findings.hpp"
#include "wva_metrics/backend/detail/shared_findings.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/prometheus/flavor.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics::detail {

/// Remarks on the server itself.
inline void add_server_remarks(const ModelEvidence& seen, std::vector<Finding>& findings) {
    constexpr auto notable = std::chrono::seconds(30);
    if (seen.clock_ahead && std::chrono::abs(*seen.clock_ahead) >= notable) {
        const std::chrono::duration<double> by = std::chrono::abs(*seen.clock_ahead);
        findings.push_back(
            {FindingCode::clock_skew, false,
             "the server's clock is " + whole_seconds(by.count()) +
                 (*seen.clock_ahead > seen.clock_ahead->zero() ? " ahead of" : " behind") +
                 " the local one; readings do not depend on it, but certificates "
                 "and logs do: synchronize both with NTP"});
    }
    findings.push_back({FindingCode::server_make, false,
                        seen.flavor == prometheus::Flavor::unknown
                            ? "the server does not tell its make, and is queried like Prometheus"
                            : "the server is " + std::string(to_string(seen.flavor))});
}

/// From what was seen to what is wrong. Pure.
inline Diagnosis findings_of(const ModelEvidence& seen, const PrometheusConfig& config,
                             const samples::SampleRules& rules) {
    Diagnosis diagnosis;
    diagnosis.model = seen.model;
    std::vector<Finding>& findings = diagnosis.findings;
    if (seen.report.failure) {
        findings.push_back(failure_finding(*seen.report.failure));
        finish_findings(findings);
        return diagnosis;
    }
    if (has_living_pods(seen.report))
        PresenceFindings(seen, config, rules, findings).add_all();
    else
        AbsenceFindings(seen, config, findings).add_all();
    add_server_remarks(seen, findings);
    finish_findings(findings);
    return diagnosis;
}

} // namespace wva_metrics::detail
