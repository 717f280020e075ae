// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/resilience/protection_event.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace wva_metrics::resilience {

/// Called for each event of the protection of a server, as `ProtectionConfig::on_event` is: possibly
/// on several threads at once, and it must not block.
using ProtectionListener = std::function<void(const ProtectionEvent&)>;

/// Those who want to know what happens to the servers of one backend, such as the collectors that
/// use copies of it.
///
/// **Threads:** safe.
class ProtectionListeners {
public:
    /// Adds a listener; it is told of events as long as it exists.
    void add(std::weak_ptr<const ProtectionListener> listener) {
        const std::lock_guard lock(mutex_);
        std::erase_if(listeners_, [](const auto& known) { return known.expired(); });
        listeners_.push_back(std::move(listener));
    }

    /// Calls the listeners, without a lock held. What one throws is dropped.
    void tell(const ProtectionEvent& event) const {
        for (const std::weak_ptr<const ProtectionListener>& known : copy()) {
            const auto listener = known.lock();
            if (!listener || !*listener)
                continue;
            try {
                (*listener)(event);
            } catch (...) { // It only watches, and the others must be told.
            }
        }
    }

private:
    std::vector<std::weak_ptr<const ProtectionListener>> copy() const {
        const std::lock_guard lock(mutex_);
        return listeners_;
    }

    mutable std::mutex mutex_;
    std::vector<std::weak_ptr<const ProtectionListener>> listeners_;
};

} // namespace wva_metrics::resilience
