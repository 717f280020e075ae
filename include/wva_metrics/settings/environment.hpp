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

/// Gives the value of an environment variable; empty where it is not set. One that is set to
/// nothing counts as not set.
using Environment = std::function<std::string(const char* name)>;

/// The environment of this process. Reading it is safe as long as no thread changes it.
inline Environment process_environment() {
    return [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
}

/// An environment variable that says something about a collector.
struct EnvironmentVariable {
    /// Its name, as the workload variant autoscaler's deployments set it.
    const char* name;
    /// The field that it sets; two where it means both.
    std::array<std::string_view, 2> paths;
};

/// Every environment variable that is read.
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

/// The variable's text as a document would have it for this field.
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

/// Lets the environment overrule the settings, and notes what it said.
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
                continue; // The variable means one field only.
            std::string& source = sources[field->path];
            if (source == "PROMETHEUS_TOKEN_PATH") {
                problems.push_back(
                    {variable.name, "is set, and so is PROMETHEUS_TOKEN_PATH; keep one of them"});
                continue;
            }
            const std::size_t before = problems.size();
            const boost::json::value value =
                environment_value(variable.name, text, *field, problems);
            if (problems.size() == before)
                SettingsReader(problems).read_value(value, *field, variable.name);
            source = variable.name;
            if (problems.size() > before)
                break; // Of a second field it would be said again.
        }
    }
}

} // namespace detail

} // namespace wva_metrics
