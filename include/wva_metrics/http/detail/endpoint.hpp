// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/detail/call_registry.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/request_writer.hpp"
#include "wva_metrics/http/detail/resolver_cache.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/http/url.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// What all calls of a client share. Lives until the last of them has ended, which may be after the
/// client.
///
/// Thread-safe. After `close` it holds nothing that belongs to the execution context.
class Endpoint {
public:
    template <wva_metrics::detail::IfUsed used = wva_metrics::detail::IfUsed::compile>
    Endpoint(asio::any_io_executor executor, ClientConfig client_config)
        : config(std::move(client_config)), problems(validate(config)),
          url(problems.empty() ? *parse_url(config.url) : Url{}),
          transport(config.transport ? config.transport
                                     : std::make_shared<BasicTcpTransport<used>>()),
          headers(problems.empty() ? common_headers(url, config.headers) : std::string()),
          credentials(config.credentials), pool(config.limits),
          addresses(url.host, url.port, config.timeouts.address_lifetime,
                    config.limits.max_addresses),
          calls(std::make_shared<OpenCalls>(std::move(executor))) {}

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
    const std::shared_ptr<OpenCalls> calls;

    Error error(Errc code, std::string text) const {
        return {code, std::move(text), problems.empty() ? url.origin() : std::string()};
    }
    Error aborted() const {
        return error(Errc::aborted, "the call was cancelled, or its client destroyed");
    }

    /// Where streams and strands are made; nothing after `close`.
    std::optional<asio::any_io_executor> executor() const { return calls->executor(); }

    /// Ends all calls, drops idle connections, and lets go of the executor.
    ///
    /// `tell_calls`: false where the execution context is shutting down, because it destroys the
    /// calls itself.
    void close(bool tell_calls) {
        calls->close(tell_calls);
        pool.close();
        addresses.close();
    }
};

} // namespace wva_metrics::http::detail
