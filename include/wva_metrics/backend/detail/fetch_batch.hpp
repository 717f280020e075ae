// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/metrics_assembler.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/fleet_round.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace wva_metrics::detail {

/// Fetches one batch: one answer per target, in the order of `models`, which holds the targets'
/// models.
///
/// `assemble(assembler, model, report, targets, answers)` is called for each model of the plan and
/// sets the answers of its targets. The other parameters are taken by value, because the coroutine
/// may outlive the backend.
template <typename Answer, typename Executor, typename Assemble>
asio::awaitable<std::vector<Result<Answer>>>
fetch_batch(std::shared_ptr<PrometheusImpl<Executor>> impl, std::vector<ModelKey> models,
            Assemble assemble) {
    std::vector<Result<Answer>> answers(models.size(), Error(Errc::internal, "not answered"));
    const auto round = std::make_shared<FleetRound<Executor>>(impl, models);
    co_await round->run();

    const promql::QueryPlan& plan = round->plan();
    for (const promql::RejectedTarget& rejected : plan.rejected())
        answers[rejected.target] = rejected.error;
    const MetricsAssembler assembler(impl->config, impl->names, round->states());
    for (std::size_t model = 0; model < plan.models().size(); ++model)
        assemble(assembler, plan.models()[model], round->reports()[model], plan.targets(model),
                 answers);
    co_return answers;
}

} // namespace wva_metrics::detail
