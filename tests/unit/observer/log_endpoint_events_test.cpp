// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/observer/log_observer.hpp"

#include "unit/observer/written_log.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using namespace wva_metrics;
using Catch::Matchers::ContainsSubstring;
using wva_metrics::test_support::WrittenLog;

TEST_CASE("a server that is left alone and asked again is told with the reason") {
    using Change = resilience::ProtectionEvent::Kind;
    WrittenLog log;
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
    tell(Change::replica_chosen, "HTTP 503");
    CHECK(log.last() == "info Another server with the same data is asked from now on "
                        "endpoint=http://prometheus:9090 reason=\"HTTP 503\"");
}
