// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/explain_models.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/round_client.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Sends a query and adds each series of the answer to a report.
template <typename Executor>
asio::awaitable<Result<void>>
ask_for_report(const RoundClient<Executor>& client, Result<std::string> query, ServerClock clock,
               std::shared_ptr<LastReport> report,
               void (LastReport::*add)(const prometheus::SeriesView&)) {
    if (query.has_error())
        co_return query.error();
    const auto add_one = [report, add](const prometheus::SeriesView& series) {
        ((*report).*add)(series);
    };
    const auto answer = co_await client.send(*std::move(query), add_one, {clock.evaluated});
    if (answer.has_error())
        co_return answer.error();
    co_return Result<void>();
}

/// Queries when a model last reported and, if it never did, which namespaces have a model of the
/// same name.
///
/// The number of running requests tells it most cheaply. Where a scrape drops that metric, any other
/// that is always measured does, because the model's readings have values then.
template <typename Executor>
asio::awaitable<Result<Availability>>
check_availability(std::shared_ptr<PrometheusImpl<Executor>> impl, ModelKey model) {
    const RoundClient<Executor> client(impl);
    const PrometheusConfig& config = impl->config;
    const promql::RawQueries& queries = impl->queries;
    const promql::QueryScope scope{{model.namespace_name}, {model.model_id}};
    auto recent = queries.presence(scope, config.stale_after);
    if (recent.has_error())
        co_return recent.error();
    co_await client.choose_replica();
    const auto clock = co_await client.ask_time();
    if (clock.has_error())
        co_return clock.error();
    const auto report = std::make_shared<LastReport>();
    Result<void> asked =
        co_await ask_for_report(client, std::move(recent), *clock, report, &LastReport::add);
    if (asked && !report->newest) {
        auto by_any = queries.presence_by_any(scope, config.stale_after);
        asked =
            co_await ask_for_report(client, std::move(by_any), *clock, report, &LastReport::add);
    }
    if (asked && !report->newest) {
        auto older = queries.last_report(scope, config.windows);
        asked = co_await ask_for_report(client, std::move(older), *clock, report,
                                        &LastReport::add_time);
    }
    if (!asked)
        co_return asked.error();
    if (auto found = availability_of(model, *report, *clock, config))
        co_return *std::move(found);
    std::vector<ModelKey> absent(1, model);
    const auto elsewhere = co_await look_elsewhere(client, std::move(absent));
    co_return nothing_found(model, elsewhere.front(), config);
}

} // namespace wva_metrics::detail
