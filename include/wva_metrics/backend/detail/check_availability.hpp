// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/query.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// Queries when a model last reported and, if it never did, which namespaces have a model of the
/// same name.
template <typename Executor>
asio::awaitable<Result<Availability>>
check_availability(std::shared_ptr<PrometheusImpl<Executor>> impl, ModelKey model) {
    const PrometheusConfig& config = impl->config;
    const TimePoint deadline = std::chrono::steady_clock::now() + config.batch_timeout;
    const promql::QueryScope scope{{model.namespace_name}, {model.model_id}};
    auto query = promql::build_signal_query(Signal::running, scope, config.engine, config.windows,
                                            config.matchers);
    if (query.has_error())
        co_return query.error();
    LastReport report;
    const auto answer =
        co_await impl->client.query(std::move(query->promql), std::ref(report), {}, deadline);
    if (answer.has_error())
        co_return answer.error();
    if (auto found = availability_of(model, report, config))
        co_return *std::move(found);

    // If the second query fails, the answer is the same, only without a hint.
    Elsewhere elsewhere;
    auto hint = promql::RawQueries(config.engine, config.matchers)
                    .elsewhere(model.model_id, promql::RawQueries::UseMatchers::no);
    if (hint.has_value()) {
        const auto add = [&](const prometheus::SeriesView& series) {
            elsewhere.add(series, model, config.engine.labels);
        };
        const auto named = co_await impl->client.query(*std::move(hint), add, {}, deadline);
        if (named.has_error())
            elsewhere = {};
    }
    co_return nothing_found(model, elsewhere, config);
}

} // namespace wva_metrics::detail
