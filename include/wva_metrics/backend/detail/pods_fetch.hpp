// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/kube_pods.hpp"
#include "wva_metrics/backend/detail/kube_state_form.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/round_client.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Fetches what kube-state-metrics says of the pods of namespaces.
///
/// **Threads:** not thread-safe: all coroutines of a round run on one strand.
template <typename Executor>
class PodsFetch {
public:
    /// The arguments must outlive it. Warnings go to `states`.
    PodsFetch(RoundClient<Executor> client, const promql::QueryPlan& plan, PodStates& states)
        : client_(std::move(client)), plan_(plan), states_(states) {}

    /// Fetches a chunk.
    asio::awaitable<Result<void>> fetch(promql::NamespaceChunk chunk) {
        KubeStateForm& forms = client_.impl().kube_state;
        auto found = co_await fetch(client_, chunk, forms.current());
        if (found.has_error())
            co_return found.error();
        const std::span<const std::string> namespaces = plan_.namespaces(chunk);
        const KubeStateForm::Form* other =
            found->has_pods_of(namespaces) ? nullptr : forms.other(client_.started_at());
        if (other != nullptr) {
            auto second = co_await fetch(client_.hurried(), chunk, *other);
            if (second.has_value() && second->has_pods_of(namespaces)) {
                forms.keep(*other);
                found = std::move(second);
            }
        }
        found_.push_back(*std::move(found));
        co_return Result<void>();
    }

    void fail(promql::NamespaceChunk chunk, const Error& error) {
        states_.add_warning(plan_.namespaces(chunk),
                            "the query for existing pods and their owners failed: " +
                                error.describe());
    }

    /// Judges the pods at this time of the server, and hands them over.
    asio::awaitable<void> finish(samples::ServerTime now) {
        for (KubePods& pods : found_) {
            if (pods.needs_reporting(now)) {
                // If it is not known, no pod is gone because of it.
                const std::optional<bool> reports = co_await client_.ask_kube_state_reports();
                pods.set_reporting(reports.value_or(false));
            }
            pods.finish(now);
            states_.add(std::move(pods));
        }
    }

    std::string name_of(std::size_t index) const { return plan_.namespaces()[index]; }

private:
    asio::awaitable<Result<KubePods>> fetch(RoundClient<Executor> client,
                                            promql::NamespaceChunk chunk,
                                            const KubeStateForm::Form& form) {
        auto& impl = client.impl();
        const std::span<const std::string> namespaces = plan_.namespaces(chunk);
        const auto text = form.queries.samples(namespaces, impl.config.windows.pod_retention);
        if (text.has_error())
            co_return text.error();
        const auto pods = std::make_shared<KubePods>(form.names, impl.rules);
        pods->set_nan_ends_series(client.is_victoria_metrics());
        const auto add = [pods](const prometheus::SeriesView& series) { pods->add(series); };
        const auto answer = co_await client.send(*text, add);
        if (answer.has_error())
            co_return answer.error();
        impl.density.learn(QuerySubject::pods, chunk.size(), *answer, client_.started_at());
        if (!answer->warnings.empty())
            pods->mark_incomplete();
        for (const std::string& warning : answer->warnings)
            states_.add_warning(namespaces, warning);
        co_return std::move(*pods);
    }

    const RoundClient<Executor> client_;
    const promql::QueryPlan& plan_;
    PodStates& states_;
    std::vector<KubePods> found_;
};

} // namespace wva_metrics::detail
