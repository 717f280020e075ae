// SPDX-License-Identifier: Apache-2.0
//
// Two translation units that include all headers are linked together: no definition may occur
// twice.
#include "wva_metrics/wva_metrics.hpp"

const void* category_in_tu_2();
const void* category_in_tu_2() {
    return &wva_metrics::error_category();
}
