// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/query.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::promql;

namespace {

using Texts = std::vector<std::string>;

const QueryScope one_model = {{"prod"}, {"m"}};

std::string text(Signal signal, const QueryWindows& windows = {},
                 const EngineProfile& profile = vllm_profile()) {
    return build_signal_query(signal, one_model, profile, windows).value().promql;
}

Texts labels(Signal signal, const EngineProfile& profile = vllm_profile()) {
    return build_signal_query(signal, one_model, profile, {}).value().labels;
}

} // namespace

TEST_CASE("an arrival rate is one rate per pod, and the time of its oldest sample") {
    CHECK(text(Signal::arrival_rate) ==
          R"(label_replace(sum by (namespace,model_name,pod) )"
          R"((rate(vllm:request_success_total{namespace="prod",model_name="m"}[60s])), )"
          R"("wva_part", "rate0", "", "") or )"
          R"(label_replace(min by (namespace,model_name,pod) )"
          R"((timestamp(vllm:request_success_total{namespace="prod",model_name="m"})), )"
          R"("wva_part", "time0", "", ""))");
    CHECK(labels(Signal::arrival_rate) == Texts{"wva_part", "namespace", "model_name", "pod"});
}

TEST_CASE("an average is queried as its sum and its count, so that a count of 0 is recognized") {
    CHECK(
        text(Signal::ttft) ==
        R"(label_replace(sum by (namespace,model_name,pod) )"
        R"((rate(vllm:time_to_first_token_seconds_sum{namespace="prod",model_name="m"}[60s])), )"
        R"("wva_part", "sum0", "", "") or )"
        R"(label_replace(sum by (namespace,model_name,pod) )"
        R"((rate(vllm:time_to_first_token_seconds_count{namespace="prod",model_name="m"}[60s])), )"
        R"("wva_part", "count0", "", "") or )"
        R"(label_replace(min by (namespace,model_name,pod) )"
        R"((timestamp(vllm:time_to_first_token_seconds_count{namespace="prod",model_name="m"})), )"
        R"("wva_part", "time0", "", ""))");
    CHECK(labels(Signal::ttft) == Texts{"wva_part", "namespace", "model_name", "pod"});
}

TEST_CASE("2.1 row 13: a gauge is queried per engine of a pod, so that the queues of one pod can "
          "be added") {
    CHECK(
        text(Signal::queue_length) ==
        R"(label_replace(max by (namespace,model_name,pod,engine) )"
        R"((max_over_time(vllm:num_requests_waiting{namespace="prod",model_name="m"}[60s]) )"
        R"(+ 0 * last_over_time(vllm:num_requests_waiting{namespace="prod",model_name="m"}[60s])), )"
        R"("wva_part", "value0", "", "") or )"
        R"(label_replace(min by (namespace,model_name,pod,engine) )"
        R"((timestamp(vllm:num_requests_waiting{namespace="prod",model_name="m"})), )"
        R"("wva_part", "time0", "", ""))");
    const Texts columns = labels(Signal::queue_length);
    CHECK(columns == Texts{"wva_part", "namespace", "model_name", "pod", "engine"});
    CHECK(columns[SignalColumns::part] == part_label);
    CHECK(columns[SignalColumns::namespace_name] == "namespace");
    CHECK(columns[SignalColumns::model] == "model_name");
    CHECK(columns[SignalColumns::pod] == "pod");
    CHECK(columns[SignalColumns::first_engine] == "engine");
}

TEST_CASE("a gauge without a peak window is queried for its last sample") {
    CHECK(text(Signal::queue_length, {.peak = 0s})
              .starts_with(R"(label_replace(max by (namespace,model_name,pod,engine) )"
                           R"((vllm:num_requests_waiting{namespace="prod",model_name="m"}), )"));
}

TEST_CASE("all names of a signal are in one query, each with its own tag") {
    const std::string query = text(Signal::itl);
    for (const auto* part : {"sum0", "count0", "time0", "sum1", "count1", "time1"})
        CHECK(query.find("\"" + std::string(part) + "\"") != std::string::npos);
    CHECK(query.find("vllm:inter_token_latency_seconds_sum{") <
          query.find("vllm:time_per_output_token_seconds_sum{"));

    const std::string kv = text(Signal::kv_cache_usage);
    CHECK(kv.find("(vllm:kv_cache_usage_perc{") < kv.find("\"value0\""));
    CHECK(kv.find("\"time0\"") < kv.find("(vllm:gpu_cache_usage_perc{"));
    CHECK(kv.find("(vllm:gpu_cache_usage_perc{") < kv.find("\"value1\""));
}

TEST_CASE("2.1 row 7: availability queries when a model last reported, now and in the look-back") {
    CHECK(
        text(Signal::running) ==
        R"(label_replace(max by (namespace,model_name) )"
        R"((timestamp(vllm:num_requests_running{namespace="prod",model_name="m"})), )"
        R"("wva_part", "time0", "", "") or )"
        R"(label_replace(max by (namespace,model_name) )"
        R"((max_over_time(timestamp(vllm:num_requests_running{namespace="prod",model_name="m"})[3600s:60s])), )"
        R"("wva_part", "recent0", "", ""))");
    CHECK(labels(Signal::running) == Texts{"wva_part", "namespace", "model_name"});
}

TEST_CASE("2.1 row 6: availability is only queried in the model's own namespace") {
    const std::string query = text(Signal::running);
    std::size_t selectors = 0;
    for (std::size_t at = query.find('{'); at != std::string::npos; at = query.find('{', at + 1)) {
        CHECK(query.substr(at).starts_with(R"({namespace="prod",model_name="m"})"));
        ++selectors;
    }
    CHECK(selectors == 2);
}

TEST_CASE("matchers are in every selector, and those of kube-state-metrics in its own") {
    const std::vector<Matcher> matchers = {{"cluster", MatchOperator::equal, "eu"},
                                           {"tenant", MatchOperator::not_regex, "a|\"b"}};
    const std::string expected = R"(,cluster="eu",tenant!~"a|\"b"})";
    const auto has_all = [&](const std::string& query) {
        std::size_t selectors = 0;
        for (std::size_t at = query.find('{'); at != std::string::npos;
             at = query.find('{', at + 1)) {
            const std::size_t next = query.find(expected, at);
            if (next == std::string::npos || query.find('{', at + 1) < next)
                return false;
            ++selectors;
        }
        return selectors > 0;
    };
    for (const Signal signal : all_signals) {
        CHECK(has_all(build_signal_query(signal, {{"a"}, {"m"}}, vllm_profile(), {}, matchers)
                          .value()
                          .promql));
        CHECK(has_all(build_signal_query_of_all(signal, Texts{"a"}, vllm_profile(), {}, matchers)
                          .value()
                          .promql));
    }
    const std::string pods =
        build_pods_query(Texts{"a"}, vllm_profile(), {}, matchers).value().promql;
    CHECK(pods.find(R"(kube_pod_owner{namespace="a")" + expected) != std::string::npos);
    CHECK(pods.find(R"(count(kube_pod_info{cluster="eu",tenant!~"a|\"b"}))") != std::string::npos);
}

TEST_CASE("the configured windows and labels appear in the queries") {
    const QueryWindows windows{.rate = 2min,
                               .peak = 1500ms,
                               .stale_lookback = 30min,
                               .stale_step = 30s,
                               .pod_retention = 5min};
    EngineProfile profile = vllm_profile();
    profile.labels = {
        .namespace_name = "ns", .model = "model", .pod = "pod_name", .engine = {"dp", "tp"}};
    CHECK(text(Signal::arrival_rate, windows, profile).find("[120s]") != std::string::npos);
    CHECK(text(Signal::ttft, windows, profile).find("by (ns,model,pod_name) ") !=
          std::string::npos);
    CHECK(text(Signal::running, windows, profile).find("[1800s:30s]") != std::string::npos);
    const std::string peak = text(Signal::kv_cache_usage, windows, profile);
    CHECK(peak.find("[1500ms]") != std::string::npos);
    CHECK(peak.find(R"(by (ns,model,pod_name,dp,tp) )") != std::string::npos);
    CHECK(peak.find(R"({ns="prod",model="m"})") != std::string::npos);
    CHECK(labels(Signal::kv_cache_usage, profile) ==
          Texts{"wva_part", "ns", "model", "pod_name", "dp", "tp"});
}

TEST_CASE("a signal can be queried for whole namespaces, without listing models") {
    const Texts namespaces = {"b", "a"};
    const Query all =
        build_signal_query_of_all(Signal::itl, namespaces, vllm_profile(), {}).value();
    const QueryScope named = {namespaces, {"m"}};
    const Query one = build_signal_query(Signal::itl, named, vllm_profile(), {}).value();
    CHECK(all.labels == one.labels);
    std::string without_model = one.promql;
    const std::string model = R"(,model_name="m")";
    for (auto at = without_model.find(model); at != std::string::npos;
         at = without_model.find(model))
        without_model.erase(at, model.size());
    CHECK(all.promql == without_model);
    CHECK(build_signal_query_of_all(Signal::itl, {}, vllm_profile(), {})
              .error()
              .is(Errc::invalid_argument));
}

TEST_CASE("the query about pods has deleted pods, owners, and whether kube-state-metrics reports "
          "at all") {
    const Texts namespaces = {"b", "a"};
    const Query query = build_pods_query(namespaces, vllm_profile(), {}).value();
    CHECK(
        query.promql ==
        R"(label_replace(max by (namespace,pod) (last_over_time(kube_pod_info{namespace=~"a|b"}[600s])) )"
        R"(unless max by (namespace,pod) (kube_pod_info{namespace=~"a|b"}), )"
        R"("wva_part", "gone0", "", "") or )"
        R"(label_replace(max by (namespace,pod,owner_kind,owner_name) (kube_pod_owner{namespace=~"a|b"}), )"
        R"("wva_part", "owner0", "", "") or )"
        R"(label_replace(count(kube_pod_info), "wva_part", "reporting0", "", ""))");
    CHECK(query.labels == Texts{"wva_part", "namespace", "pod", "owner_kind", "owner_name"});
    CHECK(query.labels[PodColumns::part] == part_label);
    CHECK(query.labels[PodColumns::namespace_name] == "namespace");
    CHECK(query.labels[PodColumns::pod] == "pod");
    CHECK(query.labels[PodColumns::owner_kind] == "owner_kind");
    CHECK(query.labels[PodColumns::owner_name] == "owner_name");
    CHECK(build_pods_query({}, vllm_profile(), {}).error().is(Errc::invalid_argument));
}

TEST_CASE("the query about pods uses the configured names of kube-state-metrics") {
    EngineProfile profile = vllm_profile();
    profile.labels.namespace_name = "unused";
    profile.kube_state = {.pod_info = "pods",
                          .pod_owner = "owners",
                          .namespace_name = "exported_namespace",
                          .pod = "exported_pod",
                          .owner_kind = "kind",
                          .owner_name = "name"};
    const Texts namespaces = {"a"};
    const Query query = build_pods_query(namespaces, profile, {}).value();
    CHECK(query.promql ==
          R"(label_replace(max by (exported_namespace,exported_pod) )"
          R"((last_over_time(pods{exported_namespace="a"}[600s])) )"
          R"(unless max by (exported_namespace,exported_pod) (pods{exported_namespace="a"}), )"
          R"("wva_part", "gone0", "", "") or )"
          R"(label_replace(max by (exported_namespace,exported_pod,kind,name) )"
          R"((owners{exported_namespace="a"}), "wva_part", "owner0", "", "") or )"
          R"(label_replace(count(pods), "wva_part", "reporting0", "", ""))");
    CHECK(query.labels == Texts{"wva_part", "exported_namespace", "exported_pod", "kind", "name"});
}

TEST_CASE(
    "2.2 row 21: two hundred models are one query per signal, and each is in a selector once") {
    QueryScope scope{{"prod"}, {}};
    for (int i = 0; i < 200; ++i)
        scope.models.push_back("org/model-" + std::to_string(i));
    const std::string query =
        build_signal_query(Signal::arrival_rate, scope, vllm_profile(), {}).value().promql;
    const std::size_t first = query.find("org/model-137|");
    const std::size_t second = query.find("org/model-137|", first + 1);
    CHECK(first != std::string::npos);
    CHECK(second != std::string::npos);
    CHECK(query.find("org/model-137|", second + 1) == std::string::npos);
}

TEST_CASE("a query with an empty scope or invalid UTF-8 is refused before it is sent") {
    for (const Signal signal : all_signals) {
        CHECK(
            build_signal_query(signal, {}, vllm_profile(), {}).error().is(Errc::invalid_argument));
        CHECK(build_signal_query(signal, {{"n"}, {"\xED\xA0\x80"}}, vllm_profile(), {})
                  .error()
                  .is(Errc::invalid_argument));
    }
}
