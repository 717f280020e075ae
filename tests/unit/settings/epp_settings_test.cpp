// SPDX-License-Identifier: Apache-2.0
//
// The backend "epp" of a document, alone and as a layer.
#include "settings_documents.hpp"
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "unit/backend/pods/paged_pods.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/make_epp_backend.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test::problem_of;

/// An EPP on loopback whose pool serves one model: one of its endpoints has 4 waiting requests, and
/// the EPP holds 3 more.
class PagedEpp {
public:
    explicit PagedEpp(boost::asio::io_context& io) : server_(io, {answer()}) {}

    /// The section `epp` of a document.
    std::string section() const {
        return R"("epp": {"client": {"url": ")" + server_.url() +
               R"(", "credentials": {"token": ")" + test_support::secret_token +
               R"("}}, "namespace": "llm", "models": ["meta/llama"]})";
    }
    const std::vector<std::string>& requests() const { return server_.requests(); }

private:
    static test_support::ScriptedServer::Script answer() {
        const std::string page =
            "llm_d_epp_ready_endpoints{name=\"p\"} 1\n"
            "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"llama-5d8f-"
            "abcde\"} 4\n"
            "llm_d_epp_flow_control_queue_size{model_name=\"meta/llama\",priority=\"0\"} 3\n"
            "llm_d_epp_request_total{model_name=\"meta/llama\"} 9\n";
        return test_support::answer_each_with(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
            std::to_string(page.size()) + "\r\n\r\n" + page);
    }

    test_support::ScriptedServer server_;
};

/// Runs until a handler that is made here was called.
template <typename T, typename Begin>
T run_until_done(boost::asio::io_context& io, Begin&& begin) {
    std::optional<T> done;
    begin([&](T result) { done = std::move(result); });
    io.restart();
    while (!done)
        REQUIRE(io.run_one() == 1);
    return *std::move(done);
}

AnyCollector collector_of(boost::asio::io_context& io, const std::string& document) {
    return make_collector(io.get_executor(), read_settings(document).value()).value();
}

/// What a collector says of the only model.
ReplicaSnapshot snapshot_of(boost::asio::io_context& io, AnyCollector& collector) {
    return run_until_done<Result<ReplicaSnapshot>>(
               io,
               [&](auto handler) {
                   const std::vector<VariantAutoscaling> variants(
                       1, VariantAutoscaling("llm", "va", "meta/llama", "llama"));
                   collector.async_collect_replica_metrics(ModelKey("llm", "meta/llama"), variants,
                                                           std::move(handler));
               })
        .value();
}

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
    has("epp.client", "credentials would be sent without encryption");
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
    CHECK_THAT(found["epp.tls.certificate_file"],
               ContainsSubstring("set epp.client.allow_credentials_without_tls"));
    has("epp.tls.certificate_file", "must be set together with");
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

TEST_CASE("a collector that is made from a document reads the page of an endpoint picker") {
    boost::asio::io_context io;
    const PagedEpp epp(io);
    AnyCollector collector = collector_of(io, R"({"backend": "epp", )" + epp.section() + "}");
    const ReplicaSnapshot snapshot = snapshot_of(io, collector);
    REQUIRE(snapshot->replicas.size() == 1);
    CHECK(snapshot->replicas[0].pod == "llama-5d8f-abcde");
    CHECK(snapshot->replicas[0].queue_length.value() == 4);
    CHECK(snapshot->replicas[0].kv_cache_usage.reason() == ReadingReason::not_provided);
    REQUIRE(epp.requests().size() == 1);
    CHECK(epp.requests()[0].starts_with("GET /metrics HTTP/1.1"));
    const bool has_token =
        epp.requests()[0].find("Bearer " + test_support::secret_token) != std::string::npos;
    CHECK(has_token);
}

TEST_CASE("a document layers an endpoint picker over the pods, which know what it does not") {
    boost::asio::io_context io;
    const PagedEpp epp(io);
    const test_support::PagedPod pod(io, test_support::vllm_page({.waiting = 7, .kv_cache = 0.25}));
    AnyCollector collector = collector_of(
        io, R"({"backend": "epp+pods", "layered": {"patience": "1h", "equally_fresh": "1h"},
        "pods": {"targets": [{"pod": "llama-5d8f-abcde", "namespace": "llm", "url": ")" +
                pod.target("").url + R"("}]}, )" + epp.section() + "}");
    const ReplicaSnapshot snapshot = snapshot_of(io, collector);
    REQUIRE(snapshot->replicas.size() == 1);
    CHECK(snapshot->replicas[0].queue_length.value() == 4);
    CHECK(snapshot->replicas[0].queue_length.layer() == 1);
    CHECK(snapshot->replicas[0].kv_cache_usage.value() == 0.25);
    CHECK(snapshot->replicas[0].kv_cache_usage.layer() == 2);
    // Only the pods can tell why a model has no numbers; that the EPP cannot is no trouble.
    const auto diagnosis = run_until_done<Result<Diagnosis>>(io, [&](auto handler) {
        collector.async_diagnose(ModelKey("llm", "meta/llama"), std::vector<VariantAutoscaling>(),
                                 std::move(handler));
    });
    REQUIRE(diagnosis.has_value());
    REQUIRE_FALSE(diagnosis->findings.empty());
    for (const Finding& finding : diagnosis->findings)
        CHECK_THAT(finding.text, Catch::Matchers::StartsWith("pods: "));
}

TEST_CASE("a collector of which no layer can tell why a model has no numbers says so") {
    boost::asio::io_context io;
    const PagedEpp epp(io);
    CollectorFactory factory;
    const auto settings =
        read_settings(R"({"backend": "epp+other", )" + epp.section() + "}").value();
    factory.register_backend(
        "other", [&](const auto& executor, const CollectorSettings& own) -> Result<AnyBackend> {
            return make_epp_backend(executor, own.epp);
        });
    AnyCollector collector = factory.make_collector(io.get_executor(), settings).value();
    const auto diagnosis = run_until_done<Result<Diagnosis>>(io, [&](auto handler) {
        collector.async_diagnose(ModelKey("llm", "meta/llama"), std::vector<VariantAutoscaling>(),
                                 std::move(handler));
    });
    REQUIRE(diagnosis.has_error());
    CHECK_THAT(diagnosis.error().describe(), ContainsSubstring("DiagnosingBackend"));
}

TEST_CASE("the section of a document also makes the backend that says whether requests wait") {
    boost::asio::io_context io;
    const PagedEpp epp(io);
    EppSettings section = read_settings(R"({"backend": "epp", )" + epp.section() + "}").value().epp;
    EppBackend backend = make_epp_backend(io.get_executor(), section).value();
    const auto queued = run_until_done<Result<EppQueued>>(io, [&](auto handler) {
        boost::asio::co_spawn(io, backend.is_anything_queued(ModelKey("llm", "meta/llama")),
                              [handler](std::exception_ptr thrown, Result<EppQueued> result) {
                                  REQUIRE(!thrown);
                                  handler(std::move(result));
                              });
    });
    CHECK(queued->queued == Queued::yes);
    CHECK(queued->requests.value() == 3);
    section.rate_window = 2h;
    section.namespace_name.clear();
    const Result<EppBackend> refused = make_epp_backend(io.get_executor(), section);
    REQUIRE(refused.has_error());
    CHECK_THAT(refused.error().message, ContainsSubstring("epp.namespace_name must be") &&
                                            ContainsSubstring("epp.rate_window must be"));
}

} // namespace
} // namespace wva_metrics
