// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/testing/detail/promql/parse_promql.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

/// A query is a text that PromQL can read, within its announced size, or there is none.
void check_query(const Result<std::string>& query, std::size_t max_bytes) {
    if (!query)
        return expect_explained(query.error(), {Errc::invalid_argument});
    expect(query->size() <= max_bytes, "a query is larger than announced: " + *query);
    try {
        testing::detail::parse_promql(*query);
    } catch (const testing::detail::QueryFailure& failure) {
        throw BrokenProperty("not PromQL: " + *query + ": " + failure.what());
    }
}

/// The names of metrics and labels are refused with clean words, or make queries that PromQL can
/// read. Lines: a metric, the labels of namespace, model and pod; the metric and the labels of
/// kube-state-metrics; a namespace, a model id.
void fuzz_engine_profile(std::string_view bytes) {
    Input input(bytes);
    EngineProfile profile = vllm_profile();
    profile.running.emplace_back(input.line());
    profile.itl = profile.running;
    profile.labels.namespace_name = input.line();
    profile.labels.model = input.line();
    profile.labels.pod = input.line();
    profile.kube_state.pod_info = input.line();
    profile.kube_state.namespace_name = input.line();
    profile.kube_state.owner_name = input.line();
    const std::string name_space(input.line());
    const std::string model(input.rest());
    const std::vector<std::string> problems = validate(profile);
    for (const std::string& problem : problems)
        expect_clean(problem, max_message_bytes, "a problem of a profile");
    if (!problems.empty())
        return;

    constexpr Duration window = std::chrono::minutes(1);
    const std::size_t values = 8 * (name_space.size() + model.size());
    const promql::RawQueries queries(profile, {});
    const promql::QueryScope scope{{name_space, "other"}, {model, "m"}};
    check_query(queries.living(scope), queries.frame_bytes() + values);
    check_query(queries.samples(scope, window), queries.frame_bytes() + values);
    const promql::KubeStateQueries kube_state(profile.kube_state, {});
    check_query(kube_state.samples(scope.namespaces, window), kube_state.frame_bytes() + values);
    check_query(kube_state.reporting(), kube_state.frame_bytes());
}

const RegisteredTarget engine_profile_target("engine_profile", &fuzz_engine_profile);

} // namespace
} // namespace wva_metrics::fuzz
