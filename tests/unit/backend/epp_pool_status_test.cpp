// SPDX-License-Identifier: Apache-2.0

#include "unit/backend/epp_fixture.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test_support::EppPages;

/// A page of today: two endpoints, flow control with two bands.
const std::string epp_page_today = R"(# TYPE llm_d_epp_ready_endpoints gauge
llm_d_epp_ready_endpoints{name="pool"} 2
llm_d_epp_average_kv_cache_utilization{name="pool"} 0.6
llm_d_epp_average_queue_size{name="pool"} 4
llm_d_epp_average_running_requests{name="pool"} 9
llm_d_epp_per_endpoint_queue_size{name="pool",model_server_endpoint="b-rank-0"} 3
llm_d_epp_per_endpoint_queue_size{name="pool",model_server_endpoint="a"} 5
llm_d_epp_flow_control_pool_saturation{inference_pool="pool",stage="prefill"} 0.3
llm_d_epp_flow_control_pool_saturation{inference_pool="pool",stage="decode"} 0.8
llm_d_epp_flow_control_pool_saturation{inference_pool="pool",stage="effective"} 0.8
llm_d_epp_flow_control_stale_endpoints{detector="utilization"} 0
llm_d_epp_flow_control_queue_size{fairness_id="t1",priority="0",inference_pool="pool",model_name="m",target_model_name="m"} 2
llm_d_epp_flow_control_queue_size{fairness_id="t2",priority="0",inference_pool="pool",model_name="m",target_model_name="m"} 3
llm_d_epp_flow_control_queue_size{fairness_id="t1",priority="10",inference_pool="pool",model_name="m",target_model_name="m"} 1
llm_d_epp_flow_control_queue_bytes{fairness_id="t1",priority="0",inference_pool="pool",model_name="m",target_model_name="m"} 700
llm_d_epp_request_total{model_name="m",target_model_name="m",fairness_id="t1",priority="0"} 50
)";

TEST_CASE("a page of an EPP is read to the status of its pool", "[epp]") {
    EppPages epp;
    const EppPoolStatus status = epp.scrape(0, epp_page_today).status();
    CHECK(status.namespace_name == "ns");
    CHECK(status.pool == "pool");
    CHECK(status.scraped_at == epp.now());
    CHECK(status.ready_endpoints.value() == 2);
    CHECK(status.average_kv_cache_usage.value() == 0.6);
    CHECK(status.average_queue_length.value() == 4);
    CHECK(status.average_running_requests.value() == 9);
    CHECK(status.saturation.value() == 0.8);
    CHECK(status.prefill_saturation.value() == 0.3);
    CHECK(status.decode_saturation.value() == 0.8);
    CHECK(status.stale_endpoints.value() == 0);
    CHECK(status.queued_requests.value() == 6);
    CHECK(status.queued_bytes.value() == 700);
    CHECK(status.models == std::vector<std::string>{"m"});
    CHECK_FALSE(status.has_legacy_names);
    CHECK_FALSE(status.has_folded_models);
    CHECK(status.warnings.empty());

    REQUIRE(status.queues.size() == 2);
    CHECK(status.queues[0].priority == "0");
    CHECK(status.queues[0].requests.value() == 5);
    CHECK(status.queues[1].priority == "10");
    CHECK(status.queues[1].bytes.reason() == ReadingReason::no_series);

    REQUIRE(status.endpoints.size() == 2);
    CHECK(status.endpoints[0].pod == "a");
    CHECK(status.endpoints[1].pod == "b");
    CHECK(status.endpoints[1].queue_length.value() == 3);
}

TEST_CASE("an absent gauge of an EPP is missing and not 0", "[epp]") {
    EppPages epp;
    const EppPoolStatus status =
        epp.scrape(0, "llm_d_epp_ready_endpoints{name=\"pool\"} 2\n").status();
    for (const Reading<double>& reading :
         {status.request_capacity_usage, status.byte_capacity_usage, status.average_queue_length,
          status.saturation, status.stale_endpoints, status.queued_requests}) {
        CHECK_FALSE(reading.has_value());
        CHECK(reading.reason() == ReadingReason::no_series);
    }
    epp.scrape(1, "llm_d_epp_flow_control_global_capacity_utilization_requests{inference_pool="
                  "\"pool\"} 0.25\n");
    CHECK(epp.status().request_capacity_usage.value() == 0.25);
}

TEST_CASE("a gauge of an EPP that cannot be true is missing", "[epp]") {
    EppPages epp;
    const EppPoolStatus status = epp.scrape(0, "llm_d_epp_ready_endpoints{name=\"pool\"} 2\n"
                                               "llm_d_epp_average_kv_cache_utilization 40\n"
                                               "llm_d_epp_average_queue_size -2\n"
                                               "llm_d_epp_average_running_requests 40\n")
                                     .status();
    CHECK(status.average_kv_cache_usage.reason() == ReadingReason::implausible);
    CHECK(status.average_queue_length.reason() == ReadingReason::implausible);
    CHECK(status.average_running_requests.value_or(-1) == 40);
}

TEST_CASE("of old and new names the newest counts, also when it is 0, and nothing twice", "[epp]") {
    struct Names {
        std::string metric;
        std::vector<std::string> newest_first;
    };
    const std::vector<Names> all = {
        {"queue",
         {"llm_d_epp_flow_control_queue_size", "llm_d_router_epp_flow_control_queue_size",
          "inference_extension_flow_control_queue_size"}},
        {"average",
         {"llm_d_epp_average_queue_size", "llm_d_router_epp_average_queue_size",
          "inference_pool_average_queue_size"}},
    };
    struct Case {
        std::vector<std::optional<int>> values; // By name, the newest first.
        int expected;
        bool is_legacy;
    };
    const std::vector<Case> cases = {
        {{7, {}, {}}, 7, false}, {{{}, 7, {}}, 7, true}, {{{}, {}, 7}, 7, true},
        {{7, 7, 7}, 7, false},   {{7, 7, {}}, 7, false}, {{0, 7, 7}, 0, false},
        {{0, {}, 7}, 0, false},  {{{}, 0, 7}, 0, true},  {{5, 7, 9}, 5, false},
    };
    for (const Names& names : all)
        for (const Case& one : cases) {
            std::string page;
            for (std::size_t i = 0; i < one.values.size(); ++i)
                if (one.values[i])
                    page += names.newest_first[i] + "{name=\"p\",model_name=\"m\"} " +
                            std::to_string(*one.values[i]) + "\n";
            CAPTURE(page);
            EppPages epp;
            const EppPoolStatus status = epp.scrape(0, page).status();
            const Reading<double>& reading =
                names.metric == "queue" ? status.queued_requests : status.average_queue_length;
            CHECK(reading.value() == one.expected);
            CHECK(status.has_legacy_names == one.is_legacy);
        }
}

TEST_CASE("one metric may have a new name only and another an old one", "[epp]") {
    EppPages epp;
    const EppPoolStatus status = epp.scrape(0, "llm_d_epp_ready_endpoints{name=\"p\"} 1\n"
                                               "inference_pool_average_queue_size{name=\"p\"} 3\n"
                                               "inference_pool_per_pod_queue_size{name=\"p\","
                                               "model_server_pod=\"a-rank-0\"} 3\n")
                                     .status();
    CHECK(status.average_queue_length.value() == 3);
    CHECK(status.endpoints.at(0).pod == "a");
    CHECK(status.has_legacy_names);
}

TEST_CASE("a name that an upgraded EPP no longer publishes does not count", "[epp]") {
    EppPages epp;
    epp.scrape(0, "inference_pool_average_queue_size{name=\"p\"} 9\n");
    epp.scrape(1, "llm_d_epp_average_queue_size{name=\"p\"} 2\n");
    CHECK(epp.status().average_queue_length.value() == 2);
    epp.scrape(2, "inference_pool_average_queue_size{name=\"p\"} 9\n"); // And back.
    CHECK(epp.status().average_queue_length.value() == 9);
}

TEST_CASE("without fresh endpoints the frozen averages are missing", "[epp]") {
    EppPages epp;
    const EppPoolStatus status =
        epp.scrape(
               0,
               "llm_d_epp_ready_endpoints{name=\"pool\"} 0\n"
               "llm_d_epp_average_kv_cache_utilization{name=\"pool\"} 0.93\n"
               "llm_d_epp_average_queue_size{name=\"pool\"} 0\n"
               "llm_d_epp_per_endpoint_queue_size{name=\"pool\",model_server_endpoint=\"a\"} 7\n")
            .status();
    CHECK(status.ready_endpoints.value() == 0);
    CHECK(status.average_kv_cache_usage.reason() == ReadingReason::unread);
    CHECK(status.average_queue_length.reason() == ReadingReason::unread);
    // What was never published is not called frozen.
    CHECK(status.average_running_requests.reason() == ReadingReason::no_series);
    CHECK(status.endpoints.at(0).queue_length.reason() == ReadingReason::unread);
    REQUIRE(status.warnings.size() == 2);
    CHECK_THAT(status.warnings[0], ContainsSubstring("ready_endpoints is 0"));
}

TEST_CASE("averages are as old as the EPP's last flush may be, and queues as the page", "[epp]") {
    EppPages epp;
    const EppPoolStatus status = epp.scrape(0, epp_page_today).status();
    CHECK(status.average_kv_cache_usage.age(epp.now()) == 5s);
    CHECK(status.average_kv_cache_usage.latest_age(epp.now()) == 5s);
    CHECK(status.ready_endpoints.age(epp.now()) == 5s);
    CHECK(status.queued_requests.age(epp.now()) == 0s);
    CHECK(status.saturation.age(epp.now()) == 0s);
    epp.config.flush_interval = 30s;
    CHECK(epp.status().average_queue_length.age(epp.now()) == 30s);
}

TEST_CASE("a saturation of exactly 0 or 1 counts only if nothing else explains it", "[epp]") {
    struct Case {
        const char* saturation;
        std::optional<int> stale;
        std::optional<int> ready;
        std::optional<double> expected;
        ReadingReason reason;
    };
    const std::vector<Case> cases = {
        {"1", 0, 2, 1, ReadingReason::none},        {"1", 1, 2, {}, ReadingReason::unread},
        {"1", 0, 0, {}, ReadingReason::unread},     {"1", {}, 0, {}, ReadingReason::unread},
        {"1", {}, 2, {}, ReadingReason::ambiguous}, {"1", 0, {}, {}, ReadingReason::ambiguous},
        {"1.01", 1, 2, 1.01, ReadingReason::none},  {"0.99", {}, {}, 0.99, ReadingReason::none},
        {"0", 0, 2, 0, ReadingReason::none},        {"0", {}, 2, 0, ReadingReason::none},
        {"0", 1, 2, {}, ReadingReason::unread},     {"0", 0, 0, {}, ReadingReason::unread},
    };
    for (const Case& one : cases)
        for (const std::string stage : {",stage=\"effective\"", ""}) {
            std::string page = "llm_d_epp_flow_control_pool_saturation{inference_pool=\"p\"" +
                               stage + "} " + one.saturation + "\n";
            if (one.stale)
                page += "llm_d_epp_flow_control_stale_endpoints{detector=\"u\"} " +
                        std::to_string(*one.stale) + "\n";
            if (one.ready)
                page +=
                    "llm_d_epp_ready_endpoints{name=\"p\"} " + std::to_string(*one.ready) + "\n";
            CAPTURE(page);
            EppPages epp;
            const EppPoolStatus status = epp.scrape(0, page).status();
            CHECK(status.saturation.has_value() == one.expected.has_value());
            CHECK(status.saturation.value_or(-1) == one.expected.value_or(-1));
            CHECK(status.saturation.reason() == one.reason);
        }
}

TEST_CASE("of several detectors the one counts that misses most endpoints", "[epp]") {
    EppPages epp;
    epp.scrape(0, "llm_d_epp_flow_control_stale_endpoints{detector=\"a\"} 0\n"
                  "llm_d_epp_flow_control_stale_endpoints{detector=\"b\"} 2\n"
                  "llm_d_epp_flow_control_stale_endpoints{detector=\"c\"} 1\n");
    CHECK(epp.status().stale_endpoints.value() == 2);
}

TEST_CASE("an empty queue of an endpoint counts only if all endpoints are fresh", "[epp]") {
    const std::string queues =
        "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"a\"} 0\n"
        "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"b-rank-0\"} 0\n"
        "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"b-rank-1\"} 4\n";
    EppPages epp;
    EppPoolStatus status =
        epp.scrape(0, queues + "llm_d_epp_ready_endpoints{name=\"p\"} 3\n").status();
    CHECK(status.endpoints.at(0).queue_length.value() == 0);
    CHECK(status.endpoints.at(1).queue_length.value() == 4);
    CHECK(status.warnings.empty());

    for (const std::string& ready :
         {std::string("llm_d_epp_ready_endpoints{name=\"p\"} 2\n"), std::string()}) {
        status = epp.scrape(1, queues + ready).status();
        CHECK(status.endpoints.at(0).queue_length.reason() == ReadingReason::unread);
        CHECK(status.endpoints.at(1).queue_length.value() == 4);
        CHECK(status.warnings.size() == 1);
    }
}

TEST_CASE("rates of attempts and outcomes are per minute, and warm up first", "[epp]") {
    const auto page = [](int success, int failure, int dispatched) {
        std::string text;
        // Both generations at once: the load does not double.
        for (const std::string prefix : {"llm_d_epp_", "inference_extension_"})
            text += prefix +
                    "scheduler_attempts_total{status=\"success\",target_model_name=\"m\"," +
                    (prefix == "llm_d_epp_" ? "endpoint_name" : "pod_name") +
                    "=\"a\",namespace=\"x\"} " + std::to_string(success) + "\n" + prefix +
                    "scheduler_attempts_total{status=\"success\",target_model_name=\"m\"," +
                    (prefix == "llm_d_epp_" ? "endpoint_name" : "pod_name") +
                    "=\"a\",namespace=\"y\"} " + std::to_string(success) + "\n" + prefix +
                    "scheduler_attempts_total{status=\"failure\",target_model_name=\"m\"} " +
                    std::to_string(failure) + "\n";
        return text + "llm_d_epp_flow_control_requests_total{outcome=\"Dispatched\"} " +
               std::to_string(dispatched) + "\n";
    };
    EppPages epp;
    epp.scrape(0, page(100, 0, 10));
    REQUIRE(epp.status().scheduler_attempts.size() == 2);
    CHECK(epp.status().scheduler_attempts[0].per_minute.reason() == ReadingReason::warming_up);
    for (int i = 1; i <= 6; ++i)
        epp.scrape(10 * i, page(100 + 10 * i, 0, 10 + 5 * i));
    const EppPoolStatus status = epp.status();
    CHECK(status.scheduler_attempts[0].outcome == "failure");
    CHECK(status.scheduler_attempts[0].per_minute.value() == 0);
    CHECK(status.scheduler_attempts[1].per_minute.value() == Catch::Approx(120).epsilon(0.01));
    REQUIRE(status.flow_outcomes.size() == 1);
    CHECK(status.flow_outcomes[0].outcome == "Dispatched");
    CHECK(status.flow_outcomes[0].per_minute.value() == Catch::Approx(30).epsilon(0.01));
}

TEST_CASE("a page with several pools needs a choice", "[epp]") {
    const std::string page = "llm_d_epp_ready_endpoints{name=\"a\"} 1\n"
                             "llm_d_epp_ready_endpoints{name=\"b-router-epp\"} 2\n"
                             "llm_d_epp_average_queue_size{name=\"a\"} 1\n"
                             "llm_d_epp_average_queue_size{name=\"b-router-epp\"} 2\n";
    EppPages epp;
    EppPoolStatus status = epp.scrape(0, page).status();
    CHECK(status.ready_endpoints.reason() == ReadingReason::ambiguous);
    CHECK(status.pool.empty());
    CHECK_THAT(status.warnings.at(0), ContainsSubstring("2 pools"));
    epp.config.pool = "b";
    status = epp.status();
    CHECK(status.pool == "b-router-epp");
    CHECK(status.ready_endpoints.value() == 2);
    CHECK(status.average_queue_length.value() == 2);
}

} // namespace
} // namespace wva_metrics
