// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake_prometheus_data.hpp"
#include "wva_metrics/promql/quote.hpp"

#include <string>
#include <vector>

namespace wva_metrics::test_support {

inline std::string tagged(const std::string& expression, const std::string& part) {
    return "label_replace(" + expression + ", \"wva_part\", \"" + part + "\", \"\", \"\")";
}

inline std::string one_of(const std::vector<std::string>& values) {
    std::string alternatives;
    for (const std::string& value : values)
        alternatives += (alternatives.empty() ? "" : "|") + promql::quote_regex(value).value();
    return promql::quote(alternatives).value();
}

/// The queries of the library.
inline std::vector<std::string> library_queries() {
    const std::string by = "by (namespace,model_name,pod) ";
    const std::string by_engine = "by (namespace,model_name,pod,engine) ";
    const std::string all = R"({namespace=~"llm|llm-2",model_name=~)" + one_of(models) + "}";
    const std::string one =
        "{namespace=\"llm\",model_name=" + promql::quote(models[1]).value() + "}";
    const std::string pods = R"({namespace=~"llm|llm-2"})";
    const std::string success = "vllm:request_success_total";
    const std::string ttft = "vllm:time_to_first_token_seconds";
    const std::string usage = "vllm:kv_cache_usage_perc";
    std::vector<std::string> queries;
    for (const std::string& selected : {all, one}) {
        queries.push_back(tagged("sum " + by + "(rate(" + success + selected + "[60s]))", "rate0") +
                          " or " +
                          tagged("min " + by + "(timestamp(" + success + selected + "))", "time0"));
        queries.push_back(
            tagged("sum " + by + "(rate(" + ttft + "_sum" + selected + "[60s]))", "sum0") + " or " +
            tagged("sum " + by + "(rate(" + ttft + "_count" + selected + "[60s]))", "count0") +
            " or " +
            tagged("min " + by + "(timestamp(" + ttft + "_count" + selected + "))", "time0"));
        queries.push_back(
            tagged("max " + by_engine + "(max_over_time(" + usage + selected +
                       "[60s]) + 0 * last_over_time(" + usage + selected + "[60s]))",
                   "value0") +
            " or " + tagged("min " + by_engine + "(timestamp(" + usage + selected + "))", "time0"));
        queries.push_back(tagged("max " + by_engine + "(" + usage + selected + ")", "value0"));
        queries.push_back(
            tagged("max by (namespace,model_name) (timestamp(" + usage + selected + "))", "time0") +
            " or " +
            tagged("max by (namespace,model_name) (max_over_time(timestamp(" + usage + selected +
                       ")[1h:1m]))",
                   "recent0"));
    }
    queries.push_back("count by (namespace) (" + usage + "{model_name=\"a\"})");
    queries.push_back(
        tagged("max by (namespace,pod) (last_over_time(kube_pod_info" + pods +
                   "[10m])) unless max by (namespace,pod) (kube_pod_info" + pods + ")",
               "gone") +
        " or " +
        tagged("max by (namespace,pod,owner_kind,owner_name) (kube_pod_owner" + pods + ")",
               "owner") +
        " or " + tagged("count(kube_pod_info)", "reporting"));
    return queries;
}

/// Other queries that the fake supports.
inline const std::vector<std::string> other_queries = {
    "vllm:kv_cache_usage_perc",
    "vllm:kv_cache_usage_perc{engine!=\"0\",pod!~\"pod-[01]\"}",
    "vllm:kv_cache_usage_perc{nosuch=\"\"}",
    "vllm:kv_cache_usage_perc{nosuch=~\"|x\",model_name=~\".+\"}",
    "vllm:kv_cache_usage_perc{model_name=~\".*\"}",
    "{__name__=~\"kube_pod_.*\",namespace=\"llm\"}",
    "{__name__=\"kube_pod_info\"}",
    "special",
    "special[20s]",
    "special[19999ms]",
    "special{kind=\"blinking\"}[1s]",
    "special{kind=\"blinking\"}[6m]",
    "{__name__=~\"special|nosuch\",kind!~\"nan|\",nosuch=~\"|x\"}[30s]",
    "{__name__!=\"special\",model_name=\"a\",pod!=\"pod-1\",engine!~\"|1\"}[15s]",
    "special or vector(0)",
    "vector(0) or special",
    "special{kind=\"blinking\"}[10s:3s]",
    "timestamp(special)",
    "timestamp((special))",
    "timestamp(-special)",
    "timestamp(last_over_time(special[1m]))",
    "max_over_time(special[19s])",
    "min_over_time(special[19s])",
    "avg_over_time(special[19s])",
    "sum_over_time(special[19s])",
    "sum_over_time(special{kind=\"values\"}[4s])",
    "avg_over_time(special{kind=\"values\"}[4s])",
    "count_over_time(special[19s])",
    "last_over_time(special[19s])",
    "increase(special{kind=\"bounded\"}[1m])",
    "rate(special[30s])",
    "rate(special{kind=\"bounded\"}[6m])",
    "rate(vllm:request_success_total[1m30s])",
    "rate(vllm:request_success_total[7s])",
    "increase(vllm:request_success_total[10m])",
    "increase(vllm:request_success_total[80m])",
    "rate(vllm:request_success_total[5m:15s])",
    "avg_over_time(vllm:kv_cache_usage_perc[10m])",
    "sum_over_time(vllm:num_requests_waiting[10m])",
    "max_over_time(sum(vllm:num_requests_waiting)[10m:])",
    "max_over_time(rate(vllm:request_success_total[1m])[10m:1m])",
    "sum(vllm:num_requests_waiting)",
    "avg by (pod) (vllm:num_requests_waiting)",
    "avg(vllm:kv_cache_usage_perc)",
    "min without (pod, engine) (vllm:kv_cache_usage_perc)",
    "count(vllm:kv_cache_usage_perc) without (pod)",
    "max(vllm:kv_cache_usage_perc) by (model_name,)",
    "sum by (__name__) (special)",
    "sum by (kind) (special)",
    "max by (kind) (special)",
    "min(special)",
    "max by (nosuch) (special)",
    "vllm:num_requests_waiting / 2 + 1",
    "2 - vllm:num_requests_waiting",
    "-vllm:num_requests_waiting",
    "vllm:num_requests_waiting - vllm:num_requests_waiting",
    "vllm:num_requests_waiting / vllm:kv_cache_usage_perc",
    "vllm:time_to_first_token_seconds_sum / vllm:time_to_first_token_seconds_count",
    "kube_pod_info and kube_pod_info{pod=~\"pod-1.*\"}",
    "kube_pod_info unless kube_pod_info{pod=~\"pod-1.*\"}",
    "kube_pod_info or kube_pod_owner",
    "vllm:num_requests_waiting or vllm:kv_cache_usage_perc",
    "special{kind=\"nan\"} or special and special{kind=\"values\"}",
    "label_replace(kube_pod_info, \"x\", \"$1-${1}-$$-$2-$1x\", \"pod\", \"pod-(.*)\")",
    "label_replace(kube_pod_info, \"x\", \"y\", \"pod\", \"pod-(0|1).*\")",
    "label_replace(special, \"kind\", \"\", \"nosuch\", \"\")",
    "label_replace(special, \"__name__\", \"renamed\", \"\", \"\")",
    "label_replace(special, \"y\", \"$0\", \"kind\", \".+\")",
    "vector(1)",
    "vector(time())",
    "time()",
    "\"text <\\\"\\n\\u00e4\\x41\\101>\"",
    "'single \"quotes\"'",
    "`raw \\n`",
    "1 + 2 * 3 - 4 / 5",
    "(1 + 2) * 3",
    "-1 * -(2 - 5)",
    "0x1F + 1e3 + .5 + 5.",
    "Inf - inf",
    "-Inf",
    "1e300 * 10",
    "1e-7 * 1",
    "0.1 + 0.2",
    "-0",
    "nosuch",
    "sum(nosuch)",
    "count(nosuch) or vector(0)",
    "rate(nosuch[5m])",
    "sum",
    "SUM BY (kind) (special)",
    "# comment\nspecial # comment",
};

/// Queries that both servers reject.
inline const std::vector<std::string> invalid_queries = {
    "",
    "foo{bar",
    "foo{bar=}",
    "foo{bar=\"a\" baz=\"b\"}",
    "sum(",
    "sum()",
    "sum(1)",
    "sum(special, 1)",
    "sum by (a-b) (special)",
    "rate(special)",
    "rate(special[5m], 1)",
    "time(1)",
    "vector()",
    "vector(special)",
    "nosuch(special)",
    "label_replace(special, \"a\", \"b\", \"c\")",
    "label_replace(special, \"a\", 1, \"c\", \"d\")",
    "label_replace(special, \"a-b\", \"c\", \"\", \"\")",
    "label_replace(special, \"a\", \"b\", \"c\", \"(\")",
    "label_replace(special, \"kind\", \"same\", \"\", \"\")",
    "max_over_time({__name__=~\"kube_pod.*|special\",kind=~\"|x\"}[1m:1s])[1m]",
    "special[1m][1m:1s]",
    "special[1m] + 1",
    "special[0s]",
    "special[1m",
    "special[60]",
    "special[1s1m]",
    "(special + special)[1m]",
    "1 or special",
    "special and 1",
    "-\"text\"",
    "\"unterminated",
    "\"bad \\q escape\"",
    "\"bad \\' escape\"",
    "1 2",
    ")",
    "{}",
    "{a=\"\"}",
    "{a=~\".*\"}",
    "special{__name__=\"x\"}",
    "special{kind=~\"(\"}",
    "bool",
    "on",
    "special + {__name__=~\"special|nosuch\",kind=\"x\"} $",
    "vllm:num_requests_waiting[5m:",
    "max_over_time({__name__=~\"vllm:time_to_first_token_seconds_(sum|count)\"}[1m])",
    "-{__name__=~\"vllm:time_to_first_token_seconds_(sum|count)\"}",
    "timestamp({__name__=~\"vllm:time_to_first_token_seconds_(sum|count)\"})",
    "vllm:num_requests_waiting + {__name__=~\"vllm:time_to_first_token_seconds_(sum|count)\"}",
    "{__name__=~\"vllm:time_to_first_token_seconds_(sum|count)\"} + vllm:num_requests_waiting",
};

} // namespace wva_metrics::test_support
