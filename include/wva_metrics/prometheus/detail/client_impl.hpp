// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/http/form_encoding.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/prometheus/status_mapping.hpp"
#include "wva_metrics/promql/duration.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus::detail {

namespace asio = boost::asio;

/// The part of a client that its queries share, and that outlives the client while they are
/// pending.
///
/// The reference to the HTTP client is weak, so that destroying the client ends its queries.
template <typename Executor>
class ClientImpl {
public:
    using HttpClient = http::BasicClient<Executor>;
    using Ptr = std::shared_ptr<ClientImpl>;

    ClientImpl(ClientConfig config, const std::shared_ptr<HttpClient>& http)
        : config_(std::move(config)), http_(http), endpoint_(http->endpoint()) {}

    const std::string& endpoint() const noexcept { return endpoint_; }

    /// The HTTP client reads the whole body first, at most `http.limits.max_body_bytes`. Then the
    /// body is decoded in place, so that the labels that the sink receives point into it.
    static asio::awaitable<Result<AnswerInfo>> query(Ptr impl, std::string promql,
                                                     std::vector<std::string> wanted_labels,
                                                     std::function<void(const SeriesView&)> sink,
                                                     TimePoint deadline) {
        Result<http::Response> response = co_await send_query(impl, std::move(promql), deadline);
        if (response.has_error())
            co_return std::move(response).error();
        co_return decode_response(*response, wanted_labels, impl->config_.answer, sink,
                                  impl->endpoint_);
    }

private:
    static constexpr const char* path = "/api/v1/query";

    static asio::awaitable<Result<http::Response>> send_query(Ptr impl, std::string promql,
                                                              TimePoint deadline) {
        std::optional<http::Response> forbidden;
        if (!impl->is_get_only_.load(std::memory_order_relaxed)) {
            Result<http::Response> posted = co_await impl->send(
                http::Request::post(path, impl->form(promql), "application/x-www-form-urlencoded"),
                deadline);
            if (posted.has_error() || !may_reject_method(posted->status))
                co_return posted;
            if (posted->status == 403)
                forbidden = *std::move(posted);
        }

        std::string target = std::string(path) + "?" + impl->form(promql);
        if (target.size() > impl->config_.max_get_bytes)
            co_return Error(
                Errc::too_costly,
                "the query can only be sent by GET, and its " + std::to_string(target.size()) +
                    " bytes exceed max_get_bytes = " + std::to_string(impl->config_.max_get_bytes) +
                    "; query fewer models at once, or allow POST at the endpoint",
                impl->endpoint_);
        Result<http::Response> got =
            co_await impl->send(http::Request::get(std::move(target)), deadline);
        if (got.has_value() && got->status / 100 == 2)
            impl->is_get_only_.store(true, std::memory_order_relaxed);
        else if (got.has_value() && may_reject_method(got->status))
            // The server behind the URL changed, or it rejects both methods.
            impl->is_get_only_.store(false, std::memory_order_relaxed);
        // If GET is not supported, the POST was not forbidden because of its method.
        if (forbidden && got.has_value() && (got->status == 405 || got->status == 501))
            co_return *std::move(forbidden);
        co_return got;
    }

    asio::awaitable<Result<http::Response>> send(http::Request request, TimePoint deadline) const {
        if (const auto http = http_.lock())
            return http->send(std::move(request), deadline);
        return fail(Error(Errc::aborted, "the Prometheus client was destroyed", endpoint_));
    }
    static asio::awaitable<Result<http::Response>> fail(Error error) { co_return error; }

    /// The query with its parameters, form-encoded.
    std::string form(std::string_view promql) const {
        constexpr std::string_view name = "query=";
        std::string text;
        text.reserve(name.size() + promql.size() + promql.size() / 2 + parameters_.size());
        text += name;
        http::append_form_encoded(text, promql);
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
    /// Sent with every query, form-encoded.
    const std::string parameters_ = "&" + http::form_encode(parameters_of(config_));
    /// The server rejected a POST and accepted a GET.
    std::atomic<bool> is_get_only_{false};
};

} // namespace wva_metrics::prometheus::detail
