// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/fetch_batch.hpp"
#include "wva_metrics/backend/detail/findings.hpp"
#include "wva_metrics/backend/detail/model_evidence.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/round_client.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/query_options.hpp"
#include "wva_metrics/promql/diagnosis_queries.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The server's clock minus the local one.
inline samples::ServerDuration clock_difference(const ServerClock& clock) {
    const Duration since = std::chrono::steady_clock::now() - clock.requested;
    const auto requested = std::chrono::system_clock::now() -
                           std::chrono::duration_cast<std::chrono::system_clock::duration>(since);
    return clock.evaluated - std::chrono::floor<samples::ServerDuration>(requested);
}

/// Asks what a normal round of a model does not tell, with at most three queries, until the
/// deadline. If one fails, the evidence says so and lacks what it would
/// have shown.
template <typename Executor>
class EvidenceFetch {
public:
    /// The evidence must outlive it.
    EvidenceFetch(std::shared_ptr<PrometheusImpl<Executor>> impl, TimePoint deadline,
                  ModelEvidence& seen)
        : client_(std::move(impl), deadline, Priority::interactive), seen_(seen) {}

    asio::awaitable<void> run() {
        if (has_living_pods(seen_.report)) {
            co_await ask_similar(signals_without_series(seen_.report), false);
            if (seen_.kube_state.is_asked && !seen_.kube_state.has_namespace)
                co_await ask_kube_state();
        } else {
            co_await ask_nearby();
            const std::vector<Signal> signals = {Signal::running, Signal::kv_cache_usage};
            co_await ask_similar(signals, true);
            co_await ask_last_report();
        }
    }

private:
    const PrometheusConfig& config() const { return client_.impl().config; }

    asio::awaitable<void> ask_nearby() {
        auto text = promql::nearby_models_query(config().engine, seen_.model.namespace_name,
                                                seen_.model.model_id);
        const auto found = std::make_shared<NearbyModels>();
        const auto add = [found, model = seen_.model,
                          labels = config().engine.labels](const prometheus::SeriesView& series) {
            found->add(series, model, labels);
        };
        if (co_await ask(std::move(text), add))
            seen_.nearby = std::move(*found);
    }

    /// `of_any_engine`: also the metrics of other kinds of servers.
    asio::awaitable<void> ask_similar(std::vector<Signal> signals, bool of_any_engine) {
        std::set<std::string> endings;
        for (const Signal signal : signals)
            for (const std::string& name : metric_names(config().engine, signal))
                endings.emplace(promql::without_prefix(name));
        if (endings.empty())
            co_return;
        if (of_any_engine)
            for (const KnownEngineTable& known : known_engines)
                endings.emplace(promql::without_prefix(running_name(*known.table)));
        const std::vector<std::string> sorted(endings.begin(), endings.end());
        auto text = promql::similar_metrics_query(sorted, config().engine.labels.namespace_name,
                                                  seen_.model.namespace_name);
        if (of_any_engine && text.has_value())
            text = with_scrape_jobs(*std::move(text));
        struct Found {
            std::set<std::string> metrics;
            std::set<std::string> failing_jobs;
            std::set<std::string> answering_jobs;
        };
        const auto found = std::make_shared<Found>();
        const auto add = [found](const prometheus::SeriesView& series) {
            if (series.label("__name__") != "up")
                found->metrics.emplace(series.label("__name__"));
            else if (!series.samples.empty())
                (series.samples.back().value == 0 ? found->failing_jobs : found->answering_jobs)
                    .emplace(series.label("job"));
        };
        if (co_await ask(std::move(text), add)) {
            seen_.similar_metrics = std::move(found->metrics);
            seen_.failing_jobs = std::move(found->failing_jobs);
            seen_.answering_jobs = std::move(found->answering_jobs);
        }
    }

    Result<std::string> with_scrape_jobs(std::string text) const {
        const auto jobs = promql::scrape_jobs_query(config().engine.labels.namespace_name,
                                                    seen_.model.namespace_name);
        if (jobs.has_error())
            return jobs.error();
        return std::move(text) + " or " + *jobs;
    }

    asio::awaitable<void> ask_last_report() {
        auto text = client_.impl().queries.last_report(
            {{seen_.model.namespace_name}, {seen_.model.model_id}}, config().windows);
        const auto found = std::make_shared<LastReport>();
        const auto add = [found](const prometheus::SeriesView& series) { found->add_time(series); };
        if (co_await ask(std::move(text), add, {seen_.report.clock.evaluated}))
            seen_.last_report = *found;
    }

    asio::awaitable<void> ask_kube_state() {
        const std::optional<bool> reports = co_await client_.ask_kube_state_reports();
        // If that is not known, nothing is said of it.
        seen_.kube_state.is_asked = reports.has_value();
        seen_.kube_state.is_reporting = reports.value_or(false);
    }

    /// True if the whole answer is there.
    template <typename Sink>
    asio::awaitable<bool> ask(Result<std::string> text, const Sink& sink,
                              prometheus::QueryOptions options = {}) {
        std::optional<Error> failure;
        if (text.has_error()) {
            failure = text.error();
        } else {
            const auto answer = co_await client_.send(*std::move(text), sink, options);
            if (answer.has_error())
                failure = answer.error();
        }
        if (!failure)
            co_return true;
        // The cause may be the same for all queries.
        if (std::find(seen_.failures.begin(), seen_.failures.end(), *failure) ==
            seen_.failures.end())
            seen_.failures.push_back(*std::move(failure));
        co_return false;
    }

    const RoundClient<Executor> client_;
    ModelEvidence& seen_;
};

/// What kube-state-metrics says of the model's pods, as far as a round has asked it.
inline KubeStateEvidence kube_state_evidence(const ModelKey& model, const ModelReport& report,
                                             const KubePods* pods) {
    KubeStateEvidence kube;
    if (pods == nullptr)
        return kube;
    kube.is_asked = true;
    kube.has_namespace = !pods->existing_pods(model.namespace_name).empty();
    kube.is_reporting = kube.has_namespace;
    for (const JudgedPod& pod : report.pods) {
        const KubePods::Pod* known = pods->find(model.namespace_name, pod.report.pod);
        if (is_read(pod) && !pod.report.pod.empty() && (known == nullptr || !known->exists))
            kube.unknown_pods.push_back(pod.report.pod);
    }
    return kube;
}

/// Runs a normal round for one model, asks what it does not tell, and says what is wrong.
template <typename Executor>
asio::awaitable<Result<Diagnosis>> diagnose(std::shared_ptr<PrometheusImpl<Executor>> impl,
                                            ModelKey model,
                                            std::vector<VariantAutoscaling> variants) {
    const TimePoint started_at = std::chrono::steady_clock::now();
    ModelEvidence seen;
    seen.model = model;
    seen.variants = std::move(variants);
    std::vector<ModelKey> models(1, model);
    const promql::QueryPlan plan(models, impl->queries, impl->kube_state.current().queries,
                                 impl->config.limits);
    if (!plan.rejected().empty()) {
        seen.report.failure = plan.rejected().front().error;
        co_return findings_of(seen, impl->config, impl->rules);
    }
    // Not a round of somebody else, whose model's samples may be gone when it is read.
    const TimePoint deadline = wva_metrics::detail::saturating_add(std::chrono::steady_clock::now(),
                                                                   impl->config.batch_timeout);
    const auto round = std::make_shared<FleetRound<Executor>>(impl, impl->plan(models), deadline,
                                                              Priority::interactive);
    co_await round->run();
    seen.report = round->report(model);
    if (!seen.report.failure) {
        seen.views = round->views_of(model).views;
        seen.now = round->views_of(model).now;
        seen.clock_ahead = clock_difference(seen.report.clock);
        seen.kube_state = kube_state_evidence(model, seen.report, round->states().kube_pods());
        seen.flavor = impl->flavor();
        EvidenceFetch<Executor> fetch(
            impl, wva_metrics::detail::saturating_add(started_at, impl->config.batch_timeout),
            seen);
        co_await fetch.run();
    }
    co_return findings_of(seen, impl->config, impl->rules);
}

} // namespace wva_metrics::detail
