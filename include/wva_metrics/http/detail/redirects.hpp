// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/url.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// Decides which redirects of one call are followed: those to the same scheme, host and port, since
/// others could send the credentials and the query to another server. Does no I/O.
class Redirects {
public:
    /// `url`: the client's, which must outlive this object.
    Redirects(const Url& url, std::size_t max_redirects)
        : url_(url), max_redirects_(max_redirects) {}

    /// What to send after this answer to this request; nothing if it is not a redirect. The error
    /// says why a redirect is not followed, without repeating paths and queries: they may have
    /// secrets.
    Result<std::optional<Request>> next(const Request& request, const Response& response) {
        const int status = response.status;
        const bool keeps_method = status == 307 || status == 308;
        if (!keeps_method && status != 301 && status != 302 && status != 303)
            return std::optional<Request>();
        const auto reject = [&](const std::string& reason) {
            return Error(Errc::rejected,
                         "the server redirects the request (HTTP " + std::to_string(status) + ") " +
                             reason,
                         url_.origin(), status);
        };
        if (request.method() == Method::post && !keeps_method)
            return reject("and wants it to become a GET, which is followed only if it is one");
        if (!response.location || response.location->empty())
            return reject("without saying where to");
        std::string from = full_target(request);
        const std::optional<std::string> target = same_origin_target(*response.location, from);
        if (!target)
            return reject(
                "to another server, port or scheme, or to something else than a URL; only "
                "redirects to " +
                url_.origin() + " are followed: configure the right URL");
        visited_.push_back(std::move(from));
        if (std::find(visited_.begin(), visited_.end(), *target) != visited_.end())
            return reject("in a circle");
        if (visited_.size() > max_redirects_)
            return reject("more than limits.max_redirects = " + std::to_string(max_redirects_) +
                          " times");
        return std::optional<Request>(request.redirected_to(*target));
    }

private:
    std::string full_target(const Request& request) const {
        return (request.is_redirected() ? "" : url_.base_path) + request.target();
    }

    /// Path and query of a URL of the own origin, absolute or relative to `from`.
    std::optional<std::string> same_origin_target(std::string_view location,
                                                  std::string_view from) const {
        location = location.substr(0, location.find('#'));
        if (!is_visible(location))
            return std::nullopt;
        const std::size_t path_of_from = std::min(from.find('?'), from.size());
        std::string target;
        if (location.starts_with("//") || has_scheme(location)) {
            const std::string absolute =
                (location.starts_with("//") ? url_.scheme + ':' : std::string()) +
                std::string(location);
            const std::size_t authority = std::min(absolute.find("//"), absolute.size());
            const std::size_t path =
                std::min(absolute.find_first_of("/?", std::min(authority + 2, absolute.size())),
                         absolute.size());
            const Result<Url> server = parse_url(absolute.substr(0, path));
            if (!server || server->origin() != url_.origin())
                return std::nullopt;
            target = absolute.substr(path);
            if (!target.starts_with('/'))
                target.insert(0, 1, '/');
        } else if (location.starts_with('/')) {
            target = location;
        } else if (location.starts_with('?')) {
            target = from.substr(0, path_of_from);
            target += location;
        } else {
            target = from.substr(0, from.substr(0, path_of_from).rfind('/') + 1);
            target += location;
        }
        const bool has_valid_path = is_path(std::string_view(target).substr(0, target.find('?')));
        return has_valid_path ? std::optional(std::move(target)) : std::nullopt;
    }

    /// `scheme:` before the first `/`, `?` or `#`.
    static bool has_scheme(std::string_view location) {
        return location.substr(0, location.find_first_of("/?")).find(':') != std::string_view::npos;
    }

    const Url& url_;
    const std::size_t max_redirects_;
    /// The targets of the requests that were redirected.
    std::vector<std::string> visited_;
};

} // namespace wva_metrics::http::detail
