// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/context_hook.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <mutex>
#include <optional>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// An executor that any thread may ask for, and that is empty once its context has been destroyed.
///
/// Its lock is its own, held for one copy, so that who needs only the executor waits for nothing
/// else.
class SharedExecutor {
public:
    explicit SharedExecutor(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    asio::any_io_executor get() const {
        const std::lock_guard lock(mutex_);
        return executor_;
    }
    /// The context is being destroyed.
    void release() noexcept {
        asio::any_io_executor dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(executor_);
    }

private:
    mutable std::mutex mutex_;
    asio::any_io_executor executor_;
};

/// A `SharedExecutor` that notices by itself that its context is being destroyed.
class WatchedExecutor {
public:
    explicit WatchedExecutor(const asio::any_io_executor& executor) : executor_(executor) {
        if (executor)
            hook_.emplace(executor, [this] { executor_.release(); });
    }

    asio::any_io_executor get() const { return executor_.get(); }

private:
    SharedExecutor executor_;
    std::optional<ContextHook> hook_;
};

} // namespace wva_metrics::detail
