// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/config.hpp>
#include <wva_metrics/workload.hpp>

#include <cstddef>
#include <string>

namespace bench {

/// A variant with a model of its own, with names as in a cluster.
inline wva_metrics::VariantAutoscaling numbered_variant(std::size_t number) {
    const std::string name = std::string("llama-") + std::to_string(number);
    return {std::string("team-") + std::to_string(number % 10), name + "-a100",
            std::string("meta-llama/Llama-3.1-8B-Instruct-") + std::to_string(number),
            name + "-decode", "A100"};
}

/// Limits with room for this many variants and as many models.
inline wva_metrics::CollectorConfig roomy_config(std::size_t variants) {
    wva_metrics::CollectorConfig config;
    config.cache.max_entries = 2 * variants + 1;
    config.cache.max_bytes = (std::size_t{1} << 20) + 8192 * variants;
    config.max_tracked = variants + 1;
    return config;
}

} // namespace bench
