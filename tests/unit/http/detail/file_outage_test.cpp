// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/file_outage.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace std::chrono_literals;
using http::detail::FileOutage;

TEST_CASE("an outage of files is measured from its first failure and has a limit") {
    FileOutage outage(1h, "max_stale_files");
    const TimePoint start{};
    CHECK_FALSE(outage.is_on());
    CHECK_FALSE(outage.error(TimePoint::max()));
    outage.record({Errc::invalid_config, "ca.pem is empty"}, start);
    outage.record({Errc::invalid_config, "ca.pem is half-written"}, start + 50min);
    CHECK(outage.is_on());
    CHECK_FALSE(outage.error(start + 1h - 1ns));
    const auto error = outage.error(start + 1h);
    REQUIRE(error);
    CHECK(error->is(Errc::invalid_config));
    CHECK(error->message == "ca.pem is half-written; what was read before was used for "
                            "max_stale_files = 1h0m0s and is too old now");
    outage.end();
    CHECK_FALSE(outage.is_on());
    CHECK_FALSE(outage.error(TimePoint::max()));
}

TEST_CASE("the limit of an outage may be zero or without an end") {
    const Error problem(Errc::invalid_config, "no file");
    FileOutage never_stale(0s, "max_stale_files");
    never_stale.record(problem, {});
    CHECK(never_stale.error({}));
    FileOutage for_ever(Duration::max(), "max_stale_files");
    for_ever.record(problem, {});
    CHECK_FALSE(for_ever.error(TimePoint() + 24h * 365 * 100));
}
