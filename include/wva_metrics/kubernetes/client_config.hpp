// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// Configures a `Client` of a Kubernetes API server. Plain values: use designated initializers and
/// check with `validate`. Inside a cluster, `in_cluster_config` (kubernetes/tls_in_cluster.hpp)
/// returns one.
struct ClientConfig {
    /// The API server's URL, TLS and credentials. Four of its members are replaced:
    /// `limits.max_body_bytes` by `max_page_bytes` and 32 MiB, `timeouts.attempt` by `page_timeout`,
    /// `limits.max_streams` by `max_watches`, and `protection.retry.attempts` by 1, because reflectors
    /// try again by rules of their own (`initial_backoff`). Watches do not count against its
    /// `limits.max_connections`.
    http::ClientConfig http{};
    /// The namespace that the program itself runs in; empty if it is unknown. The client does not
    /// use it.
    std::string own_namespace{};

    /// Objects per page of a list. If a page exceeds `max_page_bytes`, it is requested again with
    /// half as many.
    std::size_t page_size = 500;
    /// Time limit for one page of a list, and for the start of a watch.
    Duration page_timeout = std::chrono::seconds(30);
    /// Requested length of each watch. A random part, up to the same length, is added, so that not
    /// all watches end at the same moment.
    Duration watch_timeout = std::chrono::minutes(5);
    /// A watch without any event or bookmark for this long is restarted, because its connection may
    /// be dead. API servers send a bookmark about every minute, but none until an object of the
    /// resource has changed since they started; then the new watch shows that they are there.
    Duration idle_timeout = std::chrono::minutes(2);
    /// A watch that ends sooner than this counts as failed, and the next one waits.
    Duration min_watch_time = std::chrono::seconds(1);
    /// The wait after the first of several failures. It doubles with each further failure. A random
    /// part, up to half, is subtracted.
    Duration initial_backoff = std::chrono::milliseconds(500);
    /// The longest wait between two attempts, unless the server asks for a longer one by `Retry-After`
    /// (at most `http.protection.max_retry_after`).
    Duration max_backoff = std::chrono::seconds(30);

    /// Maximum bytes of one page of a list. They are read as they arrive and not kept. If a single
    /// object is larger, it is skipped, up to 32 MiB more.
    std::size_t max_page_bytes = std::size_t{32} << 20;
    /// Maximum bytes of one object of a list, or of one event of a watch. A larger one is left out
    /// and reported by its name, as is one that nests deeper than 128 levels. Kubernetes itself
    /// stores no object above about 1.5 MiB.
    std::size_t max_object_bytes = std::size_t{4} << 20;
    /// Maximum JSON values of one object, in the fields that are read. An object with more is left
    /// out and reported by its name.
    std::size_t max_object_values = 100'000;
    /// Maximum pages of one list.
    std::size_t max_pages = 10'000;
    /// Maximum objects that one reflector follows.
    std::size_t max_objects = 200'000;
    /// Maximum memory, in bytes, of the objects of one list, and of those that are added to it
    /// later. The default is enough for 150 000 pods, the most that Kubernetes supports.
    std::size_t max_list_bytes = std::size_t{256} << 20;
    /// Maximum resources that all reflectors of one client follow together, each on a connection of
    /// its own: `OwnerResolver` follows four per namespace, `VariantWatcher` one. A reflector above
    /// the limit sends no request; it reports a problem that names the required number, and starts
    /// when another reflector stops. A direct call of `Client::watch` counts, too, while it runs.
    std::size_t max_watches = 256;
};

/// All problems of a configuration, one sentence each, without secrets; empty if it is valid.
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
    require(config.max_object_values > 0, "max_object_values must be positive");
    require(config.max_list_bytes > 0, "max_list_bytes must be positive");
    require(config.max_pages > 0, "max_pages must be positive");
    require(config.max_objects > 0, "max_objects must be positive");
    require(config.max_watches > 0, "max_watches must be positive");
    return problems;
}

} // namespace wva_metrics::kubernetes
