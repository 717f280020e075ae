// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Gives the watches that a client may hold to those who follow something through it, for as long
/// as they follow it: whoever gets none learns of it before it has asked for anything.
/// Thread-safe; does no I/O.
class WatchPlaces {
public:
    /// `most` places.
    explicit WatchPlaces(std::size_t most) : most_(most) {}

    /// One follower's place, which it need not hold yet.
    class Place {
    public:
        explicit Place(std::shared_ptr<WatchPlaces> places) : places_(std::move(places)) {
            const std::lock_guard lock(places_->mutex_);
            ++places_->followers_;
        }
        ~Place() {
            give_back();
            const std::lock_guard lock(places_->mutex_);
            --places_->followers_;
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        /// Whether it is held from now on, or was before.
        bool take() {
            const std::lock_guard lock(places_->mutex_);
            if (!is_held_ && places_->taken_ < places_->most_) {
                is_held_ = true;
                ++places_->taken_;
            }
            return is_held_;
        }
        /// Holds it no longer.
        void give_back() {
            const std::lock_guard lock(places_->mutex_);
            if (std::exchange(is_held_, false))
                --places_->taken_;
        }

    private:
        const std::shared_ptr<WatchPlaces> places_;
        bool is_held_ = false;
    };

    /// Why there is none, and how many there should be.
    Error refusal(const std::string& endpoint) const {
        const std::lock_guard lock(mutex_);
        const std::string followers = std::to_string(followers_);
        return Error(Errc::invalid_config,
                     "max_watches = " + std::to_string(most_) + " is too low for the " + followers +
                         " resources that are followed through this client; raise it to " +
                         followers + ", or follow fewer namespaces",
                     endpoint);
    }

private:
    const std::size_t most_;
    mutable std::mutex mutex_;
    std::size_t followers_ = 0;
    std::size_t taken_ = 0;
};

} // namespace wva_metrics::kubernetes::detail
