// SPDX-License-Identifier: Apache-2.0
#include "../examples/vllm_fleet/epp_page.hpp"
#include "unit/examples/vllm_fleet/measured_pod.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>

namespace vllm_fleet::measuring {

namespace {

Fleet busy_fleet(std::size_t pods) {
    FleetOptions options = one_pod(vllm_dialect, 2);
    options.pods = pods;
    Fleet fleet(options);
    for (int second = 0; second < 120; ++second)
        fleet.step_one_second();
    return fleet;
}

} // namespace

TEST_CASE("a simulated EPP publishes the means of its pool under old and new names") {
    const Fleet fleet = busy_fleet(2);
    double kv_cache = 0;
    double waiting = 0;
    for (const Pod& pod : fleet.models().front().deployments.front().pods)
        for (const Engine& engine : pod.engines) {
            kv_cache += engine.kv_cache_usage() / 4;
            waiting += static_cast<double>(engine.waiting());
        }
    const ReadPage both(epp_page(fleet, EppNaming::both));
    const std::string pool = R"({name="llama-3-1-8b-instruct"})";
    for (const std::string name : {"inference_pool_ready_pods", "llm_d_epp_ready_endpoints"})
        CHECK(both.series.at(name + pool) == 4);
    for (const std::string prefix : {"inference_pool_", "llm_d_epp_"})
        CHECK(both.series.at(prefix + "average_kv_cache_utilization" + pool) ==
              Catch::Approx(kv_cache));
    double queues = 0;
    for (const auto& [series, value] : both.series)
        if (series.starts_with("llm_d_epp_per_endpoint_queue_size"))
            queues += value;
    CHECK(queues == waiting);

    const std::string today = epp_page(fleet, EppNaming::current);
    CHECK(today.find("inference_pool_ready_pods") == std::string::npos);
    CHECK(epp_page(fleet, EppNaming::old).find("llm_d_epp_") == std::string::npos);
}

TEST_CASE("a simulated EPP without endpoints is saturated, holds requests and has no averages") {
    Fleet fleet = busy_fleet(2);
    Model& model = fleet.models().front();
    fleet.scale(model, model.deployments.front(), 0);
    const ReadPage page(epp_page(fleet, EppNaming::current));
    double held = 0;
    for (const auto& [series, value] : page.series) {
        CHECK_FALSE(series.starts_with("llm_d_epp_average"));
        if (series.starts_with("llm_d_epp_flow_control_queue_size"))
            held += value;
        if (series.starts_with("llm_d_epp_flow_control_pool_saturation"))
            CHECK(value == 1);
    }
    CHECK(page.series.at(R"(llm_d_epp_ready_endpoints{name="llama-3-1-8b-instruct"})") == 0);
    CHECK(held > 0);
}

TEST_CASE("a simulated EPP whose endpoints are stale has none that is ready, and frozen averages") {
    Fleet fleet = busy_fleet(2);
    const Fleet seen = fleet;
    for (int second = 0; second < 60; ++second)
        fleet.step_one_second();
    const ReadPage then(epp_page(seen, EppNaming::current));
    const ReadPage now(epp_page(fleet, EppNaming::current));
    const ReadPage frozen(epp_page(fleet, EppNaming::current, EppSight::frozen, &seen));
    const std::string pool = R"({name="llama-3-1-8b-instruct"})";
    const std::string average = "llm_d_epp_average_kv_cache_utilization" + pool;
    CHECK(frozen.series.at(average) == then.series.at(average));
    CHECK(frozen.series.at(average) != now.series.at(average));
    CHECK(frozen.series.at("llm_d_epp_ready_endpoints" + pool) == 0);
    for (const auto& [series, value] : frozen.series) {
        if (series.starts_with("llm_d_epp_flow_control_pool_saturation"))
            CHECK(value == 1);
        if (series.starts_with("llm_d_epp_flow_control_stale_endpoints"))
            CHECK(value == 4);
        if (series.starts_with("llm_d_epp_flow_control_queue_size")) // Of now.
            CHECK(value == now.series.at(series));
    }
}

TEST_CASE("a simulated EPP with too many models counts them as another one") {
    const Fleet fleet = busy_fleet(1);
    const std::string page = epp_page(fleet, EppNaming::both, EppSight::folded);
    CHECK(page.find(R"(model_name="other",target_model_name="other")") != std::string::npos);
    CHECK(page.find(fleet.models().front().id) == std::string::npos);
}

} // namespace vllm_fleet::measuring
