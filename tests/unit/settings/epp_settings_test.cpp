// SPDX-License-Identifier: Apache-2.0
//
// The section "epp" of a document. See epp_collector_test.cpp for the collectors that are made of it.
#include "settings_documents.hpp"
#include "support/secrets.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::problem_of;

TEST_CASE("a document has all that a backend of an endpoint picker needs") {
    const auto settings = read_settings(R"({"backend": "epp", "epp": {
        "client": {"url": "https://epp:9090/m", "timeouts": {"attempt": "1s"},
                   "limits": {"max_redirects": 1}, "credentials": {"token_file": "/token"}},
        "namespace": "llm", "pool": "p", "models": ["m", "n"], "rate_window": "30s",
        "peak_window": "0s", "min_requests": 2, "reuse": "1s", "flush_interval": "3s",
        "scrape_timeout": "1500ms", "page": {"max_page_bytes": 1000}, "store": {"max_series": 100},
        "names": {"requests": ["mine_total", "old_total"]}, "tls": {"ca_file": "/ca"}}})");
    REQUIRE(settings.has_value());
    const EppSettings& epp = settings->epp;
    CHECK(epp.client.url == "https://epp:9090/m");
    CHECK(epp.client.credentials.subject() == "/token");
    CHECK(epp.client.timeouts.attempt == 1s);
    CHECK(epp.client.limits.max_redirects == 1);
    CHECK(epp.namespace_name == "llm");
    CHECK(epp.pool == "p");
    CHECK(epp.models == std::vector<std::string>{"m", "n"});
    CHECK(epp.rate_window == 30s);
    CHECK(epp.peak_window == 0s);
    CHECK(epp.min_requests == 2);
    CHECK(epp.reuse == 1s);
    CHECK(epp.flush_interval == 3s);
    CHECK(epp.scrape_timeout == 1500ms);
    CHECK(epp.page.max_page_bytes == 1000);
    CHECK(epp.store.max_series == 100);
    CHECK(epp.names[EppMetric::requests] == std::vector<std::string>{"mine_total", "old_total"});
    CHECK(epp.names[EppMetric::average_queue] == EppNames()[EppMetric::average_queue]);
    CHECK(epp.tls.ca_file == "/ca");
}

TEST_CASE("problems of an endpoint picker are reported together, each at its place") {
    const auto read = read_settings(R"({"backend": "epp", "epp": {
        "client": {"url": "http://epp", "limits": {"max_redirects": 9}, "protection": {},
                   "credentials": {"token": "t"}},
        "namespac": "llm", "models": ["m", ""], "rate_window": "2h", "reuse": "2m",
        "page": {"max_labels": 0}, "store": {"max_series": 0},
        "names": {"requests": [], "average_queue": ["a b"], "request": []},
        "tls": {"certificate_file": "/c"}}})");
    REQUIRE(read.has_error());
    std::map<std::string, std::string> found;
    for (const SettingsProblem& problem : read.error().problems)
        found[problem.path] += problem.message + '\n';
    const auto has = [&](const char* path, const char* words) {
        CAPTURE(path);
        CHECK_THAT(found[path], ContainsSubstring(words));
        found.erase(path);
    };
    has("epp.client.limits.max_redirects", "must be at most 3");
    has("epp.client.protection", "unknown field");
    has("epp.client.credentials", "would be sent without encryption");
    has("epp.namespac", "did you mean \"namespace\"?");
    has("epp.namespace", "is required: the namespace of the endpoint picker");
    has("epp.models[1]", "must not be empty");
    has("epp.rate_window", "must be 1s to 1h");
    has("epp.reuse", "must be 0 to 1m");
    has("epp.page.max_labels", "must be positive");
    has("epp.store.max_series", "must be positive");
    has("epp.names.requests", "must have at least one name");
    has("epp.names.average_queue", "\"a b\" is not a valid metric name");
    has("epp.names.request", "did you mean \"requests\"");
    has("epp.tls.certificate_file", "set epp.client.allow_credentials_without_tls");
    has("epp.tls.private_key_file", "must be set together with");
    CAPTURE(SettingsProblems{read.error().problems}.describe());
    CHECK(found.empty());
}

TEST_CASE("only the backends with an endpoint picker must be told where it is") {
    for (const char* const backend : {"epp", "epp+mine", "mine+epp"}) {
        const auto read = read_settings(std::string(R"({"backend": ")") + backend + R"("})");
        REQUIRE(read.has_error());
        REQUIRE(read.error().problems.size() == 2);
        CHECK_THAT(read.error().describe(), ContainsSubstring("epp.client.url: is required") &&
                                                ContainsSubstring("EPP_URL") &&
                                                ContainsSubstring("epp.namespace: is required") &&
                                                ContainsSubstring("EPP_NAMESPACE"));
    }
    CHECK(
        read_settings(R"({"backend": "mine", "epp": {"client": {"credentials": {"token": "t"}}}})")
            .has_value());
    // The other layers are checked as they are alone.
    const std::string epp = R"("epp": {"client": {"url": "http://epp"}, "namespace": "llm"}})";
    CHECK_THAT(read_settings(R"({"backend": "epp+prometheus", )" + epp).error().describe(),
               ContainsSubstring("prometheus.client.url: is required"));
    CHECK_THAT(problem_of(R"({"backend": "epp+pods+prometheus", )" + epp),
               ContainsSubstring("pods: needs targets or services"));
    // Without one, the settings of an endpoint picker are checked too.
    CHECK_THAT(problem_of(R"({"epp": {"rate_window": "2h"}})"),
               ContainsSubstring("epp.rate_window: must be 1s to 1h"));
}

TEST_CASE("the token for an endpoint picker is not shown, and is not given twice") {
    const auto load = [](std::map<std::string, std::string> variables) {
        variables.insert({{"METRICS_BACKEND", "epp"}, {"EPP_NAMESPACE", "llm"}});
        variables.try_emplace("EPP_URL", "https://epp:9090");
        return load_settings("", [variables = std::move(variables)](const char* name) {
            const auto found = variables.find(name);
            return found == variables.end() ? "" : found->second;
        });
    };
    const auto loaded = load({{"EPP_BEARER_TOKEN", test_support::secret_token}});
    REQUIRE(loaded.has_value());
    const bool is_taken =
        loaded->settings.epp.client.credentials.subject() == test_support::secret_token;
    CHECK(is_taken);
    CHECK_THAT(describe(*loaded), ContainsSubstring("epp.client.credentials = {"));
    CHECK(test_support::find_secret(describe(*loaded)).empty());
    CHECK(test_support::find_secret(write_settings(loaded->settings)).empty());
    const auto twice =
        load({{"EPP_BEARER_TOKEN", test_support::secret_token}, {"EPP_TOKEN_PATH", "/token"}});
    REQUIRE(twice.has_error());
    CHECK_THAT(twice.error().describe(),
               ContainsSubstring("is set together with EPP_TOKEN_PATH; keep one of them"));
    const auto in_url =
        load({{"EPP_URL", "http://user:" + test_support::secret_password + "@epp:9090"}});
    REQUIRE(in_url.has_error());
    CHECK_THAT(in_url.error().describe(), ContainsSubstring("EPP_URL"));
    CHECK(test_support::find_secret(in_url.error().describe()).empty());
}

} // namespace
} // namespace wva_metrics
