// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/endpoint_guard.hpp"

#include <chrono>
#include <string_view>

namespace wva_metrics::http::detail {

/// One request that the endpoint's guard has admitted, and how far it got. Tells the guard its outcome
/// once, and at its destruction that there is none. Not thread-safe.
class GuardedRequest {
public:
    /// The guard must outlive it.
    GuardedRequest(resilience::EndpointGuard& guard, const resilience::EndpointGuard::Pass& pass)
        : guard_(guard), pass_(pass) {}
    ~GuardedRequest() {
        if (!is_told_)
            guard_.abandon(pass_, std::chrono::steady_clock::now());
    }
    GuardedRequest(const GuardedRequest&) = delete;
    GuardedRequest& operator=(const GuardedRequest&) = delete;

    /// The endpoint answered.
    void succeed(TimePoint now) {
        if (tell())
            guard_.succeed(pass_, now);
    }
    /// The endpoint failed; see `EndpointGuard::fail`.
    void fail(TimePoint now, std::string_view why, Duration pause) {
        if (tell())
            guard_.fail(pass_, now, why, pause);
    }

    /// When it began.
    TimePoint started() const noexcept { return pass_.started; }

    void set_sent() noexcept { was_sent_ = true; }
    /// Whether anything of it may have been sent.
    bool was_sent() const noexcept { return was_sent_; }
    void set_delivered() noexcept { has_delivered_ = true; }
    /// Whether a sink has received anything of the answer.
    bool has_delivered() const noexcept { return has_delivered_; }

private:
    bool tell() noexcept {
        const bool is_first = !is_told_;
        is_told_ = true;
        return is_first;
    }

    resilience::EndpointGuard& guard_;
    const resilience::EndpointGuard::Pass pass_;
    bool is_told_ = false;
    bool was_sent_ = false;
    bool has_delivered_ = false;
};

} // namespace wva_metrics::http::detail
