// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/chunk_samples.hpp"
#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/kube_pods.hpp"
#include "wva_metrics/backend/detail/model_judge.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/model_views.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/run_all.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/samples/reference_time.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The queries of one round: sends them concurrently, and makes a report of each model.
///
/// Each chunk of models takes two queries: which series live, which also tells the server's time,
/// and their samples until then. The pods of the namespaces take one. If samples do not decide which
/// series are the same process, one more query asks for more samples of these pods alone.
///
/// A query that the server rejects for its size or cost is repeated for each half of its chunk.
///
/// **Threads:** all queries run on one strand (see `run_all`), so nothing here needs a lock.
template <typename Executor>
class FleetRound : public std::enable_shared_from_this<FleetRound<Executor>> {
public:
    using Impl = PrometheusImpl<Executor>;

    FleetRound(std::shared_ptr<Impl> impl, const std::vector<ModelKey>& models)
        : impl_(std::move(impl)), plan_(models, impl_->queries, impl_->kube_state.current().queries,
                                        impl_->config.limits),
          started_at_(std::chrono::steady_clock::now()),
          deadline_(started_at_ + impl_->config.batch_timeout),
          judge_(impl_->metrics, impl_->rules, impl_->undecided), views_(plan_.models().size()),
          reports_(plan_.models().size()), states_(impl_->config.owners) {}

    const promql::QueryPlan& plan() const noexcept { return plan_; }
    /// True once `run` has completed.
    bool is_complete() const noexcept { return is_complete_; }
    /// What was learned of one of the plan's models. Complete once `run` has completed.
    const ModelReport& report(const ModelKey& model) const {
        const auto models = plan_.models();
        const auto found = std::lower_bound(models.begin(), models.end(), model);
        return reports_[static_cast<std::size_t>(found - models.begin())];
    }
    /// What is known of the pods of all namespaces. Complete once `run` has completed.
    const PodStates& states() const noexcept { return states_; }

    /// Call it once, and keep the round until it ends.
    asio::awaitable<void> run() {
        co_await learn_flavor();
        std::vector<asio::awaitable<void>> jobs;
        add_jobs(jobs, plan_.chunks(), QuerySubject::models);
        if (impl_->config.use_kube_state)
            add_jobs(jobs, plan_.namespace_chunks(), QuerySubject::pods);
        co_await run_all(std::move(jobs));
        impl_->size_limits.learn(QuerySubject::models, models_outcomes_, started_at_);
        impl_->size_limits.learn(QuerySubject::pods, pods_outcomes_, started_at_);
        judge_all();
        co_await ask_again();
        co_await explain();
        is_complete_ = true;
    }

private:
    enum class Selection { models, namespaces };

    bool is_victoria_metrics() const noexcept {
        return impl_->flavor.load() == prometheus::Flavor::victoria_metrics;
    }

    /// A server whose make cannot be learned is queried like Prometheus.
    asio::awaitable<void> learn_flavor() {
        if (impl_->flavor.load())
            co_return;
        const auto make = co_await impl_->client.flavor(deadline_);
        if (make.has_value())
            impl_->flavor.store(make->flavor);
    }

    template <typename Of>
    void add_jobs(std::vector<asio::awaitable<void>>& jobs,
                  std::span<const promql::Chunk<Of>> chunks, QuerySubject subject) {
        std::vector<promql::Chunk<Of>> pieces;
        for (const promql::Chunk<Of> chunk : chunks)
            promql::append_pieces(pieces, chunk, impl_->size_limits.limit(subject, started_at_));
        for (const promql::Chunk<Of> piece : pieces)
            jobs.push_back(query_or_split(this->shared_from_this(), piece));
    }

    /// Sends the queries of a chunk. If the server rejects them for their size, queries the halves
    /// instead, one after the other.
    ///
    /// Holds the round: if an execution context is destroyed, the job and the coroutine that awaits
    /// it are destroyed unfinished, and nothing here should depend on their order.
    template <typename Of>
    static asio::awaitable<void> query_or_split(std::shared_ptr<FleetRound> round,
                                                promql::Chunk<Of> chunk) {
        const Result<void> answer = co_await round->fetch(chunk);
        ChunkOutcomes& outcomes = round->outcomes(chunk);
        if (answer.has_value()) {
            outcomes.add_answered(chunk.size());
            co_return;
        }
        if (is_too_large(answer)) {
            outcomes.add_rejected(chunk.size());
            if (const auto halves = promql::split(chunk)) {
                co_await query_or_split(round, halves->first);
                co_await query_or_split(round, halves->second);
                co_return;
            }
        }
        round->add_failure(chunk, answer.error());
    }

    template <typename T>
    static bool is_too_large(const Result<T>& answer) noexcept {
        return answer.has_error() &&
               (answer.error().is(Errc::too_costly) || answer.error().is(Errc::too_large));
    }

    /// `sink` is called for series even if the answer turns out to be an error: use them as values
    /// only after success.
    template <typename Sink>
    asio::awaitable<Result<prometheus::AnswerInfo>>
    send(std::string promql, Sink& sink, prometheus::QueryOptions options = {}) {
        return impl_->client.query(std::move(promql), std::ref(sink), options, deadline_);
    }

    // Models.

    ChunkOutcomes& outcomes(promql::ModelChunk) { return models_outcomes_; }

    /// Adds the answers to the result. A large chunk is queried by its namespaces alone, unless most
    /// of the series there belong to other models (an earlier answer has shown that), or such a
    /// query has been too large.
    asio::awaitable<Result<void>> fetch(promql::ModelChunk chunk) {
        std::atomic<bool>& select_by_model = impl_->select_by_model;
        if (!select_by_model.load(std::memory_order_relaxed) && plan_.takes_namespaces(chunk)) {
            const Result<void> answer = co_await fetch(chunk, Selection::namespaces);
            if (!is_too_large(answer))
                co_return answer;
            select_by_model.store(true, std::memory_order_relaxed);
        }
        co_return co_await fetch(chunk, Selection::models);
    }

    ChunkSamples new_samples(promql::ModelChunk chunk) const {
        samples::ViewTable table(impl_->metrics, impl_->config.engine.labels, impl_->rules);
        table.set_nan_ends_series(is_victoria_metrics());
        return ChunkSamples(plan_, chunk, impl_->config.engine.labels, std::move(table));
    }

    asio::awaitable<Result<void>> fetch(promql::ModelChunk chunk, Selection selection) {
        promql::QueryScope scope = plan_.scope(chunk);
        if (selection == Selection::namespaces)
            scope.models.clear();
        ChunkSamples found = new_samples(chunk);
        auto clock = co_await fetch_living(scope, found);
        if (clock.has_error())
            co_return clock.error();
        const auto text =
            impl_->queries.samples(scope, impl_->window.window(started_at_));
        if (text.has_error())
            co_return text.error();
        const auto add = [&](const prometheus::SeriesView& series) { found.add(series); };
        const auto answer = co_await send(*text, add, {clock->evaluated});
        // Before the check for an error: the series of a failed answer are not used, but they too
        // show that the namespaces contain mostly other models.
        if (selection == Selection::namespaces && found.is_mostly_unrequested())
            impl_->select_by_model.store(true, std::memory_order_relaxed);
        if (answer.has_error())
            co_return answer.error();
        keep(chunk, std::move(found), *clock, answer->warnings);
        co_return Result<void>();
    }

    /// Which series live, and the server's time. VictoriaMetrics hides the newest samples from such
    /// a query, so it is only asked for its time.
    asio::awaitable<Result<ServerClock>> fetch_living(const promql::QueryScope& scope,
                                                      ChunkSamples& found) {
        const bool asks_living = !is_victoria_metrics();
        auto text = asks_living ? impl_->queries.living(scope)
                                : Result<std::string>(std::string(promql::time_query));
        if (text.has_error())
            co_return text.error();
        ServerClock clock;
        clock.requested = std::chrono::steady_clock::now();
        bool has_time = false;
        const auto add = [&](const prometheus::SeriesView& series) {
            if (!series.samples.empty()) {
                clock.evaluated = series.samples.back().time;
                has_time = true;
            }
            found.add_living(series);
        };
        const auto answer = co_await send(*std::move(text), add);
        if (answer.has_error())
            co_return answer.error();
        if (!has_time)
            co_return Error(Errc::bad_response,
                            impl_->client.endpoint() + ": the answer to vector(0) is empty");
        if (asks_living && answer->warnings.empty())
            found.set_living_known();
        co_return clock;
    }

    /// Sorts the samples of a chunk by model.
    void keep(promql::ModelChunk chunk, ChunkSamples found, const ServerClock& clock,
              const std::vector<std::string>& warnings) {
        std::vector<LivingSeries> living = found.take_living();
        living_.insert(living_.end(), std::make_move_iterator(living.begin()),
                       std::make_move_iterator(living.end()));
        const std::vector<samples::TargetUp> up = found.unmatched_up();
        auto views = std::move(found).take_views();
        const samples::ServerTime now =
            samples::reference_time(clock.evaluated, views, up, impl_->rules);
        newest_ = std::max(newest_, clock.evaluated);
        for (std::size_t model = chunk.first; model < chunk.last; ++model) {
            views_[model].clock = clock;
            views_[model].now = now;
            reports_[model].server_warnings.insert(warnings.begin(), warnings.end());
        }
        for (auto& [model, of_model] : views)
            views_[model].views = std::move(of_model);
    }

    void add_failure(promql::ModelChunk chunk, const Error& error) {
        for (std::size_t model = chunk.first; model < chunk.last; ++model)
            reports_[model].failure = error;
    }

    // Pods.

    ChunkOutcomes& outcomes(promql::NamespaceChunk) { return pods_outcomes_; }

    /// Adds the answer to the result.
    asio::awaitable<Result<void>> fetch(promql::NamespaceChunk chunk) {
        const KubeStateForm::Form& form = impl_->kube_state.current();
        auto found = co_await fetch_pods(chunk, form);
        if (found.has_error())
            co_return found.error();
        if (found->empty()) {
            const KubeStateForm::Form* other = impl_->kube_state.other(started_at_);
            if (other != nullptr) {
                auto second = co_await fetch_pods(chunk, *other);
                if (second.has_value() && !second->empty()) {
                    impl_->kube_state.keep(*other);
                    found = std::move(second);
                }
            }
        }
        kube_pods_.push_back(*std::move(found));
        co_return Result<void>();
    }

    asio::awaitable<Result<KubePods>> fetch_pods(promql::NamespaceChunk chunk,
                                                 const KubeStateForm::Form& form) {
        const std::span<const std::string> namespaces = plan_.namespaces(chunk);
        const auto text =
            form.queries.samples(namespaces, impl_->config.windows.pod_retention);
        if (text.has_error())
            co_return text.error();
        KubePods pods(form.names, impl_->rules);
        pods.set_nan_ends_series(is_victoria_metrics());
        const auto add = [&](const prometheus::SeriesView& series) { pods.add(series); };
        const auto answer = co_await send(*text, add);
        if (answer.has_error())
            co_return answer.error();
        if (!answer->warnings.empty())
            pods.mark_incomplete();
        for (const std::string& warning : answer->warnings)
            states_.add_warning(namespaces, warning);
        co_return std::move(pods);
    }

    void add_failure(promql::NamespaceChunk chunk, const Error& error) {
        states_.add_warning(plan_.namespaces(chunk),
                            "the query for existing pods and their owners failed: " +
                                error.describe());
    }

    // Judgement.

    void judge_all() {
        for (KubePods& pods : kube_pods_) {
            pods.finish(newest_);
            states_.merge(std::move(pods));
        }
        samples::ServerDuration needed{};
        bool has_unknown = false;
        for (std::size_t model = 0; model < views_.size(); ++model) {
            if (reports_[model].failure)
                continue;
            judge(model);
            for (const samples::View& view : views_[model].views) {
                if (samples::is_lost(view, views_[model].now, impl_->rules))
                    continue;
                const auto window = needed_window(view, views_[model].now, impl_->rules);
                needed = std::max(needed, window.value_or(needed));
                has_unknown = has_unknown || !window;
            }
        }
        impl_->window.learn(needed, has_unknown, started_at_);
    }

    void judge(std::size_t model) {
        auto warnings = std::move(reports_[model].server_warnings);
        reports_[model] = judge_.judge(plan_.models()[model], views_[model]);
        reports_[model].server_warnings = std::move(warnings);
    }

    /// Asks for more samples of the pods that are undecided, and judges their models again. If that
    /// fails, they stay undecided.
    asio::awaitable<void> ask_again() {
        std::vector<promql::PodName> pods;
        std::map<std::size_t, std::set<std::string>> asked;
        for (std::size_t model = 0; model < views_.size(); ++model) {
            for (promql::PodName& pod :
                 judge_.to_ask(plan_.models()[model], views_[model], started_at_)) {
                asked[model].insert(pod.pod);
                pods.push_back(std::move(pod));
            }
        }
        if (pods.empty())
            co_return;
        const auto texts =
            promql::pod_queries(impl_->queries, std::move(pods), impl_->rules.longest_window,
                                {impl_->config.limits.max_models_per_query,
                                 impl_->config.limits.max_query_bytes});
        if (texts.has_error())
            co_return;
        ChunkSamples found = new_samples({0, plan_.models().size()});
        const auto add = [&](const prometheus::SeriesView& series) { found.add(series); };
        for (const std::string& text : *texts) {
            const auto answer = co_await send(text, add, {newest_});
            if (answer.has_error())
                co_return;
        }
        for (const LivingSeries& living : living_)
            if (asked.contains(living.model))
                found.add_living(living);
        if (!is_victoria_metrics())
            found.set_living_known();
        auto longer = std::move(found).take_views();
        for (const auto& [model, names] : asked) {
            judge_.learn(plan_.models()[model], views_[model], names, std::move(longer[model]));
            judge(model);
        }
    }

    /// Says of the models without series where a model of that name reports, with one query for all
    /// that were not explained recently. If it fails, they are explained without a hint.
    asio::awaitable<void> explain() {
        std::vector<std::size_t> empty;
        std::vector<std::string> ids;
        for (std::size_t model = 0; model < reports_.size(); ++model) {
            const ModelKey& key = plan_.models()[model];
            if (reports_[model].failure || !reports_[model].pods.empty()) {
                impl_->explanations.forget(key);
                continue;
            }
            if (impl_->explanations.claim(key, started_at_)) {
                empty.push_back(model);
                ids.push_back(key.model_id);
            }
        }
        if (!empty.empty())
            co_await explain(empty, std::move(ids));
        for (std::size_t model = 0; model < reports_.size(); ++model) {
            if (reports_[model].failure || !reports_[model].pods.empty())
                continue;
            std::string text = impl_->explanations.find(plan_.models()[model]);
            if (!text.empty())
                reports_[model].warnings.push_back(std::move(text));
        }
    }

    asio::awaitable<void> explain(std::span<const std::size_t> empty,
                                  std::vector<std::string> ids) {
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        std::map<std::string, std::vector<std::size_t>, std::less<>> by_id;
        for (const std::size_t model : empty)
            by_id[plan_.models()[model].model_id].push_back(model);
        std::map<std::size_t, Elsewhere> found;
        const EngineLabels& labels = impl_->config.engine.labels;
        const auto add = [&](const prometheus::SeriesView& series) {
            if (const auto models = by_id.find(series.label(labels.model)); models != by_id.end())
                for (const std::size_t model : models->second)
                    found[model].add(series, plan_.models()[model], labels);
        };
        const auto text = impl_->queries.elsewhere(ids, promql::RawQueries::UseMatchers::no);
        if (text.has_value()) {
            const auto answer = co_await send(*text, add);
            if (answer.has_error())
                found.clear();
        }
        for (const std::size_t model : empty) {
            const ModelKey& key = plan_.models()[model];
            impl_->explanations.set(
                key, nothing_found(key, found[model], impl_->config).message);
        }
    }

    const std::shared_ptr<Impl> impl_;
    const promql::QueryPlan plan_;
    const TimePoint started_at_;
    const TimePoint deadline_;
    const ModelJudge judge_;
    /// By model of the plan.
    std::vector<ModelViews> views_;
    std::vector<ModelReport> reports_; ///< See `views_`.
    std::vector<LivingSeries> living_;
    std::vector<KubePods> kube_pods_;
    PodStates states_;
    ChunkOutcomes models_outcomes_;
    ChunkOutcomes pods_outcomes_;
    /// The newest time of the server.
    samples::ServerTime newest_{};
    std::atomic<bool> is_complete_{false};
};

} // namespace wva_metrics::detail
