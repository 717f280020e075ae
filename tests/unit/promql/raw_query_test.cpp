// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/raw_query.hpp"

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::promql;

namespace {

using Matchers = std::vector<Matcher>;
using Names = std::vector<std::string>;

/// A profile whose queries are short enough to read.
EngineProfile short_profile() {
    return {.name = "short",
            .running = {"run", "also"},
            .arrival_rate = {"done_total"},
            .input_tokens = {"in"},
            .output_tokens = {"out"},
            .ttft = {"ttft"},
            .itl = {"itl"},
            .kv_cache_usage = {"kv"},
            .queue_length = {"queue"}};
}

RawQueries short_queries(const Matchers& matchers = {}) {
    return RawQueries(short_profile(), matchers);
}

constexpr const char* all_names = "__name__=~\"also|done_total|in|in_count|in_sum|itl|itl_count|"
                                  "itl_sum|kv|out|out_count|out_sum|queue|run|ttft|ttft_count|"
                                  "ttft_sum|up\"";

const Matchers eu = {{"cluster", MatchOperator::equal, "eu"},
                     {"tenant", MatchOperator::not_regex, "\"} or up{"}};

} // namespace

TEST_CASE("the query for living series has the server's time, even if nothing is selected") {
    const QueryScope scope{{"b", "a"}, {"m"}};
    CHECK(short_queries().living(scope).value() ==
          R"({__name__=~"also|run",namespace=~"a|b",model_name="m"} or vector(0))");
    CHECK(short_queries(eu).living(scope, "count(x) or vector(0)").value() ==
          R"({__name__=~"also|run",namespace=~"a|b",model_name="m",cluster="eu",)"
          R"(tenant!~"\"} or up{"} or count(x) or vector(0))");
    CHECK(RawQueries(vllm_profile(), {}).living({{"a"}, {}}).value() ==
          R"({__name__="vllm:num_requests_running",namespace="a"} or vector(0))");
}

TEST_CASE("the query for samples selects all metrics and `up`, which has no model") {
    CHECK(short_queries().samples({{"a"}, {"m2", "m1", "m2"}}, 60s).value() ==
          std::string("{") + all_names + R"(,namespace="a",model_name=~"m1|m2|"}[60s])");
    CHECK(short_queries(eu).samples({{"a"}, {"m.1"}}, 1500ms).value() ==
          std::string("{") + all_names +
              R"(,namespace="a",model_name=~"m\\.1|",cluster="eu",tenant!~"\"} or up{"}[1500ms])");
    CHECK(short_queries().samples({{"", "a"}, {}}, 1min).value() ==
          std::string("{") + all_names + R"(,namespace=~"|a"}[60s])");
}

TEST_CASE("the query for samples has the metrics of the optional readings that are chosen") {
    EngineProfile profile = short_profile();
    profile.kv_capacity = {"info[blocks * size]", "max_blocks * block_tokens"};
    profile.prefix_cache_hit_rate = {"hits / lookups"};
    profile.queue_time = {"wait"};
    profile.itl = {"itl", "itl_sum / itl_count"};
    const auto names_of = [&](OptionalReadingSet chosen) {
        const std::string query = RawQueries(profile, {}, chosen).samples({{"a"}, {}}, 60s).value();
        return query.substr(1, query.find(",namespace") - 1);
    };
    CHECK(names_of({}) == all_names);
    CHECK(names_of({OptionalReading::kv_capacity_tokens, OptionalReading::itl_p50_seconds,
                    OptionalReading::avg_ttft_seconds, OptionalReading::requests_per_second}) ==
          "__name__=~\"also|block_tokens|done_total|in|in_count|in_sum|info|itl|itl_bucket|"
          "itl_count|itl_sum|kv|max_blocks|out|out_count|out_sum|queue|run|ttft|ttft_count|"
          "ttft_sum|up\"");
    CHECK(names_of(
              {OptionalReading::prefix_cache_hit_rate, OptionalReading::queue_time_p99_seconds}) ==
          "__name__=~\"also|done_total|hits|in|in_count|in_sum|itl|itl_count|itl_sum|kv|lookups|"
          "out|out_count|out_sum|queue|run|ttft|ttft_count|ttft_sum|up|wait|wait_bucket\"");
}

TEST_CASE("the query for some pods selects what identifies their processes too") {
    EngineProfile profile = short_profile();
    profile.arrival_rate = {"done_total", "older"};
    CHECK(identity_metrics(profile) == Names{"done_created", "in_created", "itl_created",
                                             "older_created", "out_created",
                                             "process_start_time_seconds", "ttft_created"});
    CHECK(short_queries(eu)
              .samples_of_pods({{"a"}, {"m"}}, "exported_pod", Names{"p-1", "p-0"}, 5min)
              .value() ==
          R"({__name__=~"also|done_created|done_total|in|in_count|in_created|in_sum|itl|itl_count|)"
          R"(itl_created|itl_sum|kv|out|out_count|out_created|out_sum|process_start_time_seconds|)"
          R"(queue|run|ttft|ttft_count|ttft_created|ttft_sum|up",namespace="a",model_name=~"m|",)"
          R"(exported_pod=~"p-0|p-1",cluster="eu",tenant!~"\"} or up{"}[300s])");
    CHECK(short_queries().samples_of_pods({{"a"}, {}}, "pod", Names{}, 5min).has_error());
    // An empty name would select all series without the label.
    CHECK(short_queries().samples_of_pods({{"a"}, {}}, "pod", Names{"p", ""}, 5min).has_error());
}

TEST_CASE(
    "the queries for availability look for the samples of `running`, or of all that is measured") {
    const QueryScope scope{{"a"}, {"m"}};
    CHECK(short_queries(eu).presence(scope, 5min).value() ==
          R"({__name__=~"also|run",namespace="a",model_name="m",cluster="eu",)"
          R"(tenant!~"\"} or up{"}[300s])");
    CHECK(
        short_queries().presence_by_any(scope, 5min).value() ==
        R"({__name__=~"also|done_total|in|in_count|in_sum|itl|itl_count|itl_sum|kv|out|out_count|)"
        R"(out_sum|queue|run|ttft|ttft_count|ttft_sum",namespace="a",model_name="m"}[300s])");
    CHECK(short_queries().last_report(scope, QueryWindows{}).value() ==
          R"(max by (namespace,model_name) ()"
          R"(label_replace(max_over_time(timestamp({__name__="also",namespace="a",)"
          R"(model_name="m"})[3600s:60s]), "__name__", "also", "", "") or )"
          R"(label_replace(max_over_time(timestamp({__name__="run",namespace="a",)"
          R"(model_name="m"})[3600s:60s]), "__name__", "run", "", "")))");
    using UseMatchers = RawQueries::UseMatchers;
    CHECK(short_queries(eu).elsewhere(Names{"m"}, UseMatchers::yes).value() ==
          R"({__name__=~"also|run",model_name="m",cluster="eu",tenant!~"\"} or up{"})");
    CHECK(short_queries(eu).elsewhere(Names{"m"}, UseMatchers::no).value() ==
          R"({__name__=~"also|run",model_name="m"})");
    CHECK(short_queries().elsewhere(Names{"n.1", "m"}, UseMatchers::no).value() ==
          R"({__name__=~"also|run",model_name=~"m|n\\.1"})");
    CHECK(short_queries().elsewhere(Names{}, UseMatchers::no).has_error());
    CHECK(short_queries().elsewhere(Names{"m", ""}, UseMatchers::no).has_error());
}

TEST_CASE("the labels of the profile are used in all raw queries") {
    EngineProfile profile = short_profile();
    profile.labels.namespace_name = "ns";
    profile.labels.model = "model";
    const RawQueries queries(profile, {});
    const QueryScope scope{{"a"}, {"m"}};
    CHECK(queries.living(scope).value().find(R"(,ns="a",model="m"})") != std::string::npos);
    CHECK(queries.samples(scope, 1min).value().ends_with(R"(,ns="a",model=~"m|"}[60s])"));
    CHECK(queries.last_report(scope, {}).value().starts_with("max by (ns,model) ("));
}

TEST_CASE("a raw query of an invalid scope is rejected, and the message names the label") {
    const RawQueries queries = short_queries(eu);
    const std::vector<QueryScope> invalid = {
        {{}, {"m"}}, {{"a"}, {""}}, {{"a"}, {"m", ""}}, {{"a\xFF"}, {"m"}}, {{"a"}, {"\xC3"}}};
    for (const QueryScope& scope : invalid) {
        for (const auto& query :
             {queries.living(scope), queries.samples(scope, 1min), queries.presence(scope, 1min),
              queries.presence_by_any(scope, 1min), queries.last_report(scope, {}),
              queries.samples_of_pods(scope, "pod", Names{"p"}, 1min)}) {
            REQUIRE(query.has_error());
            CHECK(query.error().is(Errc::invalid_argument));
        }
    }
    CHECK(queries.living({{"a\xFF"}, {"m"}}).error().message ==
          "label namespace: text is not valid UTF-8: byte 0xff at offset 1 of 2");
}

TEST_CASE("the query for pods selects one condition of readiness") {
    const KubeStateNames names = vllm_profile().kube_state;
    CHECK(KubeStateQueries(names, {}).samples(Names{"b", "a"}, 5min).value() ==
          R"({__name__=~"kube_pod_info|kube_pod_owner|kube_pod_status_ready",namespace=~"a|b",)"
          R"(condition=~"true|"}[300s])");
    CHECK(KubeStateQueries(without_honor_labels(names), eu).samples(Names{"a"}, 5min).value() ==
          R"({__name__=~"kube_pod_info|kube_pod_owner|kube_pod_status_ready",)"
          R"(exported_namespace="a",condition=~"true|",cluster="eu",tenant!~"\"} or up{"}[300s])");
    CHECK(without_honor_labels(names).pod == "exported_pod");
    CHECK(KubeStateQueries(names, {}).samples(Names{}, 5min).has_error());
    CHECK(KubeStateQueries(names, {}).samples(Names{"\xFF"}, 5min).has_error());
    CHECK(KubeStateQueries(names, eu).reporting() ==
          R"(count({__name__="kube_pod_info",cluster="eu",tenant!~"\"} or up{"}) or vector(0))");
}
