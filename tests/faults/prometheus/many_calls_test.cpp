// SPDX-License-Identifier: Apache-2.0
//
// Many calls at once: what they cost a Prometheus, and what they get if it misbehaves.
#include "support/misbehaving_prometheus.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

constexpr std::size_t many = 600;

struct ManyCalls : MisbehavingPrometheus {
    /// The answers to so many calls for one variant, which begin together.
    std::vector<Result<OptimizerSnapshot>> collect_at_once(std::size_t calls) {
        std::vector<Result<OptimizerSnapshot>> answers;
        for (std::size_t i = 0; i < calls; ++i)
            collector().async_collect_optimizer_metrics(
                variant_of("llama"),
                [&](Result<OptimizerSnapshot> result) { answers.push_back(std::move(result)); });
        wait_until([&] { return answers.size() == calls; });
        return answers;
    }
    /// Asks for so many models, each by itself, and returns how many answers are errors.
    std::size_t failures_of(PrometheusBackend& asked, std::size_t models) {
        std::size_t ended = 0;
        std::size_t failed = 0;
        for (std::size_t i = 0; i < models; ++i)
            asio::co_spawn(io, asked.check_availability({"llm", "model-" + std::to_string(i)}),
                           [&](std::exception_ptr thrown, Result<Availability> answer) {
                               ++ended;
                               failed += thrown || answer.has_error() ? 1U : 0U;
                           });
        wait_until([&] { return ended == models; });
        return failed;
    }
};

} // namespace

TEST_CASE("a hundred callers of one key are one fetch, and all get its result or its error") {
    ManyCalls prometheus;
    prometheus.server.misbehave({http_answer("<html>Sign in</html>")});
    for (const Result<OptimizerSnapshot>& answer : prometheus.collect_at_once(100)) {
        REQUIRE(answer.has_error());
        CHECK(answer.error().is(Errc::bad_response));
    }
    CHECK(prometheus.collector().stats().targets == 1);
    CHECK(prometheus.server.requests().size() <= 3);
    prometheus.server.behave();
    prometheus.expire();
    for (const Result<OptimizerSnapshot>& answer : prometheus.collect_at_once(100))
        CHECK(answer.value()->arrival_rate_per_minute.value() == Catch::Approx(60));
    CHECK(prometheus.collector().stats().targets == 2);
    CHECK(prometheus.server.requests().size() <= 6);
}

TEST_CASE("a caller that is cancelled takes no answer from the others") {
    ManyCalls prometheus;
    asio::cancellation_signal cancel;
    std::vector<Result<OptimizerSnapshot>> cancelled;
    prometheus.collector().async_collect_optimizer_metrics(
        variant_of("llama"),
        asio::bind_cancellation_slot(cancel.slot(), [&](Result<OptimizerSnapshot> result) {
            cancelled.push_back(std::move(result));
        }));
    prometheus.fake.hold();
    std::vector<Result<OptimizerSnapshot>> others;
    for (int i = 0; i < 10; ++i)
        prometheus.collector().async_collect_optimizer_metrics(
            variant_of("llama"),
            [&](Result<OptimizerSnapshot> result) { others.push_back(std::move(result)); });
    prometheus.wait_until([&] { return !prometheus.server.requests().empty(); });
    cancel.emit(asio::cancellation_type::terminal);
    prometheus.wait_until([&] { return !cancelled.empty(); });
    CHECK(cancelled.front().error().is(Errc::aborted));
    CHECK(others.empty());
    prometheus.fake.release();
    prometheus.wait_until([&] { return others.size() == 10; });
    CHECK(std::all_of(others.begin(), others.end(),
                      [](const Result<OptimizerSnapshot>& answer) { return answer.has_value(); }));
    CHECK(prometheus.collector().stats().targets == 1);
}

TEST_CASE("hundreds of queries at once share the allowed connections, and errors keep none busy") {
    ManyCalls prometheus;
    PrometheusBackend asked = prometheus.backend();
    const std::size_t allowed = prometheus.config.client.http.limits.max_connections;
    const std::string refusal =
        http_answer(R"({"status":"error","errorType":"execution","error":"refused"})", "",
                    "422 Unprocessable Entity");
    prometheus.server.misbehave({refusal});
    CHECK(prometheus.failures_of(asked, many) == many);
    CHECK(prometheus.server.connections() <= allowed);
    CHECK(prometheus.server.reused() > many / 2);
    // After these each connection is closed, and its place is free for the next query.
    for (const Misbehaviour& how :
         {Misbehaviour{http_answer("<html>Sign in</html>")},
          Misbehaviour{http_answer("{\"status\":"), Misbehaviour::End::reset},
          Misbehaviour{"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n"}}) {
        prometheus.server.misbehave(how);
        CHECK(prometheus.failures_of(asked, 10 * allowed) == 10 * allowed);
        CHECK(prometheus.server.reused() <= allowed); // Those that were idle before.
    }
    prometheus.server.behave();
    CHECK(prometheus.failures_of(asked, 10 * allowed) == 0);
}
