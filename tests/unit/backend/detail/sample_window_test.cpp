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
    CHECK(window.window(window_start) == 5min);
    CHECK(window.window(window_start + 24h) == 5min);
    window.learn(1min, false, window_start);
    CHECK(window.window(window_start) == 1min);
}

TEST_CASE("the usual window is that of rates or that of peaks, whichever is longer") {
    samples::SampleRules rules;
    rules.window = 30s;
    rules.peak = 2min;
    SampleWindow window(rules);
    window.learn(30s, false, window_start);
    CHECK(window.window(window_start) == 2min);
    rules.peak = 1h;
    CHECK(SampleWindow(rules).window(window_start) == 1h);
    rules.window = 2h;
    CHECK(SampleWindow(rules).window(window_start) == 2h);
}

TEST_CASE("a longer window that was needed is taken until it is forgotten") {
    SampleWindow window{samples::SampleRules{}};
    window.learn(4min, false, window_start);
    CHECK(window.window(window_start) == 4min);
    window.learn(1min, false, window_start + 1min);
    CHECK(window.window(window_start + 1min) == 4min);
    CHECK(window.window(window_start + WindowMemory::forget_after) == 1min);
}

TEST_CASE("after a view of unknown spacing one round a minute takes the longest window") {
    SampleWindow window{samples::SampleRules{}};
    int longest = 0;
    for (Duration later = 0s; later < 10min; later += 15s) {
        longest += window.window(window_start + later) == 5min ? 1 : 0;
        window.learn(1min, true, window_start + later);
    }
    CHECK(longest == 1 + 10);
    window.learn(1min, false, window_start + 10min);
    CHECK(window.window(window_start + 10min) == 1min);
}
