// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/separate_compilation.hpp"

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace wva_metrics {

/// The kind of a failure, for callers that handle kinds differently.
enum class Errc {
    /// An argument is invalid: a name that is empty, no UTF-8, has control characters, or is longer
    /// than any cluster allows (253 bytes; a model id 4096). No request was sent.
    invalid_argument = 1,
    /// A configuration is invalid; the message lists all problems.
    invalid_config,
    /// The host name of the endpoint could not be resolved.
    name_lookup_failed,
    /// No connection, or it was lost before the answer was complete.
    unreachable,
    /// A deadline has passed.
    timeout,
    /// The TLS handshake failed: certificate, host name or protocol.
    tls_failed,
    /// HTTP 401: the credentials were not accepted.
    unauthorized,
    /// HTTP 403: the credentials were accepted, but do not permit the access.
    forbidden,
    /// The backend rejected the request (HTTP 400, 404, 422); a retry has the same result.
    rejected,
    /// The request was too large or too expensive for the backend; a smaller one may succeed.
    too_costly,
    /// The backend cannot answer at the moment (HTTP 429, 5xx, or its own timeout), or too many
    /// requests wait for it already; a later request may succeed.
    unavailable,
    /// An answer exceeded a limit of this library; the message names the limit.
    too_large,
    /// The answer violates the protocol (malformed JSON, truncated body, wrong type).
    bad_response,
    /// The operation was cancelled, or its collector was destroyed.
    aborted,
    /// A backend or a callback threw an unexpected exception, or memory was short.
    internal,
};

/// A short stable name for logs and labels, e.g. `timeout`.
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
    case Errc::aborted:
        return "aborted";
    case Errc::internal:
        return "internal";
    }
    return "unknown";
}

// GCC ignores that Boost's destructor is protected, and would warn in every user's program.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

/// The error category of `Errc`, with the name "wva_metrics".
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

/// Boost.System calls it to convert an `Errc` to an error code.
inline boost::system::error_code make_error_code(Errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

} // namespace wva_metrics

/// @cond Makes `Errc` comparable with error codes. Doxygen does not support it.
template <>
struct boost::system::is_error_code_enum<wva_metrics::Errc> : std::true_type {};
/// @endcond

namespace wva_metrics {

/// An error code with a message and the endpoint. Never contains a secret.
///
/// Its texts may quote a server, a document or a name, but they are bounded and cannot control a
/// terminal: its constructor and `describe` put spaces for control characters and those that turn
/// the direction of writing, and question marks for what is not UTF-8.
struct Error {
    /// A longer message is cut, and ends with `...`. All problems of a configuration fit.
    static constexpr std::size_t max_message_bytes = std::size_t{16} << 10;
    /// A longer endpoint is cut. A host name has at most 253 bytes.
    static constexpr std::size_t max_endpoint_bytes = 300;

    /// The kind of the failure; compare it with an `Errc`.
    boost::system::error_code code;
    /// One sentence: what failed and what to do.
    std::string message;
    /// `scheme://host:port` of the server; empty if no server is involved.
    std::string endpoint;
    /// HTTP status of the answer; 0 if there was no answer.
    int http_status = 0;
    /// How long the server asks to wait before the next request; empty if it does not ask.
    std::optional<std::chrono::nanoseconds> retry_after;

    /// No error.
    Error() = default;
    /// An error with its details.
    Error(Errc errc, std::string text, std::string server = {}, int status = 0)
        : code(errc), message(detail::clean_text(text, max_message_bytes)),
          endpoint(detail::clean_text(server, max_endpoint_bytes)), http_status(status) {}

    /// True if the error is of this kind.
    bool is(Errc errc) const noexcept { return code == errc; }

    /// One line for logs: `timeout: no answer within 5 s (http://prometheus:9090)`.
    std::string describe() const {
        std::string text = code.message() + ": " + detail::clean_text(message, max_message_bytes);
        if (!endpoint.empty())
            text += " (" + detail::clean_text(endpoint, max_endpoint_bytes) + ")";
        return text;
    }

    friend bool operator==(const Error&, const Error&) = default;
};

/// The exception of `Result<T>::value()` if the result holds an error.
class ResultError : public std::system_error {
public:
    /// Stores the error.
    explicit ResultError(Error error)
        : std::system_error(error.code), error_(std::move(error)), text_(error_.describe()) {}
    /// The error of the result.
    const Error& error() const noexcept { return error_; }

    /// `Error::describe()`, because the text of std::system_error has the code twice.
    const char* what() const noexcept override { return text_.c_str(); }

private:
    Error error_;
    std::string text_;
};

/// Boost.System calls it if `value()` is called on a result that holds an error.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
    throw ResultError(error);
}

/// A value or an error.
template <typename T>
using Result = boost::system::result<T, Error>;

} // namespace wva_metrics
