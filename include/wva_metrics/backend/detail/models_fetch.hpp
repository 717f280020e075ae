// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_samples.hpp"
#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/model_views.hpp"
#include "wva_metrics/backend/detail/query_chunks.hpp"
#include "wva_metrics/backend/detail/round_client.hpp"
#include "wva_metrics/backend/detail/sample_window.hpp"
#include "wva_metrics/backend/detail/unread_pods.hpp"
#include "wva_metrics/backend/detail/unsampled_pods.hpp"
#include "wva_metrics/detail/lasting_flag.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/promql/pod_query.hpp"
#include "wva_metrics/samples/reference_time.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Fetches the samples of models: each chunk takes two queries, which series live, which also tells
/// the server's time, and their samples until then.
///
/// **Threads:** not thread-safe: all coroutines of a round run on one strand.
template <typename Executor>
class ModelsFetch {
public:
    /// The samples of one model, or why there are none.
    struct Model {
        std::optional<Error> failure{};
        ModelViews samples{};
        /// The server says that a part of its answer may be missing.
        std::set<std::string> warnings{};
    };

    ModelsFetch(RoundClient<Executor> client, std::shared_ptr<const promql::QueryPlan> plan)
        : client_(std::move(client)), plan_(std::move(plan)),
          window_(client_.impl().window.choose(client_.started_at())),
          models_(plan_->models().size()) {}

    /// By model of the plan.
    std::vector<Model>& models() noexcept { return models_; }
    /// See above.
    const std::vector<Model>& models() const noexcept { return models_; }
    /// The targets that have no samples of a model.
    const EmptyTargets& empty_targets() const noexcept { return empty_targets_; }
    /// The time by which life is judged, unless its model is late (`samples::reference_time`).
    samples::ServerTime reference() const noexcept { return reference_; }
    /// The answers have longer windows than those of other rounds.
    bool is_probe() const noexcept { return window_.is_probe; }

    /// Fetches a chunk. A large one is queried by its namespaces alone, unless most of the series
    /// there belong to other models (an earlier answer has shown that), or such a query has been too
    /// large.
    asio::awaitable<Result<void>> fetch(promql::ModelChunk chunk) {
        LastingFlag& select_by_model = client_.impl().select_by_model;
        if (!select_by_model.is_set(client_.started_at()) && plan_->takes_namespaces(chunk)) {
            const Result<void> answer = co_await fetch(chunk, Selection::namespaces);
            if (!is_too_large(answer))
                co_return answer;
            select_by_model.set(client_.started_at());
        }
        co_return co_await fetch(chunk, Selection::models);
    }

    void fail(promql::ModelChunk chunk, const Error& error) {
        for (std::size_t model = chunk.first; model < chunk.last; ++model)
            models_[model].failure = error;
    }

    /// Views over the longest window, with what identifies their processes.
    struct Longer {
        /// By model of the plan. Those of one model may come in any order and several times.
        std::map<std::size_t, std::vector<samples::View>> views{};
        /// Pods, by namespace and name, of which views may be missing, because a query failed or its
        /// answer is incomplete.
        std::set<std::pair<std::string, std::string>> incomplete{};
    };

    /// Asks for more samples of these pods. Their models are `of`.
    asio::awaitable<Longer> fetch_longer(std::vector<promql::PodName> pods,
                                         const std::set<std::size_t>& of) {
        const auto& impl = client_.impl();
        Longer longer;
        const auto add_incomplete = [&](const std::vector<promql::PodName>& names) {
            for (const promql::PodName& pod : names)
                longer.incomplete.emplace(pod.namespace_name, pod.pod);
        };
        const auto queries = promql::pod_queries(
            impl.queries, pods, impl.rules.longest_window,
            {impl.config.limits.max_models_per_query, impl.config.limits.max_query_bytes});
        if (queries.has_error()) {
            add_incomplete(pods);
            co_return longer;
        }
        for (const promql::PodQuery& query : *queries) {
            const auto found = new_samples({0, plan_->models().size()});
            const auto add = [found](const prometheus::SeriesView& series) { found->add(series); };
            const RoundClient<Executor> hurried = client_.hurried();
            const auto answer = co_await hurried.send(query.text, add, {newest_});
            if (answer.has_error() || !answer->warnings.empty()) {
                add_incomplete(query.pods);
                continue;
            }
            for (const LivingSeries& living : living_)
                if (of.contains(living.model))
                    found->add_living(living);
            if (are_living_known_)
                found->set_living_known(newest_);
            for (auto& [model, views] : std::move(*found).take_views())
                std::move(views.begin(), views.end(), std::back_inserter(longer.views[model]));
        }
        co_return longer;
    }

    /// A name for one of the plan's models that no other has.
    std::string name_of(std::size_t model) const {
        const ModelKey& key = plan_->models()[model];
        return key.namespace_name + '\n' + key.model_id;
    }

private:
    enum class Selection { models, namespaces };

    /// Shared with the sinks of its queries, which are called on another strand.
    std::shared_ptr<ChunkSamples> new_samples(promql::ModelChunk chunk) const {
        const auto& impl = client_.impl();
        samples::ViewTable table(impl.metrics, impl.config.engine.labels, impl.rules);
        table.set_nan_ends_series(client_.is_victoria_metrics());
        return std::make_shared<ChunkSamples>(plan_, chunk, impl.config.engine.labels,
                                              std::move(table));
    }

    asio::awaitable<Result<void>> fetch(promql::ModelChunk chunk, Selection selection) {
        auto& impl = client_.impl();
        promql::QueryScope scope = plan_->scope(chunk);
        if (selection == Selection::namespaces)
            scope.models.clear();
        const auto found = new_samples(chunk);
        const auto clock = co_await fetch_living(scope, found);
        if (clock.has_error())
            co_return clock.error();
        const auto text = impl.queries.samples(scope, window_.window);
        if (text.has_error())
            co_return text.error();
        const auto add = [found](const prometheus::SeriesView& series) { found->add(series); };
        const auto answer = co_await client_.send(*text, add, {clock->evaluated});
        // Before the check for an error: the series of a failed answer are not used, but they too
        // show that the namespaces contain mostly other models.
        if (selection == Selection::namespaces && found->is_mostly_unrequested())
            impl.select_by_model.set(client_.started_at());
        if (answer.has_error())
            co_return answer.error();
        if (!is_probe())
            impl.density.learn(QuerySubject::models, chunk.size(), *answer, client_.started_at());
        keep(chunk, std::move(*found), *clock, answer->warnings);
        co_return Result<void>();
    }

    /// Which series live, and the server's time. VictoriaMetrics hides the newest samples from such
    /// a query, so it is only asked for its time.
    asio::awaitable<Result<ServerClock>> fetch_living(const promql::QueryScope& scope,
                                                      std::shared_ptr<ChunkSamples> found) {
        if (client_.is_victoria_metrics()) {
            are_living_known_ = false;
            co_return co_await client_.ask_time();
        }
        auto text = client_.impl().queries.living(scope);
        if (text.has_error())
            co_return text.error();
        const auto add = [found](const prometheus::SeriesView& series) {
            found->add_living(series);
        };
        bool has_warnings = false;
        const auto clock = co_await client_.send_for_time(*std::move(text), add, has_warnings);
        if (clock.has_value() && !has_warnings)
            found->set_living_known(clock->evaluated);
        are_living_known_ = are_living_known_ && !has_warnings;
        co_return clock;
    }

    /// Sorts the samples of a chunk by model.
    void keep(promql::ModelChunk chunk, ChunkSamples found, const ServerClock& clock,
              const std::vector<std::string>& warnings) {
        std::vector<LivingSeries> living = found.take_living();
        const std::vector<samples::TargetUp> up = found.unmatched_up();
        empty_targets_.add(up, client_.impl().config.engine.labels.namespace_name);
        auto views = std::move(found).take_views();
        for (auto& [model, pods] : find_unsampled_pods(living, views, client_.impl().rules)) {
            remove_seen_pods(plan_->models()[model], pods, client_.impl().seen,
                             client_.started_at());
            models_[model].samples.unsampled = std::move(pods);
        }
        living_.insert(living_.end(), std::make_move_iterator(living.begin()),
                       std::make_move_iterator(living.end()));
        const samples::ServerTime now =
            samples::reference_time(clock.evaluated, views, up, client_.impl().rules);
        newest_ = std::max(newest_, clock.evaluated);
        reference_ = std::max(reference_, now);
        for (std::size_t model = chunk.first; model < chunk.last; ++model) {
            models_[model].samples.clock = clock;
            models_[model].samples.now = now;
            models_[model].warnings.insert(warnings.begin(), warnings.end());
        }
        for (auto& [model, of_model] : views)
            models_[model].samples.views = std::move(of_model);
    }

    const RoundClient<Executor> client_;
    const std::shared_ptr<const promql::QueryPlan> plan_;
    /// The same for all chunks.
    const SampleWindow::Choice window_;
    std::vector<Model> models_;
    std::vector<LivingSeries> living_;
    EmptyTargets empty_targets_;
    bool are_living_known_ = true;
    /// The newest time of the server in an answer.
    samples::ServerTime newest_{};
    samples::ServerTime reference_{};
};

} // namespace wva_metrics::detail
