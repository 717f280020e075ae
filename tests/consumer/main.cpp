// SPDX-License-Identifier: Apache-2.0
// The same program for every way of getting the library.
#include <wva_metrics/version.hpp>

#include <iostream>

int main() { std::cout << "wva_metrics " << WVA_METRICS_VERSION_STRING << '\n'; }
