// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/describe_exception.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Cancels one running diagnosis. All functions may be called from any thread.
class DiagnosisCall : public std::enable_shared_from_this<DiagnosisCall> {
public:
    explicit DiagnosisCall(const asio::any_io_executor& executor)
        : strand_(asio::make_strand(executor)) {}

    const asio::strand<asio::any_io_executor>& strand() const noexcept { return strand_; }

    void cancel() {
        asio::post(strand_, [self = shared_from_this()] {
            self->is_cancelled_ = true;
            self->signal_.emit(asio::cancellation_type::terminal);
        });
    }

    ///@{
    /// On the strand only.
    bool is_cancelled() const noexcept { return is_cancelled_; }
    asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    ///@}

private:
    asio::strand<asio::any_io_executor> strand_;
    asio::cancellation_signal signal_;
    bool is_cancelled_ = false;
};

/// Calls a backend's `diagnose`. A function object for `asio::async_initiate`.
struct Diagnose {
    template <typename Handler, typename Impl>
    void operator()(Handler handler, std::shared_ptr<Impl> impl, ModelKey model,
                    std::vector<VariantAutoscaling> variants) const {
        const asio::any_io_executor executor = impl->executor();
        const auto call = std::make_shared<DiagnosisCall>(executor);
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
            slot.assign([weak = std::weak_ptr(call)](asio::cancellation_type /*type*/) {
                if (const auto running = weak.lock())
                    running->cancel();
            });
        impl->add(call);
        // Keeps the handler's executor busy until the handler has run.
        asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work(
            asio::get_associated_executor(handler, executor));
        auto finish = [executor, call, work = std::move(work), handler = std::move(handler)](
                          const std::exception_ptr& failure, Result<Diagnosis> result) mutable {
            if (failure)
                result = describe_exception(failure);
            if (call->is_cancelled())
                result = Error(Errc::aborted, "the diagnosis was cancelled");
            const auto own = work.get_executor();
            auto deliver = [handler = std::move(handler), result = std::move(result),
                            work = std::move(work)]() mutable {
                // Here is the handler's executor, and its slot must not be used from elsewhere.
                asio::get_associated_cancellation_slot(handler).clear();
                work.reset();
                std::move(handler)(std::move(result));
            };
            asio::post(executor, asio::bind_executor(own, std::move(deliver)));
        };
        // A slot must only be used on its coroutine's executor.
        asio::post(call->strand(), [call, impl = std::move(impl), model = std::move(model),
                                    variants = std::move(variants),
                                    finish = std::move(finish)]() mutable {
            asio::co_spawn(call->strand(),
                           run(std::move(impl), call, std::move(model), std::move(variants)),
                           asio::bind_cancellation_slot(call->slot(), std::move(finish)));
        });
    }

private:
    template <typename Impl>
    static asio::awaitable<Result<Diagnosis>>
    run(std::shared_ptr<Impl> impl, std::shared_ptr<DiagnosisCall> call, ModelKey model,
        std::vector<VariantAutoscaling> variants) {
        if (call->is_cancelled())
            co_return Error(Errc::aborted, "the diagnosis was cancelled");
        co_return co_await impl->backend().diagnose(std::move(model), std::move(variants));
    }
};

} // namespace wva_metrics::detail
