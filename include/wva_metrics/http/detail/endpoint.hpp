// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/random_source.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/call_registry.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/provided_token.hpp"
#include "wva_metrics/http/detail/request_writer.hpp"
#include "wva_metrics/http/detail/resolver_cache.hpp"
#include "wva_metrics/http/secret_mask.hpp"
#include "wva_metrics/http/tcp_transport.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/endpoint_guard.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// What all calls of a client share. Lives until the last call has ended, which may be after the
/// client.
///
/// Its constructor throws if the configuration is invalid. Thread-safe. After `close` it holds
/// nothing that belongs to the execution context.
template <typename Executor>
class Endpoint {
public:
    Endpoint(Executor executor, ClientConfig client_config)
        : config(wva_metrics::detail::checked(std::move(client_config), "HTTP client")),
          url(*parse_url(config.url)),
          transport(config.transport ? config.transport : std::make_shared<TcpTransport>()),
          proxy(transport->proxy_for(url)), headers(common_headers(url, config.headers)),
          credentials(config.credentials, config.max_stale_token_file),
          provided_token(config.timeouts.token),
          guard(config.protection, url.origin(), config.limits.max_connections),
          pool(config.limits, guard),
          resolver(next_hop().host, next_hop().port, config.timeouts, config.limits.max_addresses),
          calls(std::make_shared<CallRegistry<Executor>>(std::move(executor))) {
        secrets->add(config.credentials.password());
        for (const Header& header : config.headers)
            if (SecretMask::is_secret_name(header.name))
                secrets->add(header.value);
    }

    const ClientConfig config;
    const Url url;
    const std::shared_ptr<Transport> transport;
    /// What connections go through; nothing = they go to the server directly.
    const std::optional<Url> proxy;
    /// The headers that are the same in every request.
    const std::string headers;
    CredentialSource credentials;
    /// Used instead of `credentials` if there is a token provider.
    ProvidedToken provided_token;
    resilience::EndpointGuard guard;
    const std::shared_ptr<SecretMask> secrets = std::make_shared<SecretMask>();
    ConnectionPool pool;
    ResolverCache resolver;
    const std::shared_ptr<CallRegistry<Executor>> calls;
    wva_metrics::detail::RandomSource random;

    /// What connections are made to: the proxy, or the server itself.
    const Url& next_hop() const noexcept { return proxy ? *proxy : url; }

    /// Without secrets, whatever the text has of the server.
    Error error(Errc code, std::string_view text) const {
        return {code, secrets->mask(text), url.origin()};
    }
    Error aborted_error() const {
        return error(Errc::aborted, "the call was cancelled, or its client was destroyed");
    }
    /// The error of a step of a call that failed or ended early. `code` is used if neither the
    /// deadline nor a cancellation ended it.
    Error step_error(const Call<Executor>& call, const Deadline& deadline, const std::string& what,
                     Errc code, const boost::system::error_code& reason) const {
        return step_error(call, deadline, what, code, reason, reason.message());
    }
    /// As above, with the reason in other words than its own.
    Error step_error(const Call<Executor>& call, const Deadline& deadline, const std::string& what,
                     Errc code, const boost::system::error_code& reason,
                     const std::string& explanation) const {
        if (call.is_expired())
            return error(Errc::timeout, what + " " + deadline.describe());
        if (call.is_aborted() || reason == asio::error::operation_aborted)
            return aborted_error();
        return error(code, what + ": " + explanation);
    }

    /// Notes that an address did not serve. If the host has others, closes its idle connections, so
    /// that the next call takes another address, and returns true.
    bool avoid(const tcp::endpoint& address, TimePoint now) {
        const bool is_avoided = resolver.failed(address, now);
        if (is_avoided)
            pool.drop(address);
        return is_avoided;
    }

    /// The executor of streams and strands; empty after `close`.
    std::optional<Executor> executor() const { return calls->executor(); }

    /// Closes idle connections, releases the executor, and ends all calls if `cancel_calls`. (An
    /// execution context that shuts down destroys the calls itself.)
    void close(bool cancel_calls) {
        calls->close(cancel_calls);
        provided_token.close(cancel_calls);
        pool.close();
        resolver.close();
    }
};

} // namespace wva_metrics::http::detail
