// SPDX-License-Identifier: Apache-2.0
#include <wva_metrics/backend/prometheus_config.hpp>
#include <wva_metrics/version.hpp>

#include <iostream>

int main() {
    const auto config = wva_metrics::PrometheusConfig::at("http://prometheus:9090");
    std::cout << "wva_metrics " << WVA_METRICS_VERSION_STRING << '\n';
    return wva_metrics::validate(config).empty() ? 0 : 1;
}
