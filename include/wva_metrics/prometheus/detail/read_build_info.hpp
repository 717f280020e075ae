// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/read_api_error.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"
#include "wva_metrics/prometheus/flavor.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// Larger bodies are not the build information of a known server.
inline constexpr std::size_t max_build_info_bytes = std::size_t{64} << 10;

/// Reads the body of an answer of `/api/v1/status/buildinfo`.
///
/// - Prometheus (web/api/v1/api.go) and Thanos (pkg/api/query) send version, revision, branch,
///   buildUser, buildDate and goVersion. All versions of Thanos begin with 0; Prometheus has this
///   endpoint since 2.14.
/// - Mimir (pkg/api/handlers.go) sends its name as `application`.
/// - VictoriaMetrics (app/vmselect/main.go) sends nothing in old versions (1.79), and in newer ones
///   only the version of Prometheus for which Grafana should take it. Other servers may do the
///   same, so that this answer alone does not prove it.
inline ServerMake read_build_info(std::string_view body) {
    if (body.size() > max_build_info_bytes)
        return {};
    boost::system::error_code failure;
    const boost::json::value answer = boost::json::parse(body, failure);
    const boost::json::object* const envelope = failure ? nullptr : answer.if_object();
    if (envelope == nullptr || string_member(*envelope, "status") != "success")
        return {};
    const boost::json::value* const data = envelope->if_contains("data");
    const boost::json::object* const info = data == nullptr ? nullptr : data->if_object();
    if (info == nullptr)
        return {};

    const std::string version = clean_text(string_member(*info, "version"), 64);
    const std::string_view application = string_member(*info, "application");
    if (application == "Grafana Mimir" || application == "Grafana Enterprise Metrics")
        return {Flavor::mimir, version};
    if (!application.empty())
        return {Flavor::unknown, version};
    if (!info->contains("goVersion"))
        return {info->size() <= 1 ? Flavor::victoria_metrics : Flavor::unknown, {}};
    if (version.starts_with("0."))
        return {Flavor::thanos, version};
    return {version.starts_with("1.") ? Flavor::unknown : Flavor::prometheus, version};
}

} // namespace wva_metrics::prometheus::detail
