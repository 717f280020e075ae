// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/environment.hpp"
#include "wva_metrics/settings/proxy_environment.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/settings_sources.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// The parts of a text between commas, without the spaces around them.
inline boost::json::array split_at_commas(std::string_view text) {
    boost::json::array parts;
    while (true) {
        const std::size_t comma = text.find(',');
        std::string_view part = text.substr(0, comma);
        while (part.starts_with(' '))
            part.remove_prefix(1);
        while (part.ends_with(' '))
            part.remove_suffix(1);
        parts.emplace_back(part);
        if (comma == std::string_view::npos)
            return parts;
        text.remove_prefix(comma + 1);
    }
}

/// The variable has the path of a file with a token, and not the token.
inline bool names_token_file(std::string_view variable) noexcept {
    return variable.ends_with("_TOKEN_PATH");
}

/// The text of a variable as the JSON value of a field.
inline boost::json::value environment_value(std::string_view variable, const std::string& text,
                                            const Field& field,
                                            std::vector<SettingsProblem>& problems) {
    if (std::holds_alternative<http::Credentials*>(field.target)) {
        const char* const kind = names_token_file(variable) ? "token_file" : "token";
        return boost::json::object{{kind, text}};
    }
    if (std::holds_alternative<std::vector<std::string>*>(field.target) ||
        std::holds_alternative<std::vector<scrape::ScrapeTarget>*>(field.target) ||
        std::holds_alternative<std::vector<PodService>*>(field.target))
        return split_at_commas(text);
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
            if (names_token_file(source)) {
                problems.push_back(
                    {variable.name, "is set together with " + source + "; keep one of them"});
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

/// Takes the proxy from the environment if the settings ask for it.
inline void read_proxy_environment(const Environment& environment, CollectorSettings& settings,
                                   SettingsSources& sources,
                                   std::vector<SettingsProblem>& problems) {
    const Result<http::Url> server = http::parse_url(settings.prometheus.client.http.url);
    if (!settings.proxy_from_environment || !settings.proxy.url.empty() || !server)
        return;
    Result<http::ProxyConfig> proxy = proxy_from_environment(*server, environment);
    if (!proxy) {
        problems.push_back({"proxy_from_environment", proxy.error().message});
    } else if (!proxy->url.empty()) {
        settings.proxy = *std::move(proxy);
        for (const char* const path : {"proxy.url", "proxy.credentials", "proxy.no_proxy"})
            sources[path] = "proxy_from_environment";
    }
}

} // namespace wva_metrics::detail
