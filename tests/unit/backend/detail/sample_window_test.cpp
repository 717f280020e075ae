// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/sample_window.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const TimePoint window_start{24h};
const samples::ServerTime window_now{1000h};

samples::View view_sampled(const std::vector<samples::ServerDuration>& ages) {
    samples::View view;
    for (const samples::ServerDuration age : ages)
        view.times.push_back(window_now - age);
    return view;
}

bool is_unknown(const std::vector<samples::View>& views) {
    return has_unknown_spacing(views, window_now, {});
}

} // namespace

TEST_CASE("the spacing is unknown of a living view with one sample") {
    CHECK_FALSE(is_unknown({}));
    CHECK(is_unknown({view_sampled({10s})}));
    CHECK_FALSE(is_unknown({view_sampled({25s, 10s})}));
    CHECK(is_unknown({view_sampled({25s, 10s}), view_sampled({10s})}));
    samples::View ended = view_sampled({10s});
    ended.has_ended = true;
    CHECK_FALSE(is_unknown({ended}));
    samples::View scraped = view_sampled({10s});
    scraped.up = {{window_now - 25s, 0}, {window_now - 10s, 1}};
    CHECK_FALSE(is_unknown({scraped}));
}

TEST_CASE("the first round takes the longest window, later ones the usual one") {
    SampleWindow window{samples::SampleRules{}};
    CHECK(window.choose(window_start).window == 5min);
    CHECK(window.choose(window_start + 24h).window == 5min);
    window.learn(1min, false, window_start);
    CHECK(window.choose(window_start).window == 1min);
}

TEST_CASE("the usual window is that of rates or that of peaks, whichever is longer") {
    samples::SampleRules rules;
    rules.window = 30s;
    rules.peak = 2min;
    SampleWindow window(rules);
    window.learn(30s, false, window_start);
    CHECK(window.choose(window_start).window == 2min);
    rules.peak = 1h;
    CHECK(SampleWindow(rules).choose(window_start).window == 1h);
    rules.window = 2h;
    CHECK(SampleWindow(rules).choose(window_start).window == 2h);
}

TEST_CASE("a longer window that was needed is taken until it is forgotten") {
    SampleWindow window{samples::SampleRules{}};
    window.learn(4min, false, window_start);
    CHECK(window.choose(window_start).window == 4min);
    window.learn(1min, false, window_start + 1min);
    CHECK(window.choose(window_start + 1min).window == 4min);
    CHECK(window.choose(window_start + WindowMemory::forget_after).window == 1min);
}

TEST_CASE("after a view of unknown spacing one round a minute takes the longest window") {
    SampleWindow window{samples::SampleRules{}};
    int longest = 0;
    for (Duration later = 0s; later < 10min; later += 15s) {
        longest += window.choose(window_start + later).window == 5min ? 1 : 0;
        window.learn(1min, true, window_start + later);
    }
    CHECK(longest == 1 + 10);
    window.learn(1min, false, window_start + 10min);
    CHECK(window.choose(window_start + 10min).window == 1min);
}

TEST_CASE("a round with a longer window than is needed is a probe") {
    SampleWindow window{samples::SampleRules{}};
    CHECK(window.choose(window_start).is_probe);
    window.learn(4min, false, window_start);
    CHECK_FALSE(window.choose(window_start).is_probe);
    window.learn(4min, true, window_start);
    CHECK(window.choose(window_start).is_probe);
    // What is needed anyway is none.
    window.learn(5min, true, window_start + 1min);
    CHECK(window.choose(window_start + 1min).window == 5min);
    CHECK_FALSE(window.choose(window_start + 1min).is_probe);
    samples::SampleRules rules;
    rules.window = 10min;
    CHECK_FALSE(SampleWindow(rules).choose(window_start).is_probe);
}
