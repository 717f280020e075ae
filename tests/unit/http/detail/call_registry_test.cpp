// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/call_registry.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Call = http::detail::Call<boost::asio::any_io_executor>;
using CallRegistry = http::detail::CallRegistry<boost::asio::any_io_executor>;

namespace {

TimePoint now() {
    return std::chrono::steady_clock::now();
}

struct RegisteredCall {
    RegisteredCall(const std::shared_ptr<CallRegistry>& registry, TimePoint at)
        : call(std::make_shared<Call>(*registry->take_strand())), registration(*registry, *call) {
        registry->expire_at(*call, at);
    }

    std::shared_ptr<Call> call;
    CallRegistry::Registration registration;
};

struct Fixture {
    boost::asio::io_context io;
    std::shared_ptr<CallRegistry> registry = std::make_shared<CallRegistry>(io.get_executor());

    /// Runs until the condition holds; false if it does not within 30 s.
    template <typename Condition>
    bool run_until(Condition condition) {
        const TimePoint timeout = now() + 30s;
        io.restart();
        while (!condition()) {
            if (io.run_one_until(timeout) == 0)
                return false;
        }
        return true;
    }
    bool runs_out_of_work() {
        io.restart();
        io.run_until(now() + 30s);
        return io.stopped();
    }
};

} // namespace

TEST_CASE_METHOD(Fixture, "each call expires at its own deadline, in any order of registration") {
    std::vector<Duration> times{5ms, 30ms, 1h};
    do {
        std::vector<std::unique_ptr<RegisteredCall>> open;
        for (const Duration time : times)
            open.push_back(std::make_unique<RegisteredCall>(registry, now() + time));
        for (std::size_t i = 0; i < times.size(); ++i) {
            if (times[i] == 1h)
                continue;
            CHECK(run_until([&] { return open[i]->call->is_expired(); }));
            CHECK(now() >= open[i]->call->deadline());
        }
        for (std::size_t i = 0; i < times.size(); ++i)
            CHECK(open[i]->call->is_expired() == (times[i] != 1h));
    } while (std::next_permutation(times.begin(), times.end()));
}

TEST_CASE_METHOD(Fixture, "a call that gets a new deadline before its expiry is handled goes on") {
    const RegisteredCall open(registry, now());
    io.run_one(); // The timer's handler; what it posts has not run yet.
    registry->expire_at(*open.call, now() + 1h);
    io.restart();
    io.poll();
    CHECK_FALSE(open.call->is_stopped());
    registry->expire_at(*open.call, now());
    CHECK(run_until([&] { return open.call->is_expired(); }));
    registry->expire_at(*open.call, now() + 1h);
    CHECK_FALSE(open.call->is_stopped());
}

TEST_CASE_METHOD(Fixture,
                 "an aborted call does not go on after a new deadline, even if it expired first") {
    const Call::Stop reason = GENERATE(Call::Stop::cancelled, Call::Stop::closed);
    const bool expires_first = GENERATE(true, false);
    const RegisteredCall open(registry, now() + 1h);
    if (expires_first)
        open.call->expire();
    open.call->post_cancel(reason);
    io.poll();
    if (!expires_first)
        open.call->expire();
    CHECK_FALSE(open.call->is_expired());
    registry->expire_at(*open.call, now() + 1h);
    CHECK(open.call->is_aborted());
}

TEST_CASE_METHOD(Fixture,
                 "after its last call the timer keeps the io_context running only briefly") {
    auto open = std::make_unique<RegisteredCall>(registry, now() + 1h);
    SECTION("ended soon after it began") {}
    SECTION("ended when the timer was armed for its deadline") {
        CHECK(
            run_until([&] { return now() > open->call->deadline() - 1h + CallRegistry::linger; }));
        // A call with an earlier deadline is not delayed by it.
        const RegisteredCall nearer(registry, now() + 5ms);
        CHECK(run_until([&] { return nearer.call->is_expired(); }));
        CHECK_FALSE(open->call->is_expired());
    }
    open.reset();
    CHECK(runs_out_of_work());
}

TEST_CASE_METHOD(Fixture, "a strand is used again by a later call, but by one call at a time") {
    auto first = std::make_unique<RegisteredCall>(registry, now() + 1h);
    const RegisteredCall second(registry, now() + 1h);
    const boost::asio::any_io_executor strand = first->call->strand();
    CHECK(second.call->strand() != strand);
    {
        const auto beside = std::make_shared<Call>(Call::Beside{*first->call});
        const CallRegistry::Registration registration(*registry, *beside);
        CHECK(beside->strand() == strand);
    }
    CHECK(registry->take_strand() != strand); // The first call still uses it.
    first.reset();
    CHECK(registry->take_strand() == strand);
    CHECK(registry->take_strand() != strand);
}

TEST_CASE_METHOD(Fixture, "strands are kept for a few later calls only, and not after closing") {
    std::vector<std::unique_ptr<RegisteredCall>> running;
    std::vector<boost::asio::any_io_executor> used;
    for (std::size_t i = 0; i < 2 * CallRegistry::max_idle_strands; ++i) {
        running.push_back(std::make_unique<RegisteredCall>(registry, now() + 1h));
        used.push_back(running.back()->call->strand());
    }
    running.clear();
    const auto is_used = [&] {
        const auto strand = registry->take_strand();
        return strand && std::find(used.begin(), used.end(), *strand) != used.end();
    };
    for (std::size_t i = 0; i < CallRegistry::max_idle_strands; ++i)
        CHECK(is_used());
    CHECK_FALSE(is_used());

    auto last = std::make_unique<RegisteredCall>(registry, now() + 1h);
    registry->close(false);
    last.reset();
    CHECK_FALSE(registry->take_strand());
}

TEST_CASE_METHOD(Fixture, "closing ends all calls and the timer") {
    const RegisteredCall first(registry, now() + 1h);
    const RegisteredCall second(registry, now() + 1h);
    registry->close(true);
    registry->expire_at(*first.call, now() + 1h);
    CHECK(runs_out_of_work());
    CHECK(first.call->is_aborted());
    CHECK(second.call->is_aborted());
    CHECK_FALSE(registry->executor());
    const std::shared_ptr<Call> late = std::make_shared<Call>(io.get_executor());
    CHECK_FALSE(CallRegistry::Registration(*registry, *late).is_open());
}
