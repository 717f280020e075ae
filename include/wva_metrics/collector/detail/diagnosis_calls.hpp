// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/diagnosis_call.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace wva_metrics::detail {

/// The running diagnoses of a collector, which end with it. Thread-safe.
template <typename Timer>
class DiagnosisCalls {
public:
    /// A call that is added after `close` is cancelled.
    void add(const std::shared_ptr<DiagnosisCall<Timer>>& call) {
        {
            const std::lock_guard lock(mutex_);
            std::erase_if(calls_, [](const auto& weak) { return weak.expired(); });
            calls_.push_back(call);
            if (!is_closed_)
                return;
        }
        call->cancel();
    }

    /// Cancels all.
    void close() noexcept {
        std::vector<std::weak_ptr<DiagnosisCall<Timer>>> calls;
        {
            const std::lock_guard lock(mutex_);
            is_closed_ = true;
            calls.swap(calls_);
        }
        for (const auto& weak : calls)
            if (const auto call = weak.lock())
                call->cancel();
    }

private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<DiagnosisCall<Timer>>> calls_;
    bool is_closed_ = false;
};

} // namespace wva_metrics::detail
