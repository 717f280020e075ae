// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/prometheus/status_mapping.hpp"
#include "wva_metrics/promql/duration.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus {

namespace asio = boost::asio;

/// Asks instant queries of one Prometheus, or of what speaks its API.
///
/// Thread safety: `query` may be called from any number of threads, strands and execution contexts
/// at once.
///
/// Lifetime: the client may be destroyed while queries are pending, which then end with
/// `Errc::aborted`. See `http::Client`.
class Client {
public:
    /// An unsound configuration is not refused here: every query then gives `Errc::invalid_config`
    /// with all that `validate` finds.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    Client(const asio::any_io_executor& executor, ClientConfig config)
        : http_(std::make_shared<http::Client>(executor, config.http)),
          shared_(std::make_shared<Shared>(std::move(config), http_->endpoint())) {}

    /// Asks one instant query, evaluated at the server's own time.
    ///
    /// It is sent by POST; where that gets 403, 405 or 501, once more by GET, and if that succeeds
    /// always by GET.
    ///
    /// Parameters:
    /// - `promql`: the query, valid UTF-8,
    /// - `wanted_labels`: the labels that the sink wants to see, each once,
    /// - `sink`: called with a `const SeriesView&` for each series, on the caller's executor.
    /// **What it was given is good
    ///   only if the query succeeds.** See `AnswerDecoder`.
    /// - `deadline`: for all of it.
    ///
    /// Completes with what the answer says beside its series, or with an error:
    /// - those of `http::Client::send`,
    /// - `unauthorized` (401), `forbidden` (403, by GET as well),
    /// - `rejected`: the server understood and refuses (a bad query, no API at this URL, a
    /// redirect),
    /// - `too_costly`: a smaller query may succeed (413, 414, a server's limit or time-out, or
    /// longer than
    ///   `max_get_bytes` where only GET is taken),
    /// - `unavailable`: the server cannot answer now (408, 425, 429, 5xx),
    /// - `too_large`: the answer exceeds one of the bounds; a smaller query may succeed,
    /// - `bad_response`: the answer is cut off, or not what the API promises,
    /// - `internal`: the sink threw.
    ///
    /// Cancellation (terminal): ends the query as it ends `http::Client::send`.
    template <typename Sink>
        requires std::invocable<Sink&, const SeriesView&> asio::awaitable<Result<AnswerInfo>>
        query(std::string promql, std::vector<std::string> wanted_labels, Sink sink,
              TimePoint deadline) {
            return ask_and_decode(http_, shared_, std::move(promql), std::move(wanted_labels),
                                  std::move(sink), deadline);
        }

    /// `scheme://host:port`, without credentials; empty where the configuration is unsound.
    const std::string& endpoint() const noexcept { return shared_->endpoint; }

private:
    struct Shared {
        Shared(ClientConfig configuration, std::string asked)
            : config(std::move(configuration)), endpoint(std::move(asked)) {
            for (const std::string& problem : validate(config))
                problems += (problems.empty() ? "" : "; ") + problem;
        }

        /// The question, and what is said with each.
        std::string form(std::string_view promql) const {
            constexpr std::string_view name = "query=";
            std::string text;
            text.reserve(name.size() + promql.size() + promql.size() / 2 + parameters.size());
            text += name;
            http::append_form_encoded(text, promql);
            text += parameters;
            return text;
        }

        const ClientConfig config;
        const std::string endpoint;
        /// Those of every question, encoded.
        const std::string parameters = "&" + http::form_encode(fields(config));
        std::string problems;
        /// POST was refused here, and GET was not.
        std::atomic<bool> is_get_only{false};

    private:
        static http::FormFields fields(const ClientConfig& config) {
            http::FormFields all{
                {"timeout", promql::format_duration(config.http.timeouts.attempt)}};
            all.insert(all.end(), config.query_parameters.begin(), config.query_parameters.end());
            return all;
        }
    };
    using SharedPtr = std::shared_ptr<Shared>;
    /// Weak, so that destroying the client ends what is pending.
    using HttpPtr = std::weak_ptr<http::Client>;

    static constexpr const char* path = "/api/v1/query";

    // From here on nothing touches the client itself, which may be gone.

    template <typename Sink>
    static asio::awaitable<Result<AnswerInfo>>
    ask_and_decode(HttpPtr http, SharedPtr shared, std::string promql,
                   std::vector<std::string> wanted_labels, Sink sink, TimePoint deadline) {
        Result<http::Response> response = co_await ask(http, shared, std::move(promql), deadline);
        if (response.has_error())
            co_return std::move(response).error();
        co_return decode_response(*response, wanted_labels, shared->config.answer, sink,
                                  shared->endpoint);
    }

    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    static asio::awaitable<Result<http::Response>> ask(HttpPtr http, SharedPtr shared,
                                                       std::string promql, TimePoint deadline) {
        if (!shared->problems.empty())
            co_return Error(Errc::invalid_config,
                            "the configuration of the Prometheus client is unsound: " +
                                shared->problems);
        std::optional<http::Response> forbidden;
        if (!shared->is_get_only.load(std::memory_order_relaxed)) {
            Result<http::Response> posted =
                co_await send(http, *shared,
                              http::Request::post(path, shared->form(promql),
                                                  "application/x-www-form-urlencoded"),
                              deadline);
            if (posted.has_error() || !may_refuse_method(posted->status))
                co_return posted;
            if (posted->status == 403)
                forbidden = *std::move(posted);
        }

        std::string target = std::string(path) + "?" + shared->form(promql);
        if (target.size() > shared->config.max_get_bytes)
            co_return Error(Errc::too_costly,
                            "the query can only be sent by GET, and its " +
                                std::to_string(target.size()) + " bytes exceed max_get_bytes = " +
                                std::to_string(shared->config.max_get_bytes) +
                                "; ask for fewer models at once, or let the endpoint take POST",
                            shared->endpoint);
        Result<http::Response> got =
            co_await send(http, *shared, http::Request::get(std::move(target)), deadline);
        if (got.has_value() && got->status / 100 == 2)
            shared->is_get_only.store(true, std::memory_order_relaxed);
        else if (got.has_value() && may_refuse_method(got->status))
            // Whoever refused POST has been replaced by somebody else, or refuses everything.
            shared->is_get_only.store(false, std::memory_order_relaxed);
        // Then it was not the method that POST was refused for.
        if (forbidden && got.has_value() && (got->status == 405 || got->status == 501))
            co_return *std::move(forbidden);
        co_return got;
    }

    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    static asio::awaitable<Result<http::Response>> send(const HttpPtr& http, const Shared& shared,
                                                        http::Request request, TimePoint deadline) {
        if (const auto client = http.lock())
            return client->send(std::move(request), deadline);
        return refuse(Error(Errc::aborted, "the Prometheus client was destroyed", shared.endpoint));
    }
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    static asio::awaitable<Result<http::Response>> refuse(Error error) {
        co_return error;
    }

    std::shared_ptr<http::Client> http_;
    SharedPtr shared_;
};

} // namespace wva_metrics::prometheus
