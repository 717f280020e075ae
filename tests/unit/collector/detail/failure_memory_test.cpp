// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/failure_memory.hpp"

#include "support/flights.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support::flights;
using namespace std::chrono_literals;
using detail::FailureMemory;

TEST_CASE("a failure is known until it is forgotten, and recent until its retry") {
    const Error outage(Errc::unreachable, "down");
    const CacheKeyView key = optimizer_key("llm", "v");
    FailureMemory failures(10);
    CHECK_FALSE(failures.contains(key));
    failures.remember(key, outage, start, start + 2s);

    CHECK(failures.contains(key));
    CHECK_FALSE(failures.contains(replica_key({"llm", "v"})));
    CHECK_FALSE(failures.contains(optimizer_key("v", "llm")));
    CHECK(failures.has_failed_since(key, start - 1ns));
    CHECK_FALSE(failures.has_failed_since(key, start));
    CHECK(failures.is_recent(key, start + 2s - 1ns));
    CHECK(failures.recent_error(key, start + 2s - 1ns)->is(Errc::unreachable));
    CHECK_FALSE(failures.is_recent(key, start + 2s));
    CHECK_FALSE(failures.recent_error(key, start + 2s));

    failures.remember(key, Error(Errc::timeout, "late"), start + 2s, start + 4s);
    CHECK(failures.recent_error(key, start + 3s)->is(Errc::timeout));
    failures.forget(key);
    CHECK_FALSE(failures.contains(key));
}

TEST_CASE("the memory of failures is bounded") {
    FailureMemory failures(3);
    const auto count = [&] {
        int known = 0;
        for (int i = 0; i < 10; ++i)
            known += failures.contains(optimizer_key("llm", std::to_string(i)));
        return known;
    };
    for (int i = 0; i < 10; ++i)
        failures.remember(optimizer_key("llm", std::to_string(i)), Error(Errc::timeout, "late"),
                          start, start + 1s);
    CHECK(count() == 3);
    failures.set_capacity(3);
    CHECK(count() == 3);
    failures.set_capacity(2);
    CHECK(count() == 0);
    failures.remember(optimizer_key("llm", "1"), Error(Errc::timeout, "late"), start, start + 1s);
    CHECK(count() == 1);
    failures.clear();
    CHECK(count() == 0);
}
