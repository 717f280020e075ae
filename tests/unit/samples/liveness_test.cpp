// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/liveness.hpp"

#include "unit/samples/measured_view.hpp"
#include "wva_metrics/samples/pod_life.hpp"

#include <catch2/catch_all.hpp>

namespace wva_metrics::samples::measured {

namespace {

View last_seen(ServerDuration age, ServerDuration spacing = 10s, int count = 4) {
    return make_view({{finished, spaced(spacing, age, rising(count, 1))}});
}

} // namespace

TEST_CASE("a process is lost after two and a half missed scrapes, or when its series have ended") {
    const SampleRules rules;
    CHECK_FALSE(is_lost(last_seen(0s), now, rules));
    CHECK_FALSE(is_lost(last_seen(25s), now, rules));
    CHECK(is_lost(last_seen(25'001ms), now, rules));
    CHECK_FALSE(is_lost(last_seen(150s, 60s), now, rules));
    CHECK(is_lost(last_seen(151s, 60s), now, rules));

    SampleRules strict;
    strict.max_missed_scrapes = 1;
    CHECK(is_lost(last_seen(11s), now, strict));

    View ended = last_seen(0s);
    ended.has_ended = true;
    CHECK(is_lost(ended, now, rules));
}

TEST_CASE("one missed scrape does not change the spacing by which a process is lost") {
    View view = last_seen(0s, 10s, 6);
    view.times.erase(view.times.begin() + 2);
    CHECK(scrape_spacing(view) == 10s);
}

TEST_CASE("a process of one sample is lost by the spacing of its target, if that is known") {
    View view = last_seen(40s, 10s, 1);
    CHECK_FALSE(scrape_spacing(view));
    CHECK_FALSE(is_lost(view, now, {}));
    view.up = spaced(10s, 0s, {1});
    CHECK_FALSE(scrape_spacing(view));
    view.up = spaced(10s, 0s, {1, 0, 0, 0});
    CHECK(scrape_spacing(view) == 10s);
    CHECK(is_lost(view, now, {}));
    view.up = spaced(20s, 0s, {1, 0, 0});
    CHECK_FALSE(is_lost(view, now, {}));
}

TEST_CASE("a process whose samples are old lives while its page is read with all of its series") {
    View view = last_seen(40s);
    view.up = spaced(10s, 1s, {1, 1, 1});
    CHECK(is_lost(view, now, {}));
    view.is_end_known = true;
    CHECK_FALSE(is_lost(view, now, {}));
    view.up = spaced(10s, 1s, {1, 1, 0});
    CHECK(is_lost(view, now, {}));
    view.up = spaced(10s, 26s, {1, 1, 1});
    CHECK(is_lost(view, now, {}));
    view.up = spaced(10s, 1s, {1, 1, 1});
    view.has_ended = true;
    CHECK(is_lost(view, now, {}));
}

TEST_CASE("a process is unread while its target is scraped in vain") {
    View view = last_seen(50s);
    CHECK_FALSE(is_unread(view, now, {}));
    view.up = spaced(10s, 0s, {1, 0, 0});
    CHECK(is_unread(view, now, {}));
    view.up = spaced(10s, 25s, {1, 0, 0});
    CHECK(is_unread(view, now, {}));
    view.up = spaced(10s, 26s, {1, 0, 0});
    CHECK_FALSE(is_unread(view, now, {}));
    view.up = spaced(10s, 0s, {0, 0, 1});
    CHECK_FALSE(is_unread(view, now, {}));
    view.up = spaced(10s, 0s, {1, 1, not_a_number});
    CHECK_FALSE(is_unread(view, now, {}));
}

TEST_CASE("without a known spacing a failed scrape counts for as long as a window") {
    View view = last_seen(50s, 10s, 1);
    view.up = spaced(10s, 60s, {0});
    CHECK(is_unread(view, now, {}));
    view.up = spaced(10s, 61s, {0});
    CHECK_FALSE(is_unread(view, now, {}));
}

TEST_CASE("each life of a pod has its name") {
    CHECK(to_string(PodLife::alive) == "alive");
    CHECK(to_string(PodLife::part) == "part");
    CHECK(to_string(PodLife::unread) == "unread");
    CHECK(to_string(PodLife::ended) == "ended");
    CHECK(to_string(PodLife::gone) == "gone");
    CHECK(to_string(PodLife::ambiguous) == "ambiguous");
    CHECK(to_string(static_cast<PodLife>(99)) == "unknown");
}

} // namespace wva_metrics::samples::measured
