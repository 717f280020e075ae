// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/detail/context_hook.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <memory>

using wva_metrics::detail::ContextHook;

TEST_CASE("a hook runs once when its context is destroyed, and not when it goes first") {
    int calls = 0;
    {
        boost::asio::io_context io;
        {
            const ContextHook gone(io.get_executor(), [&] { calls += 100; });
        }
        const ContextHook kept(io.get_executor(), [&] { ++calls; });
        boost::asio::io_context other;
    }
    CHECK(calls == 0); // It was destroyed before its context.
    auto io = std::make_unique<boost::asio::io_context>();
    const ContextHook hook(io->get_executor(), [&] { ++calls; });
    io.reset();
    CHECK(calls == 1);
}

TEST_CASE("a hook may destroy other hooks of the same context") {
    auto io = std::make_unique<boost::asio::io_context>();
    int calls = 0;
    std::unique_ptr<ContextHook> first;
    std::unique_ptr<ContextHook> second;
    first = std::make_unique<ContextHook>(io->get_executor(), [&] {
        ++calls;
        second.reset();
    });
    second = std::make_unique<ContextHook>(io->get_executor(), [&] {
        ++calls;
        first.reset();
    });
    io.reset();
    CHECK(calls == 1);
}
