// SPDX-License-Identifier: Apache-2.0
#include "autoscaler.hpp"

#include <iostream>

using namespace wva_metrics;

std::ostream& operator<<(std::ostream& out, const Reading<double>& reading) {
    return reading ? out << reading.value() : out << to_string(reading.reason());
}

boost::asio::awaitable<void> reconcile(AnyCollector& collector,
                                       std::vector<VariantAutoscaling> variants) {
    for (const VariantAutoscaling& variant : variants) {
        const auto seen =
            co_await collector.async_collect_replica_metrics(variant.model(), variants);
        if (!seen) {
            std::cout << variant.name << ": hold; " << seen.error().describe() << '\n';
            continue;
        }
        std::cout << variant.name << ": " << to_string(seen->freshness()) << " from "
                  << to_string(seen->source()) << '\n';
        for (const ReplicaMetrics& replica : (*seen)->replicas)
            std::cout << "  " << replica.pod << " on " << replica.accelerator << ": KV cache "
                      << replica.kv_cache_usage << ", queue " << replica.queue_length << '\n';
    }
}
