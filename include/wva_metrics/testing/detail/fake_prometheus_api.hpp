// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/testing/detail/build_info.hpp"
#include "wva_metrics/testing/detail/fake_script.hpp"
#include "wva_metrics/testing/detail/fake_series.hpp"
#include "wva_metrics/testing/detail/prometheus_answer.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"
#include "wva_metrics/testing/detail/url_encoded.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace wva_metrics::testing::detail {

namespace http = boost::beast::http;

inline Milliseconds to_milliseconds(FakeScript::Time time) {
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

/// Answers requests as the HTTP API of Prometheus does. Thread-safe. The script and the series must
/// outlive it.
class FakePrometheusApi {
public:
    using Request = http::request<http::string_body>;
    using Response = http::response<http::string_body>;

    FakePrometheusApi(FakeScript& script, const FakeSeries& series)
        : script_(script), series_(series) {}

    static bool is_query(const Request& request) {
        return path(request) == "/api/v1/query" &&
               (request.method() == http::verb::get || request.method() == http::verb::post);
    }

    /// Empty = close the connection without an answer.
    std::optional<Response> answer(const Request& request) {
        if (is_query(request))
            return query(request);
        const std::string_view path = this->path(request);
        if (path == "/api/v1/query")
            return not_allowed("GET, OPTIONS, POST");
        if (path == "/api/v1/status/buildinfo") {
            const std::string_view info = build_info(script_.flavor());
            if (request.method() != http::verb::get)
                return not_allowed("GET, OPTIONS");
            if (!info.empty())
                return make(200, std::string(info), "application/json");
        }
        if (path == "/-/ready")
            return text(200, "Prometheus Server is Ready.\n");
        if (path == "/-/healthy")
            return text(200, "Prometheus Server is Healthy.\n");
        return text(404, "404 page not found\n");
    }

    static Response text(int status, std::string body) {
        return make(status, std::move(body), "text/plain; charset=utf-8");
    }

private:
    static std::string_view path(const Request& request) {
        const std::string_view target(request.target().data(), request.target().size());
        return target.substr(0, target.find('?'));
    }

    static Response make(int status, std::string body, std::string_view content_type) {
        Response response(static_cast<http::status>(status), 11);
        response.set(http::field::content_type, content_type);
        response.body() = std::move(body);
        return response;
    }

    static Response not_allowed(std::string_view methods) {
        Response response = text(405, "Method Not Allowed\n");
        response.set(http::field::allow, methods);
        return response;
    }

    static std::optional<std::string> parameter(const Request& request, std::string_view name) {
        constexpr std::string_view form = "application/x-www-form-urlencoded";
        const std::string_view target(request.target().data(), request.target().size());
        const auto content_type = request[http::field::content_type];
        if (std::string_view(content_type.data(), content_type.size()).starts_with(form)) {
            if (auto found = url_field(request.body(), name))
                return found;
        }
        const std::size_t question_mark = target.find('?');
        if (question_mark == std::string_view::npos)
            return std::nullopt;
        return url_field(target.substr(question_mark + 1), name);
    }

    std::optional<Response> query(const Request& request) {
        ReceivedQuery received;
        received.text = parameter(request, "query").value_or("");
        received.method = std::string(request.method_string());
        received.authorization = std::string(request[http::field::authorization]);
        received.time = script_.now();
        std::optional<QueryFailure> parameter_failure;
        try {
            check_timeout(request);
            if (const auto time = parameter(request, "time"))
                received.time = parse_time(*time);
        } catch (const QueryFailure& failure) {
            parameter_failure = failure;
        }
        script_.record(received);

        if (auto failure = script_.take_failure(received.text))
            return scripted(std::move(*failure));
        const int post_status = script_.post_status();
        if (post_status != 0 && request.method() == http::verb::post)
            return text(post_status, "POST is not allowed here\n");
        try {
            if (parameter_failure)
                throw QueryFailure(*parameter_failure);
            const Milliseconds time = to_milliseconds(received.time);
            const PromqlValue value = evaluate(received.text, time);
            return make(200, write_answer(value, time), content_type(value));
        } catch (const QueryFailure& failure) {
            return refusal(failure);
        }
    }

    PromqlValue evaluate(std::string_view query, Milliseconds time) const {
        if (script_.flavor() != prometheus::Flavor::victoria_metrics)
            return series_.value(query, time);
        const Milliseconds now = to_milliseconds(script_.now());
        // The one function of MetricsQL that the library calls, to learn the make of a server.
        if (query == "now()")
            return InstantVector{{LabelSet(), static_cast<double>(now) / 1000, time}};
        return series_.victoria_metrics_value(query, time, now);
    }

    std::string_view content_type(const PromqlValue& value) const {
        const bool is_exported = script_.flavor() == prometheus::Flavor::victoria_metrics &&
                                 std::holds_alternative<RangeVector>(value);
        return is_exported ? "application/stream+json; charset=utf-8" : "application/json";
    }

    Response refusal(QueryFailure failure) const {
        if (script_.flavor() == prometheus::Flavor::victoria_metrics)
            failure = QueryFailure::victoria_metrics(failure.what());
        return make(failure.http_status(), write_answer(failure), "application/json");
    }

    static std::optional<Response> scripted(ScriptedFailure failure) {
        if (failure.status == 0)
            return std::nullopt;
        const bool is_json = failure.body.starts_with('{');
        Response response = make(failure.status, std::move(failure.body),
                                 is_json ? "application/json" : "text/plain; charset=utf-8");
        for (const auto& [name, value] : failure.headers)
            response.set(name, value);
        return response;
    }

    static std::optional<double> number(const std::string& text) {
        double value = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
            std::abs(value) > 1e10)
            return std::nullopt;
        return value;
    }

    /// Parses Unix seconds, exact to the millisecond. (Prometheus also accepts RFC 3339.)
    static FakeScript::Time parse_time(const std::string& text) {
        const auto seconds = number(text);
        if (!seconds)
            throw QueryFailure::bad_data(
                "invalid parameter \"time\": Invalid time value for 'time': cannot parse \"" +
                text + "\" to a valid timestamp");
        const std::chrono::milliseconds since_epoch(std::llround(*seconds * 1000));
        return FakeScript::Time(since_epoch);
    }

    static void check_timeout(const Request& request) {
        const auto text = parameter(request, "timeout");
        if (text && !number(*text) && !parse_duration(*text))
            throw QueryFailure::bad_data("invalid parameter \"timeout\": cannot parse \"" + *text +
                                         "\" to a valid duration");
    }

    FakeScript& script_;
    const FakeSeries& series_;
};

} // namespace wva_metrics::testing::detail
