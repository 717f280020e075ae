// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/round_client.hpp"

#include "unit/backend/backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

struct HeldServer : BackendFixture {
    using Impl = wva_metrics::detail::PrometheusImpl<asio::any_io_executor>;
    using Client = wva_metrics::detail::RoundClient<asio::any_io_executor>;

    static asio::awaitable<Result<prometheus::AnswerInfo>> ask(Client client) {
        const auto ignore = [](const prometheus::SeriesView&) {};
        co_return co_await client.send("vector(0)", ignore);
    }
    Client client(Duration left) {
        return Client(std::make_shared<Impl>(io.get_executor(), config),
                      std::chrono::steady_clock::now() + left, Priority::interactive);
    }
};

} // namespace

TEST_CASE_METHOD(HeldServer, "a query that a round can do without leaves time for the answers") {
    fake.hold();
    const TimePoint before = std::chrono::steady_clock::now();
    const auto answer = run(ask(client(2s).hurried()));
    REQUIRE(answer.has_error());
    CHECK(answer.error().is(Errc::timeout));
    CHECK(std::chrono::steady_clock::now() - before < 2s);
}

TEST_CASE_METHOD(HeldServer, "such a query has the time of one attempt at most") {
    fake.hold();
    config.client.http.timeouts.attempt = 50ms;
    const auto answer = run(ask(client(10min).hurried()));
    REQUIRE(answer.has_error());
    CHECK(answer.error().is(Errc::timeout));
}

TEST_CASE_METHOD(HeldServer, "such a query is answered like any other") {
    CHECK(run(ask(client(10min).hurried())).has_value());
}
