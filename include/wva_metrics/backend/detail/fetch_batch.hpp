// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/metrics_assembler.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/query_round.hpp"
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
/// `readings` is a static table such as `optimizer_readings`. `assemble(assembler, model, targets,
/// answers)` is called for each model of the plan and sets the answers of its targets. The other
/// parameters are taken by value, because the coroutine may outlive the backend.
template <typename Answer, typename Executor, typename Readings, typename Assemble>
asio::awaitable<std::vector<Result<Answer>>>
fetch_batch(std::shared_ptr<PrometheusImpl<Executor>> impl, std::vector<ModelKey> models,
            const Readings& readings, Assemble assemble) {
    std::vector<Result<Answer>> answers(models.size(), Error(Errc::internal, "not answered"));
    const auto round = std::make_shared<QueryRound<Executor>>(impl, models);
    co_await round->run(readings);

    const promql::QueryPlan& plan = round->plan();
    for (const promql::RejectedTarget& rejected : plan.rejected())
        answers[rejected.target] = rejected.error;
    const MetricsAssembler assembler(impl->config, plan, round->result());
    for (std::size_t model = 0; model < plan.models().size(); ++model)
        assemble(assembler, model, plan.targets(model), answers);
    co_return answers;
}

} // namespace wva_metrics::detail
