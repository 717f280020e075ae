// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// What the server says if it is asked for its time.
template <typename Executor>
asio::awaitable<Result<ServerClock>> ask_time(PrometheusImpl<Executor>& impl, TimePoint deadline) {
    ServerClock clock;
    clock.requested = std::chrono::steady_clock::now();
    bool has_time = false;
    const auto add = [&](const prometheus::SeriesView& series) {
        clock.evaluated = series.samples.back().time;
        has_time = true;
    };
    const auto answer =
        co_await impl.client.query(std::string(promql::time_query), add, {}, deadline);
    if (answer.has_error())
        co_return answer.error();
    if (!has_time)
        co_return Error(Errc::bad_response,
                        impl.client.endpoint() + ": the answer to vector(0) is empty");
    co_return clock;
}

/// Queries where a model of the same name reports. Empty if the query fails: then an answer only
/// lacks its hint.
template <typename Executor>
asio::awaitable<Elsewhere> look_elsewhere(PrometheusImpl<Executor>& impl, const ModelKey& model,
                                          TimePoint deadline) {
    Elsewhere elsewhere;
    auto text = impl.queries.elsewhere(std::span(&model.model_id, 1), promql::RawQueries::UseMatchers::no);
    if (text.has_error())
        co_return elsewhere;
    const auto add = [&](const prometheus::SeriesView& series) {
        elsewhere.add(series, model, impl.config.engine.labels);
    };
    const auto answer = co_await impl.client.query(*std::move(text), add, {}, deadline);
    co_return answer.has_error() ? Elsewhere{} : std::move(elsewhere);
}

/// Queries when a model last reported and, if it never did, which namespaces have a model of the
/// same name.
template <typename Executor>
asio::awaitable<Result<Availability>>
check_availability(std::shared_ptr<PrometheusImpl<Executor>> impl, ModelKey model) {
    const PrometheusConfig& config = impl->config;
    const TimePoint deadline = std::chrono::steady_clock::now() + config.batch_timeout;
    const promql::QueryScope scope{{model.namespace_name}, {model.model_id}};
    auto recent = impl->queries.presence(scope, config.stale_after);
    if (recent.has_error())
        co_return recent.error();
    const auto clock = co_await ask_time(*impl, deadline);
    if (clock.has_error())
        co_return clock.error();
    LastReport report;
    const auto add = [&](const prometheus::SeriesView& series) { report.add(series); };
    const auto answer =
        co_await impl->client.query(*std::move(recent), add, {clock->evaluated}, deadline);
    if (answer.has_error())
        co_return answer.error();
    if (!report.newest) {
        auto older = impl->queries.last_report(scope, config.windows);
        if (older.has_error())
            co_return older.error();
        const auto add_time = [&](const prometheus::SeriesView& series) {
            report.add_time(series);
        };
        const auto past =
            co_await impl->client.query(*std::move(older), add_time, {clock->evaluated}, deadline);
        if (past.has_error())
            co_return past.error();
    }
    if (auto found = availability_of(model, report, *clock, config))
        co_return *std::move(found);
    co_return nothing_found(model, co_await look_elsewhere(*impl, model, deadline), config);
}

} // namespace wva_metrics::detail
