// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/call.hpp"
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

/// A connection that may be kept.
struct Connection {
    std::unique_ptr<Stream> stream{};
    /// Empty; its memory serves the next answer as well.
    boost::beast::flat_buffer buffer{};
};

/// Counts the connections of one endpoint, keeps the idle ones, and lets calls queue for a free
/// place. Thread-safe; does no I/O but to close sockets, and is told the time.
class ConnectionPool {
public:
    explicit ConnectionPool(const Limits& limits) : limits_(limits) {}

    enum class State : std::uint8_t { refused, queued, granted };

    /// One call's place: in the queue, or among those that may have a connection. Given up on
    /// destruction.
    class Place {
    public:
        Place(ConnectionPool& pool, Call& call)
            : pool_(pool), call_(call), granted_at_once_(pool_.enter(*this)) {}
        ~Place() { pool_.leave(*this); }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        /// There was a free place.
        bool is_granted_at_once() const noexcept { return granted_at_once_; }
        /// A queued place is granted from another thread, which then wakes the call.
        State state() const {
            const std::lock_guard lock(pool_.mutex_);
            return state_;
        }

    private:
        friend class ConnectionPool;
        ConnectionPool& pool_;
        Call& call_;
        State state_ = State::refused;
        std::list<Place*>::iterator position_;
        const bool granted_at_once_;
    };

    /// A stream's place among those that may have a connection. Streams last, so they are counted
    /// apart and nobody queues: neither for them, nor they for anybody. Given up on destruction.
    class StreamPlace {
    public:
        explicit StreamPlace(ConnectionPool& pool) : pool_(pool) {
            const std::lock_guard lock(pool_.mutex_);
            is_granted_ = pool_.streams_ < pool_.limits_.max_streams;
            if (is_granted_)
                ++pool_.streams_;
        }
        ~StreamPlace() {
            const std::lock_guard lock(pool_.mutex_);
            if (is_granted_)
                --pool_.streams_;
        }
        StreamPlace(const StreamPlace&) = delete;
        StreamPlace& operator=(const StreamPlace&) = delete;

        /// False where limits.max_streams are under way already.
        bool is_granted() const noexcept { return is_granted_; }

    private:
        ConnectionPool& pool_;
        bool is_granted_ = false;
    };

    /// An idle connection, the youngest first; none where there is none. Only for a granted place.
    Connection take(TimePoint now) {
        Connections dropped;
        const std::lock_guard lock(mutex_);
        prune(now, dropped);
        while (!idle_.empty()) {
            Connection connection = std::move(idle_.back().connection);
            idle_.pop_back();
            // Whatever arrived while nobody had asked is no answer to the next question.
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

    /// Drops what is idle and keeps nothing any more. Grants nothing either: the calls are told to
    /// end.
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

    bool enter(Place& place) {
        const std::lock_guard lock(mutex_);
        if (in_use_ < limits_.max_connections) {
            ++in_use_;
            place.state_ = State::granted;
            return true;
        }
        if (queue_.size() < limits_.max_queued) {
            place.position_ = queue_.insert(queue_.end(), &place);
            place.state_ = State::queued;
        }
        return false;
    }

    void leave(Place& place) {
        const std::lock_guard lock(mutex_);
        if (place.state_ == State::queued) {
            queue_.erase(place.position_);
        } else if (place.state_ == State::granted) {
            if (queue_.empty() || closed_) {
                --in_use_;
                return;
            }
            Place& next = *queue_.front();
            queue_.pop_front();
            next.state_ = State::granted;
            // Under the lock, because the place and its call may be gone right after it.
            next.call_.post_wake();
        }
    }

    void prune(TimePoint now, Connections& dropped) {
        while (!idle_.empty() && now - idle_.front().since > limits_.idle_timeout) {
            dropped.push_back(std::move(idle_.front().connection));
            idle_.pop_front();
        }
    }

    const Limits& limits_;
    mutable std::mutex mutex_;
    std::deque<Idle> idle_;
    std::list<Place*> queue_;
    std::size_t in_use_ = 0;
    std::size_t streams_ = 0;
    bool closed_ = false;
};

} // namespace wva_metrics::http::detail
