// SPDX-License-Identifier: Apache-2.0
//
// Two translation units that include all headers are linked together: no definition may occur
// twice.
#include "wva_metrics/wva_metrics.hpp"

const void* category_in_tu_2();

int main() {
    // The program must have one category only, otherwise error codes do not compare equal.
    return &wva_metrics::error_category() == category_in_tu_2() ? 0 : 1;
}
