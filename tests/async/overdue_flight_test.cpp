// SPDX-License-Identifier: Apache-2.0
//
// A backend that blocks the thread that calls it, so that not even the deadline of its call is noticed.
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Runs a function inside its calls, as long as there is one.
class BlockingBackend {
public:
    /// Runs inside the next call only.
    void block_once(std::function<void()> meanwhile) { *meanwhile_ = std::move(meanwhile); }
    std::size_t calls() const { return *calls_; }

    asio::awaitable<Result<Availability>> check_availability(ModelKey) {
        run();
        co_return Availability{};
    }
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        run();
        co_return std::vector<Result<OptimizerMetrics>>(variants.size(), OptimizerMetrics{});
    }
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        run();
        co_return std::vector<Result<ReplicaSamples>>(models.size(), ReplicaSamples{});
    }

private:
    void run() {
        ++*calls_;
        if (const auto meanwhile = std::exchange(*meanwhile_, nullptr))
            meanwhile();
    }

    std::shared_ptr<std::size_t> calls_ = std::make_shared<std::size_t>(0);
    std::shared_ptr<std::function<void()>> meanwhile_ = std::make_shared<std::function<void()>>();
};

struct BlockedFixture {
    using CollectorType = Collector<BlockingBackend, MemoryCache, NullObserver, ManualTimer>;
    using Answer = std::shared_ptr<std::optional<Result<OptimizerSnapshot>>>;

    Answer start() {
        auto answer = std::make_shared<std::optional<Result<OptimizerSnapshot>>>();
        collector.async_collect_optimizer_metrics(
            variant("v"),
            [answer](Result<OptimizerSnapshot> result) { answer->emplace(std::move(result)); });
        return answer;
    }
    void settle() {
        io.restart();
        io.poll();
    }

    boost::asio::io_context io;
    BlockingBackend backend;
    CollectorType collector{io.get_executor(), backend, {.max_overdue_calls = 2}};
};

} // namespace

TEST_CASE("a call does not join a flight past its deadline, whose callers get a timeout") {
    BlockedFixture f;
    std::size_t overdue = 0;
    BlockedFixture::Answer second;
    f.backend.block_once([&] {
        ManualClock::advance(10s + 1ns); // call_timeout
        second = f.start();
        f.settle();
        overdue = f.collector.stats().overdue_calls;
    });
    const BlockedFixture::Answer first = f.start();
    f.settle();
    CHECK(f.backend.calls() == 2);
    CHECK(first->value().error().is(Errc::timeout));
    CHECK(second->value().has_value());
    CHECK(overdue == 1);
    CHECK(f.collector.stats().overdue_calls == 0);
    CHECK(f.collector.stats().in_flight == 0);
    CHECK(f.collector.stats().coalesced == 0);
    // The answer of the second call is cached, not the late one.
    CHECK(f.start()->has_value() == false);
    f.settle();
    CHECK(f.backend.calls() == 2);
}

TEST_CASE("a call joins a flight until its deadline") {
    BlockedFixture f;
    BlockedFixture::Answer second;
    f.backend.block_once([&] {
        ManualClock::advance(10s);
        second = f.start();
        f.settle();
        CHECK(f.backend.calls() == 1);
    });
    const BlockedFixture::Answer first = f.start();
    f.settle();
    CHECK(first->value().has_value());
    CHECK(second->value().has_value());
    CHECK(f.collector.stats().coalesced == 1);
}

TEST_CASE("a backend that blocks every thread that calls it is called only so often") {
    BlockedFixture f;
    std::vector<BlockedFixture::Answer> answers;
    const std::function<void()> block = [&] {
        if (answers.size() == 5)
            return;
        ManualClock::advance(10s + 1ns);
        f.backend.block_once(block);
        answers.push_back(f.start());
        f.settle();
    };
    f.backend.block_once(block);
    answers.push_back(f.start());
    f.settle();
    CHECK(f.backend.calls() == 2); // max_overdue_calls
    for (const BlockedFixture::Answer& answer : answers)
        CHECK(answer->has_value());
    CHECK(answers.back()->value().error().is(Errc::unavailable));
    CHECK(f.collector.stats().overdue_calls == 0);
}

TEST_CASE("a round fetches what is past its deadline again, and its callers get a timeout") {
    BlockedFixture f;
    f.collector.start_background_fetching();
    bool is_answered = false;
    BlockedFixture::Answer first;
    f.backend.block_once([&] {
        ManualClock::advance(40s);
        f.settle();
        f.settle(); // What the round has posted.
        is_answered = first->has_value();
    });
    first = f.start();
    f.settle();
    CHECK(is_answered);
    CHECK(first->value().error().is(Errc::timeout));
    CHECK(f.backend.calls() == 2);
    CHECK(f.collector.find_optimizer_metrics({"llm", "v"}).has_value());
}

TEST_CASE("a fetch that the executor did not run in time is not sent, and says so") {
    BlockedFixture f;
    const BlockedFixture::Answer first = f.start();
    ManualClock::advance(11s);
    f.settle();
    CHECK(f.backend.calls() == 0);
    CHECK(first->value().error().is(Errc::timeout));
    CHECK_THAT(first->value().error().message,
               Catch::Matchers::ContainsSubstring("the collector's executor sent no request"));
    ManualClock::advance(2s); // negative_ttl
    const BlockedFixture::Answer second = f.start();
    f.settle();
    CHECK(second->value().has_value());
}
