// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/rate_window.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <random>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

View scraped(ServerDuration spacing, ServerDuration age, int count) {
    return make_view({{finished, spaced(spacing, age, rising(count, 1))}});
}

RateWindow window_of(const View& view, SampleRules rules = {}) {
    const RateWindow window = find_rate_window(view, now, rules);
    CHECK(window.end == now);
    return window;
}

} // namespace

TEST_CASE("a window has its end but not its start") {
    const std::vector<Sample> samples = spaced(30s, 0s, {1, 2, 3});
    CHECK(samples_within(samples, now - 60s, now).size() == 2);
    CHECK(samples_within(samples, now - 60'001ms, now).size() == 3);
    CHECK(samples_within(samples, now - 60s, now - 1ms).size() == 1);
    CHECK(samples_within(samples, now, now).empty());
    CHECK(samples_within(samples, now, now - 60s).empty());
    CHECK(samples_within({}, now - 60s, now).empty());

    const std::vector<ServerTime> times{now - 60s, now - 30s, now};
    CHECK(times_within(times, now - 60s, now).size() == 2);
    CHECK(times_within(times, now - 60'001ms, now - 1ms).size() == 2);
    CHECK(times_within(times, now, now).empty());
}

TEST_CASE("windows in a row hold each sample once") {
    std::mt19937 random(3);
    for (int i = 0; i < 100; ++i) {
        const std::vector<Sample> samples =
            spaced(ServerDuration(1 + random() % 20'000), 0s, rising(50, 1));
        const ServerDuration length(1 + random() % 60'000);
        std::size_t count = 0;
        for (ServerTime end = now; end >= samples.front().time; end -= length)
            count += samples_within(samples, end - length, end).size();
        CHECK(count == samples.size());
    }
}

TEST_CASE("the configured window is used where it holds two samples") {
    for (const ServerDuration spacing : {1s, 15s, 30s}) {
        const RateWindow window = window_of(scraped(spacing, 0s, 100));
        CHECK(window.reason == ReadingReason::none);
        CHECK(window.start == now - 60s);
        CHECK_FALSE(window.covered);
        CHECK(window.length() == 60s);
    }
}

TEST_CASE("a window that the samples do not reach back through is as long as they cover") {
    // The first of three samples is 33 s after the start, more than 1.1 spacings.
    const RateWindow window = window_of(scraped(12'500ms, 2s, 3));
    CHECK(window.reason == ReadingReason::none);
    CHECK(window.covered == 25s);
    CHECK(window.length() == 25s);
}

TEST_CASE("a window is widened to four spacings of a target that is scraped rarely") {
    const RateWindow window = window_of(scraped(60s, 10s, 5));
    CHECK(window.reason == ReadingReason::none);
    CHECK(window.length() == 240s);
    CHECK(window_of(scraped(70s, 0s, 5)).length() == 280s);
    CHECK(window_of(scraped(80s, 0s, 5)).length() == 300s);
    // Two samples of one minute that are nearer to each other need no wider window.
    CHECK(window_of(scraped(59s, 0s, 5)).length() == 60s);
}

TEST_CASE("a window is widened back to the last two samples of a process that missed scrapes") {
    View view = scraped(15s, 70s, 10);
    view.times.push_back(now - 5s);
    const RateWindow window = window_of(view);
    CHECK(window.reason == ReadingReason::none);
    CHECK(window.end - window.start == 70'001ms);

    view.has_ended = true;
    CHECK(window_of(view).reason == ReadingReason::no_series);
}

TEST_CASE("a target that is scraped less often than the longest window needs a longer one") {
    CHECK(window_of(scraped(301s, 0s, 2)).reason == ReadingReason::window_too_short);
    CHECK(window_of(scraped(1h, 0s, 5)).reason == ReadingReason::window_too_short);
    CHECK(window_of(scraped(299s, 0s, 2)).reason == ReadingReason::none);
    SampleRules patient;
    patient.longest_window = 10min;
    CHECK(window_of(scraped(301s, 0s, 2), patient).reason == ReadingReason::none);
    // What is configured is not cut.
    patient.window = 15min;
    CHECK(window_of(scraped(301s, 0s, 3), patient).length() == 15min);
}

TEST_CASE("one young sample is warming up, and one older than half a window shows a rare scrape") {
    CHECK(window_of(scraped(15s, 0s, 1)).reason == ReadingReason::warming_up);
    CHECK(window_of(scraped(15s, 30s, 1)).reason == ReadingReason::warming_up);
    CHECK(window_of(scraped(15s, 30'001ms, 1)).reason == ReadingReason::window_too_short);
}

TEST_CASE("the spacing of a view with one sample is that of its target") {
    View view = scraped(15s, 10s, 1);
    view.up = spaced(15s, 10s, {1, 1, 1});
    CHECK(scrape_spacing(view) == 15s);
    CHECK(window_of(view).reason == ReadingReason::warming_up);
    view.up = spaced(60s, 10s, {1, 1, 1});
    CHECK(scrape_spacing(view) == 60s);
    CHECK(window_of(view).reason == ReadingReason::window_too_short);
}

TEST_CASE("a process that is over has no window where it has no samples") {
    CHECK(window_of(scraped(15s, 70s, 10)).reason == ReadingReason::no_series);
    CHECK(window_of(scraped(15s, 50s, 10)).reason == ReadingReason::no_series);
    // It served in a part of this one.
    const RateWindow window = window_of(scraped(15s, 40s, 10));
    CHECK(window.reason == ReadingReason::none);
    CHECK(window.length() == 60s);
}

TEST_CASE("windows of no length and samples in the future have no rate") {
    SampleRules rules;
    rules.window = 0s;
    CHECK(window_of(scraped(15s, 0s, 10), rules).length() == 60s);
    rules.longest_window = 0s;
    CHECK(window_of(scraped(15s, 0s, 10), rules).reason == ReadingReason::window_too_short);
    CHECK(window_of(scraped(15s, -1h, 10)).reason == ReadingReason::window_too_short);
    CHECK(window_of(scraped(15s, -1h, 1)).reason == ReadingReason::warming_up);
}

} // namespace wva_metrics::samples::measured
