// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/bearer_token.hpp"
#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/http/detail/file_outage.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <type_traits>
#include <utility>

namespace wva_metrics::http {

/// The credentials of a client. A plain value; secrets in it never appear in logs or errors.
class Credentials {
public:
    /// What the credentials are.
    enum class Kind { none, bearer, bearer_file, bearer_provider, basic };

    /// No `Authorization` header.
    Credentials() = default;

    /// A token that never changes.
    static Credentials bearer(std::string token) {
        return Credentials(Kind::bearer, std::move(token), {});
    }
    /// A file with a token, as Kubernetes mounts and rotates it. It is read again after a minute,
    /// and immediately after the server has answered 401.
    static Credentials bearer_file(std::string path) {
        return Credentials(Kind::bearer_file, std::move(path), {});
    }
    /// Tokens of the user's own, from a program or from the metadata service of a cloud.
    ///
    /// The provider is called on the client's executor, when the first request needs a token,
    /// shortly before that token expires, and after the server has answered 401. One call serves all
    /// requests. It has `Timeouts::token`; then its coroutine is cancelled. While it fails, hangs or
    /// returns something else than a token, the last token stays in use until it expires; then
    /// requests fail with the provider's reason, and it is asked again once per second.
    ///
    /// **Parameters:**
    /// - `provider`: a coroutine, `() -> asio::awaitable<Result<BearerToken>>`, or a function, `() ->
    ///   Result<BearerToken>`, which must not block. The texts of its errors and exceptions, without
    ///   control characters and cut after 200 bytes, stand in the errors of requests: they must not
    ///   contain a secret.
    template <typename Provider>
        requires std::is_invocable_v<Provider&>
    static Credentials bearer_provider(Provider provider) {
        Credentials credentials(Kind::bearer_provider, {}, {});
        if constexpr (std::is_constructible_v<TokenProvider, Provider>)
            credentials.provider_ = std::move(provider);
        else
            credentials.provider_ =
                [provider =
                     std::move(provider)]() mutable -> boost::asio::awaitable<Result<BearerToken>> {
                Result<BearerToken> token = provider();
                co_return token;
            };
        return credentials;
    }
    /// A user and a password, sent with every request.
    static Credentials basic(std::string user, std::string password) {
        return Credentials(Kind::basic, std::move(user), std::move(password));
    }

    /// What the credentials are.
    Kind kind() const noexcept { return kind_; }
    /// The token, the path or the user.
    const std::string& subject() const noexcept { return subject_; }
    /// The password; empty unless `Kind::basic`.
    const std::string& password() const noexcept { return password_; }

    /// Asks for a token; empty unless `Kind::bearer_provider`.
    const TokenProvider& provider() const noexcept { return provider_; }

    /// The problem of the credentials, without repeating them; empty if they are valid. Reads no
    /// file.
    std::string problem() const {
        switch (kind_) {
        case Kind::none:
            return "";
        case Kind::bearer:
            return is_token(subject_)
                       ? ""
                       : "credentials: a bearer token must be printable ASCII without "
                         "spaces, at most 64 KiB";
        case Kind::bearer_file:
            return !subject_.empty() && subject_.find('\0') == std::string::npos
                       ? ""
                       : "credentials: the path of the token file must not be empty";
        case Kind::bearer_provider:
            return provider_ ? "" : "credentials: the token provider must not be empty";
        case Kind::basic:
            return is_printable(subject_) && is_printable(password_) &&
                           subject_.find(':') == std::string::npos
                       ? ""
                       : "credentials: user and password must not contain control characters or "
                         "exceed 64 KiB, the user no colon";
        }
        return "credentials: unknown kind";
    }

    /// Maximal size of a token, user or password.
    static constexpr std::size_t max_bytes = std::size_t{64} << 10;

    /// Printable ASCII without spaces, as in every token format in use.
    static bool is_token(std::string_view text) noexcept {
        return !text.empty() && text.size() <= max_bytes && detail::is_visible(text);
    }

private:
    Credentials(Kind kind, std::string subject, std::string password)
        : kind_(kind), subject_(std::move(subject)), password_(std::move(password)) {}

    static bool is_printable(std::string_view text) noexcept {
        return text.size() <= max_bytes && !detail::has_control(text);
    }

    Kind kind_ = Kind::none;
    std::string subject_;
    std::string password_;
    TokenProvider provider_;
};

namespace detail {

inline std::string encode_base64(std::string_view text) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string encoded;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, text.size() - i);
        unsigned group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8U | (j < count ? static_cast<unsigned char>(text[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            encoded += j <= count ? alphabet[group >> (18U - 6U * j) & 63U] : '=';
    }
    return encoded;
}

} // namespace detail

/// Provides the value of the `Authorization` header, and keeps it up to date if it comes from a
/// file. Not for a token provider. Thread-safe.
///
/// The file is read on the caller's thread: token files are small and stay in memory.
class CredentialSource {
public:
    /// How long a token is used before its file is read again.
    static constexpr Duration reread_after = std::chrono::seconds(60);

    /// Reads no file yet. `max_stale_file`: see `ClientConfig::max_stale_token_file`.
    CredentialSource(Credentials credentials, Duration max_stale_file)
        : credentials_(std::move(credentials)), outage_(max_stale_file, "max_stale_token_file") {
        switch (credentials_.kind()) {
        case Credentials::Kind::bearer:
            value_ = "Bearer " + credentials_.subject();
            break;
        case Credentials::Kind::basic:
            value_ = "Basic " +
                     detail::encode_base64(credentials_.subject() + ":" + credentials_.password());
            break;
        case Credentials::Kind::none:
        case Credentials::Kind::bearer_file:
        case Credentials::Kind::bearer_provider:
            break;
        }
    }

    /// The header's value; empty without credentials.
    ///
    /// While the file is missing, empty, too large or not a token, it is read for each request, and
    /// the last valid token stays in use for `max_stale_file`. After that, and if there was none
    /// yet, fails with `Errc::invalid_config`; the message names the file and the reason.
    Result<std::string> authorization(TimePoint now) {
        if (credentials_.kind() != Credentials::Kind::bearer_file)
            return value_; // Needs no lock: it never changes.
        const std::lock_guard lock(mutex_);
        if (outage_.is_on() || !read_at_ || now - *read_at_ >= reread_after) {
            Result<std::string> token = read_token(credentials_.subject());
            if (token) {
                value_ = "Bearer " + *token;
                outage_.end();
            } else if (value_.empty()) {
                return token.error();
            } else {
                outage_.record(std::move(token).error(), now);
            }
            // A rejected token may be replaced at any moment, so it is read again each time.
            if (value_ != rejected_)
                read_at_ = now;
        }
        if (std::optional<Error> error = outage_.error(now))
            return *std::move(error);
        return value_;
    }

    /// Call when the server has answered 401 to this value. The file is then read again before
    /// each request, until it holds another token. Ignored if `value` is not the current one:
    /// several requests may be rejected with the same old token.
    void reject(std::string_view value) {
        const std::lock_guard lock(mutex_);
        if (value != value_)
            return;
        rejected_ = value;
        read_at_.reset();
    }

private:
    static Result<std::string> read_token(const std::string& path) {
        const auto reject = [&](const char* reason) {
            return Error(Errc::invalid_config, "the token file " + path + " " + reason);
        };
        // Opening a FIFO or a device could block forever.
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IFMT) != S_IFREG)
            return reject("does not exist or is not a regular file");
        std::ifstream file(path, std::ios::binary);
        std::string token(Credentials::max_bytes + 1, '\0');
        file.read(token.data(), static_cast<std::streamsize>(token.size()));
        if (!file.is_open() || file.bad())
            return reject("cannot be read");
        token.resize(static_cast<std::size_t>(file.gcount()));
        if (token.size() > Credentials::max_bytes)
            return reject("is larger than 64 KiB");
        constexpr std::string_view blanks = " \t\r\n";
        token.erase(token.find_last_not_of(blanks) + 1);
        token.erase(0, token.find_first_not_of(blanks));
        if (token.empty())
            return reject("is empty");
        if (!Credentials::is_token(token))
            return reject("must hold one token of printable ASCII without spaces");
        return token;
    }

    const Credentials credentials_;
    std::mutex mutex_;
    detail::FileOutage outage_;
    std::string value_;
    /// The last value that the server rejected.
    std::string rejected_;
    std::optional<TimePoint> read_at_;
};

} // namespace wva_metrics::http
