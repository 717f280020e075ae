// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/detail/address_book.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/request_writer.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/http/url.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// What all calls of a client share. Lives until the last of them has ended, which may be after the
/// client.
///
/// Thread-safe. After `close` it holds nothing that belongs to the execution context.
class Endpoint {
public:
    Endpoint(asio::any_io_executor executor, ClientConfig client_config)
        : config(std::move(client_config)), problems(validate(config)),
          url(problems.empty() ? *parse_url(config.url) : Url{}),
          transport(config.transport ? config.transport : std::make_shared<TcpTransport>()),
          headers(problems.empty() ? common_headers(url, config.headers) : std::string()),
          credentials(config.credentials), pool(config.limits),
          addresses(url.host, url.port, config.timeouts.address_lifetime,
                    config.limits.max_addresses),
          executor_(std::move(executor)) {}

    const ClientConfig config;
    /// What is wrong with the configuration.
    const std::vector<std::string> problems;
    const Url url;
    const std::shared_ptr<Transport> transport;
    /// Of every request.
    const std::string headers;
    CredentialSource credentials;
    ConnectionPool pool;
    AddressBook addresses;

    Error error(Errc code, std::string text) const {
        return {code, std::move(text), problems.empty() ? url.origin() : std::string()};
    }
    Error aborted() const {
        return error(Errc::aborted, "the call was cancelled, or its client destroyed");
    }

    /// Where streams and strands are made; nothing after `close`.
    std::optional<asio::any_io_executor> executor() const {
        const std::lock_guard lock(mutex_);
        return executor_;
    }

    /// Ends all calls, drops idle connections, and lets go of the executor.
    ///
    /// `tell_calls`: false where the execution context is shutting down, because it destroys the
    /// calls itself.
    void close(bool tell_calls) {
        std::optional<asio::any_io_executor> dropped;
        {
            const std::lock_guard lock(mutex_);
            dropped.swap(executor_);
            if (tell_calls) {
                for (Call* call : calls_)
                    call->post_stop(Call::Stop::closed);
            }
        }
        pool.close();
        addresses.close();
    }

    /// Keeps a call known as long as it runs, so that it can be ended.
    class Registration {
    public:
        Registration(Endpoint& endpoint, Call& call) : endpoint_(endpoint), call_(call) {
            const std::lock_guard lock(endpoint_.mutex_);
            is_open_ = endpoint_.executor_.has_value();
            endpoint_.calls_.insert(&call_);
        }
        ~Registration() {
            const std::lock_guard lock(endpoint_.mutex_);
            endpoint_.calls_.erase(&call_);
        }
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;
        /// False where the client was gone already.
        bool is_open() const noexcept { return is_open_; }

    private:
        Endpoint& endpoint_;
        Call& call_;
        bool is_open_ = false;
    };

private:
    mutable std::mutex mutex_;
    std::optional<asio::any_io_executor> executor_;
    std::unordered_set<Call*> calls_;
};

} // namespace wva_metrics::http::detail
