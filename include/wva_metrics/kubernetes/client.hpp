// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/api_status.hpp"
#include "wva_metrics/kubernetes/detail/api_target.hpp"
#include "wva_metrics/kubernetes/detail/random_source.hpp"
#include "wva_metrics/kubernetes/detail/watch_session.hpp"
#include "wva_metrics/kubernetes/detail/watch_slots.hpp"
#include "wva_metrics/kubernetes/page.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes {

namespace asio = boost::asio;

/// Asks one Kubernetes API server. A cheap handle: copies share connections and credentials.
///
/// Thread safety: every function may be called from any thread.
///
/// Lifetime: it may be destroyed before or after its execution context. Destroying the last copy
/// ends what is pending with `Errc::aborted`.
class Client {
public:
    /// Asks nothing yet. An unsound configuration is not refused here: every call then gives
    /// `Errc::invalid_config` with all that `validate` finds.
    Client(const asio::any_io_executor& executor, const ClientConfig& config)
        : shared_(std::make_shared<Shared>(executor, config)),
          http_(std::make_shared<http::Client>(executor, http_config(config))) {}

    /// Asks for one page of a list of the newest state.
    ///
    /// No resource version is sent, so that the answer is what the cluster has agreed on; it never
    /// tells of an older state than an answer before.
    ///
    /// Parameters:
    /// - `resource`, `selection`: what to list; put them into variables first where this is
    ///   awaited,
    /// - `continue_token`: of the page before, with the same selection and size; empty for the
    ///   first,
    /// - `page_size`: objects at most; 0 = `ClientConfig::page_size`.
    ///
    /// Completes with the page, or within `page_timeout` with an error:
    /// - those of `http::Client::send`,
    /// - `invalid_argument`: the resource has no version or name,
    /// - `unauthorized` (401, also with a token that was just read), `forbidden` (403),
    /// - `rejected`: 404 (no such resource), 410 (`is_gone`: the token is too old), other 4xx,
    /// - `unavailable`: 429, 5xx,
    /// - `too_large`: the page exceeds `max_page_bytes`,
    /// - `bad_response`: the answer is no list.
    ///
    /// Cancellation (terminal): ends it as it ends `http::Client::send`.
    template <ClusterObject T>
    asio::awaitable<Result<Page<T>>> list(Resource<T> resource, Selection selection,
                                          std::string continue_token,
                                          std::size_t page_size = 0) const {
        if (page_size == 0)
            page_size = shared_->config.page_size;
        return list_page<T>(http_, shared_, detail::Target(resource, std::move(selection)),
                            std::move(continue_token), page_size);
    }

    /// Watches for changes.
    ///
    /// Parameters:
    /// - `resource`, `selection`: what to watch; put them into variables first where this is
    ///   awaited,
    /// - `resource_version`: where to go on from: a list's, an event's or a bookmark's,
    /// - `on_event`: called for each event but errors, one at a time, on the client's executor; an
    ///   error that it returns ends the watch, and is how the watch ended. It may be called until
    ///   this completes.
    ///
    /// Completes when the watch has ended: in good order after `watch_timeout` to twice of it, or
    /// with one of the errors of `http::Client::stream` and `list`, or
    /// - `unavailable`: as many as `max_watches` are under way,
    /// - `too_large`: an event exceeds `max_object_bytes`,
    /// - `bad_response`: something that is no event,
    /// - what an error event of the API server says.
    ///
    /// Cancellation (terminal): ends it as it ends `http::Client::stream`.
    template <ClusterObject T>
    asio::awaitable<WatchEnd>
    watch(Resource<T> resource, Selection selection, std::string resource_version,
          std::function<std::optional<Error>(WatchEvent<T>)> on_event) const {
        return watch_stream<T>(http_, shared_, detail::Target(resource, std::move(selection)),
                               std::move(resource_version), std::move(on_event));
    }

    /// `scheme://host:port` of the API server; empty where the configuration is unsound.
    const std::string& endpoint() const noexcept { return shared_->endpoint; }
    /// How it asks.
    const ClientConfig& config() const noexcept { return shared_->config; }
    /// Who follows something through it, and may.
    const std::shared_ptr<detail::WatchPlaces>& watch_places() const noexcept {
        return shared_->places;
    }
    /// Where it runs; nothing after its execution context has been destroyed.
    std::optional<asio::any_io_executor> executor() const { return shared_->executor(); }

private:
    struct Shared {
        Shared(const asio::any_io_executor& runs_on, ClientConfig configuration)
            : config(std::move(configuration)),
              places(std::make_shared<detail::WatchPlaces>(config.max_watches)), executor_(runs_on),
              hook_(runs_on, [this] {
                  std::optional<asio::any_io_executor> dropped;
                  const std::lock_guard lock(mutex_);
                  dropped.swap(executor_);
              }) {
            for (const std::string& problem : validate(config))
                problems += (problems.empty() ? "" : "; ") + problem;
            if (const Result<http::Url> url = http::parse_url(config.http.url))
                endpoint = url->origin();
        }

        std::optional<asio::any_io_executor> executor() const {
            const std::lock_guard lock(mutex_);
            return executor_;
        }

        const ClientConfig config;
        const std::shared_ptr<detail::WatchPlaces> places;
        std::string problems;
        std::string endpoint;
        detail::RandomSource random;

    private:
        mutable std::mutex mutex_;
        std::optional<asio::any_io_executor> executor_;
        wva_metrics::detail::ContextHook hook_;
    };
    using SharedPtr = std::shared_ptr<Shared>;
    /// Weak, so that destroying the client ends what is pending.
    using HttpPtr = std::weak_ptr<http::Client>;

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    static http::ClientConfig http_config(const ClientConfig& config) {
        http::ClientConfig http = config.http;
        http.limits.max_body_bytes = config.max_page_bytes;
        http.limits.max_streams = config.max_watches;
        http.timeouts.attempt = config.page_timeout;
        return http;
    }

    // From here on nothing touches the client itself, which may be gone.

    static std::optional<Error> check(const Shared& shared, const detail::Target& target) {
        if (!shared.problems.empty())
            return Error(Errc::invalid_config,
                         "the configuration of the Kubernetes client is unsound: " +
                             shared.problems);
        if (std::string problem = target.problem(); !problem.empty())
            return Error(Errc::invalid_argument, std::move(problem));
        return std::nullopt;
    }

    static Error destroyed(const Shared& shared) {
        return Error(Errc::aborted, "the Kubernetes client was destroyed", shared.endpoint);
    }

    /// Says what was asked for, in front of what became of it.
    static Error explain(Error error, const std::string& asked, const Shared& shared) {
        error.message = "the API server was asked " + asked + ": " + error.message;
        error.endpoint = shared.endpoint;
        return error;
    }

    template <typename T>
    static asio::awaitable<Result<Page<T>>>
    list_page(HttpPtr http, SharedPtr shared, detail::Target target, std::string continue_token,
              std::size_t page_size) {
        if (std::optional<Error> problem = check(*shared, target))
            co_return *std::move(problem);
        const std::string asked = "to list " + target.describe();
        asio::awaitable<Result<http::Response>> sending;
        if (const auto client = http.lock())
            sending = client->send(http::Request::get(target.page(continue_token, page_size)),
                                   now() + shared->config.page_timeout);
        else
            co_return destroyed(*shared);
        Result<http::Response> response = co_await std::move(sending);
        if (response.has_error()) {
            Error error = explain(std::move(response).error(), asked, *shared);
            if (error.is(Errc::too_large))
                error.message += "; for a body that is max_page_bytes";
            co_return error;
        }
        if (response->status / 100 != 2)
            co_return to_error(*response, asked, shared->endpoint);
        Result<Page<T>> page = read_page<T>(response->body);
        if (page.has_value())
            co_return page;
        Error error = explain(std::move(page).error(), asked, *shared);
        error.http_status = response->status;
        co_return error;
    }

    template <typename T>
    static asio::awaitable<WatchEnd>
    watch_stream(HttpPtr http, SharedPtr shared, detail::Target target,
                 std::string resource_version,
                 std::function<std::optional<Error>(WatchEvent<T>)> on_event) {
        const TimePoint began = now();
        WatchEnd end;
        end.error = check(*shared, target);
        if (end.error)
            co_return end;
        const std::string asked = "to watch " + target.describe();
        const auto session = std::make_shared<detail::WatchSession<T>>(
            shared->config.max_object_bytes, asked, std::move(on_event));
        const Duration length =
            shared->random.between(shared->config.watch_timeout, 2 * shared->config.watch_timeout);
        const std::int64_t seconds =
            std::chrono::duration_cast<std::chrono::seconds>(length).count();
        http::StreamTimeouts timeouts;
        timeouts.idle = shared->config.idle_timeout;
        // The server is given time to end it in good order.
        timeouts.deadline = began + length + shared->config.page_timeout;
        asio::awaitable<Result<http::Response>> streaming;
        if (const auto client = http.lock()) {
            streaming = client->stream(
                http::Request::get(target.watch(resource_version, seconds)),
                [session](std::string_view piece) { return session->write(piece); }, timeouts);
        } else {
            end.error = destroyed(*shared);
            co_return end;
        }
        Result<http::Response> response = co_await std::move(streaming);
        end.lasted = now() - began;
        end.was_opened = session->was_opened();
        if (session->error()) {
            end.error = session->error();
            end.error->endpoint = shared->endpoint;
        } else if (response.has_error()) {
            end.was_opened = end.was_opened || response.error().http_status / 100 == 2;
            end.error = explain(std::move(response).error(), asked, *shared);
            if (!end.was_opened && end.error->is(Errc::unavailable))
                end.error->message += "; for watches that limit is max_watches";
        } else if (response->status / 100 != 2) {
            end.error = to_error(*response, asked, shared->endpoint);
        } else {
            end.was_opened = true;
        }
        co_return end;
    }

    SharedPtr shared_;
    std::shared_ptr<http::Client> http_;
};

} // namespace wva_metrics::kubernetes
