// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/tls_in_cluster.hpp"

#include "support/cluster.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("outside a cluster, the error names what is missing") {
    kubernetes::InClusterSources sources;
    sources.environment = [](const char*) { return std::string(); };
    const auto outside = kubernetes::in_cluster_config(sources);
    REQUIRE(outside.has_error());
    CHECK(outside.error().is(Errc::invalid_config));
    CHECK_THAT(outside.error().message,
               Catch::Matchers::ContainsSubstring("KUBERNETES_SERVICE_HOST"));

    const TemporaryDirectory files;
    sources.service_account_directory = files.path().string();
    sources.environment = [](const char*) { return std::string("1"); };
    const auto no_token = kubernetes::in_cluster_config(sources);
    REQUIRE(no_token.has_error());
    CHECK_THAT(no_token.error().message,
               Catch::Matchers::ContainsSubstring("/token cannot be read"));
    write_file(files.path() / "token", "secret-token");
    const auto no_authority = kubernetes::in_cluster_config(sources);
    REQUIRE(no_authority.has_error());
    CHECK_THAT(no_authority.error().message,
               Catch::Matchers::ContainsSubstring("/ca.crt cannot be read"));
    write_file(files.path() / "ca.crt", "no certificate");
    const auto bad_authority = kubernetes::in_cluster_config(sources);
    REQUIRE(bad_authority.has_error());
    CHECK_THAT(bad_authority.error().message, Catch::Matchers::ContainsSubstring("tls.ca_file"));
    CHECK_THAT(bad_authority.error().message, !Catch::Matchers::ContainsSubstring("secret-token"));
}

TEST_CASE("in a cluster, address, token, certificate authority and namespace are found") {
    asio::io_context context;
    const Cluster cluster(context);
    const auto config = kubernetes::in_cluster_config(cluster.sources());
    REQUIRE(config.has_value());
    CHECK(config->http.url == cluster.server.url());
    CHECK(config->own_namespace == "llm");
    CHECK(validate(*config).empty());
    kubernetes::InClusterSources other = cluster.sources();
    other.environment = [](const char* name) {
        return std::string(name == std::string("KUBERNETES_SERVICE_HOST") ? "fd00::1" : "443");
    };
    CHECK(kubernetes::in_cluster_config(other)->http.url == "https://[fd00::1]:443");
}
