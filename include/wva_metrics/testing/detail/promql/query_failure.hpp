// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace wva_metrics::testing {

/// Why a query has no answer, in the terms of Prometheus' HTTP API. Thrown by the fake's parser and
/// evaluator, and never leaves the fake.
class QueryFailure : public std::runtime_error {
public:
    /// 400: the query, or a parameter of the request, cannot be understood.
    static QueryFailure bad_data(const std::string& message) { return {400, "bad_data", message}; }
    /// 422: the query was understood and cannot be carried out on these series.
    static QueryFailure execution(const std::string& message) {
        return {422, "execution", message};
    }

    /// The status Prometheus answers with.
    int http_status() const noexcept { return http_status_; }
    /// Prometheus' word for the kind of failure.
    const std::string& error_type() const noexcept { return error_type_; }

private:
    QueryFailure(int http_status, std::string error_type, const std::string& message)
        : std::runtime_error(message), http_status_(http_status),
          error_type_(std::move(error_type)) {}

    int http_status_;
    std::string error_type_;
};

} // namespace wva_metrics::testing
