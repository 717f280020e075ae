// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/backend/detail/find_pods.hpp"
#include "wva_metrics/backend/detail/metrics_assembler.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/pod_availability.hpp"
#include "wva_metrics/backend/detail/pod_findings.hpp"
#include "wva_metrics/backend/detail/pod_impl.hpp"
#include "wva_metrics/backend/detail/pod_round.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Makes sure that the pods of these models were scraped just now, as far as the deadline permits.
template <typename Executor>
asio::awaitable<void> refresh_pods(std::shared_ptr<PodImpl<Executor>> impl,
                                   std::vector<ModelKey> models, Priority priority) {
    const TimePoint deadline =
        saturating_add(std::chrono::steady_clock::now(), impl->config.batch_timeout);
    co_await find_pods(impl, models, deadline);
    co_await impl->fleet->refresh(models, deadline, priority);
}

/// Measures one batch: one answer per target, in the order of `models`, which holds the targets'
/// models.
///
/// `assemble(assembler, model, report, targets, answers)` is called for each model and sets the
/// answers of its targets. The other parameters are taken by value, because the coroutine may
/// outlive the backend.
template <typename Answer, typename Executor, typename Assemble>
asio::awaitable<std::vector<Result<Answer>>> fetch_pods(std::shared_ptr<PodImpl<Executor>> impl,
                                                        std::vector<ModelKey> models,
                                                        Assemble assemble, Priority priority) {
    std::vector<Result<Answer>> answers(
        models.size(), Error(Errc::invalid_argument, "the model id must not be empty"));
    std::map<ModelKey, std::vector<std::size_t>> targets;
    for (std::size_t i = 0; i < models.size(); ++i)
        if (!models[i].model_id.empty())
            targets[models[i]].push_back(i);
    std::vector<ModelKey> asked;
    asked.reserve(targets.size());
    for (const auto& [model, places] : targets)
        asked.push_back(model);
    if (asked.empty())
        co_return answers;
    co_await refresh_pods(impl, std::move(asked), priority);
    const TimePoint now = std::chrono::steady_clock::now();
    const MetricsAssembler assembler(impl->config, impl->roads.names());
    PodRound<Executor> round(*impl);
    for (const auto& [model, places] : targets)
        assemble(assembler, model, round.report(model, now), places, answers);
    co_return answers;
}

/// See `BasicPodBackend::check_availability`.
template <typename Executor>
asio::awaitable<Result<Availability>> check_pods(std::shared_ptr<PodImpl<Executor>> impl,
                                                 ModelKey model) {
    if (model.model_id.empty())
        co_return Error(Errc::invalid_argument, "the model id must not be empty");
    std::vector<ModelKey> asked(1, model);
    co_await refresh_pods(impl, std::move(asked), Priority::interactive);
    const TimePoint now = std::chrono::steady_clock::now();
    const ModelReport report = PodRound<Executor>(*impl).report(model, now);
    if (report.failure)
        co_return *report.failure;
    co_return availability_of_pods(model, report, now, impl->config.stale_after);
}

/// See `BasicPodBackend::diagnose`.
template <typename Executor>
asio::awaitable<Result<Diagnosis>> diagnose_pods(std::shared_ptr<PodImpl<Executor>> impl,
                                                 ModelKey model,
                                                 std::vector<VariantAutoscaling> variants) {
    const TimePoint deadline =
        saturating_add(std::chrono::steady_clock::now(), impl->config.batch_timeout);
    PodEvidence seen;
    seen.model = model;
    seen.variants = std::move(variants);
    if (model.model_id.empty()) {
        seen.report.failure = Error(Errc::invalid_argument, "the model id must not be empty");
        co_return pod_findings_of(seen, impl->config, impl->rules);
    }
    const auto read = [&] {
        PodRound<Executor> round(*impl);
        seen.report = round.report(model, std::chrono::steady_clock::now());
        seen.targets = round.facts();
        seen.judged = round.judged();
    };
    std::vector<ModelKey> asked(1, model);
    co_await refresh_pods(impl, asked, Priority::interactive);
    read();
    // A rate needs two scrapes. That there was only one of a new backend explains nothing.
    const Duration interval = impl->config.schedule.interval;
    if (warming_up_finding(seen.report, impl->rules) &&
        saturating_add(std::chrono::steady_clock::now(), interval) < deadline) {
        asio::steady_timer timer(co_await asio::this_coro::executor, interval);
        co_await timer.async_wait(asio::use_awaitable);
        co_await refresh_pods(impl, std::move(asked), Priority::interactive);
        read();
    }
    co_return pod_findings_of(seen, impl->config, impl->rules);
}

} // namespace wva_metrics::detail
