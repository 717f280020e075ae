// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics::resilience {

/// Whether a slow request is sent a second time while the first is still waiting ("hedged"). The
/// defaults are those of Dean and Barroso, "The Tail at Scale". Check it with `validate`.
struct HedgingConfig {
    /// Off by default: it costs the endpoint requests.
    bool enabled = false;
    /// A request is hedged when it has taken longer than this share of the last ones.
    double quantile = 0.95;
    /// At most this share of requests is hedged, however slow they are.
    double max_share = 0.05;
    /// A request is not hedged earlier than this.
    Duration min_delay = std::chrono::milliseconds(10);
};

/// The problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const HedgingConfig& config) {
    std::vector<std::string> problems;
    if (!(config.quantile >= 0.5 && config.quantile < 1))
        problems.emplace_back("quantile must be at least 0.5 and below 1");
    if (!(config.max_share > 0 && config.max_share <= 0.5))
        problems.emplace_back("max_share must be above 0 and at most 0.5");
    if (config.min_delay < Duration::zero() || config.min_delay > std::chrono::hours(1))
        problems.emplace_back("min_delay must not be negative, and must be at most an hour");
    return problems;
}

/// Decides when requests to one endpoint are hedged. Not thread-safe.
class Hedging {
public:
    /// Latencies that are remembered.
    static constexpr std::size_t memory = 100;
    /// Latencies that must be known before anything is hedged.
    static constexpr std::size_t min_known = 20;

    /// Knows no latency yet. `config`: a valid one.
    explicit Hedging(const HedgingConfig& config) : config_(config) {}

    /// A request begins. Returns the time after which `try_hedge` may be asked about it; nothing if it
    /// is never hedged.
    std::optional<Duration> begin() {
        if (!config_.enabled)
            return std::nullopt;
        allowance_ = std::min(max_allowance, allowance_ + config_.max_share);
        if (known_ < min_known)
            return std::nullopt;
        return std::max(config_.min_delay, latency_quantile());
    }

    /// A request was answered, or its second one before it.
    void succeed(Duration latency) noexcept {
        if (!config_.enabled)
            return;
        latencies_[next_] = latency;
        next_ = (next_ + 1) % memory;
        known_ = std::min(known_ + 1, memory);
    }

    /// Takes the right to hedge one request. False if too many have been hedged.
    bool try_hedge() noexcept {
        if (allowance_ < 1)
            return false;
        allowance_ -= 1;
        return true;
    }

private:
    /// Requests that may be hedged at once after a long time without any. A little above 1, because
    /// the sum of many small shares is not exact.
    static constexpr double max_allowance = 1.5;

    Duration latency_quantile() const {
        std::array<Duration, memory> sorted = latencies_;
        const auto rank =
            static_cast<std::ptrdiff_t>(static_cast<double>(known_) * config_.quantile);
        const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(known_);
        std::nth_element(sorted.begin(), sorted.begin() + rank, end);
        return sorted[static_cast<std::size_t>(rank)];
    }

    HedgingConfig config_;
    std::array<Duration, memory> latencies_{};
    std::size_t next_ = 0;
    std::size_t known_ = 0;
    double allowance_ = 0;
};

} // namespace wva_metrics::resilience
