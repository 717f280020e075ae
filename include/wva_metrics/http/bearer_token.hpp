// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::http {

/// What a token provider returns.
class BearerToken {
public:
    /// An empty token, which is not accepted.
    BearerToken() = default;
    /// `valid_for`: how long the token is valid from now on; nothing = until the server answers 401.
    explicit BearerToken(std::string value, std::optional<Duration> valid_for = std::nullopt)
        : value_(std::move(value)), valid_for_(valid_for) {}

    /// The token, without `Bearer`.
    const std::string& value() const noexcept { return value_; }
    /// How long the token is valid.
    std::optional<Duration> valid_for() const noexcept { return valid_for_; }

private:
    std::string value_;
    std::optional<Duration> valid_for_;
};

/// Asks for a token: another program, or the metadata service of a cloud. A coroutine on the
/// client's executor; see `Credentials::bearer_provider`.
using TokenProvider = std::function<boost::asio::awaitable<Result<BearerToken>>()>;

} // namespace wva_metrics::http
