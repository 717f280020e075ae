// SPDX-License-Identifier: Apache-2.0
//
// Two files that include everything and are linked together: no definition may collide.
#include "wva_metrics/wva_metrics.hpp"

const void* category_in_tu_2();
const void* category_in_tu_2() {
    return &wva_metrics::error_category();
}
