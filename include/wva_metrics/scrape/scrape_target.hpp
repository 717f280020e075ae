// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::scrape {

/// A page of metrics, and whose it is.
struct ScrapeTarget {
    /// `http://10.0.0.1:8000/metrics`. Without a path, `/metrics` is asked. A slash at the end of the
    /// path is kept.
    std::string url{};
    /// The pod's name. Empty = the host and the port of the URL.
    std::string pod{};
    /// The pod's Kubernetes namespace; may be empty.
    std::string namespace_name{};
    /// Tells a pod from another of the same name and address that came after it; may be empty.
    std::string uid{};
    /// The model that it serves, for a page that does not name models itself; may be empty.
    std::string model{};
    /// Added to each series of the page; may be empty. Names of `EngineLabels` and `instance` are
    /// set by the other members. `metrics_path` is the URL's path without the slash at its end, if
    /// that is not `/metrics`.
    samples::Labels labels{};
    /// The workload that the pod belongs to. Empty = it is derived from the pod's name.
    std::optional<PodOwner> owner{};
    /// Why the pod cannot be scraped although it exists, for instance because its description cannot be
    /// read. It is not scraped then, its URL is not used, and answers are incomplete and say why.
    std::optional<Error> problem{};

    friend bool operator==(const ScrapeTarget&, const ScrapeTarget&) = default;
};

/// The parts of a target's URL.
struct PageAddress {
    http::Url server{}; ///< Without a path.
    /// Path and query, as they are requested.
    std::string path{};

    /// `host:port`.
    std::string instance() const { return server.authority(); }
};

/// Reads the URL of a page.
///
/// **Errors:** `invalid_config`, as `http::parse_url`.
inline Result<PageAddress> parse_page_url(std::string_view url) {
    const std::size_t query = std::min(url.find('?'), url.size());
    Result<http::Url> parsed = http::parse_url(url.substr(0, query));
    if (parsed.has_error())
        return parsed.error();
    PageAddress address;
    address.server = *std::move(parsed);
    address.path = std::exchange(address.server.base_path, {});
    if (address.path.empty())
        address.path = "/metrics";
    else if (url.substr(0, query).ends_with('/'))
        address.path += '/'; // A server may redirect the one to the other.
    address.path += url.substr(query);
    return address;
}

/// The name of the target's pod, as readings have it.
inline std::string pod_name(const ScrapeTarget& target, const PageAddress& address) {
    return target.pod.empty() ? address.instance() : target.pod;
}

/// The labels that a scrape of the target adds to each series.
inline samples::Labels target_labels(const ScrapeTarget& target, const PageAddress& address,
                                     const EngineLabels& names = {}) {
    samples::Labels labels;
    const auto set = [&labels](const std::string& name, std::string value) {
        std::erase_if(labels, [&](const auto& label) { return label.first == name; });
        if (!value.empty())
            labels.emplace_back(name, std::move(value));
    };
    // Of two pages at one address. Without the query, in which people put keys.
    std::string path = address.path.substr(0, address.path.find('?'));
    if (path.ends_with('/'))
        path.pop_back();
    if (path != "/metrics")
        set("metrics_path", std::move(path));
    for (const auto& [name, value] : target.labels)
        set(name, value);
    set(names.namespace_name, target.namespace_name);
    set(names.pod, pod_name(target, address));
    set("instance", address.instance());
    std::ranges::sort(labels);
    return labels;
}

} // namespace wva_metrics::scrape
