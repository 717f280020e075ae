// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/observer/log_observer.hpp"

#include <catch2/catch_all.hpp>

#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

/// The lines written, e.g. "info Metrics cache disabled".
struct Log {
    std::mutex mutex;
    std::vector<std::string> lines;

    auto observer(LogLevel minimum = LogLevel::debug) {
        return LogObserver(
            [this](LogLevel level, std::string_view line) {
                const std::lock_guard lock(mutex);
                lines.push_back(std::string(to_string(level)) + ' ' + std::string(line));
            },
            minimum);
    }

    std::string last() const { return lines.empty() ? "" : lines.back(); }
};

events::TargetFailed failure(const CacheKeyView& key, const Error& error) {
    return {.key = key, .error = error};
}

} // namespace

TEST_CASE("the lines of look-ups, cache and background fetching") {
    Log log;
    auto observer = log.observer();
    CollectorConfig config;
    observer(events::Configured{config});
    CHECK_THAT(log.last(), StartsWith("info Metrics cache enabled TTL=30s cleanupInterval=5m0s"));
    config.cache.enabled = false;
    observer(events::Configured{config});
    CHECK(log.last() == "info Metrics cache disabled");
    observer(events::Hit{optimizer_key("prod", "llama"), 5s});
    CHECK(log.last() == "debug Using cached optimizer metrics age=5s namespace=prod variant=llama");
    observer(events::Hit{replica_key({"prod", "meta-llama/Llama-3"}), 1500ms + 17us});
    CHECK(log.last() == "debug Using cached replica metrics age=1.5s namespace=prod "
                        "model=meta-llama/Llama-3");
    observer(events::Miss{optimizer_key("prod", "llama")});
    CHECK(log.last() == "debug Cache miss for optimizer metrics namespace=prod variant=llama");
    observer(events::Discarded{optimizer_key("prod", "llama")});
    CHECK(log.last() == "debug Discarded optimizer metrics: invalidated or untracked during the "
                        "fetch namespace=prod variant=llama");
    observer(events::Untracked{optimizer_key("prod", "llama"), false});
    CHECK(log.last() == "debug Stopped tracking optimizer metrics namespace=prod variant=llama");
    observer(events::Untracked{optimizer_key("prod", "llama"), true});
    CHECK(log.last() == "debug Stopped tracking optimizer metrics: unused, or over max_tracked "
                        "namespace=prod variant=llama");
    observer(events::BackgroundStarted{15s});
    CHECK(log.last() == "info Started background fetching interval=15s");
    observer(events::BackgroundStarted{0s});
    CHECK_THAT(log.last(), StartsWith("info Background fetching not started"));
    observer(events::BackgroundStopped{});
    CHECK(log.last() == "info Stopped background fetching");
}

TEST_CASE("every event writes one line") {
    Log log;
    auto observer = log.observer();
    const CacheKeyView key = optimizer_key("ns", "v");
    const Error error(Errc::timeout, "no answer within 5 s", "http://prometheus:9090");
    ModelReplicas replicas;
    replicas.model = {"ns", "m"};
    replicas.gone_pods = {"p"};
    observer(events::Configured{CollectorConfig()});
    observer(events::Hit{key});
    observer(events::StaleHit{key});
    observer(events::Miss{key});
    observer(events::Coalesced{key});
    observer(events::FetchStarted{.kind = EntryKind::replica, .targets = 3});
    observer(
        events::FetchEnded{.kind = EntryKind::replica, .targets = 3, .failed = 1, .took = 120ms});
    observer(failure(key, error));
    observer(events::BatchRefused{EntryKind::replica, 3, error});
    observer(events::StaleOnError{key});
    observer(events::Discarded{key});
    observer(events::Warnings{key, {"a warning"}});
    observer(events::PodsLeftOut{replicas});
    observer(events::Invalidated{"allocation:ns/", 2});
    observer(events::Tracked{key});
    observer(events::TrackingRefused{key, 2});
    observer(events::Untracked{key, true});
    observer(events::BackgroundStarted{15s});
    observer(events::BackgroundStopped{});
    observer(events::RoundEnded{.variants = 2});
    observer(events::RoundsSkipped{2});
    observer(events::CleanedUp{3});
    observer(events::EndpointEvent{{.endpoint = "http://prometheus:9090"}});
    CHECK(log.lines.size() == 23);
    for (const std::string& line : log.lines)
        CHECK(line.find('\n') == std::string::npos);
    CHECK(log.lines[6] ==
          "debug Fetched replica metrics targets=3 failed=1 took=120ms background=false");
    CHECK(log.lines[7] == "error Failed to fetch optimizer metrics "
                          "error=\"timeout: no answer within 5 s (http://prometheus:9090)\" "
                          "namespace=ns variant=v servingStale=false background=false");
}

TEST_CASE("a configuration that works differently than it says is told with the reason") {
    Log log;
    auto observer = log.observer(LogLevel::info);
    CollectorConfig config;
    config.cache.ttl = 10s;
    config.cache.fetch_interval = 60s;
    config.call_timeout = 4s;
    observer(events::Configured{config});
    REQUIRE(log.lines.size() == 2);
    CHECK(log.last() == "warning Configuration works differently than it says warning=\"" +
                            warnings(config)[0] + '"');
    observer(events::BackgroundStarted{effective_fetch_interval(config), 60s});
    CHECK(log.last() == "info Started background fetching interval=6s fetchInterval=1m0s "
                        "reason=\"shortened, because entries would expire between two rounds\"");
}

TEST_CASE("a full tracked set names its bound, once and then every hundredth time") {
    Log log;
    auto observer = log.observer(LogLevel::info);
    for (int i = 0; i < 101; ++i)
        observer(events::TrackingRefused{optimizer_key("ns", "v"), 7});
    REQUIRE(log.lines.size() == 2);
    CHECK(log.lines[0] ==
          "warning Not tracking optimizer metrics: max_tracked variants are tracked "
          "already; raise it, or untrack what is gone maxTracked=7 namespace=ns "
          "variant=v");
    CHECK_THAT(log.lines[1], ContainsSubstring(" suppressed=99"));
    observer(events::TrackingRefused{replica_key({"ns", "m"}), 7});
    CHECK_THAT(log.last(),
               ContainsSubstring("max_tracked models are tracked") && ContainsSubstring("model=m"));
}

TEST_CASE("a server that is left alone and asked again is told with the reason") {
    using Change = resilience::ProtectionEvent::Kind;
    Log log;
    auto observer = log.observer(LogLevel::info);
    const auto tell = [&](Change kind, const std::string& reason) {
        observer(events::EndpointEvent{{kind, {}, "http://prometheus:9090", reason}});
    };
    tell(Change::breaker_opened, "5 failures in a row, the last one: HTTP 503");
    CHECK(log.last() == "warning The server is left alone, because it keeps failing "
                        "endpoint=http://prometheus:9090 "
                        "reason=\"5 failures in a row, the last one: HTTP 503\"");
    tell(Change::breaker_closed, "");
    CHECK(log.last() == "info The server works again, and is asked as before "
                        "endpoint=http://prometheus:9090");
    for (const Change quiet : {Change::breaker_probing, Change::retrying, Change::hedging})
        tell(quiet, "");
    // What repeats is throttled, until the server works again.
    for (int i = 0; i < 101; ++i)
        tell(Change::paused, "HTTP 429");
    CHECK(log.lines.size() == 4);
    CHECK_THAT(log.last(), ContainsSubstring(" suppressed=99"));
    tell(Change::breaker_closed, "");
    tell(Change::paused, "HTTP 429");
    CHECK(log.lines.size() == 6);
}

TEST_CASE("an event without content writes no line") {
    Log log;
    auto observer = log.observer();
    observer(events::CleanedUp{0});
    observer(events::Warnings{optimizer_key("ns", "v"), {}});
    CHECK(log.lines.empty());
}

TEST_CASE("nothing below the minimum level is written") {
    Log log;
    auto observer = log.observer(LogLevel::warning);
    const CacheKeyView key = optimizer_key("ns", "v");
    observer(events::Configured{CollectorConfig()});
    observer(events::Hit{key});
    observer(events::Miss{key});
    observer(events::FetchStarted{.kind = EntryKind::replica});
    observer(events::Tracked{key});
    observer(events::BackgroundStarted{15s});
    observer(events::RoundEnded{});
    observer(events::CleanedUp{3});
    CHECK(log.lines.empty());
    observer(events::Warnings{key, {"a warning"}});
    CHECK(log.lines.size() == 1);
    observer(failure(key, Error(Errc::timeout, "late")));
    CHECK(log.lines.size() == 2);
}

TEST_CASE("a failure is an error only if a caller gets no answer") {
    Log log;
    auto observer = log.observer();
    const CacheKeyView key = optimizer_key("ns", "v");
    const Error timeout(Errc::timeout, "late");
    const Error refused(Errc::unavailable, "no", "", 503);
    const Error forbidden(Errc::forbidden, "no");
    observer(events::TargetFailed{.key = key, .error = timeout, .serving_stale = true});
    CHECK_THAT(log.last(), StartsWith("warning Failed"));
    observer(events::TargetFailed{.key = key, .error = refused, .background = true});
    CHECK_THAT(log.last(), StartsWith("warning Failed") && ContainsSubstring(" status=503 "));
    observer(failure(key, forbidden));
    CHECK_THAT(log.last(), StartsWith("error Failed"));
}

TEST_CASE("a repeated failure is written first and then every hundredth time") {
    Log log;
    auto observer = log.observer();
    const CacheKeyView key = optimizer_key("ns", "v");
    const Error timeout(Errc::timeout, "late");
    for (int i = 0; i < 201; ++i)
        observer(failure(key, timeout));
    REQUIRE(log.lines.size() == 3);
    CHECK_THAT(log.lines[0], !ContainsSubstring("suppressed"));
    CHECK_THAT(log.lines[1], ContainsSubstring(" suppressed=99"));
    CHECK_THAT(log.lines[2], ContainsSubstring(" suppressed=99"));

    SECTION("another reason is another failure") {
        observer(failure(key, Error(Errc::unauthorized, "no")));
        CHECK(log.lines.size() == 4);
    }
    SECTION("another kind of answer is another failure") {
        observer(failure(replica_key({"ns", "m"}), timeout));
        CHECK(log.lines.size() == 4);
    }
    SECTION("codes of other libraries are counted together") {
        Error other = timeout;
        // The same number as our own code's.
        other.code = {static_cast<int>(Errc::timeout), boost::system::generic_category()};
        observer(failure(key, other));
        CHECK(log.lines.size() == 4);
        other.code = make_error_code(boost::system::errc::timed_out);
        observer(failure(key, other));
        CHECK(log.lines.size() == 4);
    }
    SECTION("a copy shares the counts") {
        auto copy = observer;
        copy(failure(key, timeout));
        CHECK(log.lines.size() == 3);
    }
}

TEST_CASE("failing background rounds are written when they begin and when they end") {
    Log log;
    auto observer = log.observer(LogLevel::info);
    const CacheKeyView key = optimizer_key("ns", "v");
    const Error timeout(Errc::timeout, "late");
    observer(events::RoundEnded{.variants = 3});
    CHECK(log.lines.empty());
    observer(events::TargetFailed{.key = key, .error = timeout, .background = true});
    observer(events::RoundEnded{.variants = 3, .failed = 2});
    CHECK_THAT(log.last(), StartsWith("warning Background fetching began to fail") &&
                               ContainsSubstring("variants=3 models=0 failed=2"));
    observer(events::TargetFailed{.key = key, .error = timeout, .background = true});
    observer(events::RoundEnded{.variants = 3, .failed = 2});
    CHECK(log.lines.size() == 2);
    observer(events::RoundEnded{.variants = 3});
    CHECK_THAT(log.last(), StartsWith("info Background fetching recovered"));
    observer(events::RoundEnded{.variants = 3});
    CHECK(log.lines.size() == 3);
    // The first failure of the next outage is written again.
    observer(events::TargetFailed{.key = key, .error = timeout, .background = true});
    CHECK(log.lines.size() == 4);
}

TEST_CASE("a recovery resets the counts even if its line is below the minimum level") {
    Log log;
    auto observer = log.observer(LogLevel::error);
    const CacheKeyView key = optimizer_key("ns", "v");
    const Error timeout(Errc::timeout, "late");
    observer(failure(key, timeout));
    observer(events::RoundEnded{.variants = 1, .failed = 1});
    observer(events::RoundEnded{.variants = 1});
    observer(failure(key, timeout));
    CHECK(log.lines.size() == 2);
}

TEST_CASE("unattributed pods are a warning, deleted pods are not") {
    Log log;
    auto observer = log.observer(LogLevel::info);
    ModelReplicas replicas;
    replicas.model = {"ns", "m"};
    replicas.gone_pods = {"p1"};
    observer(events::PodsLeftOut{replicas});
    CHECK(log.lines.empty());
    replicas.unattributed_pods = {"p2", "p3"};
    observer(events::PodsLeftOut{replicas});
    CHECK(log.last() == "warning Left out pods that belong to none of the variants pod=p2 "
                        "unattributed=2 gone=1 namespace=ns model=m");
    observer(events::PodsLeftOut{replicas});
    CHECK(log.lines.size() == 1);
}

TEST_CASE("foreign text cannot end a line or start a field") {
    Log log;
    auto observer = log.observer();
    const auto logged = [&](std::string_view model) {
        observer(events::Tracked{CacheKeyView{EntryKind::replica, "ns", model}});
        return log.last().substr(log.last().find("model="));
    };
    CHECK(logged("") == "model=\"\"");
    CHECK(logged("a b") == "model=\"a b\"");
    CHECK(logged("a=b") == "model=\"a=b\"");
    CHECK(logged("a\"b\\c") == "model=\"a\\\"b\\\\c\"");
    CHECK(logged("a\\b") == "model=\"a\\\\b\"");
    CHECK(logged("a\x7f") == "model=\"a\\x7f\"");
    CHECK(logged("m\nerror Forged line") == "model=\"m\\nerror Forged line\"");
    CHECK(logged("m\r\t\x1b[2J\x7f") == "model=\"m\\x0d\\x09\\x1b[2J\\x7f\"");
    CHECK(logged(std::string_view("a\0b", 3)) == "model=\"a\\x00b\"");
    // Next line (U+0085) and line separator (U+2028), which some viewers show as line breaks.
    CHECK(logged("a\xc2\x85"
                 "b\xe2\x80\xa8") == "model=\"a\\xc2\\x85b\\xe2\\x80\\xa8\"");
    CHECK(logged("a%2Fb:c/d,e;f") == "model=a%2Fb:c/d,e;f");
}

TEST_CASE("a line is bounded however long the foreign text is") {
    Log log;
    auto observer = log.observer();
    observer(events::Warnings{replica_key({"ns", std::string(1'000'000, 'm')}),
                              {std::string(1'000'000, '\n')}});
    CHECK(log.last().size() < 8'000);
    CHECK_THAT(log.last(), ContainsSubstring("... (1000000 bytes)\" "));
}

TEST_CASE("several threads may write to one log observer") {
    Log log;
    auto observer = log.observer();
    const Error timeout(Errc::timeout, "late");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&observer, &timeout] {
            for (int j = 0; j < 1000; ++j)
                observer(failure(optimizer_key("ns", "v"), timeout));
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(log.lines.size() == 40);
}
