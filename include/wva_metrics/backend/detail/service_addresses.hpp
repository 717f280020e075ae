// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/schedule.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The number of a search for pods.
using PodSearch = scrape::Schedule::Id;

/// What a name was resolved to.
struct ServiceAddresses {
    /// When it was asked for last.
    std::optional<TimePoint> asked_at{};
    /// The look-up that has not ended yet.
    std::optional<PodSearch> search{};
    /// Sorted, each once. Those of the last time that it could be resolved.
    std::set<std::string> addresses{};
    /// Why it could not be resolved the last time.
    std::optional<Error> failure{};
};

/// The target of one address of a service.
inline scrape::ScrapeTarget target_of(const PodService& service, const scrape::PageAddress& page,
                                      const std::string& address) {
    scrape::PageAddress own = page;
    own.server.host = address;
    scrape::ScrapeTarget target;
    target.url = own.server.origin() + own.path;
    target.namespace_name = service.namespace_name;
    target.model = service.model;
    target.owner = service.owner;
    return target;
}

/// The addresses of a host: of IPv4 and IPv6 the kind of which there are more, else those of IPv4. A
/// look-up cannot be cancelled: after the deadline it goes on
/// without anybody waiting for it.
///
/// A template, because GCC compiles every inline coroutine that is none.
template <typename Resolver = boost::asio::ip::tcp::resolver>
boost::asio::awaitable<Result<std::set<std::string>>>
resolve_all(std::string host, std::string port, TimePoint deadline) {
    namespace asio = boost::asio;
    using Channel = asio::experimental::concurrent_channel<void(boost::system::error_code)>;
    struct State {
        explicit State(const asio::any_io_executor& executor)
            : resolver(executor), timer(executor), channel(executor, 2) {}
        Resolver resolver;
        asio::steady_timer timer;
        Channel channel;
        std::set<std::string> v4;
        std::set<std::string> v6;
    };
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto state = std::make_shared<State>(executor);
    state->timer.expires_at(deadline);
    state->timer.async_wait([weak = std::weak_ptr(state)](boost::system::error_code error) {
        if (const auto known = weak.lock(); known && !error)
            known->channel.try_send(asio::error::make_error_code(asio::error::timed_out));
    });
    state->resolver.async_resolve(
        host, port, [state](boost::system::error_code error, const auto& results) {
            // Written before the message that it is there, and read after it.
            for (const auto& entry : results) {
                const asio::ip::address address = entry.endpoint().address();
                (address.is_v6() ? state->v6 : state->v4).insert(address.to_string());
            }
            state->channel.try_send(error);
        });
    const auto [error] = co_await state->channel.async_receive(asio::as_tuple(asio::use_awaitable));
    state->timer.cancel();
    if (error == asio::error::timed_out)
        co_return Error(Errc::timeout, "the name was not resolved in time", host);
    if (error)
        co_return Error(Errc::name_lookup_failed,
                        "the name could not be resolved: " + error.message(), host);
    // Where the cluster has both, each pod has an address of each kind, and counts once.
    co_return std::move(state->v6.size() > state->v4.size() ? state->v6 : state->v4);
}

} // namespace wva_metrics::detail
