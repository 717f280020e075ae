// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// How a Kubernetes API server is asked. Plain values; use designated initializers and check with
/// `validate`. Inside a cluster, `in_cluster_config` (kubernetes/tls_in_cluster.hpp) makes one.
struct ClientConfig {
    /// Where the API server is, how it is trusted, and who asks. Three of its members are replaced:
    /// `limits.max_body_bytes` by `max_page_bytes`, `timeouts.attempt` by `page_timeout`,
    /// `limits.max_streams` by `max_watches`. Watches take none of its `limits.max_connections`.
    http::ClientConfig http{};
    /// The namespace that the program itself runs in, where that is known. The client does not use
    /// it.
    std::string own_namespace{};

    /// Objects asked for at once. A page that exceeds `max_page_bytes` is asked for again in
    /// halves.
    std::size_t page_size = 500;
    /// How long one page of a list, or the beginning of a watch, may take.
    Duration page_timeout = std::chrono::seconds(30);
    /// The server is asked to end each watch after this time, or up to twice of it: a random part
    /// is added, so that not all watches end at the same moment.
    Duration watch_timeout = std::chrono::minutes(5);
    /// A watch that says nothing for this long, not even a bookmark, is begun anew, for its
    /// connection may be dead. API servers send a bookmark about every minute.
    Duration idle_timeout = std::chrono::minutes(2);
    /// A watch that ends sooner than this counts as failed, and the next one waits.
    Duration min_watch_time = std::chrono::seconds(1);
    /// The wait after the first of several failures; it doubles with each further one. A random
    /// part, up to half, is taken off.
    Duration initial_backoff = std::chrono::milliseconds(500);
    /// The wait between two attempts at most, even where the server asks for more.
    Duration max_backoff = std::chrono::seconds(30);

    /// Bytes of one page of a list.
    std::size_t max_page_bytes = std::size_t{32} << 20;
    /// Bytes of one event of a watch.
    std::size_t max_object_bytes = std::size_t{4} << 20;
    /// Pages of one list.
    std::size_t max_pages = 10'000;
    /// Objects that one reflector follows.
    std::size_t max_objects = 200'000;
    /// Resources that all reflectors of one client may follow together, each on a connection of its
    /// own: `OwnerResolver` four per namespace, `VariantWatcher` one. A reflector too
    /// many asks for nothing, and says so with the number that is needed; it begins when another
    /// one has been stopped. A `Client::watch` of your own takes one, too, while it lasts.
    std::size_t max_watches = 256;
};

/// Everything that is wrong with a configuration, one sentence each, without secrets; empty where
/// it is sound.
inline std::vector<std::string> validate(const ClientConfig& config) {
    std::vector<std::string> problems;
    for (const std::string& problem : http::validate(config.http))
        problems.push_back("http: " + problem);
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    constexpr Duration zero = Duration::zero();
    constexpr Duration day = std::chrono::hours(24);
    const auto is_timeout = [&](Duration value) { return value > zero && value <= day; };
    require(config.page_size > 0 && config.page_size <= 100'000,
            "page_size must be positive and at most 100000");
    require(is_timeout(config.page_timeout), "page_timeout must be positive and at most a day");
    require(config.watch_timeout >= std::chrono::seconds(1) && config.watch_timeout <= day,
            "watch_timeout must be at least a second and at most a day");
    require(is_timeout(config.idle_timeout), "idle_timeout must be positive and at most a day");
    require(config.min_watch_time >= zero, "min_watch_time must not be negative");
    require(is_timeout(config.initial_backoff),
            "initial_backoff must be positive and at most a day");
    require(config.max_backoff >= config.initial_backoff && config.max_backoff <= day,
            "max_backoff must not be below initial_backoff, and must be at most a day");
    require(config.max_page_bytes > 0, "max_page_bytes must be positive");
    require(config.max_object_bytes > 0, "max_object_bytes must be positive");
    require(config.max_pages > 0, "max_pages must be positive");
    require(config.max_objects > 0, "max_objects must be positive");
    require(config.max_watches > 0, "max_watches must be positive");
    return problems;
}

} // namespace wva_metrics::kubernetes
