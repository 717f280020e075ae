// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "real_prometheus.hpp"
#include "real_victoria_metrics.hpp"

#include <catch2/catch_all.hpp>

#include <map>
#include <memory>
#include <string>

namespace wva_metrics::test_support {

/// The makes of servers that tests run against.
enum class RealMake { prometheus, prometheus3, victoria_metrics };

/// The environment variable with the path of its program.
inline const char* variable_of(RealMake make) {
    switch (make) {
    case RealMake::prometheus:
        return "WVA_METRICS_PROMETHEUS";
    case RealMake::prometheus3:
        return "WVA_METRICS_PROMETHEUS3";
    case RealMake::victoria_metrics:
        return "WVA_METRICS_VICTORIA_METRICS";
    }
    return "";
}

/// Starts a server that accepts remote writes.
inline std::unique_ptr<RealServer> start_server(RealMake make, const std::string& binary) {
    if (make == RealMake::victoria_metrics)
        return std::make_unique<RealVictoriaMetrics>(binary);
    RealPrometheus::Options options;
    options.config = "global:\n  scrape_interval: 15s\n";
    options.arguments = {"--web.enable-remote-write-receiver",
                         "--enable-feature=native-histograms"};
    if (make == RealMake::prometheus3)
        options.name = "prometheus3";
    return std::make_unique<RealPrometheus>(binary, options);
}

/// The server of this make that all tests share, because starting one takes longer than most tests;
/// so each test needs a namespace of its own. Skips the test if the server is not installed.
inline RealServer& shared_server(RealMake make) {
    static std::map<RealMake, std::unique_ptr<RealServer>> running;
    const auto binary = program_at(variable_of(make));
    if (!binary)
        SKIP("needs a real server: set " << variable_of(make) << " to the path of its binary");
    std::unique_ptr<RealServer>& server = running[make];
    if (!server)
        server = start_server(make, *binary);
    return *server;
}

/// Runs the rest of the test case once for each make of server.
inline RealServer& each_server() {
    return shared_server(
        GENERATE(RealMake::prometheus, RealMake::prometheus3, RealMake::victoria_metrics));
}

/// The same for each version of Prometheus.
inline RealServer& each_prometheus() {
    return shared_server(GENERATE(RealMake::prometheus, RealMake::prometheus3));
}

} // namespace wva_metrics::test_support
