// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/wakeable.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/endpoint_guard.hpp"

#include <boost/beast/core/flat_buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
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
/// one: interactive calls before background ones. Thread-safe; does no I/O except closing sockets, and
/// time is passed in.
class ConnectionPool {
public:
    /// `guard`: says how many connections may be in use; must outlive the pool.
    ConnectionPool(const Limits& limits, const resilience::EndpointGuard& guard)
        : limits_(limits), guard_(guard) {}

    enum class State : std::uint8_t { rejected, queued, granted };

    /// One call's right to have a connection, or its place in the queue for that right. Released on
    /// destruction.
    class ConnectionLease {
    public:
        /// `may_queue`: otherwise it is granted at once or rejected.
        ConnectionLease(ConnectionPool& pool, Wakeable& call, Priority priority, bool may_queue)
            : pool_(pool), call_(call), priority_(priority),
              granted_at_once_(pool_.acquire(*this, may_queue)) {}
        ~ConnectionLease() { pool_.release(*this); }
        ConnectionLease(const ConnectionLease&) = delete;
        ConnectionLease& operator=(const ConnectionLease&) = delete;

        /// False if the call must wait, or was rejected.
        bool is_granted_at_once() const noexcept { return granted_at_once_; }
        /// A queued lease may be granted from another thread, or rejected to make room for an
        /// interactive one. The call is then woken.
        State state() const {
            const std::lock_guard lock(pool_.mutex_);
            return state_;
        }

    private:
        friend class ConnectionPool;
        ConnectionPool& pool_;
        Wakeable& call_;
        const Priority priority_;
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

    using Queue = std::list<ConnectionLease*>;

    bool acquire(ConnectionLease& lease, bool may_queue) {
        const std::lock_guard lock(mutex_);
        Queue& queue = queue_of(lease.priority_);
        if (queue.empty() && has_room(lease.priority_)) {
            ++in_use_;
            lease.state_ = State::granted;
            return true;
        }
        if (!may_queue)
            return false;
        if (waiting_.size() + background_.size() >= limits_.max_queued && !displace_for(lease))
            return false;
        lease.position_ = queue.insert(queue.end(), &lease);
        lease.state_ = State::queued;
        return false;
    }

    void release(ConnectionLease& lease) {
        const std::lock_guard lock(mutex_);
        if (lease.state_ == State::queued)
            queue_of(lease.priority_).erase(lease.position_);
        else if (lease.state_ == State::granted)
            --in_use_;
        while (!closed_ && grant_next()) {
        }
    }

    Queue& queue_of(Priority priority) noexcept {
        return priority == Priority::interactive ? waiting_ : background_;
    }

    /// Background calls leave one connection to others, unless there is only one.
    bool has_room(Priority priority) const noexcept {
        const std::size_t limit = guard_.limit();
        return in_use_ < (priority == Priority::background && limit > 1 ? limit - 1 : limit);
    }

    /// While anyone waits, at least one connection is in use, and its release comes here.
    bool grant_next() {
        const Priority priority = waiting_.empty() ? Priority::background : Priority::interactive;
        Queue& queue = queue_of(priority);
        if (queue.empty() || !has_room(priority))
            return false;
        ++in_use_;
        wake_front(queue, State::granted);
        return true;
    }

    /// In a full queue, rejects the background call that came last to make room for an interactive
    /// one.
    bool displace_for(const ConnectionLease& lease) {
        if (lease.priority_ == Priority::background || background_.empty())
            return false;
        background_.splice(background_.begin(), background_, std::prev(background_.end()));
        wake_front(background_, State::rejected);
        return true;
    }

    static void wake_front(Queue& queue, State state) {
        ConnectionLease& lease = *queue.front();
        queue.pop_front();
        lease.state_ = state;
        // Under the lock, because the lease and its call may be destroyed right after it.
        lease.call_.post_wake();
    }

    void prune(TimePoint now, Connections& dropped) {
        while (!idle_.empty() && now - idle_.front().since > limits_.idle_timeout) {
            dropped.push_back(std::move(idle_.front().connection));
            idle_.pop_front();
        }
    }

    const Limits limits_;
    const resilience::EndpointGuard& guard_;
    mutable std::mutex mutex_;
    std::deque<Idle> idle_;
    /// Interactive calls that wait for a connection.
    Queue waiting_;
    /// Background calls that do.
    Queue background_;
    std::size_t in_use_ = 0;
    std::size_t streams_ = 0;
    bool closed_ = false;
};

} // namespace wva_metrics::http::detail
