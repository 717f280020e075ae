// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the configuration of a pod backend is checked") {
    CHECK(validate(PodConfig{}).size() == 1);
    PodConfig config;
    config.targets.push_back({.url = "ftp://pod"});
    config.schedule.interval = 0s;
    config.scrape_timeout = 0s;
    config.whole_page_every = 0s;
    config.rate_window = 0s;
    CHECK(validate(config).size() == 5);
}

TEST_CASE("what is wrong with the client or a bound is said once, whatever the targets are") {
    PodConfig config;
    config.client.timeouts.connect = 0s;
    config.page.max_samples = 0;
    const std::vector<std::string> expected = {
        "client.timeouts.connect must be positive and at most a day",
        "page.max_samples must be positive"};
    config.find_targets = [](const ModelKey&) {
        return asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>>();
    };
    CHECK(validate(config) == expected);
    config.targets = {{.url = "http://one"}, {.url = "http://two"}};
    CHECK(validate(config) == expected);
}

TEST_CASE("credentials are refused for the targets that would get them without encryption") {
    PodConfig config;
    config.client.credentials = http::Credentials::bearer("not-for-logs");
    config.targets = {{.url = "http://localhost:1"}, {.url = "http://pod"}};
    REQUIRE(validate(config).size() == 1);
    CHECK(validate(config).front().starts_with("targets[1]: client.credentials would be sent"));
}

} // namespace
} // namespace wva_metrics
