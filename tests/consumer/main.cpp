// SPDX-License-Identifier: Apache-2.0
// The same program for every way of getting the library.
#include <wva_metrics/wva_metrics.hpp>

#include <iostream>

int main() {
    const wva_metrics::NoOpCache cache;
    std::cout << "wva_metrics " << WVA_METRICS_VERSION_STRING << ", " << cache.size()
              << " entries cached\n";
}
