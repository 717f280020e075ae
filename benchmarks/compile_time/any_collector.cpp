// SPDX-License-Identifier: Apache-2.0
//
// A unit of an autoscaler that knows only the interface of a collector.
#include <wva_metrics/any_collector.hpp>

std::size_t pods_of(wva_metrics::AnyCollector& collector, const wva_metrics::ModelKey& model) {
    const auto known = collector.find_replica_metrics(model, {});
    return known ? (*known)->replicas.size() : 0;
}
