// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/lasting_flag.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/secret_mask.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/prometheus/detail/answer_receiver.hpp"
#include "wva_metrics/prometheus/detail/format_time.hpp"
#include "wva_metrics/prometheus/detail/query_fault.hpp"
#include "wva_metrics/prometheus/detail/read_api_error.hpp"
#include "wva_metrics/prometheus/detail/read_build_info.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/prometheus/query_options.hpp"
#include "wva_metrics/prometheus/status_mapping.hpp"
#include "wva_metrics/promql/duration.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/protection_stats.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus::detail {

namespace asio = boost::asio;

/// One server of a client: what its queries share, and that outlives the client while they are
/// pending.
///
/// The reference to the HTTP client is weak, so that destroying the client ends its queries.
template <typename Executor>
class ClientImpl {
public:
    using HttpClient = http::BasicClient<Executor>;
    using Ptr = std::shared_ptr<ClientImpl>;

    ClientImpl(ClientConfig config, const std::shared_ptr<HttpClient>& http)
        : config_(std::move(config)), http_(http), endpoint_(http->endpoint()),
          secrets_(http->secret_mask()) {
        for (const auto& [name, value] : config_.query_parameters)
            if (http::SecretMask::is_secret_name(name))
                secrets_->add(value);
    }

    const std::string& endpoint() const noexcept { return endpoint_; }

    /// What protects the server; nothing if the client was destroyed.
    std::optional<resilience::ProtectionStats> protection_stats() const {
        const auto http = http_.lock();
        return http ? std::optional(http->protection_stats()) : std::nullopt;
    }

    /// What came of a query.
    struct Answered {
        Result<AnswerInfo> result;
        /// It failed, but not by the query: another server may answer.
        bool is_fault_of_server = false;
        /// The sink has received a series, so that the query must not be sent again.
        bool has_series = false;
    };

    /// The answer is decoded as it arrives, and is not kept.
    static asio::awaitable<Answered> query(Ptr impl, std::string promql, OwnedSink sink,
                                           QueryOptions options, TimePoint deadline) {
        const auto receiver = std::make_shared<AnswerReceiver>(impl->config_.answer,
                                                               std::move(sink), options.conflict);
        Result<http::Response> response =
            co_await send_query(impl, promql, options, deadline, receiver);
        if (response.has_error())
            co_return judge(std::move(response).error(), false, *receiver);
        const std::optional<ApiError> error =
            response->status / 100 == 2 ? std::nullopt : read_api_error(response->body);
        const bool is_about_query = error && prometheus::is_about_query(response->status, *error);
        Result<AnswerInfo> answer = receiver->finish(*std::move(response), impl->endpoint_);
        if (answer.has_error() && answer.error().is(Errc::bad_response))
            if (const auto http = impl->http_.lock())
                http->close_idle_connections();
        co_return judge(impl->mask_secrets(std::move(answer)), is_about_query, *receiver);
    }

    static asio::awaitable<Result<ServerMake>> flavor(Ptr impl, TimePoint deadline) {
        Result<http::Response> described =
            co_await impl->send(http::Request::get("/api/v1/status/buildinfo"), deadline, nullptr);
        if (std::optional<Error> failure = impl->find_failure(described))
            co_return *std::move(failure);
        ServerMake make =
            described->status == 200 ? read_build_info(described->body) : ServerMake{};
        if (make.flavor != Flavor::unknown && make.flavor != Flavor::victoria_metrics)
            co_return make;

        // `now` is a function of MetricsQL only. The other servers answer 400.
        Result<http::Response> evaluated =
            co_await send_query(impl, "now()", QueryOptions(), deadline, nullptr);
        if (std::optional<Error> failure = impl->find_failure(evaluated))
            co_return *std::move(failure);
        const bool is_metricsql =
            decode_response(
                *evaluated, impl->config_.answer, [](const SeriesView&) {}, "")
                .has_value();
        make.flavor = is_metricsql ? Flavor::victoria_metrics : Flavor::unknown;
        co_return make;
    }

private:
    static constexpr const char* path = "/api/v1/query";

    static Answered judge(Result<AnswerInfo> result, bool is_about_query,
                          const AnswerReceiver& receiver) {
        const bool is_fault_of_server = result.has_error() && !is_about_query &&
                                        find_fault(result.error()) == QueryFault::server;
        return {std::move(result), is_fault_of_server, receiver.has_series()};
    }

    /// The error of an answer that says nothing about the make of its server.
    std::optional<Error> find_failure(const Result<http::Response>& response) const {
        if (response.has_error())
            return response.error();
        if (response->status / 100 == 2)
            return std::nullopt;
        Error error = secrets_->mask(to_error(*response, endpoint_));
        if (error.is(Errc::unauthorized) || error.is(Errc::unavailable) ||
            error.is(Errc::too_costly))
            return error;
        return std::nullopt;
    }

    /// A server may echo a request.
    Result<AnswerInfo> mask_secrets(Result<AnswerInfo> answer) const {
        if (answer.has_error())
            return secrets_->mask(std::move(answer).error());
        for (std::string& warning : answer->warnings)
            warning = secrets_->mask(warning);
        for (std::string& info : answer->infos)
            info = secrets_->mask(info);
        return answer;
    }

    /// Null = the body of the answer is collected.
    using ReceiverPtr = std::shared_ptr<AnswerReceiver>;

    /// The receiver gets the body of one answer at most: another attempt is made only after an
    /// answer that is not 2xx. `impl` and `promql` must outlive the operation.
    static asio::awaitable<Result<http::Response>>
    send_query(const Ptr& impl, std::string_view promql, QueryOptions options, TimePoint deadline,
               ReceiverPtr receiver) {
        std::optional<http::Response> forbidden;
        if (!impl->is_get_only_.is_set(std::chrono::steady_clock::now())) {
            http::Request post = http::Request::post(path, impl->form(promql, options),
                                                     "application/x-www-form-urlencoded")
                                     .with_priority(options.priority);
            Result<http::Response> posted =
                co_await impl->send(std::move(post), deadline, receiver);
            if (posted.has_error() || !may_reject_method(posted->status))
                co_return posted;
            if (posted->status == 403)
                forbidden = *std::move(posted);
        }

        std::string target = std::string(path) + "?" + impl->form(promql, options);
        if (target.size() > impl->config_.max_get_bytes)
            co_return Error(
                Errc::too_costly,
                "the query can only be sent by GET, and its " + std::to_string(target.size()) +
                    " bytes exceed max_get_bytes = " + std::to_string(impl->config_.max_get_bytes) +
                    "; query fewer models at once, or allow POST at the endpoint",
                impl->endpoint_);
        Result<http::Response> got = co_await impl->send(
            http::Request::get(std::move(target)).with_priority(options.priority), deadline,
            receiver);
        if (got.has_value() && got->status / 100 == 2)
            impl->is_get_only_.set(std::chrono::steady_clock::now());
        else if (got.has_value() && may_reject_method(got->status))
            // The server behind the URL changed, or it rejects both methods.
            impl->is_get_only_.clear();
        // If GET is not supported, the POST was not forbidden because of its method.
        if (forbidden && got.has_value() && (got->status == 405 || got->status == 501))
            co_return *std::move(forbidden);
        co_return got;
    }

    asio::awaitable<Result<http::Response>> send(http::Request request, TimePoint deadline,
                                                 ReceiverPtr receiver) const {
        const auto http = http_.lock();
        if (http && !receiver)
            return http->send(std::move(request), deadline);
        if (http)
            return http->send(std::move(request), deadline,
                              [receiver = std::move(receiver)](std::string_view piece) {
                                  return receiver->write(piece);
                              });
        return fail(Error(Errc::aborted, "the Prometheus client was destroyed", endpoint_));
    }
    static asio::awaitable<Result<http::Response>> fail(Error error) { co_return error; }

    /// The query with its parameters, form-encoded.
    std::string form(std::string_view promql, QueryOptions options) const {
        constexpr std::string_view name = "query=";
        std::string text;
        text.reserve(name.size() + promql.size() + promql.size() / 2 + parameters_.size() + 32);
        text += name;
        http::append_form_encoded(text, promql);
        if (options.time)
            text += "&time=" + format_time(*options.time);
        text += parameters_;
        return text;
    }
    static http::FormFields parameters_of(const ClientConfig& config) {
        http::FormFields all{{"timeout", promql::format_duration(config.http.timeouts.attempt)}};
        all.insert(all.end(), config.query_parameters.begin(), config.query_parameters.end());
        return all;
    }

    const ClientConfig config_;
    const std::weak_ptr<HttpClient> http_;
    const std::string endpoint_;
    const std::shared_ptr<http::SecretMask> secrets_;
    /// Sent with every query, form-encoded.
    const std::string parameters_ = "&" + http::form_encode(parameters_of(config_));
    /// The server rejected a POST and accepted a GET. Not believed for ever, because a proxy may have
    /// done so while it was set up, and a GET bears fewer models.
    wva_metrics::detail::LastingFlag is_get_only_;
};

} // namespace wva_metrics::prometheus::detail
