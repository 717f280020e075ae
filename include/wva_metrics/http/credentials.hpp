// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace wva_metrics::http {

/// How a client proves who it is. A plain value; nothing in it is ever printed or put into an
/// error.
class Credentials {
public:
    /// What the credentials are.
    enum class Kind { none, bearer, bearer_file, basic };

    /// No `Authorization` header.
    Credentials() = default;

    /// A token that never changes.
    static Credentials bearer(std::string token) {
        return Credentials(Kind::bearer, std::move(token), {});
    }
    /// A file with a token, such as Kubernetes mounts and rotates it. It is read again at most
    /// every minute, and at once after the server has answered 401.
    static Credentials bearer_file(std::string path) {
        return Credentials(Kind::bearer_file, std::move(path), {});
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

    /// What is wrong with them, without repeating them; empty where nothing is. Reads no file.
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
        case Kind::basic:
            return is_printable(subject_) && is_printable(password_) &&
                           subject_.find(':') == std::string::npos
                       ? ""
                       : "credentials: user and password must not contain control characters or "
                         "exceed 64 KiB, the user no colon";
        }
        return "credentials: unknown kind";
    }

    /// The longest token, user or password that is accepted.
    static constexpr std::size_t max_bytes = std::size_t{64} << 10;

    /// Printable ASCII without spaces; every token format in use is that.
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

/// Gives the value of the `Authorization` header, and keeps it up to date where it comes from a
/// file. Thread-safe.
///
/// The file is read by the caller's thread: token files are small and live in memory.
class CredentialSource {
public:
    /// How long a token is used before its file is read again.
    static constexpr Duration reread_after = std::chrono::seconds(60);

    /// Reads no file yet.
    explicit CredentialSource(Credentials credentials) : credentials_(std::move(credentials)) {
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
            break;
        }
    }

    /// The header's value; empty where there are no credentials.
    ///
    /// While the file is missing, empty, too large or not a token, the last good token stays in
    /// use; before there was one, this is `Errc::invalid_config` and the message names the file and
    /// the reason.
    Result<std::string> authorization(TimePoint now) {
        if (credentials_.kind() != Credentials::Kind::bearer_file)
            return value_; // Never changes.
        const std::lock_guard lock(mutex_);
        if (!read_at_ || now - *read_at_ >= reread_after) {
            Result<std::string> token = read_token(credentials_.subject());
            if (token)
                value_ = "Bearer " + *token;
            else if (value_.empty())
                return token.error();
            // A token that is refused may be replaced any moment.
            if (value_ != refused_)
                read_at_ = now;
        }
        return value_;
    }

    /// The server answered 401 to this value: read the file again before the next request, and
    /// until it holds another one. Of several requests that are refused with an old value, none
    /// makes a new one be read twice.
    void refused(std::string_view value) {
        const std::lock_guard lock(mutex_);
        if (value != value_)
            return;
        refused_ = value;
        read_at_.reset();
    }

private:
    static Result<std::string> read_token(const std::string& path) {
        const auto refuse = [&](const char* reason) {
            return Error(Errc::invalid_config, "the token file " + path + " " + reason);
        };
        // Opening a FIFO or a device could block for ever.
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IFMT) != S_IFREG)
            return refuse("does not exist or is no regular file");
        std::ifstream file(path, std::ios::binary);
        std::string token(Credentials::max_bytes + 1, '\0');
        file.read(token.data(), static_cast<std::streamsize>(token.size()));
        if (!file.is_open() || file.bad())
            return refuse("cannot be read");
        token.resize(static_cast<std::size_t>(file.gcount()));
        if (token.size() > Credentials::max_bytes)
            return refuse("is larger than 64 KiB");
        constexpr std::string_view blanks = " \t\r\n";
        token.erase(token.find_last_not_of(blanks) + 1);
        token.erase(0, token.find_first_not_of(blanks));
        if (token.empty())
            return refuse("is empty");
        if (!Credentials::is_token(token))
            return refuse("must hold one token of printable ASCII without spaces");
        return token;
    }

    const Credentials credentials_;
    std::mutex mutex_;
    std::string value_;
    /// The last value that the server did not accept.
    std::string refused_;
    std::optional<TimePoint> read_at_;
};

} // namespace wva_metrics::http
