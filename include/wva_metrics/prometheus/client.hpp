// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/prometheus/detail/owned_sink.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/prometheus/query_options.hpp"
#include "wva_metrics/prometheus/replica_stats.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus {

namespace asio = boost::asio;

namespace detail {
template <typename Executor>
class Replicas;
} // namespace detail

/// Sends instant queries to one Prometheus, or to a server with the same API, or to one of several
/// with the same data (`ClientConfig::replicas`).
///
/// Of several, all queries go to one while it answers: the first, unless it has failed. If it fails,
/// the next is asked within the same deadline, and stays the one until a preferred one works again.
///
/// A class template on its executor, as Asio's I/O objects are. So its coroutines are compiled only
/// in programs that use them: GCC compiles every inline coroutine that is not a template.
///
/// **Threads:** safe.
///
/// **Lifetime:** the client may be destroyed while queries are pending. They then complete with
/// `Errc::aborted`. See `http::Client`.
template <typename Executor = asio::any_io_executor>
class BasicClient {
public:
    /// The executor of all I/O.
    using executor_type = Executor;
    /// The client type for another executor.
    template <typename OtherExecutor>
    struct rebind_executor {
        /// The client on `OtherExecutor`.
        using other = BasicClient<OtherExecutor>;
    };

    /// Sends nothing. Throws `ResultError` with `Errc::invalid_config` and all problems that
    /// `validate(config)` finds.
    BasicClient(const Executor& executor, ClientConfig config);

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `executor`: the executor of all I/O.
    /// - `config`: the server, and the bounds of its answers.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicClient> make(const Executor& executor, ClientConfig config) {
        return wva_metrics::detail::make_result<BasicClient>(executor, std::move(config));
    }

    /// The executor of all I/O. Its execution context must still exist.
    executor_type get_executor() const;

    /// Sends an instant query.
    ///
    /// The query is sent by POST. If that is answered with 403, 405 or 501, it is sent again by
    /// GET; if that succeeds, later queries are sent by GET only.
    ///
    /// **Parameters:**
    /// - `promql`: the query, valid UTF-8.
    /// - `sink`: called with a `const SeriesView&` for each series, as the answer arrives. **The
    ///   series are valid only if the query succeeds.** Of several attempts, only the last one
    ///   has series. See `AnswerDecoder`.
    /// - `options`: the evaluation time.
    /// - `deadline`: bounds the whole query, including a second attempt by GET and those at other
    ///   replicas.
    ///
    /// **Completes:** with the contents of the answer except its series.
    ///
    /// If a server fails before the sink has received a series, another replica is asked that is not
    /// known to fail. A query that is itself at fault is not asked elsewhere.
    ///
    /// **Errors:** those of `http::Client::send`, and those below. If several replicas fail, the error
    /// is that of the one that was asked first, and its message has what each of them said.
    /// - `unauthorized` (401), `forbidden` (403, by GET as well).
    /// - `rejected`: the server rejects the query: it is malformed, or there is no API at this URL,
    ///   or a redirect.
    /// - `too_costly`: a smaller query may succeed (413, 414, a limit of the server, or longer than
    ///   `max_get_bytes` if only GET is accepted).
    /// - `unavailable`: the server cannot answer now (408, 425, 429, 5xx, its timeout, or a code
    ///   such as gRPC's `DeadlineExceeded`). See `classify`.
    /// - `too_large`: the answer exceeds a limit; a smaller query may succeed.
    /// - `unreachable`: if a part of the answer has arrived (`is_cut_off`), the query was not sent
    ///   again, because the sink may have series of it.
    /// - `bad_response`: the answer is cut off, or not what the API specifies.
    /// - `internal`: the sink threw.
    ///
    /// **Cancellation:** terminal: as for `http::Client::send`.
    ///
    /// **Threads:** any thread. The sink is called on the client's executor, one call at a time, and
    /// nothing more is read until it returns, so it must not block. It may be called until the query
    /// has completed, also while the query is being cancelled or the client destroyed. So it should
    /// own what it uses, for example by a `std::shared_ptr`, and what it fills must not be used
    /// before the query has completed. It is destroyed before the query completes.
    template <SeriesSink Sink>
    asio::awaitable<Result<AnswerInfo>> query(std::string promql, Sink sink, QueryOptions options,
                                              TimePoint deadline) {
        return query_into(detail::OwnedSink(std::move(sink)), std::move(promql), options, deadline);
    }

    /// Returns to a preferred replica that works again, if it is time to try it: asks it for nothing, for
    /// at most a second and a quarter of the time that is left. `query` does the same, unless its
    /// options say not to. So a program that sends queries that belong together calls this, and then
    /// sends them with `QueryOptions::keep_replica`; then they are answered by one server, unless it
    /// fails.
    ///
    /// **Parameters:**
    /// - `deadline`: of the queries that follow.
    ///
    /// **Completes:** when it is known whether the replica works again; mostly at once.
    ///
    /// **Errors:** `aborted`: the call was cancelled, or the client was destroyed.
    ///
    /// **Cancellation:** terminal: as for `http::Client::send`.
    ///
    /// **Threads:** any thread.
    asio::awaitable<Result<void>> prefer_replica(TimePoint deadline);

    /// Learns the make of the server that is asked at the moment, by its build information. If that does not tell, an instant
    /// query is sent that only VictoriaMetrics accepts.
    ///
    /// **Parameters:**
    /// - `deadline`: bounds both requests.
    ///
    /// **Completes:** with `Flavor::unknown` if the server answers, but not in a way that is known;
    /// for example a proxy that does not forward the endpoint.
    ///
    /// **Errors:** those of `http::Client::send`, and `unauthorized`, `unavailable` and `too_costly`
    /// as for `query`.
    ///
    /// **Cancellation:** terminal: as for `http::Client::send`.
    ///
    /// **Threads:** any thread.
    asio::awaitable<Result<ServerMake>> flavor(TimePoint deadline);

    /// `scheme://host:port` of the first server, without credentials.
    const std::string& endpoint() const noexcept;

    /// Which server is asked first at the moment: 0 is that of `http.url`, 1 the first of `replicas`.
    /// Any thread.
    std::size_t current_replica() const;

    /// Each server, in the order of preference: how it stands, and what protects it. Any thread.
    std::vector<ReplicaStats> replica_stats() const;

private:
    asio::awaitable<Result<AnswerInfo>> query_into(detail::OwnedSink sink, std::string promql,
                                                   QueryOptions options, TimePoint deadline);

    /// By replica.
    std::vector<std::shared_ptr<http::BasicClient<Executor>>> http_;
    std::shared_ptr<detail::Replicas<Executor>> replicas_;
};

/// A client on any executor.
using Client = BasicClient<>;

} // namespace wva_metrics::prometheus

#ifdef WVA_METRICS_SEPARATE_COMPILATION
extern template class wva_metrics::prometheus::BasicClient<boost::asio::any_io_executor>;
#else
#include "wva_metrics/prometheus/impl/client.hpp"
#endif
