// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/detail/read_build_info.hpp"
#include "wva_metrics/prometheus/flavor.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;

TEST_CASE("each make has a name, which is read back") {
    for (const Flavor flavor : {Flavor::unknown, Flavor::prometheus, Flavor::victoria_metrics,
                                Flavor::thanos, Flavor::mimir})
        CHECK(parse_flavor(to_string(flavor)) == flavor);
    CHECK(to_string(Flavor::victoria_metrics) == "victoria_metrics");
    CHECK(to_string(static_cast<Flavor>(99)) == "unknown");
    for (const char* text : {"", "Prometheus", "victoriametrics", "mimir "})
        CHECK_FALSE(parse_flavor(text).has_value());
}

TEST_CASE("the make of a server is read from its build information") {
    struct Case {
        std::string body;
        ServerMake make;
    };
    for (
        const auto& [body, make] : std::vector<Case>{
            // Prometheus 2.42 of Debian.
            {R"({"status":"success","data":{"version":"2.42.0+ds","revision":"2.42.0+ds-5+deb12u1","branch":"debian/sid","buildUser":"team+pkg-go@tracker.debian.org","buildDate":"20260604-00:58:54","goVersion":"go1.19.8"}})",
             {Flavor::prometheus, "2.42.0+ds"}},
            {R"({"status":"success","data":{"version":"3.5.0","revision":"8be3a95","branch":"HEAD","buildUser":"root@x","buildDate":"20250714","goVersion":"go1.24.5"}})",
             {Flavor::prometheus, "3.5.0"}},
            // VictoriaMetrics 1.79.5 of Debian, and newer ones.
            {R"({"status":"success","data":{}})", {Flavor::victoria_metrics, ""}},
            {R"({"status":"success","data":{"version":"2.24.0"}})", {Flavor::victoria_metrics, ""}},
            // Thanos Query.
            {R"({"status":"success","data":{"version":"0.34.1","revision":"4cf1559","branch":"HEAD","buildUser":"root@61db","buildDate":"20240219","goVersion":"go1.21.7"}})",
             {Flavor::thanos, "0.34.1"}},
            // Mimir, as in the tests of Grafana.
            {R"({"status":"success","data":{"application":"Grafana Mimir","version":"r249-5bedc7a1-WIP","revision":"5bedc7a1","branch":"weekly-r249","goVersion":"go1.20.5","features":{"ruler_config_api":"true","federated_rules":"false"}}})",
             {Flavor::mimir, "r249-5bedc7a1-WIP"}},
            {R"({"status":"success","data":{"application":"Grafana Enterprise Metrics","version":"v2.14"}})",
             {Flavor::mimir, "v2.14"}},
            // Others.
            {R"({"status":"success","data":{"application":"Other","version":"9"}})",
             {Flavor::unknown, "9"}},
            {R"({"status":"success","data":{"version":"1.16.0","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":""}})",
             {Flavor::unknown, "1.16.0"}},
            {R"({"status":"success","data":{"version":"2.24.0","revision":"x"}})", {}},
            {R"({"status":"success","data":{"version":7,"goVersion":"go1"}})",
             {Flavor::prometheus, ""}},
            {R"({"status":"success"})", {}},
            {R"({"status":"success","data":[]})", {}},
            {R"({"status":"error","errorType":"bad_data","error":"x","data":{}})", {}},
            {R"([{"status":"success","data":{}}])", {}},
            {R"({"status":"success","data":{)", {}},
            {"404 page not found\n", {}},
            {"<html>login</html>", {}},
            {"", {}},
        }) {
        INFO(body);
        CHECK(prometheus::detail::read_build_info(body) == make);
    }
    const std::string large = R"({"status":"success","data":{"version":")";
    CHECK(prometheus::detail::read_build_info(large + std::string(70'000, '2') +
                                              R"(","goVersion":""}})") == ServerMake{});
    CHECK(prometheus::detail::read_build_info(large + std::string(1000, '2') +
                                              R"(\u001b","goVersion":""}})")
              .version.size() == 64);
}
