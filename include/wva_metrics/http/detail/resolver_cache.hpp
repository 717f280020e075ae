// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/wakeable.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// The addresses of one host, and the one lookup of them that may be pending. Thread-safe; does no
/// I/O, and time is passed in.
///
/// A lookup cannot be cancelled. So each call waits for it only until the call's own deadline, and
/// a call that needs the addresses while a lookup is pending shares it instead of starting another.
class ResolverCache {
public:
    using Addresses = std::vector<tcp::endpoint>;

    ResolverCache(const std::string& host, std::uint16_t port, Duration lifetime,
                  std::size_t max_addresses)
        : lifetime_(lifetime), max_addresses_(max_addresses) {
        boost::system::error_code failure;
        const auto address = asio::ip::make_address(host, failure);
        if (!failure)
            literal_ = Addresses{tcp::endpoint(address, port)};
    }

    /// The cached addresses. A literal address does not expire; resolved addresses expire after
    /// their lifetime.
    std::optional<Addresses> find(TimePoint now) const {
        const std::lock_guard lock(mutex_);
        if (literal_)
            return literal_;
        if (!addresses_.empty() && now - resolved_at_ < lifetime_)
            return addresses_;
        return std::nullopt;
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
            addresses_ = addresses;
            resolved_at_ = now;
        }
        lookup_->error = error;
        lookup_->addresses = std::move(addresses);
        lookup_->complete = true;
        // Under the lock, because a waiter may be destroyed right after it.
        for (Wakeable* call : lookup_->waiters)
            call->post_wake();
        lookup_.reset();
    }

    /// Drops the addresses after connecting to each of them failed: the next call resolves the name
    /// again.
    void forget() {
        const std::lock_guard lock(mutex_);
        addresses_.clear();
    }

    /// Moves an address that works to the front, so that the next connection tries it first.
    void prefer(const tcp::endpoint& address) {
        const std::lock_guard lock(mutex_);
        const auto found = std::find(addresses_.begin(), addresses_.end(), address);
        if (found != addresses_.end())
            std::rotate(addresses_.begin(), found, found + 1);
    }

    /// Drops the pending lookup; its waiters are not woken.
    void close() {
        const std::lock_guard lock(mutex_);
        lookup_.reset();
    }

private:
    const Duration lifetime_;
    const std::size_t max_addresses_;
    std::optional<Addresses> literal_;
    mutable std::mutex mutex_;
    Addresses addresses_;
    TimePoint resolved_at_{};
    std::shared_ptr<PendingLookup> lookup_;
};

} // namespace wva_metrics::http::detail
