// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/call_registry.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using http::detail::Call;
using http::detail::OpenCalls;

namespace {

TimePoint now() {
    return std::chrono::steady_clock::now();
}

struct OpenCall {
    OpenCall(const std::shared_ptr<OpenCalls>& calls, TimePoint at)
        : call(std::make_shared<Call>(*calls->executor())), registration(*calls, *call) {
        calls->expire_at(*call, at);
    }

    std::shared_ptr<Call> call;
    OpenCalls::Registration registration;
};

struct Fixture {
    boost::asio::io_context io;
    std::shared_ptr<OpenCalls> calls = std::make_shared<OpenCalls>(io.get_executor());

    /// Runs until the condition holds; false where that takes far too long, or never comes.
    template <typename Condition>
    bool run_until(Condition condition) {
        const TimePoint give_up = now() + 30s;
        io.restart();
        while (!condition()) {
            if (io.run_one_until(give_up) == 0)
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

TEST_CASE_METHOD(Fixture, "each call expires at its own time, in whatever order they came") {
    std::vector<Duration> times{5ms, 30ms, 1h};
    do {
        std::vector<std::unique_ptr<OpenCall>> open;
        for (const Duration time : times)
            open.push_back(std::make_unique<OpenCall>(calls, now() + time));
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

TEST_CASE_METHOD(Fixture,
                 "a call that is given a new time before it hears that it expired lives on") {
    const OpenCall open(calls, now());
    io.run_one(); // The timer; what it posts has not run yet.
    calls->expire_at(*open.call, now() + 1h);
    io.restart();
    io.poll();
    CHECK_FALSE(open.call->is_stopped());
    calls->expire_at(*open.call, now());
    CHECK(run_until([&] { return open.call->is_expired(); }));
    calls->expire_at(*open.call, now() + 1h);
    CHECK_FALSE(open.call->is_stopped());
}

TEST_CASE_METHOD(Fixture,
                 "a call that nobody wants any more gets no new time, even if it expired before") {
    const Call::Stop why = GENERATE(Call::Stop::cancelled, Call::Stop::closed);
    const bool expires_first = GENERATE(true, false);
    const OpenCall open(calls, now() + 1h);
    if (expires_first)
        open.call->expire();
    open.call->post_stop(why);
    io.poll();
    if (!expires_first)
        open.call->expire();
    CHECK_FALSE(open.call->is_expired());
    calls->expire_at(*open.call, now() + 1h);
    CHECK(open.call->is_aborted());
}

TEST_CASE_METHOD(Fixture, "a call that ended keeps the io_context from ending for a moment only") {
    auto open = std::make_unique<OpenCall>(calls, now() + 1h);
    SECTION("soon after it began") {}
    SECTION("when the timer had been armed for its own time") {
        CHECK(run_until([&] { return now() > open->call->deadline() - 1h + OpenCalls::lingers; }));
        // Which does not make one that has less time wait for it.
        const OpenCall nearer(calls, now() + 5ms);
        CHECK(run_until([&] { return nearer.call->is_expired(); }));
        CHECK_FALSE(open->call->is_expired());
    }
    open.reset();
    CHECK(runs_out_of_work());
}

TEST_CASE_METHOD(Fixture, "closing ends all calls, and no timer is left") {
    const OpenCall first(calls, now() + 1h);
    const OpenCall second(calls, now() + 1h);
    calls->close(true);
    calls->expire_at(*first.call, now() + 1h);
    CHECK(runs_out_of_work());
    CHECK(first.call->is_aborted());
    CHECK(second.call->is_aborted());
    CHECK_FALSE(calls->executor());
    const std::shared_ptr<Call> late = std::make_shared<Call>(io.get_executor());
    CHECK_FALSE(OpenCalls::Registration(*calls, *late).is_open());
}
