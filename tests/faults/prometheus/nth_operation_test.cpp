// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/http/tcp_transport.hpp"

#include "support/collector_fixture.hpp"
#include "support/failing_transport.hpp"
#include "unit/backend/backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Fault = FailingTransport::Fault;

namespace {

/// More operations than any of these tests needs.
constexpr std::size_t most_operations = 200;

/// A collector over a fake Prometheus, whose connections fail at will. The clock is manual; HTTP
/// uses the real one.
struct UnreliablePrometheus : BackendFixture {
    UnreliablePrometheus() { set_load({"llama-7d9f8b6c5d-aaaaa"}, 1); }

    Result<OptimizerSnapshot> collect() {
        std::optional<Result<OptimizerSnapshot>> answer;
        collector.async_collect_optimizer_metrics(
            variant_of("llama"),
            [&](Result<OptimizerSnapshot> result) { answer = std::move(result); });
        wait_until([&] { return answer.has_value(); });
        return *std::move(answer);
    }
    /// Lets one round of the background fetch begin and end.
    void run_round() {
        const auto before = collector.stats().background_rounds;
        ManualClock::advance(1min);
        wait_until([&] { return collector.stats().background_rounds > before; });
    }
    PrometheusBackend failing_backend() {
        config.client.http.transport = transport;
        return backend();
    }

    std::shared_ptr<FailingTransport> transport =
        std::make_shared<FailingTransport>(std::make_shared<http::TcpTransport>());
    Collector<PrometheusBackend, MemoryCache, NullObserver, ManualTimer> collector{
        io.get_executor(), failing_backend()};
};

/// The value that Prometheus has, or a value that says that it is unknown. Never another one.
void check_value(const OptimizerSnapshot& snapshot) {
    const Reading<double>& rate = snapshot->arrival_rate_per_minute;
    CHECK((!rate.has_value() || rate.value() == Catch::Approx(60)));
}
bool is_complete(const Result<OptimizerSnapshot>& result) {
    return result.has_value() && (*result)->arrival_rate_per_minute.has_value() &&
           (*result)->arrival_rate_per_minute.value() == Catch::Approx(60);
}
void check_error(const Error& error) {
    CAPTURE(error.describe());
    CHECK((error.is(Errc::unreachable) || error.is(Errc::unavailable) || error.is(Errc::timeout) ||
           error.is(Errc::bad_response)));
    CHECK_FALSE(error.message.empty());
}

} // namespace

TEST_CASE("whichever operation of a collect fails, it says so, and the next collect works") {
    const Fault fault = GENERATE(Fault::reset, Fault::cut_short);
    for (std::size_t nth = 1; nth < most_operations; ++nth) {
        CAPTURE(fault, nth);
        UnreliablePrometheus prometheus;
        prometheus.transport->fail(nth, fault);
        const Result<OptimizerSnapshot> first = prometheus.collect();
        if (first.has_value())
            check_value(*first);
        else
            check_error(first.error());
        if (!prometheus.transport->has_failed()) {
            CHECK(nth > 4); // At least two connections' worth: connect, write, read.
            CHECK(is_complete(first));
            return;
        }
        prometheus.transport->heal();
        ManualClock::advance(2min);
        CHECK(is_complete(prometheus.collect()));
    }
    FAIL("a collect does not end");
}

TEST_CASE("whichever operation of a refresh fails, the last good value survives") {
    const Fault fault = GENERATE(Fault::reset, Fault::cut_short);
    for (std::size_t nth = 1; nth < most_operations; ++nth) {
        CAPTURE(fault, nth);
        UnreliablePrometheus prometheus;
        REQUIRE(is_complete(prometheus.collect()));
        // Too old to be served without a refresh.
        ManualClock::advance(2min);
        prometheus.transport->fail(nth, fault);
        const Result<OptimizerSnapshot> refreshed = prometheus.collect();
        CHECK(is_complete(refreshed));
        if (!prometheus.transport->has_failed()) {
            CHECK(refreshed->source() == Source::backend);
            return;
        }
        prometheus.transport->heal();
        ManualClock::advance(2min);
        const Result<OptimizerSnapshot> next = prometheus.collect();
        REQUIRE(is_complete(next));
        CHECK(next->source() == Source::backend);
    }
    FAIL("a refresh does not end");
}

TEST_CASE("whichever operation of a background round fails, the value survives, and the next round "
          "renews it") {
    const Fault fault = GENERATE(Fault::reset, Fault::cut_short);
    for (std::size_t nth = 1; nth < most_operations; ++nth) {
        CAPTURE(fault, nth);
        UnreliablePrometheus prometheus;
        auto& collector = prometheus.collector;
        REQUIRE(is_complete(prometheus.collect()));
        collector.start_background_fetching();
        prometheus.transport->fail(nth, fault);
        prometheus.run_round();
        const bool has_failed = prometheus.transport->has_failed();
        CHECK(is_complete(prometheus.collect()));
        prometheus.transport->heal();
        const TimePoint healed = ManualClock::now();
        prometheus.run_round();
        const Result<OptimizerSnapshot> renewed = prometheus.collect();
        REQUIRE(is_complete(renewed));
        CHECK(renewed->source() == Source::cache);
        CHECK(renewed->collected_at() > healed);
        if (!has_failed)
            return;
    }
    FAIL("a round does not end");
}
