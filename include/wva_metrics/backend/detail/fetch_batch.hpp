// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/fleet_round.hpp"
#include "wva_metrics/backend/detail/metrics_assembler.hpp"
#include "wva_metrics/backend/detail/open_rounds.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// A round that has all models of the plan, and has ended: one that was running, or else a new one
/// with this priority. If somebody waits for a round that was running, what it sends from now on is
/// interactive; what it has queued already stays where it is.
/// Fails if the call was cancelled while it waited for another's round, or if that did not end
/// within `batch_timeout`.
template <typename Executor>
asio::awaitable<Result<std::shared_ptr<const FleetRound<Executor>>>>
run_round(std::shared_ptr<PrometheusImpl<Executor>> impl,
          std::shared_ptr<const promql::QueryPlan> plan, Priority priority) {
    using Rounds = OpenRounds<FleetRound<Executor>>;
    using End = typename Rounds::End;
    TimePoint now = std::chrono::steady_clock::now();
    const TimePoint deadline = wva_metrics::detail::saturating_add(now, impl->config.batch_timeout);
    while (true) {
        const typename Rounds::Joined joined =
            co_await impl->rounds.join(plan->models(), now, deadline, priority);
        if (joined.end == End::cancelled)
            co_return Error(Errc::aborted, "cancelled");
        if (joined.end == End::late)
            co_return Error(Errc::timeout, "the round that the call waited for has not ended",
                            impl->client.endpoint());
        now = std::chrono::steady_clock::now();
        if (joined.end == End::none)
            break;
        if (joined.round->is_complete())
            co_return joined.round;
    }
    const auto round = std::make_shared<FleetRound<Executor>>(impl, plan, deadline, priority);
    const typename Rounds::Entry entry(impl->rounds, round, now);
    co_await round->run();
    co_return round;
}

/// Fetches one batch: one answer per target, in the order of `models`, which holds the targets'
/// models.
///
/// `assemble(assembler, model, report, targets, answers)` is called for each model and sets the
/// answers of its targets. The other parameters are taken by value, because the coroutine may
/// outlive the backend.
template <typename Answer, typename Executor, typename Assemble>
asio::awaitable<std::vector<Result<Answer>>>
fetch_batch(std::shared_ptr<PrometheusImpl<Executor>> impl, std::vector<ModelKey> models,
            Priority priority, Assemble assemble) {
    const std::shared_ptr<const promql::QueryPlan> plan = impl->plan(models);
    std::vector<Result<Answer>> answers(models.size(),
                                        Error(Errc::aborted, "the round has no answer"));
    for (const promql::RejectedTarget& rejected : plan->rejected())
        answers[rejected.target] = rejected.error;
    if (plan->models().empty())
        co_return answers;
    const auto run = co_await run_round(impl, plan, priority);
    if (run.has_error()) {
        for (std::size_t model = 0; model < plan->models().size(); ++model)
            for (const std::size_t target : plan->targets(model))
                answers[target] = run.error();
        co_return answers;
    }
    const FleetRound<Executor>& round = **run;
    const MetricsAssembler assembler(impl->config, impl->names);
    for (std::size_t model = 0; model < plan->models().size(); ++model)
        assemble(assembler, plan->models()[model], round.report(plan->models()[model]),
                 plan->targets(model), answers);
    co_return answers;
}

} // namespace wva_metrics::detail
