// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/batch_result.hpp"
#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/pod_facts.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/run_all.hpp"
#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/promql/query.hpp"
#include "wva_metrics/signal.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The queries of one batch: sends them concurrently and collects their answers.
///
/// A query that the server rejects for its size or cost is repeated for each half of its chunk.
///
/// **Threads:** all queries run on one strand (see `run_all`), so nothing here needs a lock.
template <typename Executor>
class QueryRound : public std::enable_shared_from_this<QueryRound<Executor>> {
public:
    using Impl = PrometheusImpl<Executor>;

    QueryRound(std::shared_ptr<Impl> impl, const std::vector<ModelKey>& models)
        : impl_(std::move(impl)),
          plan_(models, impl_->config.engine, impl_->config.windows, impl_->config.limits),
          started_at_(std::chrono::steady_clock::now()),
          deadline_(started_at_ + impl_->config.batch_timeout) {
        result_.pods.set_preferred_owners(impl_->config.owners);
    }

    const promql::QueryPlan& plan() const noexcept { return plan_; }
    /// Complete once `run` has completed.
    const BatchResult& result() const noexcept { return result_; }

    /// Queries the signals of these readings (a table such as `optimizer_readings`) for all models
    /// of the plan, and the pods of their namespaces. Call it once, and keep the round until it
    /// ends.
    template <typename Readings>
    asio::awaitable<void> run(const Readings& readings) {
        std::vector<asio::awaitable<void>> jobs;
        for (const auto& field : readings) {
            result_.signals.try_emplace(field.signal);
            add_jobs(jobs, field.signal, plan_.chunks());
        }
        if (impl_->config.use_kube_state)
            add_jobs(jobs, subject_pods, plan_.namespace_chunks());
        co_await run_all(std::move(jobs));
        for (auto& [signal, rows] : result_.signals) {
            impl_->size_limits.learn(signal, rows.outcomes, started_at_);
            rows.sort();
        }
        impl_->size_limits.learn(subject_pods, result_.pods_outcomes, started_at_);
    }

private:
    enum class Selection { models, namespaces };

    template <typename Of>
    void add_jobs(std::vector<asio::awaitable<void>>& jobs, QuerySubject subject,
                  std::span<const promql::Chunk<Of>> chunks) {
        std::vector<promql::Chunk<Of>> pieces;
        for (const promql::Chunk<Of> chunk : chunks)
            promql::append_pieces(pieces, chunk, impl_->size_limits.limit(subject, started_at_));
        for (const promql::Chunk<Of> piece : pieces)
            jobs.push_back(query_in_halves(this->shared_from_this(), subject, piece));
    }

    /// Queries a chunk. If the server rejects the query for its size, queries each half instead.
    /// Holds the round, because a job may outlive the coroutine that awaits it.
    template <typename Of>
    static asio::awaitable<void> query_in_halves(std::shared_ptr<QueryRound> round,
                                                 QuerySubject subject, promql::Chunk<Of> chunk) {
        const Result<void> answer = co_await round->query_chunk(subject, chunk);
        ChunkOutcomes& outcomes = round->outcomes(subject);
        if (answer.has_value()) {
            outcomes.add_answered(chunk.size());
            co_return;
        }
        if (is_too_large(answer)) {
            outcomes.add_rejected(chunk.size());
            if (const auto halves = promql::split(chunk)) {
                co_await query_in_halves(round, subject, halves->first);
                co_await query_in_halves(round, subject, halves->second);
                co_return;
            }
        }
        round->add_failure(subject, chunk, answer.error());
    }

    static bool is_too_large(const Result<void>& answer) noexcept {
        return answer.has_error() &&
               (answer.error().is(Errc::too_costly) || answer.error().is(Errc::too_large));
    }

    ChunkOutcomes& outcomes(QuerySubject subject) {
        return subject ? result_.signals.at(*subject).outcomes : result_.pods_outcomes;
    }

    /// Queries a signal of a chunk of models and adds the answer to the result. A large chunk is
    /// queried by its namespaces alone, unless these hold too much.
    asio::awaitable<Result<void>> query_chunk(QuerySubject signal, promql::ModelChunk chunk) {
        std::atomic<bool>& must_name_models = impl_->must_name_models;
        if (!must_name_models.load(std::memory_order_relaxed) && plan_.takes_namespaces(chunk)) {
            const Result<void> answer =
                co_await query_signal(*signal, chunk, Selection::namespaces);
            if (!is_too_large(answer))
                co_return answer;
            must_name_models.store(true, std::memory_order_relaxed);
        }
        co_return co_await query_signal(*signal, chunk, Selection::models);
    }

    asio::awaitable<Result<void>> query_signal(Signal signal, promql::ModelChunk chunk,
                                               Selection selection) {
        const PrometheusConfig& config = impl_->config;
        const promql::QueryScope scope = plan_.scope(chunk);
        auto query = selection == Selection::namespaces
                         ? promql::build_signal_query_of_all(signal, scope.namespaces,
                                                             config.engine, config.windows)
                         : promql::build_signal_query(signal, scope, config.engine, config.windows);
        if (query.has_error())
            co_return query.error();
        RowCollector rows(plan_, chunk, std::chrono::steady_clock::now());
        const auto answer = co_await send(*std::move(query), rows);
        if (selection == Selection::namespaces && rows.is_mostly_unrequested())
            impl_->must_name_models.store(true, std::memory_order_relaxed);
        if (answer.has_error())
            co_return answer.error();
        std::vector<SignalRow> added = std::move(rows).take();
        std::vector<SignalRow>& all = result_.signals.at(signal).rows;
        all.insert(all.end(), std::make_move_iterator(added.begin()),
                   std::make_move_iterator(added.end()));
        for (const std::string& warning : answer->warnings)
            for (std::size_t model = chunk.first; model < chunk.last; ++model)
                result_.warnings[model].insert(warning);
        co_return Result<void>();
    }

    void add_failure(QuerySubject signal, promql::ModelChunk chunk, const Error& error) {
        for (std::size_t model = chunk.first; model < chunk.last; ++model)
            result_.signals.at(*signal).failures.emplace(model, error);
    }

    /// Queries the pods of a chunk of namespaces and adds the answer to the result.
    asio::awaitable<Result<void>> query_chunk(QuerySubject, promql::NamespaceChunk chunk) {
        const PrometheusConfig& config = impl_->config;
        const std::span<const std::string> namespaces = plan_.namespaces(chunk);
        auto query = promql::build_pods_query(namespaces, config.engine, config.windows);
        if (query.has_error())
            co_return query.error();
        PodFacts pods;
        const auto add = [&pods](const prometheus::SeriesView& series) { pods.add(series); };
        const auto answer = co_await send(*std::move(query), add);
        if (answer.has_error())
            co_return answer.error();
        if (!answer->warnings.empty())
            pods.mark_incomplete();
        result_.pods.merge(std::move(pods));
        for (const std::string& warning : answer->warnings)
            result_.pods.add_warning(namespaces, warning);
        co_return Result<void>();
    }

    void add_failure(QuerySubject, promql::NamespaceChunk chunk, const Error& error) {
        result_.pods.add_warning(plan_.namespaces(chunk),
                                 "the query for existing pods and their owners failed: " +
                                     error.describe());
    }

    /// `sink` is called for series even if the answer turns out to be an error: use what it has
    /// collected only after success.
    template <typename Sink>
    asio::awaitable<Result<prometheus::AnswerInfo>> send(promql::Query query, Sink& sink) {
        return impl_->client.query(std::move(query.promql), std::move(query.labels), std::ref(sink),
                                   deadline_);
    }

    const std::shared_ptr<Impl> impl_;
    const promql::QueryPlan plan_;
    const TimePoint started_at_;
    const TimePoint deadline_;
    BatchResult result_;
};

} // namespace wva_metrics::detail
