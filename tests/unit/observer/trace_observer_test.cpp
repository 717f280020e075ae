// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/observer/trace_observer.hpp"
#include "wva_metrics/testing/fake_backend.hpp"
#include "wva_metrics/testing/manual_time.hpp"

#include <boost/asio/io_context.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using testing::ManualClock;
using testing::ManualTimer;

namespace {

struct Trace {
    std::mutex mutex;
    std::vector<std::string> lines;

    auto observer() {
        const auto write = [this](std::string_view line) {
            const std::lock_guard lock(mutex);
            lines.emplace_back(line);
        };
        return TraceObserver<decltype(write), ManualClock>(write);
    }
};

} // namespace

TEST_CASE("a trace line holds the time and the key of a look-up") {
    Trace trace;
    auto observer = trace.observer();
    observer(events::Miss{optimizer_key("prod", "llama-a100")});
    ManualClock::advance(1500ms);
    observer(events::Hit{replica_key({"prod", "meta-llama/Llama-3"}), 1s});
    ManualClock::advance(1h + 3us);
    observer(events::StaleHit{availability_key({"a/b", "m"}), 40s});
    CHECK(trace.lines == std::vector<std::string>{"0.000000,allocation:prod/llama-a100",
                                                  "1.500000,replica:prod/meta-llama/Llama-3",
                                                  "3601.500003,availability:a%2Fb/m"});
}

TEST_CASE("a trace line has no character that turns the direction of writing") {
    Trace trace;
    auto observer = trace.observer();
    observer(events::Miss{optimizer_key("prod", "a\u202eb\u0085\u00e9")});
    CHECK(trace.lines ==
          std::vector<std::string>{"0.000000,allocation:prod/a%E2%80%AEb%C2%85\u00e9"});
}

TEST_CASE("no name can break a trace line or add a field to it") {
    Trace trace;
    auto observer = trace.observer();
    std::string name;
    for (int code = 0; code < 256; ++code)
        name += static_cast<char>(code);
    observer(events::Miss{optimizer_key("ns", name)});
    REQUIRE(trace.lines.size() == 1);
    const std::string& line = trace.lines.front();
    CHECK(std::ranges::count(line, ',') == 1);
    CHECK(std::ranges::none_of(line, [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '"';
    }));
    CHECK(line.find("%00%01") != std::string::npos);
    CHECK(line.find("!%22#") != std::string::npos);
    CHECK(line.find("+%2C-") != std::string::npos);
    CHECK(line.find("~%7F\x80") != std::string::npos);
}

TEST_CASE("copies of a trace observer write to one trace from any thread") {
    Trace trace;
    auto observer = trace.observer();
    constexpr std::size_t each = 200;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([copy = observer]() mutable {
                for (std::size_t n = 0; n < each; ++n)
                    copy(events::Hit{optimizer_key("ns", "v"), 1s});
            });
    }
    CHECK(trace.lines == std::vector<std::string>(4 * each, "0.000000,allocation:ns/v"));
}

TEST_CASE("every look-up of a collector is traced once: hit, stale hit or miss") {
    Trace trace;
    auto observer = trace.observer();
    boost::asio::io_context io;
    CollectorConfig config;
    config.cache.fetch_interval = 0s;
    Collector<testing::FakeBackend<ManualTimer>, MemoryCache, decltype(observer), ManualTimer>
        collector(io.get_executor(), testing::FakeBackend<ManualTimer>(), config, observer);
    const VariantAutoscaling variant("ns", "v", "m", "v");
    const auto look_up = [&] {
        if (!collector.find_optimizer_metrics(variant.key()))
            collector.async_collect_optimizer_metrics(variant, [](const auto&) {});
        io.restart();
        io.poll();
    };
    const auto expected = [](int seconds) {
        return std::to_string(seconds) + ".000000,allocation:ns/v";
    };
    look_up(); // A miss,
    ManualClock::advance(10s);
    look_up(); // a hit,
    ManualClock::advance(30s);
    look_up(); // a stale hit that is revalidated in the background,
    ManualClock::advance(10min);
    look_up(); // and another miss.
    CHECK(trace.lines ==
          std::vector<std::string>{expected(0), expected(10), expected(40), expected(640)});
}
