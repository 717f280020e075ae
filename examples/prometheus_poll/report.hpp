// SPDX-License-Identifier: Apache-2.0
//
// What prometheus_poll shows of one model.
#pragma once

#include <wva_metrics/wva_metrics.hpp>

#include <ctime>
#include <set>
#include <string>
#include <vector>

namespace prometheus_poll {

struct VariantReport {
    wva_metrics::VariantAutoscaling variant;
    wva_metrics::OptimizerMetrics metrics; ///< All readings are missing if the collection failed.
};

struct Report {
    std::time_t time;
    wva_metrics::ModelKey model;
    wva_metrics::Availability availability;
    std::vector<VariantReport> variants;
    wva_metrics::ReplicaSnapshot replicas;
    bool partial; ///< Of the replicas or of a variant.
    std::set<std::string> warnings;
    wva_metrics::CacheStats cache;
};

} // namespace prometheus_poll
