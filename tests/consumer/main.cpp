// SPDX-License-Identifier: Apache-2.0
//
// The same program for every way of getting the library. It says what it got.
#include <wva_metrics/wva_metrics.hpp>

#ifdef WVA_METRICS_WITH_TLS
#include <wva_metrics/http/tls.hpp>
#endif

#include <iostream>

int main() {
    const wva_metrics::NoOpCache cache;
    std::cout << "wva_metrics " << WVA_METRICS_VERSION_STRING << ", " << cache.size()
              << " entries cached, parts:";
#ifdef WVA_METRICS_WITH_TLS
    std::cout << (wva_metrics::http::make_tls_transport({}) ? " tls" : " broken tls");
#endif
#ifdef WVA_METRICS_WITH_GZIP
    std::cout << " gzip";
#endif
    std::cout << '\n';
}
