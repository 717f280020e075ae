// SPDX-License-Identifier: Apache-2.0
#include "support/secrets.hpp"
#include "support/temporary_directory.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

Environment with(std::map<std::string, std::string> variables) {
    return [variables = std::move(variables)](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    };
}

const std::string url_only = R"({"prometheus": {"client": {"url": "http://p:9090"}}})";

std::vector<std::string> problems_of(const SettingsResult<LoadedSettings>& result) {
    REQUIRE(result.has_error());
    std::vector<std::string> lines;
    for (const SettingsProblem& problem : result.error().problems)
        lines.push_back(problem.describe());
    return lines;
}

} // namespace

TEST_CASE("the environment overrides the document, and the document overrides the defaults") {
    const std::string document = R"({
        "prometheus": {"client": {"url": "http://document:9090"}},
        "collector": {"cache": {"ttl": "40s", "cleanup_interval": "2m"}}})";
    const auto loaded = load_settings(document, with({{"PROMETHEUS_METRICS_CACHE_TTL", "50s"}}));
    REQUIRE(loaded.has_value());
    const CacheConfig& cache = loaded->settings.collector.cache;
    CHECK(cache.ttl == 50s);
    CHECK(cache.cleanup_interval == 2min);
    CHECK(cache.fetch_interval == CacheConfig{}.fetch_interval);
    CHECK(loaded->settings.prometheus.client.http.url == "http://document:9090");

    const std::string description = describe(*loaded);
    CHECK_THAT(description, ContainsSubstring(
                                "collector.cache.ttl = \"50s\"  (PROMETHEUS_METRICS_CACHE_TTL)\n"));
    CHECK_THAT(description,
               ContainsSubstring("collector.cache.cleanup_interval = \"2m0s\"  (document)\n"));
    CHECK_THAT(description,
               ContainsSubstring("collector.cache.fetch_interval = \"15s\"  (default)\n"));
}

TEST_CASE("the environment alone is enough, and every variable is read") {
    const auto loaded =
        load_settings("", with({{"PROMETHEUS_BASE_URL", "https://p:9090/base"},
                                {"PROMETHEUS_REPLICA_URLS", "https://q:9090, https://r"},
                                {"PROMETHEUS_TOKEN_PATH", "/token"},
                                {"PROMETHEUS_ALLOW_CREDENTIALS_WITHOUT_TLS", "yes"},
                                {"PROMETHEUS_TLS_INSECURE_SKIP_VERIFY", "false"},
                                {"PROMETHEUS_CA_CERT_PATH", "/ca"},
                                {"PROMETHEUS_CLIENT_CERT_PATH", "/cert"},
                                {"PROMETHEUS_CLIENT_KEY_PATH", "/key"},
                                {"PROMETHEUS_SERVER_NAME", "name"},
                                {"PROMETHEUS_MATCHERS", "cluster=\"eu\""},
                                {"PROMETHEUS_KUBE_STATE_MATCHERS", "{k8s_cluster=~'e.'}"},
                                {"PROMETHEUS_METRICS_CACHE_ENABLED", "no"},
                                {"PROMETHEUS_METRICS_CACHE_TTL", "31s"},
                                {"PROMETHEUS_METRICS_CACHE_CLEANUP_INTERVAL", "32s"},
                                {"PROMETHEUS_METRICS_CACHE_FETCH_INTERVAL", "13s"},
                                {"PROMETHEUS_METRICS_CACHE_FRESH_THRESHOLD", "34s"},
                                {"PROMETHEUS_METRICS_CACHE_UNAVAILABLE_THRESHOLD", "6m"},
                                {"METRICS_BACKEND", "pods+prometheus"},
                                {"PODS_TARGETS", "https://10.0.0.1:8000, https://10.0.0.2/m"},
                                {"PODS_SERVICES", "http://vllm.llm.svc:8000"},
                                {"PODS_TOKEN_PATH", "/pod-token"},
                                {"PODS_ALLOW_CREDENTIALS_WITHOUT_TLS", "1"},
                                {"PODS_TLS_INSECURE_SKIP_VERIFY", "no"},
                                {"PODS_CA_CERT_PATH", "/pod-ca"},
                                {"EPP_URL", "https://epp:9090"},
                                {"EPP_NAMESPACE", "llm"},
                                {"EPP_POOL", "pool"},
                                {"EPP_MODELS", "a/b, c"},
                                {"EPP_TOKEN_PATH", "/epp-token"},
                                {"EPP_ALLOW_CREDENTIALS_WITHOUT_TLS", "1"},
                                {"EPP_TLS_INSECURE_SKIP_VERIFY", "no"},
                                {"EPP_CA_CERT_PATH", "/epp-ca"}}));
    REQUIRE(loaded.has_value());
    const CollectorSettings& settings = loaded->settings;
    CHECK(settings.prometheus.client.http.url == "https://p:9090/base");
    CHECK(settings.prometheus.client.replicas ==
          std::vector<std::string>{"https://q:9090", "https://r"});
    CHECK(settings.prometheus.client.http.credentials.kind() ==
          http::Credentials::Kind::bearer_file);
    CHECK(settings.prometheus.client.http.credentials.subject() == "/token");
    CHECK(settings.prometheus.client.http.allow_credentials_without_tls);
    CHECK(promql::to_string(settings.prometheus.matchers) == R"(cluster="eu")");
    CHECK(promql::to_string(settings.prometheus.kube_state_matchers) == R"(k8s_cluster=~"e.")");
    CHECK(settings.tls.ca_file == "/ca");
    CHECK(settings.tls.certificate_file == "/cert");
    CHECK(settings.tls.private_key_file == "/key");
    CHECK(settings.tls.server_name == "name");
    CHECK_FALSE(settings.tls.insecure_accept_any_certificate);
    const CacheConfig& cache = settings.collector.cache;
    CHECK_FALSE(cache.enabled);
    CHECK(cache.ttl == 31s);
    CHECK(cache.cleanup_interval == 32s);
    CHECK(cache.fetch_interval == 13s);
    CHECK(cache.freshness_thresholds.optimizer_metrics == 34s);
    CHECK(cache.freshness_thresholds.replica_metrics == 34s);
    CHECK(cache.freshness_thresholds.unavailable == 6min);
    CHECK(settings.backend == "pods+prometheus");
    REQUIRE(settings.pods.targets.size() == 2);
    CHECK(settings.pods.targets[1].url == "https://10.0.0.2/m");
    REQUIRE(settings.pods.services.size() == 1);
    CHECK(settings.pods.services[0].url == "http://vllm.llm.svc:8000");
    CHECK(settings.pods.client.credentials.subject() == "/pod-token");
    CHECK(settings.pods.client.allow_credentials_without_tls);
    CHECK_FALSE(settings.pods.tls.insecure_accept_any_certificate);
    CHECK(settings.pods.tls.ca_file == "/pod-ca");
    CHECK(settings.epp.client.url == "https://epp:9090");
    CHECK(settings.epp.namespace_name == "llm");
    CHECK(settings.epp.pool == "pool");
    CHECK(settings.epp.models == std::vector<std::string>{"a/b", "c"});
    CHECK(settings.epp.client.credentials.subject() == "/epp-token");
    CHECK(settings.epp.client.allow_credentials_without_tls);
    CHECK_FALSE(settings.epp.tls.insecure_accept_any_certificate);
    CHECK(settings.epp.tls.ca_file == "/epp-ca");
    // Only the fields of the variables have a source.
    CHECK(loaded->sources.size() == 33);
}

TEST_CASE("the URLs of replicas have their own problems, and none shows a password") {
    const std::string document =
        R"({"prometheus": {"client": {"url": "http://p", "replicas": ["http://q", "q"]}}})";
    const std::vector<std::string> problems = problems_of(load_settings(document, with({})));
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems.front(), ContainsSubstring("prometheus.client.replicas[1]"));
    const std::vector<std::string> secret = problems_of(
        load_settings(url_only, with({{"PROMETHEUS_REPLICA_URLS",
                                       "http://user:" + test_support::secret_password + "@q"}})));
    REQUIRE(secret.size() == 1);
    CHECK_THAT(secret.front(), ContainsSubstring("replicas[0]"));
    CHECK(test_support::find_secret(secret.front()).empty());
}

TEST_CASE("every variable sets fields that exist") {
    CollectorSettings settings;
    const std::vector<detail::Field> fields = detail::fields_of(settings);
    for (const EnvironmentVariable& variable : environment_variables)
        for (const std::string_view path : variable.paths) {
            if (path.empty())
                continue;
            CAPTURE(variable.name, path);
            CHECK(std::any_of(fields.begin(), fields.end(),
                              [&](const detail::Field& field) { return field.path == path; }));
        }
}

TEST_CASE("all problems are reported together, with the name of the field or the variable") {
    const auto loaded = load_settings(R"({"prometheus": {"client": {"url": "https://p"}},
                          "collector": {"cache": {"fetch_intervall": "15s"}, "max_tracked": 0}})",
                                      with({{"PROMETHEUS_METRICS_CACHE_TTL", "30 parsecs"},
                                            {"PROMETHEUS_METRICS_CACHE_ENABLED", "perhaps"},
                                            {"PROMETHEUS_METRICS_CACHE_CLEANUP_INTERVAL", "-5s"},
                                            {"PROMETHEUS_TOKEN_PATH", "/token"},
                                            {"PROMETHEUS_BEARER_TOKEN", "hush"}}));
    const std::vector<std::string> problems = problems_of(loaded);
    std::string all;
    for (const std::string& problem : problems)
        all += problem + '\n';
    CAPTURE(all);
    CHECK(problems.size() == 6);
    CHECK_THAT(all, ContainsSubstring("PROMETHEUS_METRICS_CACHE_TTL: \"30 parsecs\" is not a "
                                      "duration such as \"30s\""));
    CHECK_THAT(all, ContainsSubstring("PROMETHEUS_METRICS_CACHE_ENABLED: must be true or false"));
    CHECK_THAT(all, ContainsSubstring("PROMETHEUS_METRICS_CACHE_CLEANUP_INTERVAL: "));
    CHECK_THAT(all, ContainsSubstring("PROMETHEUS_BEARER_TOKEN: is set together with"));
    CHECK_THAT(all, ContainsSubstring("did you mean \"fetch_interval\"?"));
    CHECK_THAT(all, ContainsSubstring("collector.max_tracked: must be positive"));
    CHECK_THAT(all, !ContainsSubstring("hush"));
}

TEST_CASE("a mistake in the document is not blamed on the variable of the same field") {
    const std::string document = R"({"prometheus": {"client": {"url": "http://p"}},
                                     "collector": {"cache": {"ttl": 30}}})";
    const std::string mistake = "collector.cache.ttl: must be a duration";
    const auto with_ttl = [&](const std::string& ttl) {
        return problems_of(load_settings(document, with({{"PROMETHEUS_METRICS_CACHE_TTL", ttl}})));
    };
    const auto valid = with_ttl("5s");
    REQUIRE(valid.size() == 1);
    CHECK_THAT(valid[0], ContainsSubstring(mistake));
    for (const char* const ttl : {"abc", "-5s"}) {
        std::vector<std::string> both = with_ttl(ttl);
        std::ranges::sort(both);
        CAPTURE(ttl, both);
        REQUIRE(both.size() == 2);
        CHECK_THAT(both[0], ContainsSubstring("PROMETHEUS_METRICS_CACHE_TTL: "));
        CHECK_THAT(both[1], ContainsSubstring(mistake));
    }
}

TEST_CASE("the URL of Prometheus is required") {
    const std::vector<std::string> problems = problems_of(load_settings("", with({})));
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems.front(), ContainsSubstring("PROMETHEUS_BASE_URL"));
}

TEST_CASE("a description, a problem and an error contain no secret") {
    const std::string secret = test_support::secret_value;
    const auto loaded = load_settings(
        R"({"prometheus": {"client": {
                "url": "https://p",
                "headers": [{"name": "X-Scope", "value": ")" +
            secret + R"("}],
                "query_parameters": [{"name": "tenant", "value": ")" +
            secret + R"("}]}},
            "proxy": {"url": "http://proxy", "credentials": {"user": "me", "password": ")" +
            test_support::secret_proxy_password + R"("}},
            "options": {"mine": {"password": ")" +
            secret + R"("}}})",
        with({{"PROMETHEUS_BEARER_TOKEN", test_support::secret_token}}));
    REQUIRE(loaded.has_value());
    const std::string described = describe(*loaded);
    CHECK(test_support::find_secret(described).empty());
    CHECK_THAT(described, ContainsSubstring("\"token\": \"***\""));
    CHECK(test_support::find_secret(write_settings(loaded->settings)).empty());

    const auto refused = load_settings(
        "{}", with({{"PROMETHEUS_BASE_URL", "http://user:" + test_support::secret_password + "@p"},
                    {"PROMETHEUS_BEARER_TOKEN", test_support::secret_token + " with a blank"}}));
    REQUIRE(refused.has_error());
    const std::string problems = refused.error().describe();
    CAPTURE(problems);
    CHECK(test_support::find_secret(problems).empty());
    CHECK(test_support::find_secret(refused.error().to_error().describe()).empty());
}

TEST_CASE(
    "a token or client certificate with an http URL is refused unless it is allowed by name") {
    const auto load = [](const std::string& url, const char* secret, const char* allowed) {
        return load_settings(
            "{}", with({{"PROMETHEUS_BASE_URL", url},
                        {secret, "/file"},
                        {"PROMETHEUS_CLIENT_KEY_PATH",
                         std::string_view(secret) == "PROMETHEUS_CLIENT_CERT_PATH" ? "/key" : ""},
                        {"PROMETHEUS_ALLOW_CREDENTIALS_WITHOUT_TLS", allowed}}));
    };
    const char* const secret =
        GENERATE("PROMETHEUS_TOKEN_PATH", "PROMETHEUS_BEARER_TOKEN", "PROMETHEUS_CLIENT_CERT_PATH");
    const std::vector<std::string> problems =
        problems_of(load("http://prometheus:9090", secret, ""));
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems.front(), ContainsSubstring("use an https url") &&
                                     ContainsSubstring("allow_credentials_without_tls"));
    CHECK(load("http://prometheus:9090", secret, "true").has_value());
    CHECK(load("https://prometheus:9090", secret, "").has_value());
    CHECK(load("http://localhost:9090", secret, "").has_value());
}

TEST_CASE("settings are loaded from a file, and a file that cannot be read is named") {
    const test_support::TemporaryDirectory directory;
    const std::filesystem::path file = directory.path() / "collector.json";
    CHECK_THAT(problems_of(load_settings_file(file, with({}))).front(),
               ContainsSubstring(file.string() + " does not exist"));
    std::ofstream(file) << url_only;
    CHECK(load_settings_file(file, with({})).has_value());
    DocumentLimits limits;
    limits.max_bytes = 10;
    CHECK_THAT(problems_of(load_settings_file(file, with({}), limits)).front(),
               ContainsSubstring("10"));
    CHECK_THAT(problems_of(load_settings_file(directory.path(), with({}))).front(),
               ContainsSubstring("not a regular file"));
}

TEST_CASE("settings that are dumped with their secrets load as the same settings") {
    const auto loaded = load_settings(url_only, with({}));
    REQUIRE(loaded.has_value());
    const std::string dump = write_settings(loaded->settings, Secrets::plain);
    const auto again = load_settings(dump, with({}));
    REQUIRE(again.has_value());
    CHECK(write_settings(again->settings, Secrets::plain) == dump);
}

TEST_CASE("a deprecated name is a warning, and the new name has the source") {
    const auto loaded = load_settings(R"({
        "prometheus": {"client": {"url": "http://p"}},
        "collector": {"cache": {"freshness_thresholds": {"allocation_metrics": "20s"}}}})",
                                      with({}));
    REQUIRE(loaded.has_value());
    CHECK(loaded->settings.collector.cache.freshness_thresholds.optimizer_metrics == 20s);
    REQUIRE(loaded->warnings.size() == 1);
    CHECK_THAT(loaded->warnings[0].describe(),
               ContainsSubstring("allocation_metrics: is the deprecated name of "
                                 "\"optimizer_metrics\""));
    CHECK_THAT(describe(*loaded),
               ContainsSubstring("freshness_thresholds.optimizer_metrics = \"20s\"  (document)"));
    CHECK(load_settings(url_only, with({})).value().warnings.empty());
}

TEST_CASE("the example documents are valid") {
    const std::filesystem::path examples =
        std::filesystem::path(__FILE__).parent_path() / "../../../examples";
    for (const char* const name :
         {"collector.json", "pods.json", "pods_in_kubernetes.json", "epp.json"}) {
        const auto loaded = load_settings_file(examples / name, with({}));
        CAPTURE(name, loaded ? "" : loaded.error().describe());
        REQUIRE(loaded.has_value());
        CHECK(loaded->settings.tracked.variants.size() == 1);
    }
}
