// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/collector_destroyed.hpp"
#include "wva_metrics/collector/detail/completion.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/handler_waiter.hpp"
#include "wva_metrics/detail/describe_exception.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// Makes the waiter of a miss. It must not own the collector, because the collector owns it.
template <typename T, typename Impl, typename Handler, typename Convert>
WaiterPtr make_waiter(const std::shared_ptr<Impl>& impl, const asio::any_io_executor& executor,
                      Handler handler, Convert convert) {
    const std::weak_ptr<Impl> weak_impl = impl;
    auto to_result = [weak_impl,
                      convert = std::move(convert)](const Result<Answer>& answer) -> Result<T> {
        if (const auto alive = weak_impl.lock())
            return convert(*alive, answer, alive->now());
        return collector_destroyed();
    };
    using WaiterType = HandlerWaiter<T, Handler, decltype(to_result)>;
    auto slot = asio::get_associated_cancellation_slot(handler);
    const auto waiter =
        std::make_shared<WaiterType>(std::move(handler), std::move(to_result), executor);
    // Connected before the waiter joins a flight. The completion disconnects it on the handler's
    // executor: a slot must not be used from anywhere else.
    if (slot.is_connected())
        slot.assign([weak_impl, weak_waiter = std::weak_ptr<Waiter>(waiter)](
                        asio::cancellation_type /*type*/) {
            const auto alive = weak_impl.lock();
            const auto waiting = weak_waiter.lock();
            if (alive && waiting)
                alive->leave(waiting);
        });
    return waiter;
}

/// Common path of all operations: a hit completes immediately, a miss waits on a flight. A function
/// object for `asio::async_initiate`; `convert(collector, answer, now)` makes the result.
template <typename T>
struct Collect {
    template <typename Handler, typename Impl, typename Target, typename Convert>
    void operator()(Handler handler, std::shared_ptr<Impl> impl, Target target,
                    Convert convert) const {
        const asio::any_io_executor executor = impl->executor();
        if (std::optional<std::string> reason = rejection_reason(target))
            return complete_immediately<T>(executor, std::move(handler),
                                           Error(Errc::invalid_argument, *std::move(reason)));
        const TimePoint now = impl->now();
        if (!executor) { // Nothing can be fetched, and there is nowhere to wait.
            CacheEntryPtr hit = impl->reader().find_hit(target, now);
            const auto answer = hit ? Result<Answer>(Answer{std::move(hit), Source::cache})
                                    : Result<Answer>(context_destroyed());
            return complete_immediately<T>(executor, std::move(handler),
                                           result_of(*impl, convert, answer, now));
        }
        CacheEntryPtr hit = impl->reader().find_or_wait(std::move(target), now, [&] {
            // Not called on a hit, which uses the handler below.
            return make_waiter<T>(impl, executor, std::move(handler), std::move(convert));
        });
        if (hit)
            complete_immediately<T>(
                executor, std::move(handler),
                result_of(*impl, convert, Answer{std::move(hit), Source::cache}, now));
    }

private:
    static Result<T> result_of(auto& impl, const auto& convert, const Result<Answer>& answer,
                               TimePoint now) {
        return result_or_exception([&]() -> Result<T> { return convert(impl, answer, now); },
                                   "what makes the result");
    }
};

} // namespace wva_metrics::detail
