// SPDX-License-Identifier: Apache-2.0
#include "support/any_collector_fixture.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <future>
#include <thread>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Returns the thread it is called on.
constexpr auto note_thread = [](const auto&) { return std::this_thread::get_id(); };

bool is_ready(const std::future<std::thread::id>& future) {
    return future.wait_for(0s) == std::future_status::ready;
}

} // namespace

TEMPLATE_TEST_CASE("a future is completed on a thread that runs the io_context, and is ready when "
                   "io.run() returns",
                   "", CollectorFixture, AnyCollectorFixture) {
    TestType f;
    const auto runs_here = [&](std::future<std::thread::id> future) {
        CHECK(!is_ready(future)); // No operation completes inside the call.
        f.io.restart();
        f.io.run();
        // Not get(), which would wait for another thread.
        return is_ready(future) && future.get() == std::this_thread::get_id();
    };
    const auto token = boost::asio::use_future(note_thread);
    const auto collect = [&](const VariantAutoscaling& which) {
        return f.target().async_collect_optimizer_metrics(which, token);
    };
    CHECK(runs_here(collect(variant("v")))); // A miss.
    CHECK(runs_here(collect(variant("v")))); // A hit.
    CHECK(f.target().stats().cache.hits == 1);
    CHECK(runs_here(collect(VariantAutoscaling()))); // An invalid argument.
    CHECK(runs_here(f.target().async_collect_replica_metrics(f.model, {}, token)));
    CHECK(runs_here(f.target().async_validate_availability(f.model, token)));
    f.backend.fail(Error(Errc::unreachable, "down"));
    CHECK(runs_here(collect(variant("w")))); // A failed fetch.
}

TEMPLATE_TEST_CASE("a future of a collector that is destroyed is completed on the io_context", "",
                   CollectorFixture, AnyCollectorFixture) {
    TestType f;
    f.backend.hold();
    auto future = f.target().async_collect_optimizer_metrics(variant("v"),
                                                             boost::asio::use_future(note_thread));
    f.destroy();
    CHECK(!is_ready(future));
    f.io.run();
    REQUIRE(is_ready(future));
    CHECK(future.get() == std::this_thread::get_id());
}

TEMPLATE_TEST_CASE("a handler that is bound to the system executor starts no thread", "",
                   CollectorFixture, AnyCollectorFixture) {
    TestType f;
    auto future = f.target().async_collect_optimizer_metrics(
        variant("v"), boost::asio::bind_executor(boost::asio::system_executor(),
                                                 boost::asio::use_future(note_thread)));
    f.io.run();
    REQUIRE(is_ready(future));
    CHECK(future.get() == std::this_thread::get_id());
}
