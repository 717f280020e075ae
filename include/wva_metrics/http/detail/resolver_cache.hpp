// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/address_health.hpp"
#include "wva_metrics/http/detail/wakeable.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

namespace wva_metrics::http::detail {

/// The addresses of one host, which of them to use, and the one lookup of them that may be pending.
/// Thread-safe; does no I/O, and time is passed in.
///
/// A lookup cannot be cancelled. So each call waits for it only until the call's own deadline, and
/// a call that needs the addresses while a lookup is pending shares it instead of starting another.
class ResolverCache {
public:
    using Addresses = AddressHealth::Addresses;

    ResolverCache(const std::string& host, std::uint16_t port, const Timeouts& timeouts,
                  std::size_t max_addresses)
        : lifetime_(timeouts.address_lifetime), max_addresses_(max_addresses),
          addresses_(timeouts.address_retry, timeouts.max_address_retry) {
        boost::system::error_code failure;
        const auto address = asio::ip::make_address(host, failure);
        is_literal_ = !failure;
        if (is_literal_)
            addresses_.assign({tcp::endpoint(address, port)});
    }

    /// The cached addresses, in the order in which to try them. A literal address does not expire;
    /// resolved addresses expire after their lifetime.
    std::optional<Addresses> find(TimePoint now) const {
        const std::lock_guard lock(mutex_);
        const bool is_valid = resolved_at_ && now - *resolved_at_ < lifetime_;
        if (is_literal_ || (is_valid && !addresses_.is_empty()))
            return addresses_.sorted();
        return std::nullopt;
    }

    /// See `AddressHealth`.
    void succeeded(const tcp::endpoint& address) {
        const std::lock_guard lock(mutex_);
        addresses_.succeeded(address);
    }
    bool failed(const tcp::endpoint& address, TimePoint now) {
        const std::lock_guard lock(mutex_);
        return addresses_.failed(address, now);
    }
    std::optional<tcp::endpoint> claim_probe(TimePoint now) {
        const std::lock_guard lock(mutex_);
        return addresses_.claim_probe(now);
    }

    /// A lookup that all calls share which need its result.
    struct PendingLookup {
        bool complete = false;
        boost::system::error_code error;
        Addresses addresses;
        std::unordered_set<Wakeable*> waiters;
    };

    /// A call's share in the pending lookup, as long as this object lives. The call is woken when
    /// the lookup completes.
    class Waiter {
    public:
        Waiter(ResolverCache& cache, Wakeable& call) : cache_(cache), call_(call) {
            const std::lock_guard lock(cache_.mutex_);
            if (!cache_.lookup_) {
                cache_.lookup_ = std::make_shared<PendingLookup>();
                is_leader_ = true;
            }
            lookup_ = cache_.lookup_;
            lookup_->waiters.insert(&call_);
        }
        ~Waiter() {
            const std::lock_guard lock(cache_.mutex_);
            lookup_->waiters.erase(&call_);
        }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

        /// True for the first waiter, which must start the lookup and have `complete` called.
        bool is_leader() const noexcept { return is_leader_; }
        bool is_complete() const {
            const std::lock_guard lock(cache_.mutex_);
            return lookup_->complete;
        }
        // The result. A complete lookup does not change any more.
        const boost::system::error_code& error() const noexcept { return lookup_->error; }
        const Addresses& addresses() const noexcept { return lookup_->addresses; }

    private:
        ResolverCache& cache_;
        Wakeable& call_;
        std::shared_ptr<PendingLookup> lookup_;
        bool is_leader_ = false;
    };

    /// Ends the pending lookup and wakes its waiters. Ignored if none is pending.
    void complete(const boost::system::error_code& error, Addresses addresses, TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (!lookup_)
            return;
        if (addresses.size() > max_addresses_)
            addresses.resize(max_addresses_);
        if (!error) {
            addresses_.assign(addresses);
            resolved_at_ = now;
            lookup_->addresses = addresses_.sorted();
        }
        lookup_->error = error;
        lookup_->complete = true;
        // Under the lock, because a waiter may be destroyed right after it.
        for (Wakeable* call : lookup_->waiters)
            call->post_wake();
        lookup_.reset();
    }

    /// Call after connecting to each address failed: the next call resolves the name again.
    void expire() {
        const std::lock_guard lock(mutex_);
        resolved_at_.reset();
    }

    /// Drops the pending lookup; its waiters are not woken.
    void close() {
        const std::lock_guard lock(mutex_);
        lookup_.reset();
    }

private:
    const Duration lifetime_;
    const std::size_t max_addresses_;
    bool is_literal_ = false;
    mutable std::mutex mutex_;
    AddressHealth addresses_;
    std::optional<TimePoint> resolved_at_;
    std::shared_ptr<PendingLookup> lookup_;
};

} // namespace wva_metrics::http::detail
