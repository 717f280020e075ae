// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake_prometheus_data.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/diagnosis_queries.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/matcher.hpp"
#include "wva_metrics/promql/query_windows.hpp"
#include "wva_metrics/promql/raw_query.hpp"

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace wva_metrics::test_support {

/// The names of the metrics of `DataSet`.
inline EngineProfile data_set_profile() {
    EngineProfile profile = vllm_profile();
    // Two names whose other labels are equal in part.
    profile.running = {"vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"};
    return profile;
}

/// All queries for raw samples, and those that go with them.
inline std::vector<std::string> raw_queries() {
    using namespace std::chrono_literals;
    using promql::Matcher;
    using promql::MatchOperator;
    const EngineProfile profile = data_set_profile();
    const promql::RawQueries plain(profile, {});
    const promql::RawQueries matched(
        profile, std::vector<Matcher>{{"pod", MatchOperator::not_regex, "pod-[1]"},
                                      {"nosuch", MatchOperator::equal, ""},
                                      {"engine", MatchOperator::not_equal, "1"}});
    const promql::KubeStateQueries pods(profile.kube_state, {});
    const std::vector<std::string> spaces = {"llm", "llm-2"};
    const std::vector<std::string> names = {"pod-0", "pod-2"};
    std::vector<std::string> texts = {pods.samples(spaces, 10min).value(), pods.reporting(),
                                      std::string(promql::time_query)};
    for (const promql::RawQueries* queries : {&plain, &matched}) {
        for (const promql::QueryScope& scope :
             {promql::QueryScope{spaces, models}, promql::QueryScope{{"llm"}, {models[1]}},
              promql::QueryScope{{"", "llm-2"}, {}}}) {
            texts.push_back(queries->living(scope).value());
            texts.push_back(queries->living(scope, pods.reporting()).value());
            for (const Duration window :
                 {Duration(1min), Duration(5min), Duration(10min), Duration(7s)})
                texts.push_back(queries->samples(scope, window).value());
            texts.push_back(queries->samples_of_pods(scope, "pod", names, 5min).value());
            texts.push_back(queries->presence(scope, 2min).value());
            texts.push_back(queries->presence_by_any(scope, 2min).value());
            texts.push_back(queries->last_report(scope, promql::QueryWindows()).value());
        }
        for (const std::string& model : models) {
            for (const auto use :
                 {promql::RawQueries::UseMatchers::yes, promql::RawQueries::UseMatchers::no})
                texts.push_back(queries->elsewhere(std::span(&model, 1), use).value());
        }
    }
    for (const std::string& model : models)
        texts.push_back(promql::nearby_models_query(profile, "llm", model).value());
    const std::vector<std::string> endings = {"requests_waiting", "cache_usage_perc"};
    texts.push_back(promql::similar_metrics_query(endings, "namespace", "llm").value());
    texts.push_back(texts.back() + " or " + promql::scrape_jobs_query("namespace", "llm").value());
    return texts;
}

} // namespace wva_metrics::test_support
