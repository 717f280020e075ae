// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/prometheus_config.hpp"

#include "support/real_prometheus.hpp"
#include "support/running_fleet.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// Polls until the condition holds; false if it does not within `patience`.
template <typename Condition>
bool eventually(Condition&& holds, std::chrono::seconds patience = std::chrono::seconds(60)) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > give_up)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
}

/// A PromQL string literal, independent of the library's own code.
inline std::string literal(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        if (c == '\n')
            quoted += "\\n";
        else
            quoted += c;
    }
    return quoted + '"';
}

/// Skips a test that needs both programs if one of them is missing.
#define WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS()                                                   \
    do {                                                                                           \
        if (!::wva_metrics::test_support::find_prometheus())                                       \
            SKIP(::wva_metrics::test_support::prometheus_missing);                                 \
        if (!::wva_metrics::test_support::find_fleet())                                            \
            SKIP(::wva_metrics::test_support::fleet_missing);                                      \
    } while (false)

/// A simulated fleet and a real Prometheus that scrapes it.
class WatchedFleet {
public:
    /// `fleet`: options of vllm_fleet; `scrape_interval` as Prometheus writes it.
    explicit WatchedFleet(const std::vector<std::string>& fleet,
                          const std::string& scrape_interval = "500ms")
        : fleet_(find_fleet().value(), fleet),
          prometheus_(find_prometheus().value(),
                      {.config = scrape_config(fleet_.address(), scrape_interval)}) {}

    const RunningFleet& fleet() const noexcept { return fleet_; }
    RealPrometheus& prometheus() noexcept { return prometheus_; }

    std::string url() const { return prometheus_.url(); }
    PrometheusConfig config() const { return PrometheusConfig::at(url()); }

    /// The single value of a direct query, at Unix time `time` or now; empty if there is no
    /// series.
    std::optional<double> query(const std::string& promql, std::optional<double> time = {}) const {
        const HttpAnswer answer = prometheus_.query(promql, time);
        INFO(promql << "\n" << answer.body.substr(0, 1000));
        REQUIRE(answer.status == 200);
        const auto result = boost::json::parse(answer.body).at("data").at("result").as_array();
        if (result.empty())
            return std::nullopt;
        REQUIRE(result.size() == 1);
        return std::strtod(result.at(0).at("value").at(1).as_string().c_str(), nullptr);
    }

    /// The same, but requires a value.
    double must_query(const std::string& promql, std::optional<double> time = {}) const {
        const std::optional<double> number = query(promql, time);
        INFO(promql);
        REQUIRE(number.has_value());
        return *number;
    }

    /// The series of a range selector, with their samples, at Unix time `time`.
    boost::json::array samples(const std::string& selector, double time) const {
        const HttpAnswer answer = prometheus_.query(selector, time);
        INFO(selector << "\n" << answer.body.substr(0, 1000));
        REQUIRE(answer.status == 200);
        return boost::json::parse(answer.body).at("data").at("result").as_array();
    }

    /// Waits until a query has a value above 0.
    void wait_for(const std::string& promql) const {
        INFO(promql);
        REQUIRE(eventually([&] { return query(promql).value_or(0) > 0; }));
    }

    /// A moment up to which Prometheus has stored all scraped samples. Waits for the scrape after
    /// it.
    double settled_moment() const {
        const std::chrono::duration<double> now =
            std::chrono::system_clock::now().time_since_epoch();
        wait_for("timestamp(up) > " + std::to_string(now.count()));
        return now.count();
    }

    /// Waits until every pod has served requests while Prometheus scraped it, so that every metric
    /// has a value.
    void wait_for_requests() const {
        const auto fewest = [](const std::string& counter) {
            return "60 * min(sum by (namespace,model_name,pod) (rate(" + counter + "[1m]))) > 0.5";
        };
        wait_for("count(count by (namespace,model_name) (vllm:num_requests_running)) == " +
                 std::to_string(fleet_.models().size()));
        wait_for(fewest("vllm:request_success_total") + " and " +
                 fewest("vllm:time_to_first_token_seconds_count") + " and " +
                 fewest("{__name__=~\"vllm:(inter_token_latency|time_per_output_token)_seconds_"
                        "count\"}"));
    }

private:
    static std::string scrape_config(const std::string& address, const std::string& interval) {
        return "global: {scrape_interval: " + interval + ", scrape_timeout: " + interval +
               "}\n"
               "scrape_configs:\n"
               "  - job_name: vllm_fleet\n"
               "    honor_labels: true\n"
               "    static_configs: [{targets: ['" +
               address + "']}]\n";
    }

    RunningFleet fleet_;
    RealPrometheus prometheus_;
};

} // namespace wva_metrics::test_support
