// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <string>
#include <string_view>

namespace wva_metrics::detail {

/// The error of a scrape of an EPP, with the words of what to do. An EPP asks the Kubernetes API who
/// a token belongs to and what that account may do, so three accounts may lack a right. Keeps all
/// that the error has besides.
inline Error explain_epp_error(Error error) {
    const auto has = [&error](std::string_view text) {
        return error.message.find(text) != std::string::npos;
    };
    const auto replace = [&error](Errc code, std::string message) {
        error.code = code;
        error.message = std::move(message);
    };
    if (error.http_status == 401)
        replace(
            Errc::unauthorized,
            "the EPP does not accept the token, or got none (HTTP 401): its metrics need a bearer "
            "token of a Kubernetes service account that is not expired; see "
            "http::Credentials::bearer_file");
    else if (error.http_status == 403)
        replace(Errc::forbidden,
                "the account of the token may not read the EPP's metrics (HTTP 403): bind it to a "
                "ClusterRole with the verb 'get' for the non-resource URL '/metrics'");
    else if (error.http_status == 500 && has("Authentication failed"))
        replace(
            Errc::unavailable,
            "the EPP could not check the token (HTTP 500): mostly the EPP's own service account "
            "lacks the right to create tokenreviews; bind that account, not the one of the token, "
            "to the ClusterRole system:auth-delegator");
    else if (error.http_status == 500 && has("Authorization for user"))
        replace(
            Errc::unavailable,
            "the EPP could not check what the token's account may do (HTTP 500): mostly the EPP's "
            "own service account lacks the right to create subjectaccessreviews; bind that "
            "account, not the one of the token, to the ClusterRole system:auth-delegator");
    else if (error.http_status == 400 && has("HTTP request to an HTTPS server"))
        replace(Errc::tls_failed,
                "the EPP's metrics port speaks TLS only: use a URL that begins with https://, and "
                "http::make_tls_transport with the authority of its certificate");
    return error;
}

} // namespace wva_metrics::detail
