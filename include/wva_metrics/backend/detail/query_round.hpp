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
          plan_(models, impl_->config.engine, impl_->config.windows, impl_->config.limits,
                impl_->config.matchers, impl_->config.kube_state_matchers),
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
            add_jobs(jobs, SignalQuery{.signal = field.signal}, plan_.chunks());
        }
        if (impl_->config.use_kube_state)
            add_jobs(jobs, PodsQuery{}, plan_.namespace_chunks());
        co_await run_all(std::move(jobs));
        for (auto& [signal, rows] : result_.signals) {
            impl_->size_limits.learn(signal, rows.outcomes, started_at_);
            rows.sort();
        }
        impl_->size_limits.learn(subject_pods, result_.pods_outcomes, started_at_);
    }

private:
    /// A signal of the models of a chunk.
    struct SignalQuery {
        Signal signal;
        promql::ModelChunk chunk{};

        QuerySubject subject() const noexcept { return signal; }
        SignalQuery with(promql::ModelChunk part) const noexcept { return {signal, part}; }
    };
    /// The pods of the namespaces of a chunk.
    struct PodsQuery {
        promql::NamespaceChunk chunk{};

        QuerySubject subject() const noexcept { return subject_pods; }
        PodsQuery with(promql::NamespaceChunk part) const noexcept { return {part}; }
    };

    enum class Selection { models, namespaces };

    /// `whole`: the query, whose chunk is replaced by each of `chunks`.
    template <typename Query, typename Of>
    void add_jobs(std::vector<asio::awaitable<void>>& jobs, Query whole,
                  std::span<const promql::Chunk<Of>> chunks) {
        std::vector<promql::Chunk<Of>> pieces;
        for (const promql::Chunk<Of> chunk : chunks)
            promql::append_pieces(pieces, chunk,
                                  impl_->size_limits.limit(whole.subject(), started_at_));
        for (const promql::Chunk<Of> piece : pieces)
            jobs.push_back(query_or_split(this->shared_from_this(), whole.with(piece)));
    }

    /// Sends a query. If the server rejects it for its size, queries the halves of its chunk
    /// instead, one after the other.
    ///
    /// Holds the round: if an execution context is destroyed, the job and the coroutine that awaits
    /// it are destroyed unfinished, and nothing here should depend on their order.
    template <typename Query>
    static asio::awaitable<void> query_or_split(std::shared_ptr<QueryRound> round, Query query) {
        const Result<void> answer = co_await round->fetch(query);
        ChunkOutcomes& outcomes = round->outcomes(query);
        if (answer.has_value()) {
            outcomes.add_answered(query.chunk.size());
            co_return;
        }
        if (is_too_large(answer)) {
            outcomes.add_rejected(query.chunk.size());
            if (const auto halves = promql::split(query.chunk)) {
                co_await query_or_split(round, query.with(halves->first));
                co_await query_or_split(round, query.with(halves->second));
                co_return;
            }
        }
        round->add_failure(query, answer.error());
    }

    static bool is_too_large(const Result<void>& answer) noexcept {
        return answer.has_error() &&
               (answer.error().is(Errc::too_costly) || answer.error().is(Errc::too_large));
    }

    // Signals.

    ChunkOutcomes& outcomes(const SignalQuery& query) {
        return result_.signals.at(query.signal).outcomes;
    }

    /// Adds the answer to the result. A large chunk is queried by its namespaces alone, unless most
    /// of the series there belong to other models (an earlier answer has shown that), or such a
    /// query has been too large.
    asio::awaitable<Result<void>> fetch(SignalQuery query) {
        std::atomic<bool>& select_by_model = impl_->select_by_model;
        if (!select_by_model.load(std::memory_order_relaxed) &&
            plan_.takes_namespaces(query.chunk)) {
            const Result<void> answer = co_await fetch(query, Selection::namespaces);
            if (!is_too_large(answer))
                co_return answer;
            select_by_model.store(true, std::memory_order_relaxed);
        }
        co_return co_await fetch(query, Selection::models);
    }

    asio::awaitable<Result<void>> fetch(SignalQuery query, Selection selection) {
        const PrometheusConfig& config = impl_->config;
        const promql::QueryScope scope = plan_.scope(query.chunk);
        auto text =
            selection == Selection::namespaces
                ? promql::build_signal_query_of_all(query.signal, scope.namespaces, config.engine,
                                                    config.windows, config.matchers)
                : promql::build_signal_query(query.signal, scope, config.engine, config.windows,
                                             config.matchers);
        if (text.has_error())
            co_return text.error();
        RowCollector rows(plan_, query.chunk, text->labels, std::chrono::steady_clock::now());
        const auto answer = co_await send(std::move(text->promql), rows);
        // Before the check for an error: the series of a failed answer are not used as rows, but
        // they too show that the namespaces contain mostly other models.
        if (selection == Selection::namespaces && rows.is_mostly_unrequested())
            impl_->select_by_model.store(true, std::memory_order_relaxed);
        if (answer.has_error())
            co_return answer.error();
        std::vector<SignalRow> added = std::move(rows).take();
        std::vector<SignalRow>& all = result_.signals.at(query.signal).rows;
        all.insert(all.end(), std::make_move_iterator(added.begin()),
                   std::make_move_iterator(added.end()));
        for (const std::string& warning : answer->warnings)
            for (std::size_t model = query.chunk.first; model < query.chunk.last; ++model)
                result_.warnings[model].insert(warning);
        co_return Result<void>();
    }

    void add_failure(const SignalQuery& query, const Error& error) {
        for (std::size_t model = query.chunk.first; model < query.chunk.last; ++model)
            result_.signals.at(query.signal).failures.emplace(model, error);
    }

    // Pods.

    ChunkOutcomes& outcomes(const PodsQuery&) { return result_.pods_outcomes; }

    /// Adds the answer to the result.
    asio::awaitable<Result<void>> fetch(PodsQuery query) {
        const PrometheusConfig& config = impl_->config;
        const std::span<const std::string> namespaces = plan_.namespaces(query.chunk);
        auto text = promql::build_pods_query(namespaces, config.engine, config.windows,
                                             config.kube_state_matchers);
        if (text.has_error())
            co_return text.error();
        PodFacts pods;
        const auto add = [&pods, &labels = text->labels](const prometheus::SeriesView& series) {
            pods.add(series, labels);
        };
        const auto answer = co_await send(std::move(text->promql), add);
        if (answer.has_error())
            co_return answer.error();
        if (!answer->warnings.empty())
            pods.mark_incomplete();
        result_.pods.merge(std::move(pods));
        for (const std::string& warning : answer->warnings)
            result_.pods.add_warning(namespaces, warning);
        co_return Result<void>();
    }

    void add_failure(const PodsQuery& query, const Error& error) {
        result_.pods.add_warning(plan_.namespaces(query.chunk),
                                 "the query for existing pods and their owners failed: " +
                                     error.describe());
    }

    /// `sink` is called for series even if the answer turns out to be an error: use them as values
    /// only after success.
    template <typename Sink>
    asio::awaitable<Result<prometheus::AnswerInfo>> send(std::string promql, Sink& sink) {
        return impl_->client.query(std::move(promql), std::ref(sink), {}, deadline_);
    }

    const std::shared_ptr<Impl> impl_;
    const promql::QueryPlan plan_;
    const TimePoint started_at_;
    const TimePoint deadline_;
    BatchResult result_;
};

} // namespace wva_metrics::detail
