// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/exposition/content_type.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/scrape_clock.hpp"
#include "wva_metrics/scrape/store_limits.hpp"

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::scrape {

/// Is passed the names of the wanted samples on a target's last whole page. Returns the names that the
/// target is asked for besides them: samples that may come next. None = it is not asked by names.
using NamesToAsk = std::function<std::vector<std::string>(std::span<const std::string_view>)>;

/// The configuration of a client for the server of a page: with its URL, and without the TLS
/// transport if that is an `http` URL, so that targets of both kinds can be scraped.
inline http::ClientConfig client_for(http::ClientConfig client, const http::Url& server) {
    client.url = server.origin();
    if (client.transport && client.transport->scheme() == "https" && !server.is_secure())
        client.transport = nullptr;
    return client;
}

/// How a target is scraped. Plain values.
struct ScraperConfig {
    /// The connection: timeouts, credentials, TLS, headers, limits; see `client_for`. One connection is
    /// kept, and nothing is retried: the next scrape is the retry.
    http::ClientConfig client{};
    /// The names of the samples that are kept; all, if there are none.
    exposition::WantedMetrics wanted{};
    /// Asks the target for these metrics only, `?name[]=A&name[]=B`, once it has shown that it obeys (see
    /// `NameFilter`). Empty = whole pages only. It must be callable by any thread, also after the
    /// scraper has gone.
    NamesToAsk names_to_ask{};
    /// With `names_to_ask`, a whole page is read at least so often.
    Duration whole_page_every = std::chrono::minutes(1);
    /// The bounds of a page.
    exposition::PageLimits page{};
    /// The bounds of what is kept of it.
    StoreLimits store{};
    /// How long it is kept.
    Retention retention{};
    /// The names of the labels that a target adds.
    EngineLabels labels{};
    /// The `Accept` header; empty = none.
    std::string accept = exposition::accept_header();
    /// The times of the scrapes. One clock for all targets of a backend.
    ScrapeClock clock{};
};

} // namespace wva_metrics::scrape
