// SPDX-License-Identifier: Apache-2.0
//
// The backends "pods" and "pods+prometheus" of a document.
#include "settings_documents.hpp"
#include "support/secrets.hpp"
#include "unit/backend/pods/paged_pods.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::document_with;
using test::problem_of;

/// A document with a backend, and these members of its section `pods`.
std::string pods_document(const std::string& members, const std::string& backend = "pods") {
    return R"({"backend": ")" + backend + R"(", "pods": {)" + members + "}}";
}

/// What the collector of a document says of the only model.
ReplicaSnapshot replicas_of(boost::asio::io_context& io, const std::string& document) {
    AnyCollector collector =
        make_collector(io.get_executor(), read_settings(document).value()).value();
    std::optional<Result<ReplicaSnapshot>> done;
    const ModelKey model("llm", "meta/llama");
    const std::vector<VariantAutoscaling> variants(
        1, VariantAutoscaling("llm", "va", "meta/llama", "llama"));
    collector.async_collect_replica_metrics(
        model, variants, [&](Result<ReplicaSnapshot> result) { done = std::move(result); });
    io.restart();
    while (!done)
        REQUIRE(io.run_one() == 1);
    return done->value();
}

TEST_CASE("a document has all that a backend of pods needs") {
    const auto settings = read_settings(R"({"backend": "pods", "pods": {
        "targets": ["http://10.0.0.1:8000",
                    {"url": "https://pod/m?x=1", "pod": "a", "namespace": "llm", "uid": "u",
                     "model": "m", "labels": [{"name": "rack", "value": "7"}],
                     "owner": "StatefulSet/llama"}],
        "services": [{"url": "http://vllm.llm.svc:8000", "namespace": "llm", "model": "m",
                      "owner": "Deployment/llama"}],
        "engine": "sglang", "detect_engines": false,
        "client": {"timeouts": {"attempt": "1s"}, "limits": {"max_redirects": 1},
                   "credentials": {"token_file": "/token"},
                   "allow_credentials_without_tls": true},
        "tls": {"ca_file": "/ca"}, "schedule": {"interval": "2s", "max_concurrent": 3},
        "scrape_timeout": "1500ms", "page": {"max_page_bytes": 1000},
        "store": {"max_series": 100}, "max_targets": 9, "rate_window": "30s",
        "peak_window": "0s", "min_requests": 2}})");
    REQUIRE(settings.has_value());
    const PodSettings& pods = settings->pods;
    REQUIRE(pods.targets.size() == 2);
    CHECK(pods.targets[0] == scrape::ScrapeTarget{.url = "http://10.0.0.1:8000"});
    CHECK(pods.targets[1] ==
          scrape::ScrapeTarget{.url = "https://pod/m?x=1",
                               .pod = "a",
                               .namespace_name = "llm",
                               .uid = "u",
                               .model = "m",
                               .labels = {{"rack", "7"}},
                               .owner = PodOwner{.kind = "StatefulSet", .name = "llama"}});
    CHECK(pods.services ==
          std::vector{PodService{.url = "http://vllm.llm.svc:8000",
                                 .namespace_name = "llm",
                                 .model = "m",
                                 .owner = PodOwner{.kind = "Deployment", .name = "llama"}}});
    CHECK(pods.engine.name == "sglang");
    CHECK(pods.engine.running == sglang_profile().running);
    CHECK(settings->prometheus.engine.name == "vllm");
    CHECK_FALSE(pods.detect_engines);
    CHECK(pods.client.credentials.subject() == "/token");
    CHECK(pods.client.limits.max_redirects == 1);
    CHECK(pods.tls.ca_file == "/ca");
    CHECK(pods.schedule.interval == 2s);
    CHECK(pods.scrape_timeout == 1500ms);
    CHECK(pods.page.max_page_bytes == 1000);
    CHECK(pods.store.max_series == 100);
    CHECK(pods.peak_window == 0s);
}

TEST_CASE("problems of pods are reported together, each at its place") {
    const auto read = read_settings(R"({"backend": "pods", "pods": {
        "targets": ["ftp://pod", "http://pod", 7, {"url": "https://pod", "owner": "llama"}],
        "services": "http://vllm", "page": {"max_labels": 0, "max_line_bytes": 2000000000},
        "schedule": {"intervall": "1s", "interval": "1ms"}, "store": {"max_series": 0},
        "client": {"url": "http://pod", "limits": {"max_redirects": 9},
                   "credentials": {"token": "t"}},
        "engine": "vlm", "tls": {"private_key_file": "/key"},
        "optional_readings": ["ttft_p90_second", "kv_capacity_tokens"], "whole_page_every": "0s"},
        "prometheus": {"optional_readings": "all"},
        "layered": {"on_dispute": "higest", "tolerance": 2}})");
    REQUIRE(read.has_error());
    std::map<std::string, std::string> found;
    for (const SettingsProblem& problem : read.error().problems)
        found[problem.path] += problem.message + '\n';
    const auto has = [&](const char* path, const char* words) {
        CAPTURE(path);
        CHECK_THAT(found[path], ContainsSubstring(words));
        found.erase(path);
    };
    has("pods.targets[0]", "url must begin with http:// or https://");
    has("pods.targets[1]", "credentials would be sent without encryption");
    has("pods.targets[3].owner", "such as \"Deployment/llama\"");
    has("pods.targets[2]", "must be a URL or an object, not");
    has("pods.services", "must be a list of URLs or objects, not");
    has("pods.page.max_labels", "must be positive");
    has("pods.page.max_line_bytes", "must be at most 1 GiB");
    has("pods.schedule.intervall", "did you mean \"interval\"?");
    has("pods.schedule.interval", "must be at least 10ms");
    has("pods.store.max_series", "must be positive");
    has("pods.client.url", "unknown field");
    has("pods.client.limits.max_redirects", "must be at most 3");
    has("pods.engine", "did you mean \"vllm\"");
    has("pods.tls.certificate_file", "must be set together with");
    has("pods.optional_readings", "did you mean \"ttft_p90_seconds\"");
    has("pods.whole_page_every", "must be positive");
    has("prometheus.optional_readings", "must be a list of names of optional readings");
    has("layered.on_dispute", "\"keep\", \"highest\" or \"missing\"");
    has("layered.tolerance", "must be between 0 and 1");
    CAPTURE(SettingsProblems{read.error().problems}.describe());
    CHECK(found.empty());
}

TEST_CASE("only the backends that read pods must be told which pods there are") {
    CHECK(read_settings(R"({"backend": "mine"})").has_value());
    CHECK_THAT(problem_of(R"({"backend": "pods"})"),
               ContainsSubstring("pods: needs targets or services") &&
                   ContainsSubstring("PODS_TARGETS"));
    CHECK_THAT(problem_of(R"({"backend": "pods+prometheus"})"),
               ContainsSubstring("pods: needs targets or services"));
    // The settings of pods are checked whichever backend is chosen.
    CHECK_THAT(problem_of(document_with("pods.rate_window", "\"2h\"")),
               ContainsSubstring("pods.rate_window: must be positive and at most 1h"));
    // With pods alone, there need not be a Prometheus.
    CHECK(read_settings(pods_document(R"("targets": ["https://pod"])")).has_value());
    CHECK_THAT(read_settings(pods_document(R"("targets": ["http://pod"])", "pods+prometheus"))
                   .error()
                   .describe(),
               ContainsSubstring("prometheus.client.url: is required"));
}

TEST_CASE("the token for pods is not shown, and is not given twice") {
    const auto load = [](std::map<std::string, std::string> variables) {
        return load_settings(pods_document(R"("targets": ["https://pod"])"),
                             [variables = std::move(variables)](const char* name) {
                                 const auto found = variables.find(name);
                                 return found == variables.end() ? "" : found->second;
                             });
    };
    const auto loaded = load({{"PODS_BEARER_TOKEN", test_support::secret_token}});
    REQUIRE(loaded.has_value());
    const bool is_taken =
        loaded->settings.pods.client.credentials.subject() == test_support::secret_token;
    CHECK(is_taken);
    CHECK_THAT(describe(*loaded), ContainsSubstring("pods.client.credentials = {"));
    CHECK(test_support::find_secret(describe(*loaded)).empty());
    CHECK(test_support::find_secret(write_settings(loaded->settings)).empty());
    const auto twice =
        load({{"PODS_BEARER_TOKEN", test_support::secret_token}, {"PODS_TOKEN_PATH", "/token"}});
    REQUIRE(twice.has_error());
    CHECK_THAT(twice.error().describe(),
               ContainsSubstring("is set together with PODS_TOKEN_PATH; keep one of them"));
}

TEST_CASE("a collector that is made from a document reads the pods themselves") {
    boost::asio::io_context io;
    const test_support::PagedPod pod(io, test_support::vllm_page({.waiting = 3}));
    const std::string target = R"("targets": [{"pod": "llama-5d8f-abcde", "namespace": "llm",
        "owner": "Deployment/llama", "url": ")" +
                               pod.target("").url + R"("}])";
    const ReplicaSnapshot snapshot = replicas_of(io, pods_document(target));
    REQUIRE(snapshot->replicas.size() == 1);
    CHECK(snapshot->replicas[0].pod == "llama-5d8f-abcde");
    CHECK(snapshot->replicas[0].queue_length.value() == 3);
}

TEST_CASE("a document layers the pods over Prometheus, which knows the pods that they lack") {
    boost::asio::io_context io;
    const test_support::PagedPod pod(io, test_support::vllm_page({.waiting = 3}));
    testing::FakePrometheus fake(io.get_executor());
    for (const char* const name : {"llama-5d8f-abcde", "llama-5d8f-other"})
        fake.set({"vllm:num_requests_waiting",
                  {{"namespace", "llm"}, {"model_name", "meta/llama"}, {"pod", name}}},
                 8);
    const ReplicaSnapshot snapshot =
        replicas_of(io, R"({"backend": "pods+prometheus", "layered": {"patience": "1h"},
        "prometheus": {"use_kube_state": false, "client": {"url": ")" +
                            fake.url() + R"("}}, "pods": {"targets": [{"pod": "llama-5d8f-abcde",
        "namespace": "llm", "url": ")" +
                            pod.target("").url + R"("}]}})");
    REQUIRE(snapshot->replicas.size() == 2);
    CHECK(snapshot->replicas[0].queue_length.value() == 3);
    CHECK(snapshot->replicas[0].queue_length.layer() == 1);
    CHECK(snapshot->replicas[1].queue_length.value() == 8);
    CHECK(snapshot->replicas[1].queue_length.layer() == 2);
}

} // namespace
} // namespace wva_metrics
