// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "asked_server.hpp"
#include "scenario.hpp"
#include "wva_metrics/diagnosis.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// The names of findings, which a failed check shows.
using FindingNames = std::vector<std::string_view>;

/// A cluster, and what a diagnosis of its model finds.
class DiagnosedScenario {
public:
    explicit DiagnosedScenario(RealServer& server) : cluster(server), asked(server) {
        // The servers are shared, and other namespaces must not have this model.
        process.model = "acme/" + cluster.namespace_name() + "-llama-3";
    }

    ModelKey model() const { return {cluster.namespace_name(), process.model}; }
    VariantAutoscaling variant(const std::string& workload = "llama") const {
        return {cluster.namespace_name(), "va", process.model, workload};
    }
    ScrapedLabels target(const ScrapedLabels& more = {}) const {
        ScrapedLabels labels = cluster.target(pod);
        for (const auto& [name, value] : more)
            labels[name] = value;
        return labels;
    }
    /// As a cluster with kube-state-metrics reports it.
    void report_pod() { cluster.add(ReportedPod{.pod = pod, .owner_name = "llama-7d9f8b6c5d"}); }
    void add_healthy() {
        cluster.add(process, target());
        report_pod();
        cluster.write();
    }

    void diagnose(const ModelKey& of, std::vector<VariantAutoscaling> variants = {}) {
        PrometheusBackend backend(asked.io.get_executor(), asked.config);
        diagnosis = asked.run(backend.diagnose(of, std::move(variants))).value();
    }
    void diagnose() { diagnose(model(), {variant()}); }

    FindingNames names(bool of_problems) const {
        FindingNames found;
        for (const Finding& finding : diagnosis.findings)
            if (finding.is_problem == of_problems)
                found.push_back(to_string(finding.code));
        return found;
    }
    FindingNames problems() const { return names(true); }
    FindingNames remarks() const { return names(false); }
    std::string text(FindingCode code) const {
        std::string texts;
        for (const Finding& finding : diagnosis.findings)
            if (finding.code == code)
                texts += finding.text + "\n";
        return texts;
    }
    /// For the message of a failed check.
    std::string all() const {
        std::string texts = cluster.server().name() + ":";
        for (const Finding& finding : diagnosis.findings)
            texts += "\n" + std::string(to_string(finding.code)) + ": " + finding.text;
        return texts;
    }

    const std::string pod = "llama-7d9f8b6c5d-aaaaa";
    Scenario cluster;
    AskedServer asked;
    ServingProcess process;
    Diagnosis diagnosis;
};

} // namespace wva_metrics::test_support
