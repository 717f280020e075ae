// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <string>

namespace wva_metrics::test_support {

/// One of many variants of three models.
inline VariantAutoscaling numbered_variant(int number) {
    const std::string name = "v" + std::to_string(number);
    return {"llm", name, "model" + std::to_string(number % 3), name, "", 1.0};
}

} // namespace wva_metrics::test_support
