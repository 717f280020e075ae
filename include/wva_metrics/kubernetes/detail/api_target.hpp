// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/kubernetes/resource.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// A resource and a selection of its objects, whatever their type.
struct ApiTarget {
    template <typename T>
    ApiTarget(const Resource<T>& resource, Selection selected)
        : group(resource.group), version(resource.version), plural(resource.plural),
          selection(std::move(selected)) {}

    std::string group;
    std::string version;
    std::string plural;
    Selection selection;

    /// Why it cannot be requested; empty if it can.
    std::optional<Error> problem() const {
        if (version.empty() || plural.empty())
            return Error(Errc::invalid_argument,
                         "a resource must have a version and a plural name");
        return std::nullopt;
    }

    /// The name with the group, e.g. `pods`, `deployments.apps`.
    std::string resource_name() const { return group.empty() ? plural : plural + '.' + group; }

    /// For people, e.g. `pods in namespace llm`, `deployments.apps in all namespaces`.
    std::string describe() const {
        std::string text = resource_name();
        text += selection.namespace_name.empty() ? " in all namespaces"
                                                 : " in namespace " + shown_namespace();
        return text;
    }

    /// Path and query that request a page. An empty token requests the first one.
    std::string list_path(const std::string& continue_token, std::size_t page_size) const {
        http::FormFields fields{{"limit", std::to_string(page_size)}};
        if (!continue_token.empty())
            fields.emplace_back("continue", continue_token);
        return with_query(std::move(fields));
    }

    /// Path and query that request a watch.
    std::string watch_path(const std::string& resource_version, std::int64_t seconds) const {
        return with_query({{"watch", "1"},
                           {"allowWatchBookmarks", "true"},
                           {"resourceVersion", resource_version},
                           {"timeoutSeconds", std::to_string(seconds)}});
    }

private:
    std::string shown_namespace() const {
        constexpr std::size_t max_bytes = 253;
        return wva_metrics::detail::clean_text(selection.namespace_name, max_bytes);
    }

    std::string with_query(http::FormFields fields) const {
        if (!selection.label_selector.empty())
            fields.emplace_back("labelSelector", selection.label_selector);
        std::string path = group.empty() ? "/api" : "/apis";
        const auto append = [&](std::string_view piece) {
            path += '/';
            http::append_form_encoded(path, piece);
        };
        if (!group.empty())
            append(group);
        append(version);
        if (!selection.namespace_name.empty()) {
            append("namespaces");
            append(selection.namespace_name);
        }
        append(plural);
        return path + '?' + http::form_encode(fields);
    }
};

} // namespace wva_metrics::kubernetes::detail
