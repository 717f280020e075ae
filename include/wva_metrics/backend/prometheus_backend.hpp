// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/assemble.hpp"
#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/pod_facts.hpp"
#include "wva_metrics/backend/detail/run_all.hpp"
#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/prometheus/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Asks Prometheus, or anything that speaks its query API.
///
/// However many variants and models a batch is about, each signal is one grouped query (one per
/// `limits.max_models_per_query` models), and one more tells which pods exist and whose they are. A
/// query that is refused for its size or cost is halved until it is not, and the size that worked
/// is kept to for ten minutes; a model that fails alone fails alone. A query about many models
/// takes all of their namespaces, unless these turn out to hold much more.
///
/// Thread safety: as every backend, its functions may be called concurrently. Copies share
/// connections.
class PrometheusBackend {
public:
    /// An unsound configuration is not refused here: every answer is then `Errc::invalid_config`
    /// with all that `validate` finds.
    template <detail::IfUsed = detail::IfUsed::compile>
    PrometheusBackend(const asio::any_io_executor& executor, PrometheusConfig config)
        : core_(std::make_shared<Core>(executor, std::move(config))) {}

    /// As it was made with. Thread-safe.
    const PrometheusConfig& config() const noexcept { return core_->config; }

    /// Does Prometheus have the model's metrics, and recent ones? Errors and cancellation as for
    /// the fetches.
    template <detail::IfUsed = detail::IfUsed::compile>
    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        return check_availability(core_, std::move(model));
    }

    /// An optimizer metric is the variant's own: summed over the pods that its deployment owns.
    /// Pods that are gone still count for the window in which they served, so that a roll-out does
    /// not look like a drop in load.
    template <detail::IfUsed = detail::IfUsed::compile>
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        return fetch_optimizer_metrics(core_, std::move(variants));
    }

    /// Pods that are known to be gone are named in `gone_pods` and not counted. kube-state-metrics
    /// is only believed that a pod is gone once the pod's own series have ended.
    template <detail::IfUsed = detail::IfUsed::compile>
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        return fetch_replica_samples(core_, std::move(models));
    }

private:
    struct Core {
        template <detail::IfUsed = detail::IfUsed::compile>
        Core(const asio::any_io_executor& executor, PrometheusConfig configuration)
            : config(std::move(configuration)), client(executor, config.client) {
            for (const std::string& problem : wva_metrics::validate(config))
                problems += (problems.empty() ? "" : "; ") + problem;
        }

        const PrometheusConfig config;
        prometheus::Client client;
        std::string problems;
        /// The namespaces hold much more than is asked about, so their models have to be named.
        /// Found out once, and then so for good: to find out again would cost as much again.
        std::atomic<bool> names_models{false};
        detail::LearntSizes sizes;
    };
    using CorePtr = std::shared_ptr<Core>;

    /// One batch under way. Its jobs share a strand, so nothing here needs a lock.
    struct Batch {
        Batch(CorePtr owner, const std::vector<ModelKey>& models)
            : core(std::move(owner)),
              plan(models, core->config.engine, core->config.windows, core->config.limits),
              deadline(std::chrono::steady_clock::now() + core->config.batch_timeout) {
            found.pods.ask_first(core->config.owners);
        }

        CorePtr core;
        promql::QueryPlan plan;
        TimePoint deadline;
        detail::BatchFindings found;
    };
    using BatchPtr = std::shared_ptr<Batch>;

    static Error unsound(const Core& core) {
        return Error(Errc::invalid_config,
                     "the configuration of the Prometheus backend is unsound: " + core.problems);
    }

    static bool may_split(const Error& error) noexcept {
        return error.is(Errc::too_costly) || error.is(Errc::too_large);
    }

    // Coroutines take what they use by value: their frames may outlive the backend.

    template <detail::IfUsed = detail::IfUsed::compile>
    static asio::awaitable<void> ask_signals(BatchPtr batch, std::span<const Signal> signals) {
        const PrometheusConfig& config = batch->core->config;
        detail::LearntSizes& sizes = batch->core->sizes;
        const TimePoint asked_at = std::chrono::steady_clock::now();
        std::vector<asio::awaitable<void>> jobs;
        for (const Signal signal : signals) {
            batch->found.signals[signal];
            for (const auto chunk : pieces(batch->plan.chunks(), sizes.most(signal, asked_at)))
                jobs.push_back(ask_signal(batch, signal, chunk));
        }
        if (config.use_kube_state)
            for (const auto chunk :
                 pieces(batch->plan.namespace_chunks(), sizes.most(detail::subject_pods, asked_at)))
                jobs.push_back(ask_pods(batch, chunk));
        co_await detail::run_all(std::move(jobs));
        for (auto& [signal, rows] : batch->found.signals) {
            sizes.learn(signal, rows.asked, asked_at);
            rows.sort();
        }
        sizes.learn(detail::subject_pods, batch->found.pods_asked, asked_at);
    }

    template <typename Of>
    static std::vector<promql::Chunk<Of>> pieces(std::span<const promql::Chunk<Of>> chunks,
                                                 std::size_t most) {
        std::vector<promql::Chunk<Of>> all;
        for (const promql::Chunk<Of> chunk : chunks)
            promql::append_pieces(all, chunk, most);
        return all;
    }

    template <detail::IfUsed = detail::IfUsed::compile>
    static asio::awaitable<void> ask_signal(BatchPtr batch, Signal signal,
                                            promql::ModelChunk chunk) {
        const PrometheusConfig& config = batch->core->config;
        detail::SignalRows& into = batch->found.signals.at(signal);
        std::atomic<bool>& names_models = batch->core->names_models;
        const bool takes_namespaces =
            !names_models.load(std::memory_order_relaxed) && batch->plan.takes_namespaces(chunk);
        const promql::QueryScope scope = batch->plan.scope(chunk);
        auto query = takes_namespaces
                         ? promql::build_signal_query_of_all(signal, scope.namespaces,
                                                             config.engine, config.windows)
                         : promql::build_signal_query(signal, scope, config.engine, config.windows);
        Result<prometheus::AnswerInfo> answer = Error(Errc::internal, "not asked");
        const auto rows = std::make_shared<detail::RowCollector>(batch->plan, chunk,
                                                                 std::chrono::steady_clock::now());
        if (query.has_error()) {
            answer = query.error();
        } else {
            // A sink is called for series before an error too: what it has is used only if all went
            // well.
            const auto sink = [rows](const prometheus::SeriesView& series) { (*rows)(series); };
            answer = co_await batch->core->client.query(
                std::move(query->promql), std::move(query->labels), sink, batch->deadline);
        }
        const bool is_too_much = answer.has_error() && may_split(answer.error());
        if (takes_namespaces && (is_too_much || rows->is_mostly_uncalled_for()))
            names_models.store(true, std::memory_order_relaxed);
        if (answer.has_value()) {
            into.asked.note_answered(chunk.size());
            std::vector<detail::SignalRow> more = std::move(*rows).take();
            into.rows.insert(into.rows.end(), std::make_move_iterator(more.begin()),
                             std::make_move_iterator(more.end()));
            for (const std::string& warning : answer->warnings)
                for (std::size_t model = chunk.first; model < chunk.last; ++model)
                    batch->found.warnings[model].insert(warning);
            co_return;
        }
        if (takes_namespaces && is_too_much) {
            co_await ask_signal(batch, signal, chunk);
            co_return;
        }
        if (is_too_much)
            into.asked.note_refused(chunk.size());
        const auto halves = promql::split(chunk);
        if (halves && is_too_much) {
            co_await ask_signal(batch, signal, halves->first);
            co_await ask_signal(batch, signal, halves->second);
            co_return;
        }
        for (std::size_t model = chunk.first; model < chunk.last; ++model)
            into.failures.emplace(model, answer.error());
    }

    template <detail::IfUsed = detail::IfUsed::compile>
    static asio::awaitable<void> ask_pods(BatchPtr batch, promql::NamespaceChunk chunk) {
        const PrometheusConfig& config = batch->core->config;
        auto query =
            promql::build_pods_query(batch->plan.namespaces(chunk), config.engine, config.windows);
        Result<prometheus::AnswerInfo> answer = Error(Errc::internal, "not asked");
        const auto pods = std::make_shared<detail::PodKnowledge>();
        if (query.has_error()) {
            answer = query.error();
        } else {
            const auto sink = [pods](const prometheus::SeriesView& series) { pods->add(series); };
            answer = co_await batch->core->client.query(
                std::move(query->promql), std::move(query->labels), sink, batch->deadline);
        }
        const std::span<const std::string> namespaces = batch->plan.namespaces(chunk);
        if (answer.has_value()) {
            batch->found.pods_asked.note_answered(chunk.size());
            if (!answer->warnings.empty())
                pods->distrust_absence();
            batch->found.pods.merge(std::move(*pods));
            for (const std::string& warning : answer->warnings)
                batch->found.pods.add_warning(namespaces, warning);
            co_return;
        }
        const bool is_too_much = may_split(answer.error());
        if (is_too_much)
            batch->found.pods_asked.note_refused(chunk.size());
        const auto halves = promql::split(chunk);
        if (halves && is_too_much) {
            co_await ask_pods(batch, halves->first);
            co_await ask_pods(batch, halves->second);
            co_return;
        }
        batch->found.pods.add_warning(namespaces,
                                      "which pods exist and whose they are could not be asked: " +
                                          answer.error().describe());
    }

    template <detail::IfUsed = detail::IfUsed::compile>
    static asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(CorePtr core, std::vector<VariantAutoscaling> variants) {
        std::vector<Result<OptimizerMetrics>> answers(variants.size(),
                                                      Error(Errc::internal, "not answered"));
        if (!core->problems.empty()) {
            answers.assign(variants.size(), unsound(*core));
            co_return answers;
        }
        std::vector<ModelKey> models;
        for (const VariantAutoscaling& variant : variants)
            models.push_back(variant.model());
        const auto batch = std::make_shared<Batch>(core, models);
        co_await ask_signals(batch, detail::optimizer_signals);

        for (const promql::RejectedTarget& refused : batch->plan.rejected())
            answers[refused.target] = refused.error;
        const detail::Assembler assembler(core->config, batch->plan, batch->found);
        for (std::size_t model = 0; model < batch->plan.models().size(); ++model) {
            const std::span<const std::size_t> questions = batch->plan.targets(model);
            std::vector<VariantAutoscaling> of_model;
            for (const std::size_t question : questions)
                of_model.push_back(variants[question]);
            std::vector<Result<OptimizerMetrics>> assembled = assembler.optimizer(model, of_model);
            for (std::size_t i = 0; i < questions.size(); ++i)
                answers[questions[i]] = std::move(assembled[i]);
        }
        co_return answers;
    }

    template <detail::IfUsed = detail::IfUsed::compile>
    static asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(CorePtr core, std::vector<ModelKey> models) {
        std::vector<Result<ReplicaSamples>> answers(models.size(),
                                                    Error(Errc::internal, "not answered"));
        if (!core->problems.empty()) {
            answers.assign(models.size(), unsound(*core));
            co_return answers;
        }
        const auto batch = std::make_shared<Batch>(core, models);
        co_await ask_signals(batch, detail::replica_signals);

        for (const promql::RejectedTarget& refused : batch->plan.rejected())
            answers[refused.target] = refused.error;
        const detail::Assembler assembler(core->config, batch->plan, batch->found);
        for (std::size_t model = 0; model < batch->plan.models().size(); ++model)
            for (const std::size_t question : batch->plan.targets(model))
                answers[question] = assembler.replicas(model);
        co_return answers;
    }

    template <detail::IfUsed = detail::IfUsed::compile>
    static asio::awaitable<Result<Availability>> check_availability(CorePtr core, ModelKey model) {
        if (!core->problems.empty())
            co_return unsound(*core);
        const PrometheusConfig& config = core->config;
        const TimePoint deadline = std::chrono::steady_clock::now() + config.batch_timeout;
        const promql::QueryScope scope{{model.namespace_name}, {model.model_id}};
        auto query =
            promql::build_signal_query(Signal::running, scope, config.engine, config.windows);
        if (query.has_error())
            co_return query.error();
        const auto report = std::make_shared<detail::LastReport>();
        const auto sink = [report](const prometheus::SeriesView& series) { (*report)(series); };
        const auto answer = co_await core->client.query(std::move(query->promql),
                                                        std::move(query->labels), sink, deadline);
        if (answer.has_error())
            co_return answer.error();
        if (auto verdict = detail::judge(model, *report, config))
            co_return *std::move(verdict);

        // Nothing is there. The namespace may be wrong: that is worth a second question, whatever
        // comes of it.
        const auto elsewhere = std::make_shared<std::set<std::string>>();
        auto hint = promql::build_namespace_hint_query(model.model_id, config.engine);
        if (hint.has_value()) {
            const auto note = [elsewhere](const prometheus::SeriesView& series) {
                elsewhere->emplace(series.labels[0]);
            };
            const auto told = co_await core->client.query(std::move(hint->promql),
                                                          std::move(hint->labels), note, deadline);
            if (told.has_error())
                elsewhere->clear();
        }
        co_return detail::nothing_found(model, *elsewhere, config);
    }

    CorePtr core_;
};

static_assert(MetricsBackend<PrometheusBackend>);

} // namespace wva_metrics
