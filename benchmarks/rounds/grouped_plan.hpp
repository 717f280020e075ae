// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/measurement.hpp"

#include <wva_metrics/prometheus/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// The queries of a round of this library before it asked for samples. Prometheus sums the series of
/// each pod, and each part of a query has a label that tells its series apart.
///
/// The queries are sent concurrently. Their answers are decoded but not used, so this costs less
/// than those rounds did.
class GroupedPlan {
public:
    GroupedPlan(const std::string& url, const std::set<std::string>& namespaces)
        : client_(io_.get_executor(), config_at(url)) {
        std::string names;
        for (const std::string& name : namespaces)
            names += (names.empty() ? "" : "|") + name;
        selector_ = "{namespace=~\"" + names + "\"}";
        add_rate("vllm:request_success_total");
        for (const char* histogram :
             {"vllm:request_prompt_tokens", "vllm:request_generation_tokens",
              "vllm:time_to_first_token_seconds"})
            queries_.push_back(average(histogram, 0));
        queries_.push_back(average("vllm:inter_token_latency_seconds", 0) + " or " +
                           average("vllm:time_per_output_token_seconds", 1));
        queries_.push_back(peak("vllm:kv_cache_usage_perc", 0) + " or " +
                           peak("vllm:gpu_cache_usage_perc", 1));
        queries_.push_back(peak("vllm:num_requests_waiting", 0));
        // Once for the metrics of the variants, once for those of the models.
        queries_.push_back(pods());
        queries_.push_back(pods());
    }

    void run() {
        std::size_t answered = 0;
        io_.restart();
        for (const std::string& query : queries_)
            boost::asio::co_spawn(io_, ask(query, answered), boost::asio::detached);
        io_.run();
        require(answered == queries_.size(), "a query of the grouped plan has no answer");
    }

private:
    static wva_metrics::prometheus::ClientConfig config_at(const std::string& url) {
        wva_metrics::prometheus::ClientConfig config;
        config.http.url = url;
        config.http.timeouts.attempt = std::chrono::minutes(1);
        return config;
    }

    boost::asio::awaitable<void> ask(std::string query, std::size_t& answered) {
        const auto ignore = [](const wva_metrics::prometheus::SeriesView&) {};
        const auto answer =
            co_await client_.query(std::move(query), ignore, {},
                                   std::chrono::steady_clock::now() + std::chrono::minutes(1));
        if (answer.has_value() && answer->series > 0)
            ++answered;
    }

    static std::string part(const std::string& expression, const char* name, int alias) {
        return "label_replace(" + expression + ", \"wva_part\", \"" + name + std::to_string(alias) +
               "\", \"\", \"\")";
    }
    static std::string by_pod(const char* function, const std::string& expression) {
        return std::string(function) + " by (namespace,model_name,pod) (" + expression + ")";
    }
    std::string rate(const std::string& metric) const {
        return by_pod("sum", "rate(" + metric + selector_ + "[60s])");
    }
    std::string time(const std::string& metric, int alias) const {
        return part(by_pod("min", "timestamp(" + metric + selector_ + ")"), "time", alias);
    }

    void add_rate(const std::string& metric) {
        queries_.push_back(part(rate(metric), "rate", 0) + " or " + time(metric, 0));
    }
    /// `alias` tells the names of one metric apart.
    std::string average(const std::string& histogram, int alias) const {
        return part(rate(histogram + "_sum"), "sum", alias) + " or " +
               part(rate(histogram + "_count"), "count", alias) + " or " +
               time(histogram + "_count", alias);
    }
    std::string peak(const std::string& gauge, int alias) const {
        const std::string by = " by (namespace,model_name,pod,engine) (";
        const std::string range = "(" + gauge + selector_ + "[60s])";
        return part("max" + by + "max_over_time" + range + " + 0 * last_over_time" + range + ")",
                    "value", alias) +
               " or " + part("min" + by + "timestamp(" + gauge + selector_ + "))", "time", alias);
    }
    std::string pods() const {
        const std::string info = "kube_pod_info" + selector_;
        return part("max by (namespace,pod) (last_over_time(" + info +
                        "[600s])) unless max by (namespace,pod) (" + info + ")",
                    "gone", 0) +
               " or " +
               part("max by (namespace,pod,owner_kind,owner_name) (kube_pod_owner" + selector_ +
                        ")",
                    "owner", 0) +
               " or " + part("count(kube_pod_info)", "reporting", 0);
    }

    boost::asio::io_context io_;
    wva_metrics::prometheus::Client client_;
    std::string selector_;
    std::vector<std::string> queries_;
};

} // namespace bench
