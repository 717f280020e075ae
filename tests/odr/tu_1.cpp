// SPDX-License-Identifier: Apache-2.0
//
// Two files that include everything and are linked together: no definition may collide.
#include "wva_metrics/wva_metrics.hpp"

const void* category_in_tu_2();

int main() {
    // One category for the whole program, or error codes would not compare equal.
    return &wva_metrics::error_category() == category_in_tu_2() ? 0 : 1;
}
