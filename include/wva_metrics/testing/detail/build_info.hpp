// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/flavor.hpp"

#include <string_view>

namespace wva_metrics::testing::detail {

/// What a make of server answers at `/api/v1/status/buildinfo`; empty if it does not know that
/// path.
constexpr std::string_view build_info(prometheus::Flavor flavor) noexcept {
    using prometheus::Flavor;
    switch (flavor) {
    case Flavor::prometheus:
        return R"({"status":"success","data":{"version":"2.42.0","revision":"fake",)"
               R"("branch":"fake","buildUser":"fake","buildDate":"20230201-00:00:00",)"
               R"("goVersion":"go1.19.8"}})";
    case Flavor::victoria_metrics:
        return R"({"status":"success","data":{}})";
    case Flavor::thanos:
        return R"({"status":"success","data":{"version":"0.34.1","revision":"fake",)"
               R"("branch":"fake","buildUser":"fake","buildDate":"20240219-00:00:00",)"
               R"("goVersion":"go1.21.7"}})";
    case Flavor::mimir:
        return R"({"status":"success","data":{"application":"Grafana Mimir",)"
               R"("version":"2.15.0","revision":"fake","branch":"fake",)"
               R"("goVersion":"go1.23.5","features":{}}})";
    case Flavor::unknown:
        break;
    }
    return {};
}

} // namespace wva_metrics::testing::detail
