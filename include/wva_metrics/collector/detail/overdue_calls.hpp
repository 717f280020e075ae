// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace wva_metrics::detail {

/// The number of calls of the backend that were given up and still run, because the backend does not
/// end when it is cancelled. Each holds its memory and perhaps a connection. Copies share the number.
/// Thread-safe.
class OverdueCalls {
public:
    std::size_t count() const noexcept { return count_->load(std::memory_order_relaxed); }

    /// Why no further call may begin; empty if one may.
    std::optional<Error> refusal(std::size_t max_overdue_calls) const {
        const std::size_t overdue = count();
        if (overdue < max_overdue_calls)
            return std::nullopt;
        return Error(Errc::unavailable,
                     std::to_string(overdue) +
                         " calls of the backend still run although they were given up "
                         "(CollectorConfig::max_overdue_calls): it does not end when it is "
                         "cancelled; no call begins until one of them has ended");
    }

    /// One call, which counts from `give_up` on until it is destroyed.
    class Call {
    public:
        explicit Call(const OverdueCalls& calls) noexcept : count_(calls.count_) {}
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
        ~Call() {
            if (is_overdue_.load(std::memory_order_relaxed))
                count_->fetch_sub(1, std::memory_order_relaxed);
        }
        /// Thread-safe.
        void give_up() noexcept {
            if (!is_overdue_.exchange(true, std::memory_order_relaxed))
                count_->fetch_add(1, std::memory_order_relaxed);
        }

    private:
        std::shared_ptr<std::atomic<std::size_t>> count_;
        std::atomic<bool> is_overdue_{false};
    };

private:
    std::shared_ptr<std::atomic<std::size_t>> count_ =
        std::make_shared<std::atomic<std::size_t>>(0);
};

} // namespace wva_metrics::detail
