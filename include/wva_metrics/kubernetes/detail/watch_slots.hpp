// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Limits the concurrent watches of a client. A follower acquires a slot before its first request,
/// so that exhaustion is reported up front. Thread-safe; does no I/O.
class WatchSlots {
public:
    explicit WatchSlots(std::size_t max_slots) : max_slots_(max_slots) {}

    /// The slot of one follower, which counts as a follower even if it holds no slot yet.
    class Slot {
    public:
        explicit Slot(std::shared_ptr<WatchSlots> slots) : slots_(std::move(slots)) {
            const std::lock_guard lock(slots_->mutex_);
            ++slots_->followers_;
        }
        ~Slot() {
            release();
            const std::lock_guard lock(slots_->mutex_);
            --slots_->followers_;
        }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

        /// Whether the slot is held now; it may have been held before.
        bool acquire() {
            const std::lock_guard lock(slots_->mutex_);
            if (!is_held_ && slots_->held_ < slots_->max_slots_) {
                is_held_ = true;
                ++slots_->held_;
            }
            return is_held_;
        }
        /// Does nothing if the slot is not held.
        void release() {
            const std::lock_guard lock(slots_->mutex_);
            if (std::exchange(is_held_, false))
                --slots_->held_;
        }

    private:
        const std::shared_ptr<WatchSlots> slots_;
        bool is_held_ = false;
    };

    /// The error of a follower without a slot. Its text names the required number of slots.
    Error exhausted(const std::string& endpoint) const {
        const std::lock_guard lock(mutex_);
        const std::string followers = std::to_string(followers_);
        return Error(Errc::invalid_config,
                     "max_watches = " + std::to_string(max_slots_) + " is too low for the " +
                         followers +
                         " resources that are followed through this client; raise it "
                         "to " +
                         followers + ", or follow fewer namespaces",
                     endpoint);
    }

private:
    const std::size_t max_slots_;
    mutable std::mutex mutex_;
    std::size_t followers_ = 0;
    std::size_t held_ = 0;
};

} // namespace wva_metrics::kubernetes::detail
