// SPDX-License-Identifier: Apache-2.0
//
// Collectors of the backend "epp" of a document, alone and as a layer.
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "unit/backend/pods/paged_pods.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/make_epp_backend.hpp"
#include "wva_metrics/settings/read_settings.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

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
