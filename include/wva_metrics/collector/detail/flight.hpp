// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>

#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// What one flight asks the backend; which kind of answer it wants is the flight's.
using Target = std::variant<VariantAutoscaling, ModelKey>;
/// Shared, because what is tracked is asked every round, and copying its names costs more than all
/// the rest of a flight.
using TargetPtr = std::shared_ptr<const Target>;

/// Under which key the answer is cached. Refers to the target.
inline CacheKeyView key_of(EntryKind kind, const Target& target) noexcept {
    if (const auto* variant = std::get_if<VariantAutoscaling>(&target))
        return {kind, variant->namespace_name, variant->name};
    const auto* model = std::get_if<ModelKey>(&target);
    return {kind, model->namespace_name, model->model_id};
}

/// A cached or just collected entry, and how it came to the caller.
struct Answer {
    CacheEntryPtr entry;
    Source source;
};

/// Somebody who waits for a flight.
class Waiter {
public:
    virtual ~Waiter() = default;
    /// Delivers, through the waiter's own executor. At most once, with no lock held.
    virtual void complete(const Result<Answer>& answer) = 0;

    /// Served instead of an error; null where there is none or it is too old.
    CacheEntryPtr last_good;
    /// What it waits for; set and read under the collector's mutex.
    std::weak_ptr<struct Flight> flight;
};

using WaiterPtr = std::shared_ptr<Waiter>;
using FlightPtr = std::shared_ptr<struct Flight>;

/// A waiter made of a completion handler for `void(Result<T>)` and a function from answers to
/// results.
template <typename T, typename Handler, typename Convert>
class HandlerWaiter final : public Waiter {
public:
    HandlerWaiter(Handler handler, Convert convert, const asio::any_io_executor& fallback)
        : handler_(std::move(handler)), convert_(std::move(convert)), fallback_(fallback),
          work_(asio::get_associated_executor(handler_, fallback)) {}

    void complete(const Result<Answer>& answer) override {
        Result<T> result = convert_(answer);
        const auto executor = work_.get_executor();
        auto deliver = [handler = std::move(handler_), result = std::move(result),
                        work = std::move(work_)]() mutable {
            // Here, not earlier: the slot belongs to the handler's own thread.
            asio::get_associated_cancellation_slot(handler).clear();
            work.reset();
            std::move(handler)(std::move(result));
        };
        if constexpr (asio::can_require_v<Executor, asio::execution::blocking_t::never_t>)
            asio::post(executor, std::move(deliver));
        else // That of an any_completion_handler may run what it is given inside the call.
            asio::post(fallback_, asio::bind_executor(executor, std::move(deliver)));
    }

private:
    using Executor = asio::associated_executor_t<Handler, asio::any_io_executor>;

    Handler handler_;
    Convert convert_;
    asio::any_io_executor fallback_;
    asio::executor_work_guard<Executor> work_;
};

/// One target under way, and everybody who waits for its answer. Guarded by the collector's
/// mutex.
struct Flight {
    Flight(EntryKind of_kind, TargetPtr what, CacheEntryPtr before)
        : kind(of_kind), target(std::move(what)), previous(std::move(before)) {}

    /// Lives as long as the target.
    CacheKeyView key() const noexcept { return key_of(kind, *target); }

    const EntryKind kind;
    const TargetPtr target;
    /// What was known before; readings that the backend fails to give are carried over from it.
    CacheEntryPtr previous;
    std::vector<WaiterPtr> waiters;
    /// Invalidated or untracked meanwhile: those who wait get the answer, the cache does not.
    bool discarded = false;
};

} // namespace wva_metrics::detail
