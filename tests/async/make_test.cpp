// SPDX-License-Identifier: Apache-2.0
//
// What is made from a configuration rejects an invalid one at once, with all its problems: the
// constructor by an exception, `make` by its result.
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"
#include "wva_metrics/prometheus/client.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include "support/rejected_config.hpp"

#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test_support::rejection_of;

namespace {

constexpr const char* valid_url = "http://127.0.0.1:1";
constexpr const char* bad_url = "http://h:99999/?token=hunter2";

struct Context {
    boost::asio::io_context io;
    boost::asio::any_io_executor executor = io.get_executor();
};

kubernetes::Client api_client(const Context& context) {
    kubernetes::ClientConfig config;
    config.http.url = valid_url;
    return kubernetes::Client(context.executor, config);
}

/// Checks that a message names a bad URL without its secret, and one more problem.
void check_message(const std::string& message, const char* begin, const char* other) {
    CHECK_THAT(message, StartsWith(begin) && ContainsSubstring("url must have a port") &&
                            ContainsSubstring("':99999'") && ContainsSubstring(other) &&
                            !ContainsSubstring("hunter2"));
}

} // namespace

TEST_CASE("an HTTP client rejects an invalid configuration") {
    const Context context;
    check_message(
        rejection_of<http::Client>(
            context.executor, http::ClientConfig{.url = bad_url, .limits = {.max_body_bytes = 0}}),
        "invalid configuration of the HTTP client: ", "limits.max_body_bytes");
    const Result<http::Client> made = http::Client::make(context.executor, {.url = valid_url});
    CHECK(made->endpoint() == valid_url);
}

TEST_CASE("a Prometheus client rejects an invalid configuration") {
    const Context context;
    prometheus::ClientConfig config;
    config.http.url = bad_url;
    config.max_get_bytes = 0;
    check_message(rejection_of<prometheus::Client>(context.executor, config),
                  "invalid configuration of the Prometheus client: http: ", "max_get_bytes");
    config = {};
    config.http.url = valid_url;
    CHECK(prometheus::Client::make(context.executor, config)->endpoint() == valid_url);
}

TEST_CASE("a Prometheus backend rejects an invalid configuration") {
    const Context context;
    PrometheusConfig config = PrometheusConfig::at(bad_url);
    config.min_requests = -1;
    config.engine.labels.pod = "no label";
    const std::string message = rejection_of<PrometheusBackend>(context.executor, config);
    check_message(message,
                  "invalid configuration of the Prometheus backend: client.http: ", "min_requests");
    CHECK_THAT(message, ContainsSubstring("no label"));
    const auto made = PrometheusBackend::make(context.executor, PrometheusConfig::at(valid_url));
    CHECK(made->config().client.http.url == valid_url);
}

TEST_CASE("a collector rejects an invalid configuration") {
    using FakeCollector = Collector<testing::FakeBackend<>, MemoryCache>;
    const Context context;
    const CollectorConfig config{.cache = {.ttl = -1s}, .call_timeout = 0s};
    CHECK_THAT(rejection_of<FakeCollector>(context.executor, testing::FakeBackend<>(), config),
               StartsWith("invalid configuration of the collector: cache.ttl") &&
                   ContainsSubstring("call_timeout"));
    Result<FakeCollector> made = FakeCollector::make(context.executor, {}, {.cache = {.ttl = 7s}});
    const FakeCollector collector = *std::move(made);
    CHECK(collector.config().cache.ttl == 7s);
}

TEST_CASE("a Kubernetes client rejects an invalid configuration") {
    const Context context;
    kubernetes::ClientConfig config;
    config.http.url = bad_url;
    config.page_size = 0;
    check_message(rejection_of<kubernetes::Client>(context.executor, config),
                  "invalid configuration of the Kubernetes client: http: ", "page_size");
    config = {};
    config.http.url = valid_url;
    CHECK(kubernetes::Client::make(context.executor, config)->endpoint() == valid_url);
}

TEST_CASE("an owner resolver rejects an invalid configuration") {
    const Context context;
    const kubernetes::Client client = api_client(context);
    kubernetes::OwnerResolverConfig config;
    config.namespaces = {"llm", "LLM", "-a", "a-", std::string(64, 'a')};
    config.max_staleness = 0s;
    config.deleted_pod_retention = -1s;
    CHECK_THAT(rejection_of<kubernetes::OwnerResolver>(client, config),
               StartsWith("invalid configuration of the owner resolver: namespaces[1] must be") &&
                   ContainsSubstring("namespaces[2]") && ContainsSubstring("namespaces[3]") &&
                   ContainsSubstring("namespaces[4]") && ContainsSubstring("max_staleness") &&
                   ContainsSubstring("deleted_pod_retention"));
    config = {};
    config.namespaces.clear();
    CHECK_THAT(rejection_of<kubernetes::OwnerResolver>(client, config),
               ContainsSubstring("namespaces must not be empty"));

    config.namespaces = {"llm-2", std::string(63, 'a')};
    auto made = kubernetes::OwnerResolver::make(client, config);
    REQUIRE(made.has_value());
    // `PrometheusConfig::owners` takes it like this.
    const auto owners = std::make_shared<kubernetes::OwnerResolver>(*std::move(made));
    CHECK(owners->status().size() == 8);
    CHECK(kubernetes::OwnerResolver::make(client)->status().size() == 4);
}

TEST_CASE("a variant watcher rejects an invalid configuration") {
    const Context context;
    const kubernetes::Client client = api_client(context);
    kubernetes::VariantWatcherConfig config;
    config.resource.version.clear();
    config.resource.plural.clear();
    config.namespace_name = "a/b";
    CHECK_THAT(rejection_of<kubernetes::VariantWatcher>(client, config),
               StartsWith("invalid configuration of the variant watcher: resource.version") &&
                   ContainsSubstring("resource.plural") && ContainsSubstring("namespace_name"));
    CHECK(kubernetes::VariantWatcher::make(client)->snapshot()->empty());
}
