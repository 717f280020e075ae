// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/client_config.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::StartsWith;
using kubernetes::ClientConfig;

namespace {

ClientConfig valid() {
    ClientConfig config;
    config.http.url = "http://127.0.0.1:8001";
    return config;
}

} // namespace

TEST_CASE("the defaults of a Kubernetes client are valid") {
    CHECK(validate(valid()).empty());
}

TEST_CASE("each problem of a Kubernetes client's configuration is named") {
    const auto [name, change] = GENERATE(table<std::string, void (*)(ClientConfig&)>({
        {"http: ", [](ClientConfig& c) { c.http.url = "nonsense"; }},
        {"page_size", [](ClientConfig& c) { c.page_size = 0; }},
        {"page_size", [](ClientConfig& c) { c.page_size = 100'001; }},
        {"page_timeout", [](ClientConfig& c) { c.page_timeout = 0s; }},
        {"watch_timeout", [](ClientConfig& c) { c.watch_timeout = 999ms; }},
        {"watch_timeout", [](ClientConfig& c) { c.watch_timeout = 25h; }},
        {"idle_timeout", [](ClientConfig& c) { c.idle_timeout = -1s; }},
        {"min_watch_time", [](ClientConfig& c) { c.min_watch_time = -1s; }},
        {"initial_backoff", [](ClientConfig& c) { c.initial_backoff = 0s; }},
        {"max_backoff", [](ClientConfig& c) { c.max_backoff = 1ms; }},
        {"max_page_bytes", [](ClientConfig& c) { c.max_page_bytes = 0; }},
        {"max_object_bytes", [](ClientConfig& c) { c.max_object_bytes = 0; }},
        {"max_object_values", [](ClientConfig& c) { c.max_object_values = 0; }},
        {"max_list_bytes", [](ClientConfig& c) { c.max_list_bytes = 0; }},
        {"max_pages", [](ClientConfig& c) { c.max_pages = 0; }},
        {"max_objects", [](ClientConfig& c) { c.max_objects = 0; }},
        {"max_watches", [](ClientConfig& c) { c.max_watches = 0; }},
    }));
    ClientConfig config = valid();
    change(config);
    const std::vector<std::string> problems = validate(config);
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems.front(), StartsWith(name));
}
