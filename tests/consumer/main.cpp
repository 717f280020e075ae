// SPDX-License-Identifier: Apache-2.0
//
// The same program for all ways to use the library. It prints the version and the components. It includes little of the
// library, because it is compiled many times: that the headers of a component are there is enough.
#include <wva_metrics/parse_duration.hpp>
#include <wva_metrics/version.hpp>

#include <boost/json/parse.hpp>

#include <iostream>

#ifdef WVA_METRICS_WITH_TLS
#include <openssl/ssl.h>
#if !__has_include(<wva_metrics/http/tls.hpp>)
#error "the headers of the component tls are missing"
#endif
#endif
#ifdef WVA_METRICS_WITH_GZIP
#include <zlib.h>
#if !__has_include(<wva_metrics/http/gzip.hpp>)
#error "the headers of the component gzip are missing"
#endif
#endif
#ifdef WVA_METRICS_WITH_PLUGIN
#include <dlfcn.h>
#if !__has_include(<wva_metrics/settings/plugin/load_plugin.hpp>)
#error "the headers of the component plugin are missing"
#endif
#endif

int main() {
    // Parsing needs the compiled part of Boost.JSON.
    const boost::json::value document = boost::json::parse(R"({"ttl": "30s"})");
    if (!wva_metrics::parse_duration(document.at("ttl").as_string()))
        return 1;
    std::cout << "wva_metrics " << WVA_METRICS_VERSION_STRING << ", components:";
    // Each needs the library of its component.
#ifdef WVA_METRICS_WITH_TLS
    std::cout << (TLS_client_method() != nullptr ? " tls" : " broken tls");
#endif
#ifdef WVA_METRICS_WITH_GZIP
    std::cout << (zlibVersion() != nullptr ? " gzip" : " broken gzip");
#endif
#ifdef WVA_METRICS_WITH_PLUGIN
    std::cout << (dlopen(nullptr, RTLD_LAZY) != nullptr ? " plugin" : " broken plugin");
#endif
    std::cout << '\n';
}
