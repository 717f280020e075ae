// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/explain_models.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/round_client.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Queries when a model last reported and, if it never did, which namespaces have a model of the
/// same name.
template <typename Executor>
asio::awaitable<Result<Availability>>
check_availability(std::shared_ptr<PrometheusImpl<Executor>> impl, ModelKey model) {
    const RoundClient<Executor> client(impl);
    const PrometheusConfig& config = impl->config;
    const promql::QueryScope scope{{model.namespace_name}, {model.model_id}};
    auto recent = impl->queries.presence(scope, config.stale_after);
    if (recent.has_error())
        co_return recent.error();
    co_await client.choose_replica();
    const auto clock = co_await client.ask_time();
    if (clock.has_error())
        co_return clock.error();
    const auto report = std::make_shared<LastReport>();
    const auto add = [report](const prometheus::SeriesView& series) { report->add(series); };
    const auto answer = co_await client.send(*std::move(recent), add, {clock->evaluated});
    if (answer.has_error())
        co_return answer.error();
    if (!report->newest) {
        auto older = impl->queries.last_report(scope, config.windows);
        if (older.has_error())
            co_return older.error();
        const auto add_time = [report](const prometheus::SeriesView& series) {
            report->add_time(series);
        };
        const auto past = co_await client.send(*std::move(older), add_time, {clock->evaluated});
        if (past.has_error())
            co_return past.error();
    }
    if (auto found = availability_of(model, *report, *clock, config))
        co_return *std::move(found);
    std::vector<ModelKey> asked(1, model);
    const auto elsewhere = co_await look_elsewhere(client, std::move(asked));
    co_return nothing_found(model, elsewhere.front(), config);
}

} // namespace wva_metrics::detail
