// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/run_all.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_all.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using wva_metrics::detail::run_all;
namespace asio = boost::asio;

namespace {

asio::awaitable<void> count(int& counter, int times) {
    const auto executor = co_await asio::this_coro::executor;
    for (int i = 0; i < times; ++i) {
        const int before = counter; // No lock: the jobs share a strand.
        counter = before + 1;
        co_await asio::post(executor, asio::use_awaitable);
    }
}

asio::awaitable<void> fail(std::string text) {
    const auto executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
    throw std::runtime_error(text);
}

asio::awaitable<void> wait_for_ever(int& ended) {
    struct Counter {
        int& counter;
        ~Counter() { ++counter; }
    } counter{ended};
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace

TEST_CASE("jobs run concurrently on many threads but never at the same moment") {
    asio::thread_pool pool(4);
    int counter = 0;
    std::vector<asio::awaitable<void>> jobs;
    for (int i = 0; i < 50; ++i)
        jobs.push_back(count(counter, 100));
    asio::co_spawn(pool, run_all(std::move(jobs)), asio::use_future).get();
    CHECK(counter == 5000);
    pool.join();
}

TEST_CASE("without jobs it completes at once") {
    asio::io_context io;
    bool is_over = false;
    asio::co_spawn(io, run_all({}), [&](std::exception_ptr failure) { is_over = !failure; });
    io.run();
    CHECK(is_over);
}

TEST_CASE("the first exception is rethrown once all jobs have ended") {
    asio::io_context io;
    int counter = 0;
    std::vector<asio::awaitable<void>> jobs;
    jobs.push_back(count(counter, 100));
    jobs.push_back(fail("first"));
    jobs.push_back(fail("second"));
    std::string text;
    asio::co_spawn(io, run_all(std::move(jobs)), [&](std::exception_ptr failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            text = error.what();
        }
        CHECK(counter == 100);
    });
    io.run();
    CHECK(text == "first");
}

TEST_CASE("cancelling the caller cancels every job") {
    asio::io_context io;
    asio::cancellation_signal cancel;
    int ended = 0;
    bool threw = false;
    std::vector<asio::awaitable<void>> jobs;
    for (int i = 0; i < 3; ++i)
        jobs.push_back(wait_for_ever(ended));
    asio::co_spawn(io, run_all(std::move(jobs)),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure) {
                       threw = failure != nullptr;
                   }));
    io.poll();
    CHECK(ended == 0);
    cancel.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    CHECK(ended == 3);
    CHECK(threw);
}

TEST_CASE("jobs that have not ended are destroyed with their io_context") {
    int ended = 0;
    {
        asio::io_context io;
        std::vector<asio::awaitable<void>> jobs;
        for (int i = 0; i < 3; ++i)
            jobs.push_back(wait_for_ever(ended));
        asio::co_spawn(io, run_all(std::move(jobs)), [](std::exception_ptr) { FAIL(); });
        io.poll();
    }
    CHECK(ended == 3);
}

TEST_CASE("a signal that could cancel the jobs may outlive their io_context") {
    int ended = 0;
    asio::cancellation_signal cancel;
    {
        asio::io_context io;
        std::vector<asio::awaitable<void>> jobs;
        jobs.push_back(wait_for_ever(ended));
        asio::co_spawn(
            io, run_all(std::move(jobs)),
            asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) { FAIL(); }));
        io.poll();
    }
    CHECK(ended == 1);
}
