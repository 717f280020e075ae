// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Does not end when it is cancelled, but when `let_go` is called.
class DeafBackend {
public:
    asio::awaitable<Result<Availability>> check_availability(ModelKey) {
        co_await wait();
        co_return Availability{};
    }
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        co_await wait();
        co_return std::vector<Result<OptimizerMetrics>>(variants.size(), OptimizerMetrics{});
    }
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        co_await wait();
        co_return std::vector<Result<ReplicaSamples>>(models.size(), ReplicaSamples{});
    }

    void be_deaf() { *is_deaf_ = true; }
    void let_go() {
        *is_deaf_ = false;
        for (const auto& timer : *waiting_)
            timer->cancel();
    }
    std::size_t calls() const { return waiting_->size(); }

private:
    using Timers = std::vector<std::shared_ptr<asio::steady_timer>>;

    asio::awaitable<void> wait() {
        const std::shared_ptr<bool> is_deaf = is_deaf_;
        const std::shared_ptr<Timers> waiting = waiting_;
        const auto executor = co_await asio::this_coro::executor;
        const auto timer = std::make_shared<asio::steady_timer>(executor);
        waiting->push_back(timer);
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        while (*is_deaf) {
            timer->expires_at(asio::steady_timer::time_point::max());
            try {
                co_await timer->async_wait(asio::use_awaitable);
            } catch (const boost::system::system_error&) {
                // Cancelled: whether to go on waiting is decided above.
            }
        }
    }

    std::shared_ptr<bool> is_deaf_ = std::make_shared<bool>(false);
    std::shared_ptr<Timers> waiting_ = std::make_shared<Timers>();
};

struct DeafFixture {
    using CollectorType = Collector<DeafBackend, MemoryCache, NullObserver, ManualTimer>;

    Result<OptimizerSnapshot> collect(const std::string& name) {
        std::optional<Result<OptimizerSnapshot>> answer;
        collector.async_collect_optimizer_metrics(
            variant(name), [&](Result<OptimizerSnapshot> result) { answer = std::move(result); });
        settle();
        if (!answer)
            advance(10s); // call_timeout
        return answer.value();
    }
    void advance(Duration by) {
        ManualClock::advance(by);
        settle();
    }
    void settle() {
        io.restart();
        io.poll();
    }

    boost::asio::io_context io;
    DeafBackend backend;
    CollectorType collector{io.get_executor(), backend, {.max_overdue_calls = 3}};
};

} // namespace

TEST_CASE("calls of a backend that is deaf to cancellation are counted, and bounded") {
    DeafFixture f;
    f.collect("known").value();
    f.backend.be_deaf();
    f.advance(61s); // Past the TTL and stale_while_revalidate.
    CHECK(f.collector.stats().overdue_calls == 0);
    for (std::size_t i = 1; i <= 3; ++i) {
        CHECK(f.collect("v" + std::to_string(i)).error().is(Errc::timeout));
        CHECK(f.collector.stats().overdue_calls == i);
    }
    const std::size_t calls = f.backend.calls();
    for (std::size_t i = 1; i <= 5; ++i) {
        const Error error = f.collect("w" + std::to_string(i)).error();
        CHECK(error.is(Errc::unavailable));
        CHECK_THAT(error.message, ContainsSubstring("3 calls") &&
                                      ContainsSubstring("CollectorConfig::max_overdue_calls"));
        CHECK(f.collector.stats().refused_batches == i);
    }
    CHECK(f.collect("known").value().source() == Source::stale_on_error);
    CHECK(f.backend.calls() == calls);
    CHECK(f.collector.stats().overdue_calls == 3);
    CHECK(!f.collector.health().healthy);

    // Background rounds are refused too, and go on.
    f.collector.start_background_fetching();
    for (int i = 0; i < 4; ++i)
        f.advance(17s);
    CHECK(f.backend.calls() == calls);
    CHECK(f.collector.stats().background_rounds >= 3);

    f.backend.let_go();
    f.settle();
    CHECK(f.collector.stats().overdue_calls == 0);
    f.advance(2s); // negative_ttl
    CHECK(f.collect("v1").has_value());
}

TEST_CASE("a backend that ends when it is cancelled leaves no overdue calls") {
    CollectorFixture f({.max_overdue_calls = 1});
    f.backend.hold();
    for (int i = 0; i < 5; ++i) {
        const auto pending = f.start(variant("v" + std::to_string(i)));
        f.settle();
        f.advance(10s);
        CHECK(pending->value().error().is(Errc::timeout));
    }
    CHECK(f.collector->stats().overdue_calls == 0);
    CHECK(f.collector->stats().refused_batches == 0);
}
