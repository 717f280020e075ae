// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/wakeable.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/beast/core/flat_buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// A connection, and the buffer that answers are read into.
struct Connection {
    std::unique_ptr<Stream> stream{};
    /// Empty between two answers; its memory is used again.
    boost::beast::flat_buffer buffer{};
    /// The peer.
    tcp::endpoint address{};
};

/// Counts the connections of one endpoint, keeps the idle ones, and queues calls that must wait for
/// one. Thread-safe; does no I/O except closing sockets, and time is passed in.
class ConnectionPool {
public:
    explicit ConnectionPool(const Limits& limits) : limits_(limits) {}

    enum class State : std::uint8_t { rejected, queued, granted };

    /// One call's right to have a connection, or its place in the queue for that right. Released on
    /// destruction.
    class ConnectionLease {
    public:
        ConnectionLease(ConnectionPool& pool, Wakeable& call)
            : pool_(pool), call_(call), granted_at_once_(pool_.acquire(*this)) {}
        ~ConnectionLease() { pool_.release(*this); }
        ConnectionLease(const ConnectionLease&) = delete;
        ConnectionLease& operator=(const ConnectionLease&) = delete;

        /// False if the call must wait, or was rejected.
        bool is_granted_at_once() const noexcept { return granted_at_once_; }
        /// A queued lease may be granted from another thread, which then wakes the call.
        State state() const {
            const std::lock_guard lock(pool_.mutex_);
            return state_;
        }

    private:
        friend class ConnectionPool;
        ConnectionPool& pool_;
        Wakeable& call_;
        State state_ = State::rejected;
        std::list<ConnectionLease*>::iterator position_;
        const bool granted_at_once_;
    };

    /// A stream's right to have a connection. Released on destruction.
    ///
    /// Streams last long, so they have a limit of their own: they never queue, and do not use
    /// `max_connections`.
    class StreamLease {
    public:
        explicit StreamLease(ConnectionPool& pool) : pool_(pool) {
            const std::lock_guard lock(pool_.mutex_);
            is_granted_ = pool_.streams_ < pool_.limits_.max_streams;
            if (is_granted_)
                ++pool_.streams_;
        }
        ~StreamLease() {
            const std::lock_guard lock(pool_.mutex_);
            if (is_granted_)
                --pool_.streams_;
        }
        StreamLease(const StreamLease&) = delete;
        StreamLease& operator=(const StreamLease&) = delete;

        /// False if `limits.max_streams` streams are open already.
        bool is_granted() const noexcept { return is_granted_; }

    private:
        ConnectionPool& pool_;
        bool is_granted_ = false;
    };

    /// The idle connection that was used last; without a stream if there is none. Requires a
    /// granted lease.
    Connection take(TimePoint now) {
        Connections dropped;
        const std::lock_guard lock(mutex_);
        prune(now, dropped);
        while (!idle_.empty()) {
            Connection connection = std::move(idle_.back().connection);
            idle_.pop_back();
            // Bytes that arrived without a request must not be taken for the next answer.
            if (connection.stream->is_quiet())
                return connection;
            dropped.push_back(std::move(connection));
        }
        return {};
    }

    /// Keeps a connection whose answer was complete.
    void put(Connection connection, TimePoint now) {
        Connections dropped;
        const std::lock_guard lock(mutex_);
        prune(now, dropped);
        if (closed_ || limits_.max_idle == 0) {
            dropped.push_back(std::move(connection));
            return;
        }
        if (idle_.size() >= limits_.max_idle) {
            dropped.push_back(std::move(idle_.front().connection));
            idle_.pop_front();
        }
        idle_.push_back({std::move(connection), now});
    }

    /// Closes the idle connections to an address.
    void drop(const tcp::endpoint& address) {
        Connections dropped;
        const std::lock_guard lock(mutex_);
        std::erase_if(idle_, [&](Idle& idle) {
            const bool is_dropped = idle.connection.address == address;
            if (is_dropped)
                dropped.push_back(std::move(idle.connection));
            return is_dropped;
        });
    }

    /// Closes the idle connections.
    void drop_all() {
        std::deque<Idle> dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(idle_);
    }

    /// Closes the idle connections and keeps no further ones. Queued leases are not granted any
    /// more, because their calls are being cancelled.
    void close() {
        std::deque<Idle> dropped;
        const std::lock_guard lock(mutex_);
        closed_ = true;
        dropped.swap(idle_);
    }

    std::size_t idle() const {
        const std::lock_guard lock(mutex_);
        return idle_.size();
    }

private:
    struct Idle {
        Connection connection;
        TimePoint since;
    };
    using Connections = std::vector<Connection>;

    bool acquire(ConnectionLease& lease) {
        const std::lock_guard lock(mutex_);
        if (in_use_ < limits_.max_connections) {
            ++in_use_;
            lease.state_ = State::granted;
            return true;
        }
        if (queue_.size() < limits_.max_queued) {
            lease.position_ = queue_.insert(queue_.end(), &lease);
            lease.state_ = State::queued;
        }
        return false;
    }

    void release(ConnectionLease& lease) {
        const std::lock_guard lock(mutex_);
        if (lease.state_ == State::queued) {
            queue_.erase(lease.position_);
        } else if (lease.state_ == State::granted) {
            if (queue_.empty() || closed_) {
                --in_use_;
                return;
            }
            ConnectionLease& next = *queue_.front();
            queue_.pop_front();
            next.state_ = State::granted;
            // Under the lock, because the lease and its call may be destroyed right after it.
            next.call_.post_wake();
        }
    }

    void prune(TimePoint now, Connections& dropped) {
        while (!idle_.empty() && now - idle_.front().since > limits_.idle_timeout) {
            dropped.push_back(std::move(idle_.front().connection));
            idle_.pop_front();
        }
    }

    const Limits limits_;
    mutable std::mutex mutex_;
    std::deque<Idle> idle_;
    std::list<ConnectionLease*> queue_;
    std::size_t in_use_ = 0;
    std::size_t streams_ = 0;
    bool closed_ = false;
};

} // namespace wva_metrics::http::detail
