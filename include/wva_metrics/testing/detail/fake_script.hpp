// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/testing/received_query.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// A scripted answer to a query. Status 0 = close the connection without an answer.
struct ScriptedFailure {
    int status = 0;
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    /// Only for queries that contain this text.
    std::string containing{};
};

/// The clock of a fake Prometheus, what it pretends to be, its scripted failures, and its log of
/// queries. Thread-safe.
class FakeScript {
public:
    using Time = std::chrono::system_clock::time_point;

    void set_time(std::optional<Time> time) {
        const std::lock_guard lock(mutex_);
        time_ = time;
    }
    void advance(std::chrono::system_clock::duration by) {
        const std::lock_guard lock(mutex_);
        time_ = time_.value_or(std::chrono::system_clock::now()) + by;
    }
    Time now() const {
        const std::lock_guard lock(mutex_);
        return time_.value_or(std::chrono::system_clock::now());
    }

    void set_flavor(prometheus::Flavor flavor) {
        const std::lock_guard lock(mutex_);
        flavor_ = flavor;
    }
    prometheus::Flavor flavor() const {
        const std::lock_guard lock(mutex_);
        return flavor_;
    }

    void fail_next(std::size_t times, const ScriptedFailure& failure) {
        const std::lock_guard lock(mutex_);
        failures_.insert(failures_.end(), times, failure);
    }
    /// The first failure for a query with this text.
    std::optional<ScriptedFailure> take_failure(std::string_view query) {
        const std::lock_guard lock(mutex_);
        const auto found = std::find_if(
            failures_.begin(), failures_.end(), [query](const ScriptedFailure& failure) {
                return query.find(failure.containing) != std::string_view::npos;
            });
        if (found == failures_.end())
            return std::nullopt;
        ScriptedFailure failure = std::move(*found);
        failures_.erase(found);
        return failure;
    }

    /// 0 = POST is accepted.
    void set_post_status(int status) {
        const std::lock_guard lock(mutex_);
        post_status_ = status;
    }
    int post_status() const {
        const std::lock_guard lock(mutex_);
        return post_status_;
    }

    void set_held(bool held) {
        const std::lock_guard lock(mutex_);
        held_ = held;
    }
    bool held() const {
        const std::lock_guard lock(mutex_);
        return held_;
    }

    void record(ReceivedQuery query) {
        const std::lock_guard lock(mutex_);
        queries_.push_back(std::move(query));
    }
    std::vector<ReceivedQuery> queries() const {
        const std::lock_guard lock(mutex_);
        return queries_;
    }
    std::size_t query_count() const {
        const std::lock_guard lock(mutex_);
        return queries_.size();
    }
    void forget_queries() {
        const std::lock_guard lock(mutex_);
        queries_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::optional<Time> time_;
    prometheus::Flavor flavor_ = prometheus::Flavor::prometheus;
    std::deque<ScriptedFailure> failures_;
    int post_status_ = 0;
    bool held_ = false;
    std::vector<ReceivedQuery> queries_;
};

} // namespace wva_metrics::testing::detail
