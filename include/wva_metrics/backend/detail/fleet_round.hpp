// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/explain_models.hpp"
#include "wva_metrics/backend/detail/model_judge.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/models_fetch.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/pods_fetch.hpp"
#include "wva_metrics/backend/detail/query_chunks.hpp"
#include "wva_metrics/backend/detail/round_client.hpp"
#include "wva_metrics/backend/detail/run_all.hpp"
#include "wva_metrics/backend/detail/unsampled_pods.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/promql/plan.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// One round: fetches the samples of all models concurrently, and makes a report of each.
///
/// If samples do not decide which series are the same process, one more query asks for more samples
/// of these pods alone. One more explains models without series. Both at most once a minute for
/// each.
///
/// **Threads:** all queries run on one strand (see `run_all`), so nothing here needs a lock.
template <typename Executor>
class FleetRound : public std::enable_shared_from_this<FleetRound<Executor>> {
public:
    using Impl = PrometheusImpl<Executor>;
    /// Of models, and as many of namespaces: a large fleet should not occupy all that the server can
    /// do for others, and the size that it accepts is found with fewer queries.
    static constexpr std::size_t max_concurrent_chunks = 4;

    /// `deadline`, `priority`: of all of its queries.
    FleetRound(std::shared_ptr<Impl> impl, std::shared_ptr<const promql::QueryPlan> plan,
               TimePoint deadline, Priority priority)
        : client_(std::move(impl), deadline, priority), plan_(std::move(plan)),
          judge_(client_.impl().metrics, client_.impl().rules, client_.impl().undecided),
          models_(client_, plan_), pods_(client_, *plan_, states_),
          model_queries_(models_, client_.impl().sizes, QuerySubject::models, client_.started_at()),
          pod_queries_(pods_, client_.impl().sizes, QuerySubject::pods, client_.started_at()),
          reports_(plan_->models().size()) {
        states_.set_preferred_owners(client_.impl().config.owners);
    }

    const promql::QueryPlan& plan() const noexcept { return *plan_; }
    /// Somebody waits for it now. Any thread.
    void promote() noexcept { client_.promote(); }
    /// True once `run` has completed.
    bool is_complete() const noexcept { return is_complete_; }
    /// What was learned of one of the plan's models. Complete once `run` has completed.
    const ModelReport& report(const ModelKey& model) const { return reports_[place_of(model)]; }
    /// The samples that the report was made of.
    const ModelViews& views_of(const ModelKey& model) const {
        return models_.models()[place_of(model)].samples;
    }
    /// What is known of pods apart from their own series.
    const PodStates& states() const noexcept { return states_; }

    /// Call it once, and keep the round until it ends.
    asio::awaitable<void> run() {
        auto& impl = client_.impl();
        co_await client_.choose_replica();
        co_await client_.learn_flavor();
        std::vector<asio::awaitable<void>> jobs;
        add_jobs(jobs, model_queries_, plan_->chunks());
        if (impl.config.use_kube_state)
            add_jobs(jobs, pod_queries_, plan_->namespace_chunks());
        co_await run_all(std::move(jobs));
        if (!models_.is_probe())
            model_queries_.learn();
        pod_queries_.learn();
        co_await pods_.finish(models_.reference());
        judge_all();
        co_await ask_again();
        add_unread();
        co_await explain_models(client_, plan_->models(), std::span(reports_));
        is_complete_ = true;
    }

private:
    std::size_t place_of(const ModelKey& model) const {
        const auto models = plan_->models();
        const auto found = std::lower_bound(models.begin(), models.end(), model);
        return static_cast<std::size_t>(found - models.begin());
    }

    template <typename Queries, typename Of>
    void add_jobs(std::vector<asio::awaitable<void>>& jobs, Queries& queries,
                  std::span<const promql::Chunk<Of>> chunks) {
        for (const promql::Chunk<Of> chunk : chunks)
            queries.add(chunk);
        // Shares the ownership of the round, of which `queries` is a part.
        const std::shared_ptr<Queries> owned(this->shared_from_this(), &queries);
        for (std::size_t job = 0; job < std::min(queries.size(), max_concurrent_chunks); ++job)
            jobs.push_back(Queries::run(owned));
    }

    void judge_all() {
        auto& impl = client_.impl();
        samples::ServerDuration needed = impl.rules.window;
        bool has_unknown = false;
        bool is_answered = false;
        for (std::size_t model = 0; model < reports_.size(); ++model) {
            const auto& fetched = models_.models()[model];
            if (fetched.failure) {
                reports_[model].failure = fetched.failure;
                continue;
            }
            judge(model);
            const ModelViews& samples = fetched.samples;
            // A store that is behind needs a window that reaches back further.
            const samples::ServerDuration behind = samples.clock.evaluated - samples.now;
            needed =
                std::max(needed, needed_window(samples.views, samples.now, impl.rules) + behind);
            has_unknown = has_unknown || !samples.unsampled.empty() ||
                          has_unknown_spacing(samples.views, samples.now, impl.rules);
            is_answered = true;
        }
        if (is_answered)
            impl.window.learn(needed, has_unknown, client_.started_at());
    }

    void judge(std::size_t model) {
        auto& fetched = models_.models()[model];
        reports_[model] = judge_.judge(plan_->models()[model], fetched.samples, states_);
        reports_[model].partial_because.insert(fetched.warnings.begin(), fetched.warnings.end());
    }

    void add_unread() {
        auto& impl = client_.impl();
        for (std::size_t model = 0; model < reports_.size(); ++model) {
            if (reports_[model].failure)
                continue;
            const ModelKey& key = plan_->models()[model];
            add_unread_pods(key, reports_[model], models_.empty_targets(), states_, impl.seen,
                            client_.started_at());
            add_unsampled_pods(key, models_.models()[model].samples.unsampled, states_,
                               reports_[model]);
        }
    }

    /// Asks for more samples of the pods that are undecided, and judges their models again. A pod
    /// of which not all could be fetched stays undecided.
    asio::awaitable<void> ask_again() {
        std::vector<promql::PodName> pods;
        std::map<std::size_t, std::set<std::string>> asked;
        std::set<std::size_t> of;
        for (std::size_t model = 0; model < reports_.size(); ++model) {
            const ModelViews& samples = models_.models()[model].samples;
            for (promql::PodName& pod :
                 judge_.to_ask(plan_->models()[model], samples, client_.started_at())) {
                of.insert(model);
                asked[model].insert(pod.pod);
                pods.push_back(std::move(pod));
            }
        }
        if (pods.empty())
            co_return;
        auto longer = co_await models_.fetch_longer(std::move(pods), of);
        for (auto& [model, names] : asked) {
            const ModelKey& key = plan_->models()[model];
            std::erase_if(names, [&](const std::string& pod) {
                return longer.incomplete.contains({key.namespace_name, pod});
            });
            if (names.empty())
                continue;
            judge_.learn(key, models_.models()[model].samples, names,
                         std::move(longer.views[model]));
            judge(model);
        }
    }

    const RoundClient<Executor> client_;
    const std::shared_ptr<const promql::QueryPlan> plan_;
    const ModelJudge judge_;
    PodStates states_;
    ModelsFetch<Executor> models_;
    PodsFetch<Executor> pods_;
    ChunkQueries<ModelsFetch<Executor>, ModelKey> model_queries_;
    ChunkQueries<PodsFetch<Executor>, std::string> pod_queries_;
    /// By model of the plan.
    std::vector<ModelReport> reports_;
    std::atomic<bool> is_complete_{false};
};

} // namespace wva_metrics::detail
