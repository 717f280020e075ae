// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace wva_metrics {

/// What went wrong, in the terms a caller can act on.
enum class Errc {
    /// An argument cannot be used at all (invalid UTF-8, an empty model id). Nothing was sent.
    invalid_argument = 1,
    /// A configuration is wrong; the message lists everything that is.
    invalid_config,
    /// The endpoint's name could not be resolved.
    name_lookup_failed,
    /// No connection, or it broke before an answer was complete.
    unreachable,
    /// A deadline passed.
    timeout,
    /// The TLS handshake failed: certificate, host name or protocol.
    tls_failed,
    /// HTTP 401: the credentials were not accepted.
    unauthorized,
    /// HTTP 403: the credentials were accepted, the access was not allowed.
    forbidden,
    /// The backend understood the request and refused it (HTTP 400, 404, 422): asking again is
    /// useless.
    rejected,
    /// The question was too large or too costly for the backend; a smaller one may succeed.
    too_costly,
    /// The backend cannot answer now (HTTP 429, 5xx).
    unavailable,
    /// An answer exceeded one of our bounds; the message names it.
    too_large,
    /// The answer is not what the protocol promises (malformed JSON, truncated body, wrong type).
    bad_response,
    /// The backend has no such metric.
    metrics_missing,
    /// The operation was cancelled, or its collector was destroyed.
    aborted,
    /// A backend or callback failed in a way that it did not describe.
    internal,
};

/// A short fixed name for logs and labels, e.g. `timeout`.
constexpr std::string_view to_string(Errc code) noexcept {
    switch (code) {
    case Errc::invalid_argument:
        return "invalid_argument";
    case Errc::invalid_config:
        return "invalid_config";
    case Errc::name_lookup_failed:
        return "name_lookup_failed";
    case Errc::unreachable:
        return "unreachable";
    case Errc::timeout:
        return "timeout";
    case Errc::tls_failed:
        return "tls_failed";
    case Errc::unauthorized:
        return "unauthorized";
    case Errc::forbidden:
        return "forbidden";
    case Errc::rejected:
        return "rejected";
    case Errc::too_costly:
        return "too_costly";
    case Errc::unavailable:
        return "unavailable";
    case Errc::too_large:
        return "too_large";
    case Errc::bad_response:
        return "bad_response";
    case Errc::metrics_missing:
        return "metrics_missing";
    case Errc::aborted:
        return "aborted";
    case Errc::internal:
        return "internal";
    }
    return "unknown";
}

// GCC takes Boost's protected destructor for a public one, and would warn every user of this
// header.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

/// The category of `Errc`, named "wva_metrics".
inline const boost::system::error_category& error_category() noexcept {
    class Category final : public boost::system::error_category {
    public:
        constexpr Category() noexcept : error_category(0x7a6d61d4c0f5e3b1) {}
        const char* name() const noexcept override { return "wva_metrics"; }
        std::string message(int value) const override {
            return std::string(to_string(static_cast<Errc>(value)));
        }
    };
    static constexpr Category category;
    return category;
}

#pragma GCC diagnostic pop

/// Found by Boost.System where an `Errc` becomes an error code.
inline boost::system::error_code make_error_code(Errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

} // namespace wva_metrics

/// @cond Makes an `Errc` comparable with error codes; Doxygen cannot place it.
template <>
struct boost::system::is_error_code_enum<wva_metrics::Errc> : std::true_type {};
/// @endcond

namespace wva_metrics {

/// An error code and the words a person needs beside it.
///
/// `message` is one sentence that says what failed and what to do; `endpoint` is who was asked,
/// without credentials. Neither ever holds a secret.
struct Error {
    /// What kind of failure; `Errc` converts to it.
    boost::system::error_code code;
    /// One sentence for people.
    std::string message;
    /// `scheme://host:port` of who was asked; empty where nobody was.
    std::string endpoint;
    /// HTTP status of the answer; 0 where there was none.
    int http_status = 0;

    /// No error.
    Error() = default;
    /// A failure, and what is known of it.
    Error(Errc errc, std::string text, std::string asked = {}, int status = 0)
        : code(errc), message(std::move(text)), endpoint(std::move(asked)), http_status(status) {}

    /// Is it of this kind?
    bool is(Errc errc) const noexcept { return code == errc; }

    /// One line for logs: `timeout: no answer within 5 s (http://prometheus:9090)`.
    std::string describe() const {
        std::string text = code.message() + ": " + message;
        if (!endpoint.empty())
            text += " (" + endpoint + ")";
        return text;
    }

    friend bool operator==(const Error&, const Error&) = default;
};

/// Thrown by `Result<T>::value()` when there is an `Error` instead of a value.
class ResultError : public std::system_error {
public:
    /// Keeps the error; `what()` is what it describes.
    explicit ResultError(Error error)
        : std::system_error(error.code), error_(std::move(error)), text_(error_.describe()) {}
    /// The error that took the place of the value.
    const Error& error() const noexcept { return error_; }

    /// `Error::describe()`. Not what std::system_error makes of it, which names the code twice.
    const char* what() const noexcept override { return text_.c_str(); }

private:
    Error error_;
    std::string text_;
};

/// Found by Boost.System when `value()` is called on a result that holds an error.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw ResultError(error);
}

/// A value, or the reason why there is none.
template <typename T>
using Result = boost::system::result<T, Error>;

} // namespace wva_metrics
