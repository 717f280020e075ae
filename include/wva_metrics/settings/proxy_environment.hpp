// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/http/proxy_config.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/settings/environment.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {

/// The value of a variable in upper or else in lower case, and which of the two it was.
struct ProxyVariable {
    std::string name;
    std::string value;

    ProxyVariable(const Environment& environment, std::string upper_case)
        : name(std::move(upper_case)), value(environment(name.c_str())) {
        if (value.empty()) {
            std::transform(name.begin(), name.end(), name.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
            value = environment(name.c_str());
        }
    }
};

/// Reads `[http://][user[:password]@]host[:port][/]`.
inline Result<http::ProxyConfig> parse_proxy(std::string_view text) {
    http::ProxyConfig config;
    const std::size_t scheme_end = text.find("://");
    const std::string_view scheme =
        scheme_end == std::string_view::npos ? "http" : text.substr(0, scheme_end);
    std::string_view server =
        scheme_end == std::string_view::npos ? text : text.substr(scheme_end + 3);
    const std::size_t at = server.substr(0, server.find('/')).rfind('@');
    if (at != std::string_view::npos) {
        const std::string_view user_info = server.substr(0, at);
        const std::size_t colon = std::min(user_info.find(':'), user_info.size());
        const std::optional<std::string> user = http::decode_percent(user_info.substr(0, colon));
        const std::optional<std::string> password =
            http::decode_percent(user_info.substr(std::min(colon + 1, user_info.size())));
        if (!user || !password)
            return Error(Errc::invalid_config, "has a wrong percent escape in user or password");
        config.credentials = http::Credentials::basic(*user, *password);
        server.remove_prefix(at + 1);
    }
    config.url = std::string(scheme) + "://" + std::string(server);
    return config;
}

} // namespace detail

/// The proxy that the environment names for a server: `HTTPS_PROXY` or `HTTP_PROXY` by the scheme of
/// its URL, and `NO_PROXY`; each also in lower case. Without such a variable there is no proxy: the
/// result has an empty URL. `HTTP_PROXY` is ignored in a CGI program (`REQUEST_METHOD` is set), where
/// it may come from a request.
///
/// **Parameters:**
/// - `server`: what is to be reached.
/// - `environment`: returns the values of environment variables.
///
/// **Errors:**
/// - `invalid_config`: a variable is wrong; the message names it, and never has its user or password.
///
/// **Threads:** any thread, if no thread changes the environment.
inline Result<http::ProxyConfig>
proxy_from_environment(const http::Url& server,
                       const Environment& environment = process_environment()) {
    const detail::ProxyVariable variable(environment,
                                         server.is_secure() ? "HTTPS_PROXY" : "HTTP_PROXY");
    const bool is_from_request =
        variable.name == "HTTP_PROXY" && !environment("REQUEST_METHOD").empty();
    if (variable.value.empty() || is_from_request)
        return http::ProxyConfig();
    const auto reject = [](const std::string& name, const std::string& problem) {
        return Error(Errc::invalid_config, name + ": " + problem);
    };
    Result<http::ProxyConfig> config = detail::parse_proxy(variable.value);
    if (!config)
        return reject(variable.name, config.error().message);
    if (const auto problems = validate(*config); !problems.empty())
        return reject(variable.name, problems.front());
    const detail::ProxyVariable exceptions(environment, "NO_PROXY");
    std::string_view rest = exceptions.value;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find_first_of(", \t"), rest.size());
        if (end > 0)
            config->no_proxy.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (const auto problems = validate(*config); !problems.empty())
        return reject(exceptions.name, problems.front());
    return config;
}

} // namespace wva_metrics
