// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace wva_metrics::resilience {

/// How many retries one endpoint bears. The defaults are those of gRPC's retry throttling (gRFC A6).
/// Check it with `validate`.
struct RetryBudgetConfig {
    /// Tokens at the start, and at most. No request is sent again while half of them or fewer are
    /// left: so a burst of failures costs at most 5 retries, however many callers there are.
    double max_tokens = 10;
    /// Tokens that a success adds: in the long run, at most this share of requests is retries.
    double tokens_per_success = 0.1;
};

/// The problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const RetryBudgetConfig& config) {
    std::vector<std::string> problems;
    if (!(config.max_tokens >= 2 && config.max_tokens <= 1e6))
        problems.emplace_back("max_tokens must be from 2 to 1000000");
    if (!(config.tokens_per_success >= 0 && config.tokens_per_success <= 1))
        problems.emplace_back("tokens_per_success must be from 0 to 1");
    return problems;
}

/// The token bucket of one endpoint, which all its callers share. Not thread-safe.
class RetryBudget {
public:
    /// Full.
    explicit RetryBudget(const RetryBudgetConfig& config)
        : config_(config), tokens_(config.max_tokens) {}

    /// A request succeeded.
    void succeed() noexcept {
        tokens_ = std::min(config_.max_tokens, tokens_ + config_.tokens_per_success);
    }
    /// Takes a token for one more request. False if the endpoint must not get one.
    bool try_spend() noexcept {
        if (tokens_ <= config_.max_tokens / 2)
            return false;
        tokens_ -= 1;
        return true;
    }
    /// The tokens that are left.
    double tokens() const noexcept { return tokens_; }

private:
    RetryBudgetConfig config_;
    double tokens_;
};

} // namespace wva_metrics::resilience
