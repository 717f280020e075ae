// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/call_timed_out.hpp"
#include "wva_metrics/collector/detail/collector_destroyed.hpp"
#include "wva_metrics/collector/detail/completion.hpp"
#include "wva_metrics/collector/detail/overdue_calls.hpp"
#include "wva_metrics/collector/detail/pending_handler.hpp"
#include "wva_metrics/collector/detail/persistent_executor.hpp"
#include "wva_metrics/collector/detail/posting.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// One running diagnosis. Its coroutine, the timer and `done` run on its own strand; all functions
/// may be called from any thread.
template <typename Timer>
class DiagnosisCall : public std::enable_shared_from_this<DiagnosisCall<Timer>> {
public:
    using Done = std::function<void(Result<Diagnosis>)>;

    /// `done` is called once, unless the executor's context is destroyed first. It must not own
    /// this, and must not throw.
    DiagnosisCall(const asio::any_io_executor& executor, const OverdueCalls& overdue, Done done)
        : strand_(PersistentExecutor(executor)), timer_(strand_), call_(overdue),
          done_(std::move(done)) {}

    /// Calls the backend, and keeps it alive until its coroutine ends. `done` is called earlier
    /// after `timeout`, and when the call is cancelled. Call at most once.
    template <typename Impl>
    void run(std::shared_ptr<Impl> impl, ModelKey model, std::vector<VariantAutoscaling> variants,
             Duration timeout) {
        const auto deadline = saturating_add(Timer::clock_type::now(), timeout);
        // A slot must only be used on its coroutine's executor.
        asio::post(strand_, [self = this->shared_from_this(), impl = std::move(impl),
                             model = std::move(model), variants = std::move(variants), deadline,
                             timeout]() mutable noexcept {
            try {
                self->begin(std::move(impl), std::move(model), std::move(variants), deadline,
                            timeout);
            } catch (...) {
                self->finish(describe_exception(std::current_exception()));
            }
        });
    }

    /// If memory is short, the call ends at its deadline.
    void cancel() noexcept {
        succeeds_in_three([&] {
            asio::post(strand_, [self = this->shared_from_this()] {
                self->end(error_with(Errc::aborted, "the diagnosis was cancelled"));
            });
        });
    }

private:
    template <typename Impl>
    void begin(std::shared_ptr<Impl> impl, ModelKey model, std::vector<VariantAutoscaling> variants,
               TimePoint deadline, Duration timeout) {
        if (!done_)
            return; // Cancelled already.
        const auto self = this->shared_from_this();
        timer_.expires_at(deadline);
        timer_.async_wait([self, timeout](const boost::system::error_code& error) {
            if (!error)
                self->end(call_timed_out(timeout));
        });
        asio::co_spawn(
            strand_, ask(self, std::move(impl), std::move(model), std::move(variants)),
            asio::bind_cancellation_slot(signal_.slot(), [self](const std::exception_ptr& failure) {
                if (failure)
                    self->finish(describe_exception(failure));
            }));
    }

    /// Finishes the call itself, as the coroutine of `Batch` does.
    template <typename Impl>
    static asio::awaitable<void> ask(std::shared_ptr<DiagnosisCall> self,
                                     std::shared_ptr<Impl> impl, ModelKey model,
                                     std::vector<VariantAutoscaling> variants) {
        try {
            auto result = co_await impl->backend().diagnose(model, variants);
            self->finish(std::move(result));
        } catch (...) {
            self->finish(describe_exception(std::current_exception()));
        }
    }

    /// Does not wait for a backend that ignores its cancellation.
    void end(Error error) noexcept {
        if (done_)
            call_.give_up();
        finish(std::move(error));
        try {
            signal_.emit(asio::cancellation_type::terminal);
        } catch (...) { // It runs on, and is counted as overdue.
        }
    }

    void finish(Result<Diagnosis> result) noexcept {
        if (!done_)
            return;
        timer_.cancel();
        std::exchange(done_, nullptr)(std::move(result));
    }

    asio::strand<PersistentExecutor> strand_;
    Timer timer_;
    asio::cancellation_signal signal_;
    /// Ends with this object, which the backend's coroutine keeps alive.
    OverdueCalls::Call call_;
    Done done_;
};

/// Calls a backend's `diagnose`. A function object for `asio::async_initiate`.
struct Diagnose {
    template <typename Handler, typename Impl>
    void operator()(Handler handler, std::shared_ptr<Impl> impl, ModelKey model,
                    std::vector<VariantAutoscaling> variants) const {
        using Call = DiagnosisCall<typename Impl::timer_type>;
        const asio::any_io_executor executor = impl->executor();
        if (!executor)
            return complete_immediately<Diagnosis>(executor, std::move(handler),
                                                   context_destroyed());
        auto slot = asio::get_associated_cancellation_slot(handler);
        using Pending = PendingHandler<Diagnosis, Handler>;
        const auto pending = std::make_shared<Pending>(std::move(handler), executor);
        const CollectorConfig config = impl->config();
        if (std::optional<Error> refusal = impl->overdue().refusal(config.max_overdue_calls))
            return pending->complete_with(*std::move(refusal));
        const auto call =
            std::make_shared<Call>(executor, impl->overdue(), [pending](Result<Diagnosis> result) {
                pending->complete_with(std::move(result));
            });
        if (slot.is_connected())
            slot.assign([weak = std::weak_ptr(call)](asio::cancellation_type /*type*/) {
                if (const auto running = weak.lock())
                    running->cancel();
            });
        impl->add(call);
        call->run(std::move(impl), std::move(model), std::move(variants), config.call_timeout);
    }
};

} // namespace wva_metrics::detail
