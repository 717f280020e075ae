// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/retry_after.hpp"
#include "wva_metrics/resilience/retry_policy.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace wva_metrics::http::detail {

/// How far an attempt got that did not get an answer.
struct AttemptProgress {
    /// Something of the request may have been sent.
    bool was_sent = false;
    /// A sink has received something of the answer.
    bool has_delivered = false;
    /// The deadline of the caller has passed.
    bool is_overdue = false;
    /// From its beginning to its end.
    Duration lasted{};
};

/// What the outcome of an attempt says.
struct Judgement {
    enum class Endpoint : std::uint8_t {
        /// It answered, or the request was at fault.
        works,
        /// It is in trouble, or cannot be reached.
        fails,
        /// The attempt says nothing about it.
        unknown,
    };

    Endpoint endpoint = Endpoint::unknown;
    /// The same request may succeed if it is sent again.
    bool may_retry = false;
    /// The endpoint asked not to be asked for this long.
    Duration pause{};
};

inline Judgement judge_answer(const Response& response, const ClientConfig& config) {
    Judgement judgement{Judgement::Endpoint::works};
    const bool may_pass = resilience::is_retryable_status(response.status);
    // 501 means the method.
    if (!may_pass && (response.status / 100 != 5 || response.status == 501))
        return judgement;
    if (config.is_about_request && config.is_about_request(response))
        return {};
    judgement.endpoint = Judgement::Endpoint::fails;
    judgement.may_retry = may_pass;
    if (response.retry_after && (response.status == 429 || response.status == 503))
        judgement.pause =
            resilience::parse_retry_after(*response.retry_after, std::chrono::system_clock::now(),
                                          config.protection.max_retry_after)
                .value_or(Duration::zero());
    return judgement;
}

inline Judgement judge_error(const Error& error, const AttemptProgress& progress,
                             const ClientConfig& config) {
    using Endpoint = Judgement::Endpoint;
    // The request has not been sent, or nobody has seen anything of its answer.
    if (error.is(Errc::unreachable) || error.is(Errc::name_lookup_failed))
        return {Endpoint::fails, !progress.has_delivered};
    if (error.is(Errc::timeout)) {
        const bool was_slow =
            !progress.is_overdue || progress.lasted >= config.protection.slow_after;
        // A request that has been sent may be expensive, and the server may still work on it.
        return {was_slow ? Endpoint::fails : Endpoint::unknown, !progress.was_sent};
    }
    // Neither a certificate nor a broken server changes within seconds.
    if (error.is(Errc::tls_failed) || error.is(Errc::bad_response))
        return {Endpoint::fails, false};
    if (error.is(Errc::too_large))
        return {Endpoint::works, false};
    return {};
}

/// The outcome of an attempt.
inline Judgement judge_attempt(const Result<Response>& outcome, const AttemptProgress& progress,
                               const ClientConfig& config) {
    return outcome.has_value() ? judge_answer(*outcome, config)
                               : judge_error(outcome.error(), progress, config);
}

/// A failed attempt in a few words: `HTTP 503`, or its error.
inline std::string describe_failure(const Result<Response>& outcome) {
    constexpr std::size_t max_bytes = 200;
    if (outcome.has_value())
        return "HTTP " + std::to_string(outcome->status);
    return wva_metrics::detail::clean_text(
        outcome.error().code.message() + ": " + outcome.error().message, max_bytes);
}

} // namespace wva_metrics::http::detail
