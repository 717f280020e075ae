// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Why a source has no answer for one target; empty if it has one. A source that threw has one answer
/// for all: the error. The answer for another target never stands in.
template <typename T>
std::optional<Error> failure_of(const std::optional<std::vector<Result<T>>>& answers,
                                std::size_t target, std::size_t targets) {
    if (!answers)
        return Error(Errc::timeout, "it has not answered in time");
    if (answers->size() == 1 && answers->front().has_error())
        return answers->front().error();
    if (answers->size() != targets)
        return Error(Errc::internal, "it has " + std::to_string(answers->size()) + " answers for " +
                                         std::to_string(targets) + " targets");
    const Result<T>& answer = (*answers)[target];
    return answer.has_error() ? std::optional(answer.error()) : std::nullopt;
}

///@{
/// False if a source could read nothing of a target, so that another one may know more.
inline bool says_something(const OptimizerMetrics& metrics) {
    return !metrics.partial || std::ranges::any_of(optimizer_readings, [&](const auto& field) {
        return (metrics.*field.member).has_value();
    });
}
inline bool says_something(const ReplicaSamples& samples) {
    const auto has_value = [](const ReplicaSample& pod) {
        return std::ranges::any_of(replica_readings<ReplicaSample>, [&](const auto& field) {
            return (pod.*field.member).has_value();
        });
    };
    return !samples.partial ||
           (!samples.pods.empty() && std::ranges::all_of(samples.pods, has_value));
}
inline bool says_something(const Availability& verdict) {
    return verdict.available;
}
inline bool says_something(const Diagnosis& /*findings*/) {
    return true; // Also that nothing is wrong.
}
///@}

/// The answers of several sources to one question, as they arrive. For one strand.
///
/// The timer's type is a parameter so that a program which uses no layers does not compile its waits.
template <typename Answer, typename Timer = asio::steady_timer>
class LayerAnswers {
public:
    LayerAnswers(const asio::any_io_executor& strand, std::size_t sources, Duration patience)
        : answers(sources), timer_(strand, TimePoint::max()), patience_(patience),
          pending_(sources), cancel_(sources) {}

    /// Where a source's call is cancelled.
    asio::cancellation_slot slot(std::size_t source) { return cancel_[source].slot(); }

    /// A source has answered; `is_good` if it has something to say.
    void add(std::size_t source, Answer answer, bool is_good) {
        answers[source].emplace(std::move(answer));
        --pending_;
        if (pending_ == 0)
            timer_.expires_at(TimePoint::min());
        else if (is_good && timer_.expiry() == TimePoint::max())
            timer_.expires_at(saturating_add(std::chrono::steady_clock::now(), patience_));
    }

    /// Waits until all have answered, or for as long as the configuration allows after the first
    /// good answer. Then ends the calls that still run. Throws if it is cancelled.
    asio::awaitable<void> wait() {
        bool is_cancelled = false;
        while (pending_ > 0 && timer_.expiry() > std::chrono::steady_clock::now() &&
               !is_cancelled) {
            co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
            const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
            is_cancelled = state.cancelled() != asio::cancellation_type::none;
        }
        for (std::size_t i = 0; i < answers.size(); ++i)
            if (!answers[i])
                cancel_[i].emit(asio::cancellation_type::terminal);
        if (is_cancelled)
            throw boost::system::system_error(asio::error::operation_aborted);
    }

    /// By source; empty if it has not answered.
    std::vector<std::optional<Answer>> answers;

private:
    Timer timer_;
    Duration patience_;
    std::size_t pending_;
    std::deque<asio::cancellation_signal> cancel_;
};

/// Asks all sources at once. For one strand: the caller's coroutine runs on it.
///
/// `is_good(answer)` tells whether a source has something to say.
template <typename Answer, typename IsGood>
asio::awaitable<std::vector<std::optional<Answer>>>
ask_layers(std::vector<std::function<asio::awaitable<Answer>()>> sources, Duration patience,
           std::function<Answer(std::exception_ptr)> failed, IsGood is_good) {
    const asio::any_io_executor strand = co_await asio::this_coro::executor;
    const auto round = std::make_shared<LayerAnswers<Answer>>(strand, sources.size(), patience);
    for (std::size_t i = 0; i < sources.size(); ++i)
        asio::co_spawn(strand, sources[i](),
                       asio::bind_cancellation_slot(
                           round->slot(i),
                           [round, i, failed, is_good](std::exception_ptr thrown, Answer answer) {
                               if (thrown)
                                   answer = failed(thrown);
                               const bool good = is_good(answer);
                               round->add(i, std::move(answer), good);
                           }));
    co_await round->wait();
    co_return std::move(round->answers);
}

} // namespace wva_metrics::detail
