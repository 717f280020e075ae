// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/api_target.hpp"
#include "wva_metrics/kubernetes/detail/client_impl.hpp"
#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"
#include "wva_metrics/kubernetes/detail/list_op.hpp"
#include "wva_metrics/kubernetes/detail/mask_secrets.hpp"
#include "wva_metrics/kubernetes/detail/watch_op.hpp"
#include "wva_metrics/kubernetes/detail/watch_slots.hpp"
#include "wva_metrics/kubernetes/page.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes {

namespace asio = boost::asio;

/// Lists and watches the resources of one Kubernetes API server. A cheap handle: copies share
/// connections and credentials.
///
/// **Threads:** safe.
///
/// **Lifetime:** it may be destroyed before or after its execution context. Destroying the last
/// copy ends pending operations with `aborted`.
template <typename Executor = asio::any_io_executor>
class BasicClient {
public:
    /// The type of the client's executor.
    using executor_type = Executor;

    /// The same client on another type of executor.
    template <typename Other>
    struct rebind_executor {
        /// The client on `Other`.
        using other = BasicClient<Other>;
    };

    /// Sends no request. Throws `ResultError` with `Errc::invalid_config` and all problems that
    /// `validate(config)` finds.
    BasicClient(const Executor& executor, const ClientConfig& config)
        : impl_(std::make_shared<Impl>(executor, config)),
          http_(std::make_shared<http::BasicClient<Executor>>(executor, http_config(config))) {}

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `executor`: the executor of all I/O.
    /// - `config`: the API server, and the limits of lists and watches.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicClient> make(const Executor& executor, const ClientConfig& config) {
        return wva_metrics::detail::make_result<BasicClient>(executor, config);
    }

    /// Requests one page of a list.
    ///
    /// The request has no resource version, so the list shows the newest state of the cluster,
    /// never an older one than an earlier response.
    ///
    /// **Parameters:**
    /// - `resource`, `selection`: what to list. If the result is awaited directly, pass variables.
    /// - `continue_token`: from the previous page, with the same selection and size; empty for the
    ///   first page.
    /// - `page_size`: maximum number of objects; 0 = `ClientConfig::page_size`.
    ///
    /// **Completes:** with the page, or within `page_timeout` with an error.
    ///
    /// **Errors:**
    /// - those of `http::Client::send`,
    /// - `invalid_argument`: the resource has no version or name,
    /// - `unauthorized`: 401, also with a token that was just read,
    /// - `forbidden`: 403,
    /// - `rejected`: 404 (unknown resource), 410 (`is_gone`: the token is too old), other 4xx,
    /// - `unavailable`: 429, 5xx,
    /// - `too_large`: the page exceeds `max_page_bytes`, has more than `max_objects` objects, or what
    ///   is kept of them takes more than `max_list_bytes`,
    /// - `bad_response`: the response is not a list.
    ///
    /// **Cancellation:** terminal: as for `http::Client::send`.
    ///
    /// **Threads:** any thread.
    template <ClusterObject T>
    asio::awaitable<Result<Page<T>>> list(Resource<T> resource, Selection selection,
                                          std::string continue_token,
                                          std::size_t page_size = 0) const {
        if (page_size == 0)
            page_size = impl_->config.page_size;
        return detail::mask_secrets(
            weak_http(), http_->secret_mask(),
            detail::list_page<T>(weak_http(), impl_,
                                 detail::ApiTarget(resource, std::move(selection)),
                                 std::move(continue_token), page_size));
    }

    /// Watches for changes.
    ///
    /// **Parameters:**
    /// - `resource`, `selection`: what to watch. If the result is awaited directly, pass variables.
    /// - `resource_version`: where to start, from a list, an event or a bookmark.
    /// - `on_event`: called for each event except errors. An error that it returns ends the watch,
    ///   and becomes `WatchEnd::error`.
    /// - `on_opened`: called once, when the API server has accepted the watch; may be empty. There
    ///   may be no event for long.
    ///
    /// **Completes:** when the watch ends: regularly after `watch_timeout` to twice that, or with
    /// an error.
    ///
    /// **Errors:** those of `http::Client::stream` and `list`, and
    /// - `unavailable`: `max_watches` watches are already running,
    /// - `too_large`: an event exceeds `max_object_bytes` by more than 32 MiB,
    /// - `bad_response`: the response contains anything other than events,
    /// - the error in an error event of the API server.
    ///
    /// **Cancellation:** terminal: as for `http::Client::stream`.
    ///
    /// **Threads:** any thread. The callbacks are called on the client's executor, one call at a time,
    /// and may be called until the watch completes.
    template <ClusterObject T>
    asio::awaitable<WatchEnd> watch(Resource<T> resource, Selection selection,
                                    std::string resource_version,
                                    std::function<std::optional<Error>(WatchEvent<T>)> on_event,
                                    std::function<void()> on_opened = {}) const {
        return detail::mask_secrets(
            http_->secret_mask(),
            detail::run_watch<T>(weak_http(), impl_,
                                 detail::ApiTarget(resource, std::move(selection)),
                                 std::move(resource_version),
                                 detail::mask_secrets<T>(http_->secret_mask(), std::move(on_event)),
                                 std::move(on_opened)));
    }

    /// `scheme://host:port` of the API server.
    const std::string& endpoint() const noexcept { return impl_->endpoint; }
    /// The configuration.
    const ClientConfig& config() const noexcept { return impl_->config; }
    /// The executor. Its execution context must still exist.
    executor_type get_executor() const { return impl_->executor().value(); }
    /// The executor; empty after its execution context was destroyed.
    std::optional<Executor> find_executor() const { return impl_->executor(); }
    /// The slots of this client's reflectors.
    const std::shared_ptr<detail::WatchSlots>& watch_slots() const noexcept { return impl_->slots; }

private:
    /// Weak, so that a pending operation does not keep the connections open.
    detail::HttpPtr<Executor> weak_http() const { return http_; }

    using Impl = detail::ClientImpl<Executor>;

    static http::ClientConfig http_config(const ClientConfig& config) {
        http::ClientConfig http = config.http;
        // So that an object above the limit can be skipped.
        http.limits.max_body_bytes = config.max_page_bytes + detail::max_skipped_bytes;
        http.limits.max_streams = config.max_watches;
        http.timeouts.attempt = config.page_timeout;
        http.protection.retry.attempts = 1;
        return http;
    }

    std::shared_ptr<Impl> impl_;
    std::shared_ptr<http::BasicClient<Executor>> http_;
};

/// The client on any executor.
using Client = BasicClient<>;

} // namespace wva_metrics::kubernetes
