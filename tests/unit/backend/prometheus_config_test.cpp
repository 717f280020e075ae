// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/prometheus_config.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
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
    config.engine.running.clear();
    config.windows.rate = Duration::zero();
    config.limits.max_models_per_query = 0;
    config.min_requests = -1;
    config.stale_after = Duration::zero();
    config.batch_timeout = -Duration(1);
    const auto problems = validate(config);
    CHECK(names(problems, "client."));
    CHECK(names(problems, "engine.running"));
    CHECK(names(problems, "windows.rate"));
    CHECK(names(problems, "limits.max_models_per_query"));
    CHECK(names(problems, "min_requests"));
    CHECK(names(problems, "stale_after"));
    CHECK(names(problems, "batch_timeout"));
}

TEST_CASE("how old the last sample of an available model may be is bounded") {
    PrometheusConfig config = valid_config();
    config.stale_after = std::chrono::hours(1);
    CHECK(validate(config).empty());
    config.stale_after += std::chrono::nanoseconds(1);
    CHECK(names(validate(config), "stale_after must be at most 1h"));
}

TEST_CASE("a server that does not name its model needs a label for Prometheus, and only for it") {
    PrometheusConfig config = valid_config();
    config.engine = tgi_profile();
    CHECK(validate(config.engine).empty());
    CHECK(names(validate(config), "engine.labels.model must not be empty"));
    CHECK(validate(config).size() == 1);
    config.engine.labels.model = "model";
    CHECK(validate(config).empty());
}

TEST_CASE("a minimum of NaN requests is rejected") {
    PrometheusConfig config = valid_config();
    config.min_requests = GENERATE(std::numeric_limits<double>::quiet_NaN(),
                                   std::numeric_limits<double>::infinity(), -0.1);
    CHECK(names(validate(config), "min_requests"));
    config.min_requests = 0;
    CHECK(validate(config).empty());
}

TEST_CASE("matchers must not use a label that the queries use") {
    using promql::MatchOperator;
    PrometheusConfig config = valid_config();
    config.engine.labels.namespace_name = "ns";
    config.engine.kube_state.pod = "exported_pod";
    config.matchers = {{"cluster", MatchOperator::equal, "eu"},
                       {"namespace", MatchOperator::equal, "x"}};
    config.kube_state_matchers = {{"pod", MatchOperator::not_equal, ""},
                                  {"__tenant_id__", MatchOperator::equal, "7"}};
    CHECK(validate(config).empty());

    for (const std::string label : {"ns", "model_name", "pod", "__name__", "a b"}) {
        CAPTURE(label);
        config.matchers = {{label, MatchOperator::equal, "x"}};
        CHECK(names(validate(config), "matchers: \"" + label + "\" "));
    }
    config.matchers.clear();
    for (const std::string label : {"namespace", "exported_pod", "owner_kind", "condition"}) {
        CAPTURE(label);
        config.kube_state_matchers = {{label, MatchOperator::equal, "x"}};
        CHECK(names(validate(config), "kube_state_matchers: \"" + label + "\" cannot be"));
    }
}

TEST_CASE("matchers must leave space for the names of targets in a query") {
    PrometheusConfig config = valid_config();
    config.limits.max_query_bytes = 4096;
    config.matchers = {{"cluster", promql::MatchOperator::regex, std::string(2000, 'a')}};
    config.kube_state_matchers = config.matchers;
    CHECK(validate(config).empty());
    config.matchers[0].value.append(100, '\n');
    CHECK(validate(config) ==
          std::vector<std::string>{
              "matchers must not be longer than half of limits.max_query_bytes"});
    config.kube_state_matchers = config.matchers;
    CHECK(validate(config).size() == 2);
}

TEST_CASE("problems do not contain secrets") {
    PrometheusConfig config = PrometheusConfig::at("http://user:hunter2@prometheus:9090");
    CHECK_FALSE(names(validate(config), "hunter2"));
}
