// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/prometheus_config.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using namespace wva_metrics;

namespace {

PrometheusConfig valid_config() {
    return PrometheusConfig::at("http://prometheus:9090");
}

bool names(const std::vector<std::string>& problems, const std::string& what) {
    return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
        return problem.find(what) != std::string::npos;
    });
}

} // namespace

TEST_CASE("the defaults are valid once there is a URL") {
    CHECK(validate(valid_config()).empty());
    CHECK(names(validate(PrometheusConfig()), "client."));
}

TEST_CASE("all problems are reported, in every part of the configuration") {
    PrometheusConfig config = PrometheusConfig::at("not a url");
    config.engine.itl.clear();
    config.windows.rate = Duration::zero();
    config.limits.max_models_per_query = 0;
    config.min_requests = -1;
    config.stale_after = Duration::zero();
    config.batch_timeout = -Duration(1);
    const auto problems = validate(config);
    CHECK(names(problems, "client."));
    CHECK(names(problems, "engine.itl"));
    CHECK(names(problems, "windows.rate"));
    CHECK(names(problems, "limits.max_models_per_query"));
    CHECK(names(problems, "min_requests"));
    CHECK(names(problems, "stale_after"));
    CHECK(names(problems, "batch_timeout"));
}

TEST_CASE("a minimum of NaN requests is rejected") {
    PrometheusConfig config = valid_config();
    config.min_requests = GENERATE(std::numeric_limits<double>::quiet_NaN(),
                                   std::numeric_limits<double>::infinity(), -0.1);
    CHECK(names(validate(config), "min_requests"));
    config.min_requests = 0;
    CHECK(validate(config).empty());
}

TEST_CASE("problems do not contain secrets") {
    PrometheusConfig config = PrometheusConfig::at("http://user:hunter2@prometheus:9090");
    CHECK_FALSE(names(validate(config), "hunter2"));
}
