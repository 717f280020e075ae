// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/settings_sources.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Returns the value of an environment variable; empty if it is not set. A variable with an empty
/// value is treated as not set.
using Environment = std::function<std::string(const char* name)>;

/// The environment of this process. Safe as long as no thread changes the environment.
inline Environment process_environment() {
    return [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
}

/// An environment variable that sets fields of the settings.
struct EnvironmentVariable {
    /// The name that deployments of the workload variant autoscaler use.
    const char* name;
    /// Paths of the fields that it sets; the second one may be empty.
    std::array<std::string_view, 2> paths;
};

/// All environment variables that are read.
inline constexpr std::array<EnvironmentVariable, 14> environment_variables{{
    {"PROMETHEUS_BASE_URL", {"prometheus.client.url"}},
    {"PROMETHEUS_TOKEN_PATH", {"prometheus.client.credentials"}},
    {"PROMETHEUS_BEARER_TOKEN", {"prometheus.client.credentials"}},
    {"PROMETHEUS_TLS_INSECURE_SKIP_VERIFY", {"tls.insecure_accept_any_certificate"}},
    {"PROMETHEUS_CA_CERT_PATH", {"tls.ca_file"}},
    {"PROMETHEUS_CLIENT_CERT_PATH", {"tls.certificate_file"}},
    {"PROMETHEUS_CLIENT_KEY_PATH", {"tls.private_key_file"}},
    {"PROMETHEUS_SERVER_NAME", {"tls.server_name"}},
    {"PROMETHEUS_METRICS_CACHE_ENABLED", {"collector.cache.enabled"}},
    {"PROMETHEUS_METRICS_CACHE_TTL", {"collector.cache.ttl"}},
    {"PROMETHEUS_METRICS_CACHE_CLEANUP_INTERVAL", {"collector.cache.cleanup_interval"}},
    {"PROMETHEUS_METRICS_CACHE_FETCH_INTERVAL", {"collector.cache.fetch_interval"}},
    {"PROMETHEUS_METRICS_CACHE_FRESH_THRESHOLD",
     {"collector.cache.freshness_thresholds.optimizer_metrics",
      "collector.cache.freshness_thresholds.replica_metrics"}},
    {"PROMETHEUS_METRICS_CACHE_UNAVAILABLE_THRESHOLD",
     {"collector.cache.freshness_thresholds.unavailable"}},
}};

namespace detail {

/// The text of a variable as the JSON value of a field.
inline boost::json::value environment_value(std::string_view variable, const std::string& text,
                                            const Field& field,
                                            std::vector<SettingsProblem>& problems) {
    if (std::holds_alternative<http::Credentials*>(field.target)) {
        const char* const kind = variable == "PROMETHEUS_TOKEN_PATH" ? "token_file" : "token";
        return boost::json::object{{kind, text}};
    }
    if (!std::holds_alternative<bool*>(field.target))
        return boost::json::value(text);
    const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
        return std::find(words.begin(), words.end(), text) != words.end();
    };
    const bool is_true = is_one_of({"true", "1", "yes"});
    if (!is_true && !is_one_of({"false", "0", "no"}))
        problems.push_back({std::string(variable), "must be true or false"});
    return is_true;
}

/// Overrides settings with the environment and records the sources.
inline void read_environment(const Environment& environment, CollectorSettings& settings,
                             SettingsSources& sources, std::vector<SettingsProblem>& problems) {
    const std::vector<Field> fields = fields_of(settings);
    for (const EnvironmentVariable& variable : environment_variables) {
        const std::string text = environment(variable.name);
        if (text.empty())
            continue;
        for (const std::string_view path : variable.paths) {
            const auto field =
                std::find_if(fields.begin(), fields.end(),
                             [&](const Field& candidate) { return candidate.path == path; });
            if (field == fields.end())
                continue; // The variable sets one field only.
            std::string& source = sources[field->path];
            if (source == "PROMETHEUS_TOKEN_PATH") {
                problems.push_back(
                    {variable.name,
                     "is set together with PROMETHEUS_TOKEN_PATH; keep one of them"});
                continue;
            }
            const std::size_t problems_before = problems.size();
            const boost::json::value value =
                environment_value(variable.name, text, *field, problems);
            if (problems.size() == problems_before)
                SettingsReader(problems).read_value(value, *field, variable.name);
            source = variable.name;
            if (problems.size() > problems_before)
                break; // The second field would have the same problem.
        }
    }
}

} // namespace detail

} // namespace wva_metrics
