// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>

#include <functional>
#include <mutex>
#include <unordered_set>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Calls a function when an execution context shuts down.
///
/// Sockets, timers and strands must not outlive their io_context, but a collector may: its owner
/// decides which of the two is destroyed first. A class that keeps such objects for longer than one
/// operation releases them in a hook.
///
/// The function runs at most once, on the thread that destroys the context, when no handlers run
/// any more. A hook may be destroyed before or after its context, but not on another thread while
/// the context is being destroyed.
class ContextHook {
public:
    ContextHook(asio::execution_context& context, std::function<void()> on_shutdown)
        : on_shutdown_(std::move(on_shutdown)), service_(&asio::use_service<Service>(context)) {
        service_->add(this);
    }
    ContextHook(const asio::any_io_executor& executor, std::function<void()> on_shutdown)
        : ContextHook(asio::query(executor, asio::execution::context), std::move(on_shutdown)) {}

    ContextHook(const ContextHook&) = delete;
    ContextHook& operator=(const ContextHook&) = delete;

    ~ContextHook() {
        if (service_ != nullptr)
            service_->remove(this);
    }

private:
    class Service : public asio::execution_context::service {
    public:
        static inline asio::execution_context::id id;
        explicit Service(asio::execution_context& context) : service(context) {}

        void add(ContextHook* hook) {
            const std::lock_guard lock(mutex_);
            hooks_.insert(hook);
        }
        void remove(ContextHook* hook) noexcept {
            const std::lock_guard lock(mutex_);
            hooks_.erase(hook);
        }

    private:
        void shutdown() override {
            // Pop one hook at a time: running it may destroy other hooks, which unregister
            // themselves.
            while (ContextHook* hook = pop())
                hook->on_shutdown_();
        }
        ContextHook* pop() {
            const std::lock_guard lock(mutex_);
            if (hooks_.empty())
                return nullptr;
            ContextHook* hook = *hooks_.begin();
            hooks_.erase(hooks_.begin());
            hook->service_ = nullptr;
            return hook;
        }

        std::mutex mutex_;
        std::unordered_set<ContextHook*> hooks_;
    };

    std::function<void()> on_shutdown_;
    Service* service_;
};

} // namespace wva_metrics::detail
