// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"
#include "support/collector_fixture.hpp"
#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/observer/log_observer.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using resilience::ProtectionEvent;

namespace {

using LogLines = std::vector<std::string>;
using ProtectionLog = LogObserver<std::function<void(LogLevel, std::string_view)>>;

/// A server that is protected with short pauses, and a log of what collectors tell of it.
struct ProtectedServer : BackendFixture {
    ProtectedServer() {
        config.client.http.protection = {.retry = {.attempts = 1}};
        config.client.http.protection.breaker.first_pause = 1ms;
        set_load({pod_a}, 1);
    }

    static ProtectionLog log_to(std::shared_ptr<LogLines> lines) {
        return ProtectionLog([lines = std::move(lines)](LogLevel level, std::string_view line) {
            if (line.find("endpoint=") != std::string_view::npos)
                lines->push_back(std::string(to_string(level)) + " " + std::string(line));
        });
    }
    template <typename CollectorType>
    bool collect(CollectorType& collector) {
        std::optional<Result<OptimizerSnapshot>> answer;
        ManualClock::advance(10min); // Past every entry and remembered failure.
        collector.async_collect_optimizer_metrics(
            variant_of("llama"), [&](Result<OptimizerSnapshot> result) { answer = result; });
        wait_until([&] { return answer.has_value(); });
        return answer->has_value();
    }
    std::size_t count(std::string_view beginning) const {
        std::size_t found = 0;
        for (const std::string& line : *lines)
            found += line.starts_with(beginning) ? 1U : 0U;
        return found;
    }

    std::shared_ptr<LogLines> lines = std::make_shared<LogLines>();
};

constexpr std::string_view left_alone = "warning The server is left alone, because it keeps";
constexpr std::string_view asked_again = "info The server works again, and is asked as before";

} // namespace

TEST_CASE_METHOD(ProtectedServer,
                 "a collector logs that its server is left alone, and asked again") {
    Collector<AnyBackend, MemoryCache, ProtectionLog, ManualTimer> collector(
        io.get_executor(), AnyBackend(backend()), {}, log_to(lines));
    fake.reject_post(503);
    while (count(left_alone) == 0)
        CHECK_FALSE(collect(collector));
    CHECK_THAT(*lines, Catch::Matchers::Contains(
                           std::string(left_alone) + " failing endpoint=" + fake.url() +
                           " reason=\"5 failures in a row, the last one: HTTP 503\""));
    CHECK(count(asked_again) == 0);

    fake.reject_post(0);
    while (count(asked_again) == 0)
        collect(collector);
    CHECK(collect(collector));
}

TEST_CASE_METHOD(ProtectedServer, "an outage costs a few lines, however many requests it meets") {
    config.client.http.protection.breaker.first_pause = 1h;
    config.client.http.protection.breaker.max_pause = 1h;
    Collector<PrometheusBackend, MemoryCache, ProtectionLog, ManualTimer> collector(
        io.get_executor(), backend(), {}, log_to(lines));
    fake.reject_post(503);
    for (int i = 0; i < 100; ++i)
        CHECK_FALSE(collect(collector));
    CHECK(count(left_alone) == 1);
    // The other one says that there are fewer requests at a time.
    CHECK(lines->size() == 2);
}

TEST_CASE_METHOD(ProtectedServer, "each collector of a backend is told, and none after its end") {
    PrometheusBackend shared = backend();
    const auto own = std::make_shared<int>(0);
    auto listener = std::make_shared<const resilience::ProtectionListener>(
        [own](const ProtectionEvent&) { ++*own; });
    shared.add_protection_listener(listener);
    using CollectorType = Collector<PrometheusBackend, MemoryCache, ProtectionLog, ManualTimer>;
    CollectorType stays(io.get_executor(), shared, {}, log_to(lines));
    const auto others = std::make_shared<LogLines>();
    {
        CollectorType leaves(io.get_executor(), shared, {}, log_to(others));
        fake.reject_post(503);
        while (count(left_alone) == 0)
            collect(stays);
        CHECK(*others == *lines);
    }
    listener.reset();
    const int told = *own;
    CHECK(told > 0);
    const LogLines told_others = *others;
    fake.reject_post(0);
    while (count(asked_again) == 0)
        collect(stays);
    CHECK(*others == told_others);
    CHECK(*own == told);
}
