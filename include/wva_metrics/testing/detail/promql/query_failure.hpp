// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace wva_metrics::testing::detail {

/// An error of a query, in the terms of the HTTP API of Prometheus. The parser and the evaluator
/// throw it; the fake catches it.
class QueryFailure : public std::runtime_error {
public:
    /// 400: the query or a parameter of the request is invalid.
    static QueryFailure bad_data(const std::string& message) { return {400, "bad_data", message}; }
    /// 422: the query is valid but cannot be evaluated on these series.
    static QueryFailure execution(const std::string& message) {
        return {422, "execution", message};
    }
    /// The only kind of error that VictoriaMetrics has.
    static QueryFailure victoria_metrics(const std::string& message) {
        return {422, "422", message};
    }

    /// The HTTP status of the answer.
    int http_status() const noexcept { return http_status_; }
    /// `errorType` of the answer.
    const std::string& error_type() const noexcept { return error_type_; }

private:
    QueryFailure(int http_status, std::string error_type, const std::string& message)
        : std::runtime_error(message), http_status_(http_status),
          error_type_(std::move(error_type)) {}

    int http_status_;
    std::string error_type_;
};

} // namespace wva_metrics::testing::detail
