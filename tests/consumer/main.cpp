// SPDX-License-Identifier: Apache-2.0
//
// The same program for all ways to use the library. It prints the version and the components.
#include <wva_metrics/settings/load_settings.hpp>
#include <wva_metrics/wva_metrics.hpp>

#ifdef WVA_METRICS_WITH_PLUGIN
#include <wva_metrics/settings/plugin/load_plugin.hpp>
#endif
#ifdef WVA_METRICS_WITH_TLS
#include <wva_metrics/http/tls.hpp>
#endif

#include <iostream>

int main() {
    // Reading a document needs the compiled part of Boost.JSON.
    const auto loaded = wva_metrics::load_settings(R"({"cache": "none", "backend": "mine"})");
    if (!loaded || loaded->settings.cache != "none")
        return 1;
    std::cout << "wva_metrics " << WVA_METRICS_VERSION_STRING << ", parts:";
#ifdef WVA_METRICS_WITH_TLS
    std::cout << (wva_metrics::http::make_tls_transport({}) ? " tls" : " broken tls");
#endif
#ifdef WVA_METRICS_WITH_GZIP
    std::cout << " gzip";
#endif
#ifdef WVA_METRICS_WITH_PLUGIN
    wva_metrics::CollectorFactory factory;
    std::cout << (load_plugin(factory, "nowhere.so").has_error() ? " plugin" : " broken plugin");
#endif
    std::cout << '\n';
}
