// SPDX-License-Identifier: Apache-2.0
#include "settings_documents.hpp"
#include "support/property_cases.hpp"
#include "support/settings_samples.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/settings/detail/json_document.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;

TEST_CASE("a document sets fields, and the others keep their defaults") {
    const auto settings = read_settings(R"({
        "backend": "mine", "cache": "memory", "decorators": ["one", "two"], "plugins": ["p.so"],
        "collector": {
            "cache": {"enabled": false, "ttl": "1m30s", "max_entries": 5,
                      "freshness_thresholds": {"unavailable": "1h"}},
            "track_on_collection": false},
        "prometheus": {
            "client": {"url": "https://thanos:10902/base", "timeouts": {"attempt": "500ms"},
                       "credentials": {"token_file": "/token"},
                       "headers": [{"name": "X-Scope-OrgID", "value": "llm"}],
                       "query_parameters": [{"name": "dedup", "value": "true"}],
                       "answer": {"max_series": 7}},
            "engine": {"kv_cache_usage": ["kserve_vllm:kv_cache_usage_perc"],
                       "labels": {"namespace": "exported_namespace", "engine": []}},
            "matchers": "cluster=\"eu\", tenant!~'a|b'",
            "kube_state_matchers": "", "windows": {"rate": "5m"}, "limits": {"max_models_per_query": 10},
            "use_kube_state": false, "min_requests": 2},
        "tls": {"ca_file": "ca.pem", "reload_interval": "0s"},
        "tracked": {
            "variants": [{"namespace": "llm", "name": "a", "model_id": "meta-llama/L",
                          "deployment": "d", "accelerator": "A100", "cost": 2.5},
                         {"namespace": "llm", "name": "b", "model_id": "m", "deployment": "d"}],
            "models": [{"namespace": "llm", "model_id": "m"}]},
        "options": {"mine": {"depth": 3}}
    })");
    REQUIRE(settings.has_value());
    CHECK(settings->backend == "mine");
    CHECK(settings->cache == "memory");
    CHECK(settings->decorators == std::vector<std::string>{"one", "two"});
    CHECK(settings->plugins == std::vector<std::string>{"p.so"});
    const CacheConfig& cache = settings->collector.cache;
    CHECK_FALSE(cache.enabled);
    CHECK(cache.ttl == 90s);
    CHECK(cache.max_entries == 5);
    CHECK(cache.freshness_thresholds.unavailable == 1h);
    CHECK(cache.freshness_thresholds.replica_metrics == 30s);
    CHECK(cache.fetch_interval == 15s);
    CHECK_FALSE(settings->collector.track_on_collection);
    const prometheus::ClientConfig& client = settings->prometheus.client;
    CHECK(client.http.url == "https://thanos:10902/base");
    CHECK(client.http.timeouts.attempt == 500ms);
    CHECK(client.http.credentials.kind() == http::Credentials::Kind::bearer_file);
    CHECK(client.http.credentials.subject() == "/token");
    REQUIRE(client.http.headers.size() == 1);
    CHECK(client.http.headers[0].name == "X-Scope-OrgID");
    CHECK(client.http.headers[0].value == "llm");
    CHECK(client.query_parameters == http::FormFields{{"dedup", "true"}});
    CHECK(client.answer.max_series == 7);
    const EngineProfile& engine = settings->prometheus.engine;
    CHECK(engine.kv_cache_usage == std::vector<std::string>{"kserve_vllm:kv_cache_usage_perc"});
    CHECK(engine.queue_length == vllm_profile().queue_length);
    CHECK(engine.labels.namespace_name == "exported_namespace");
    CHECK(engine.labels.engine.empty());
    using promql::MatchOperator;
    CHECK(settings->prometheus.matchers ==
          std::vector<promql::Matcher>{{"cluster", MatchOperator::equal, "eu"},
                                       {"tenant", MatchOperator::not_regex, "a|b"}});
    CHECK(settings->prometheus.kube_state_matchers.empty());
    CHECK(settings->prometheus.windows.rate == 5min);
    CHECK(settings->prometheus.limits.max_models_per_query == 10);
    CHECK_FALSE(settings->prometheus.use_kube_state);
    CHECK(settings->prometheus.min_requests == 2.0);
    CHECK(settings->tls.ca_file == "ca.pem");
    CHECK(settings->tls.reload_interval == 0s);
    CHECK(settings->tracked.variants ==
          std::vector{VariantAutoscaling("llm", "a", "meta-llama/L", "d", "A100", 2.5),
                      VariantAutoscaling("llm", "b", "m", "d")});
    CHECK(settings->tracked.models == std::vector{ModelKey("llm", "m")});
    CHECK(settings->options.at("mine").at("depth").as_int64() == 3);
}

TEST_CASE("settings that are written and read again are the same") {
    for (unsigned seed = 0; seed < test_support::property_cases(300); ++seed) {
        CollectorSettings settings;
        RandomFields(seed).fill(settings);
        const std::string text = write_settings(settings, Secrets::plain);
        CAPTURE(seed, text);
        std::vector<SettingsProblem> problems;
        const auto object = detail::parse_document(text, {}, problems);
        REQUIRE(object.has_value());
        CollectorSettings again;
        detail::SettingsReader(problems).read(*object, detail::fields_of(again));
        CHECK_THAT(SettingsProblems{problems}.describe(), Equals(""));
        REQUIRE(SameValues::hold(settings, again));
    }
}

TEST_CASE("the comparison of settings finds a difference") {
    CollectorSettings settings;
    RandomFields(1).fill(settings);
    CollectorSettings other = settings;
    REQUIRE(SameValues::hold(settings, other));
    other.prometheus.engine.labels.engine.emplace_back("one more");
    CHECK_FALSE(SameValues::hold(settings, other));
}

TEST_CASE("a list in the document replaces the default list") {
    CollectorSettings defaults = valid_settings();
    defaults.tracked.models = {ModelKey("a", "b"), ModelKey("c", "d")};
    const auto settings = read_settings(
        R"({"tracked": {"models": [{"namespace": "e", "model_id": "f"}]}})", defaults);
    REQUIRE(settings.has_value());
    CHECK(settings->tracked.models == std::vector{ModelKey("e", "f")});
}

TEST_CASE("credentials of one kind are accepted, several kinds or half of one are not") {
    const auto credentials = [](const std::string& text) {
        return document_with("prometheus.client",
                             R"({"url": "https://p", "credentials": )" + text + '}');
    };
    CHECK(problems_of(credentials("{}")).empty());
    CHECK(problems_of(credentials(R"({"token": "t"})")).empty());
    CHECK(problems_of(credentials(R"({"user": "u", "password": "p"})")).empty());
    CHECK_THAT(problem_of(credentials(R"({"token": "t", "token_file": "f"})")),
               ContainsSubstring("only one of"));
    CHECK_THAT(problem_of(credentials(R"({"token": "t", "user": "u"})")),
               ContainsSubstring("only one of"));
    CHECK_THAT(problem_of(credentials(R"({"password": "p"})")),
               ContainsSubstring("password needs user"));
    CHECK_THAT(problem_of(credentials(R"({"token_file": ""})")),
               ContainsSubstring("must not be empty"));
    CHECK_THAT(problem_of(credentials(R"({"tokn": "t"})")),
               ContainsSubstring("did you mean \"token\""));
}

TEST_CASE("the URL is required only for the backend prometheus") {
    CHECK(read_settings(R"({"backend": "mine"})").has_value());
    const auto settings = read_settings("{}");
    REQUIRE(settings.has_error());
    CHECK_THAT(settings.error().describe(),
               ContainsSubstring("prometheus.client.url: is required") &&
                   ContainsSubstring("PROMETHEUS_BASE_URL"));
}

TEST_CASE("an https URL is valid before its transport is made") {
    CHECK(problems_of(document_with("prometheus.client.url", "\"https://p\"")).empty());
}

TEST_CASE("an engine can be given by its name") {
    const auto with_engine = [](const std::string& engine) {
        return R"({"prometheus": {"client": {"url": "https://p"}, "engine": )" + engine + "}}";
    };
    CollectorSettings defaults;
    defaults.prometheus.engine.kube_state.pod = "exported_pod";
    const auto settings = read_settings(with_engine("\"sglang\""), defaults);
    REQUIRE(settings.has_value());
    const EngineProfile& engine = settings->prometheus.engine;
    for (const Signal signal : all_signals)
        CHECK(engine[signal] == sglang_profile()[signal]);
    CHECK(engine.name == "sglang");
    CHECK(engine.labels.engine == sglang_profile().labels.engine);
    CHECK(engine.labels.copies == sglang_profile().labels.copies);
    // What kube-state-metrics is called does not depend on the engine.
    CHECK(engine.kube_state.pod == "exported_pod");

    CHECK_THAT(problem_of(with_engine("\"SGLang \"")),
               ContainsSubstring("did you mean \"sglang\"?"));
    CHECK_THAT(problem_of(with_engine("\"mine\"")),
               ContainsSubstring("expected \"vllm\", \"sglang\"") &&
                   ContainsSubstring("prometheus.engine"));
    CHECK_THAT(problem_of(with_engine("7")), ContainsSubstring("an object with fields"));
    CHECK_THAT(problem_of(with_engine("\"llama_cpp\"")),
               ContainsSubstring("engine.labels.model: must not be empty"));
    CHECK(problems_of(with_engine(R"({"kv_cache_usage": []})")).empty());
}

TEST_CASE("the name of a known engine sets what the document does not") {
    const auto settings = read_settings(
        R"({"prometheus": {"client": {"url": "https://p"},
            "engine": {"queue_length": ["q"], "labels": {"model": "model"}, "name": "tgi"}}})");
    REQUIRE(settings.has_value());
    const EngineProfile& engine = settings->prometheus.engine;
    CHECK(engine.queue_length == std::vector<std::string>{"q"});
    CHECK(engine.running == tgi_profile().running);
    CHECK(engine.kv_cache_usage.empty());
    CHECK(engine.labels.model == "model");
    CHECK(engine.labels.engine.empty());

    // Another name is only for people.
    const auto named = read_settings(
        R"({"prometheus": {"client": {"url": "https://p"}, "engine": {"name": "mine"}}})");
    REQUIRE(named.has_value());
    CHECK(named->prometheus.engine.name == "mine");
    CHECK(named->prometheus.engine.running == vllm_profile().running);
}
