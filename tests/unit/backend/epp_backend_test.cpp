// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/backend/epp_backend.hpp"

#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using test_support::ScriptedServer;
using test_support::secret_token;

std::string epp_answer(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status +
           "\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string busy_page =
    "llm_d_epp_ready_endpoints{name=\"p\"} 1\n"
    "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"a\"} 4\n"
    "llm_d_epp_flow_control_queue_size{model_name=\"m\",priority=\"0\"} 3\n"
    "llm_d_epp_request_total{model_name=\"m\"} 9\n";

struct EppServer {
    asio::io_context context;
    std::optional<ScriptedServer> server;

    /// The n-th connection gets the n-th answer for each request.
    explicit EppServer(const std::vector<std::string>& answers) {
        std::vector<ScriptedServer::Script> scripts;
        for (const std::string& answer : answers)
            scripts.push_back(answer.starts_with("HTTP/1.0")
                                  ? test_support::answer_and_close(answer)
                                  : test_support::answer_each_with(answer));
        server.emplace(context, std::move(scripts));
    }

    EppConfig config() const {
        EppConfig made = EppConfig::at(server->url(), "ns");
        made.client.credentials = http::Credentials::bearer(secret_token);
        made.reuse = 0s;
        return made;
    }

    /// What a coroutine completes with.
    template <typename T>
    T run(asio::awaitable<T> call) {
        std::optional<T> result;
        asio::co_spawn(context, std::move(call), [&](std::exception_ptr thrown, T got) {
            REQUIRE(!thrown);
            result.emplace(std::move(got));
        });
        while (!result && context.run_one() > 0) {
        }
        REQUIRE(result.has_value());
        return *std::move(result);
    }
};

TEST_CASE("an EPP is asked with the bearer token, and answers in one call", "[epp]") {
    EppServer epp({epp_answer(busy_page)});
    EppBackend backend(epp.context.get_executor(), epp.config());
    const Result<EppQueued> queued = epp.run(backend.is_anything_queued({"ns", "m"}));
    REQUIRE(queued.has_value());
    CHECK(queued->queued == Queued::yes);
    CHECK(queued->requests.value() == 3);
    CHECK(epp.server->requests().at(0).starts_with("GET /metrics HTTP/1.1"));
    CHECK(epp.server->requests().at(0).find(secret_token) != std::string::npos);
    CHECK(epp.run(backend.is_anything_queued({"ns", "n"}))->queued == Queued::no);
    CHECK(epp.server->connections() == 1);
}

TEST_CASE("an EPP backend is a backend, also behind one type", "[epp]") {
    EppServer epp({epp_answer(busy_page)});
    AnyBackend backend(EppBackend(epp.context.get_executor(), epp.config()));
    const std::vector<ModelKey> models = {{"ns", "m"}, {"elsewhere", "m"}, {"ns", "n"}};
    const auto replicas = epp.run(backend.fetch_replica_samples(models));
    REQUIRE(replicas.size() == 3);
    REQUIRE(replicas[0].has_value());
    CHECK(replicas[0]->pods.at(0).queue_length.value() == 4);
    CHECK(replicas[1].error().is(Errc::rejected));
    CHECK(replicas[2].error().is(Errc::rejected));
    const std::vector<VariantAutoscaling> variants = {{"ns", "v", "m", "d"}};
    const auto optimizer = epp.run(backend.fetch_optimizer_metrics(variants));
    REQUIRE(optimizer.size() == 1);
    CHECK(optimizer[0]->arrival_rate_per_minute.metric() == "llm_d_epp_request_total");
    CHECK(epp.run(backend.check_availability({"ns", "m"}))->available);
    const std::vector<ModelKey> none;
    CHECK(epp.run(backend.fetch_replica_samples(none)).empty());
}

TEST_CASE("a workload that an earlier call named makes a model's requests unattributed", "[epp]") {
    EppServer epp({epp_answer(busy_page)});
    EppBackend backend(epp.context.get_executor(), epp.config());
    const std::vector<VariantAutoscaling> first = {{"ns", "v1", "m", "d1"}};
    const std::vector<VariantAutoscaling> second = {{"ns", "v2", "m", "d2"}};
    const auto alone = epp.run(backend.fetch_optimizer_metrics(first));
    CHECK(alone[0]->arrival_rate_per_minute.reason() == ReadingReason::warming_up);
    const auto together = epp.run(backend.fetch_optimizer_metrics(second));
    CHECK(together[0]->arrival_rate_per_minute.reason() == ReadingReason::unattributed);
}

TEST_CASE("a scrape of an EPP that fails is an error that says what to do, and no empty queue",
          "[epp]") {
    struct Case {
        std::string answer;
        Errc code;
        std::string words;
    };
    const std::vector<Case> cases = {
        {epp_answer("Unauthorized\n", "401 Unauthorized"), Errc::unauthorized, "bearer token"},
        {epp_answer("Authorization denied for user x\n", "403 Forbidden"), Errc::forbidden,
         "non-resource URL"},
        {epp_answer("Authentication failed\n", "500 Internal Server Error"), Errc::unavailable,
         "tokenreviews"},
        {"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
         Errc::tls_failed, "speaks TLS only"},
        {epp_answer(""), Errc::bad_response, "empty"},
        {epp_answer("llm_d_epp_ready_endpoints{name=\"p\"} x\n"), Errc::bad_response, ""},
        {epp_answer("404 page not found\n", "404 Not Found"), Errc::rejected, "path and port"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.answer);
        EppServer epp({one.answer});
        EppBackend backend(epp.context.get_executor(), epp.config());
        const Result<EppQueued> queued = epp.run(backend.is_anything_queued({"ns", "m"}));
        REQUIRE(queued.has_error());
        CHECK(queued.error().is(one.code));
        CHECK_THAT(queued.error().message, ContainsSubstring(one.words));
        CHECK(queued.error().endpoint == epp.server->url());
        CHECK(queued.error().describe().find(secret_token) == std::string::npos);
        CHECK(epp.run(backend.fetch_pool_status()).has_error());
        const std::vector<ModelKey> models = {{"ns", "m"}, {"ns", "n"}};
        for (const auto& answer : epp.run(backend.fetch_replica_samples(models)))
            CHECK(answer.error().is(one.code));
    }
}

TEST_CASE("after a failed scrape the last page does not count", "[epp]") {
    EppServer epp({"", "", ""});
    bool fails = false;
    ScriptedServer server(epp.context, {[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                              for (;;) {
                                  co_await peer->read_request();
                                  const std::string answer =
                                      fails ? epp_answer("", "503 Service Unavailable")
                                            : epp_answer(busy_page);
                                  co_await peer->send(answer);
                              }
                          }});
    EppConfig config = EppConfig::at(server.url(), "ns");
    config.reuse = 1min;
    EppBackend backend(epp.context.get_executor(), config);
    CHECK(epp.run(backend.fetch_pool_status()).has_value());
    fails = true;
    CHECK(epp.run(backend.fetch_pool_status()).has_value()); // Within `reuse`.
    CHECK(server.requests().size() == 1);

    config.reuse = 0s;
    EppBackend other(epp.context.get_executor(), config);
    CHECK(epp.run(other.fetch_pool_status()).has_error());
    fails = false;
    CHECK(epp.run(other.fetch_pool_status()).has_value());
    fails = true;
    CHECK(epp.run(other.is_anything_queued({"ns", "m"})).error().is(Errc::unavailable));
}

TEST_CASE("a token file that was rotated is read again", "[epp]") {
    const test_support::TemporaryDirectory directory;
    const std::string file = (directory.path() / "token").string();
    std::ofstream(file) << "first";
    EppServer epp({""});
    ScriptedServer server(epp.context, {[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                              for (;;) {
                                  const std::string request = co_await peer->read_request();
                                  const std::string answer =
                                      request.find("Bearer second") == std::string::npos
                                          ? epp_answer("Unauthorized\n", "401 Unauthorized")
                                          : epp_answer(busy_page);
                                  co_await peer->send(answer);
                              }
                          }});
    EppConfig config = EppConfig::at(server.url(), "ns");
    config.client.credentials = http::Credentials::bearer_file(file);
    EppBackend backend(epp.context.get_executor(), config);
    CHECK(epp.run(backend.fetch_pool_status()).error().is(Errc::unauthorized));
    std::ofstream(file) << "second";
    CHECK(epp.run(backend.fetch_pool_status()).has_value());
}

TEST_CASE("calls that come while the page is read share it; if that one is cancelled another reads",
          "[epp]") {
    EppServer epp({""});
    std::size_t held = 0;
    std::size_t to_hold = 1;
    ScriptedServer server(epp.context, {[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                              for (;;) {
                                  co_await peer->read_request();
                                  if (held < to_hold) {
                                      ++held;
                                      co_await peer->wait_for_close();
                                      co_return;
                                  }
                                  co_await peer->send(epp_answer(busy_page));
                              }
                          }});
    EppConfig config = EppConfig::at(server.url(), "ns");
    config.reuse = 0s;
    EppBackend backend(epp.context.get_executor(), config);
    asio::cancellation_signal cancel;
    std::vector<std::optional<Result<EppPoolStatus>>> results(4);
    std::size_t completed = 0;
    for (std::size_t i = 0; i < results.size(); ++i)
        asio::co_spawn(epp.context, backend.fetch_pool_status(),
                       asio::bind_cancellation_slot(
                           i == 0 ? cancel.slot() : asio::cancellation_slot(),
                           [&, i](std::exception_ptr thrown, Result<EppPoolStatus> got) {
                               REQUIRE(!thrown);
                               results[i] = std::move(got);
                               ++completed;
                           }));
    while (held == 0 && epp.context.run_one() > 0) {
    }
    CHECK(server.requests().size() == 1);
    cancel.emit(asio::cancellation_type::terminal);
    while (completed < results.size() && epp.context.run_one() > 0) {
    }
    CHECK(results[0]->error().is(Errc::aborted));
    for (std::size_t i = 1; i < results.size(); ++i)
        CHECK(results[i]->has_value());
    CHECK(server.requests().size() == 2);
}

TEST_CASE("a context with a call to an EPP pending can be destroyed before the backend", "[epp]") {
    auto context = std::make_unique<asio::io_context>();
    std::optional<EppBackend> backend;
    {
        ScriptedServer server(*context, {[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            co_await peer->wait_for_close();
        }});
        backend.emplace(context->get_executor(), EppConfig::at(server.url(), "ns"));
        for (int i = 0; i < 3; ++i)
            asio::co_spawn(*context, backend->fetch_pool_status(),
                           [](std::exception_ptr, const Result<EppPoolStatus>&) {});
        for (int i = 0; i < 20; ++i)
            context->poll_one();
    }
    context.reset();
    backend.reset();
    SUCCEED();
}

TEST_CASE("an EPP's configuration is checked, and all problems are said", "[epp]") {
    EppConfig config = EppConfig::at("ftp://x", "");
    config.rate_window = 0s;
    config.min_requests = -1;
    config.names.set(EppMetric::requests, {});
    const std::vector<std::string> problems = validate(config);
    CHECK(problems.size() == 5);
    asio::io_context context;
    CHECK(EppBackend::make(context.get_executor(), config).error().is(Errc::invalid_config));
    CHECK(validate(EppConfig::at("http://localhost:9090", "ns")).empty());
    // A token is not sent in the clear to another machine.
    config = EppConfig::at("http://epp:9090", "ns");
    config.client.credentials = http::Credentials::bearer(secret_token);
    CHECK(validate(config).size() == 1);
}

} // namespace
} // namespace wva_metrics
