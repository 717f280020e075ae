// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::samples {

/// Which labels tell what, and how strict the evidence must be that two views are one process.
///
/// The lists are in order of preference. A label in no list is one that the server writes itself,
/// if two series of one scrape differ in it.
struct SampleRules {
    /// Labels that name a pod.
    std::vector<std::string> pod = {"exported_pod", "pod",          "kubernetes_pod_name",
                                    "pod_name",     "k8s_pod_name", "kubernetes_pod"};
    /// Labels that hold the address that was scraped, `host:port`.
    std::vector<std::string> address = {"exported_instance", "instance"};
    /// Labels that name a cluster or a tenant. Pods of two clusters may have the same name.
    std::vector<std::string> boundary = {"cluster",       "cluster_name",     "cluster_id",
                                         "k8s_cluster",   "k8s_cluster_name", "kubernetes_cluster",
                                         "__tenant_id__", "tenant_id",        "vm_account_id",
                                         "vm_project_id", "project_id"};
    /// Labels that differ between copies of one process, and never tell two processes of a pod
    /// apart.
    std::vector<std::string> copy_only = {
        "job",        "exported_job", "prometheus",       "prometheus_replica",
        "replica",    "__replica__",  "receive",          "receive_replica",
        "monitor",    "service",      "exported_service", "scrape_job",
        "rule_group", "source"};
    /// Labels that may differ between copies of one process, and between processes of one pod.
    std::vector<std::string> maybe = {"endpoint", "container", "port", "metrics_path", "node"};
    /// Two ports of one host are two processes, unless something proves one. True where somebody has
    /// chosen what is scraped, and would not choose one process twice; false where several scrapers
    /// may find the same one.
    bool are_ports_processes = false;
    /// By how much the times of two scrapers may disagree, and how long a scrape may last.
    ServerDuration tolerance = std::chrono::seconds(5);
    /// Two counters bracket each other tightly if one grew by at most this share between two
    /// samples of the other.
    double tight_share = 0.02;
    /// How many independent counters must bracket each other tightly to prove one process.
    std::size_t min_tight_counters = 3;
    /// The window of rates and averages.
    ServerDuration window = std::chrono::minutes(1);
    /// The window of a gauge's highest value. 0 = the last sample only.
    ServerDuration peak = std::chrono::minutes(1);
    /// A window that holds fewer than two samples grows to this number of spacings...
    int widened_spacings = 4;
    /// ...but never beyond this.
    ServerDuration longest_window = std::chrono::minutes(5);
    /// A server that missed more scrapes than this is not alive.
    double max_missed_scrapes = 2.5;
    /// More resets of a counter in one window show that several processes write one series.
    std::size_t max_resets = 1;
};

} // namespace wva_metrics::samples
