// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/scrape/scrape_clock.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const samples::ServerTime clock_evaluated{1'700'000'000'123ms};
const ServerClock local_clock{clock_evaluated, TimePoint(100'000h)};

} // namespace

TEST_CASE("a sample is as old on the local clock as on the server's") {
    CHECK(local_clock.local(clock_evaluated) == TimePoint(100'000h));
    for (const samples::ServerDuration age : {1ms, 999ms, 60'000ms, 3'600'000ms})
        CHECK(local_clock.local(clock_evaluated - age) == TimePoint(100'000h) - age);
}

TEST_CASE("a sample of the server's future is as old as the request") {
    CHECK(local_clock.local(clock_evaluated + 1ms) == local_clock.requested);
    CHECK(local_clock.local(samples::ServerTime::max()) == local_clock.requested);
}

TEST_CASE("an absurd time is a year old at most, and overflows nothing") {
    constexpr Duration year = 24h * 365;
    CHECK(local_clock.local(clock_evaluated - 24h * 366) == local_clock.requested - year);
    CHECK(local_clock.local(samples::ServerTime()) == local_clock.requested - year);
    CHECK(local_clock.local(samples::ServerTime(-1'000'000h)) == local_clock.requested - year);
}

TEST_CASE("no sample of a scrape looks younger than the scrape") {
    const TimePoint made_at(100'000h);
    const scrape::ScrapeClock scrapes(made_at,
                                      std::chrono::system_clock::time_point(clock_evaluated));
    for (auto scraped = made_at; scraped < made_at + 3ms; scraped += 100us)
        for (TimePoint now = scraped; now < scraped + 3ms; now += 100us) {
            const TimePoint told = clock_of_scrapes(scrapes, now).local(scrapes.at(scraped));
            if (told > scraped || told <= scraped - 1ms)
                FAIL("scraped at " << (scraped - made_at).count() << " ns, told as "
                                   << (told - made_at).count());
        }
}
