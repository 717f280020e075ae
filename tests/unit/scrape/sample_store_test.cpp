// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/scrape/sample_store.hpp"
#include "wva_metrics/scrape/scrape_clock.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics::scrape {
namespace {

using namespace std::chrono_literals;
using samples::LabelView;
using samples::Sample;
using samples::ServerTime;

const ServerTime noon{1'700'000'000s};

struct Stored {
    std::vector<Sample> samples;
    bool has_ended = false;

    friend bool operator==(const Stored&, const Stored&) = default;
};

/// By name and labels, e.g. `x{a="1"}`; without those of the target.
std::map<std::string, Stored> contents(const SampleStore& store) {
    std::map<std::string, Stored> result;
    store.visit([&](std::span<const LabelView> labels, std::span<const Sample> all, bool ended) {
        std::string text;
        for (const LabelView& label : labels)
            text += std::string(label.name) + "=" + std::string(label.value) + ";";
        result[text] = {{all.begin(), all.end()}, ended};
    });
    return result;
}

std::vector<double> values(const Stored& stored) {
    std::vector<double> result;
    for (const Sample& sample : stored.samples)
        result.push_back(sample.value);
    return result;
}

void add(SampleStore& store, std::string_view name, double value,
         const std::vector<LabelView>& labels = {},
         std::optional<std::int64_t> timestamp = std::nullopt) {
    REQUIRE(store.add(name, labels, value, timestamp).has_value());
}

TEST_CASE("a time of the page that is absurd is no time of a sample that counts") {
    SampleStore store;
    for (int scrape = 0; scrape < 3; ++scrape) {
        store.begin(noon + scrape * 1s);
        add(store, "past", scrape, {}, std::numeric_limits<std::int64_t>::min());
        add(store, "future", scrape, {}, std::numeric_limits<std::int64_t>::max());
        store.end();
    }
    const auto all = contents(store);
    CHECK(!all.contains("__name__=past;"));
    CHECK(values(all.at("__name__=future;")) == std::vector<double>{0, 1, 2});
    CHECK(all.at("__name__=future;").samples.back().time == noon + 2s);
}

TEST_CASE("a series is the same whatever the order of its labels") {
    SampleStore store;
    store.begin(noon);
    add(store, "x", 1, {{"a", "1"}, {"b", "2"}});
    store.end();
    store.begin(noon + 1s);
    add(store, "x", 2, {{"b", "2"}, {"a", "1"}, {"empty", ""}});
    store.end();
    const auto all = contents(store);
    REQUIRE(all.size() == 2);
    CHECK(all.at("__name__=x;a=1;b=2;").samples == std::vector<Sample>{{noon, 1}, {noon + 1s, 2}});
    CHECK(values(all.at("__name__=up;")) == std::vector<double>{1, 1});
}

TEST_CASE("texts that look alike when they are joined are different series") {
    SampleStore store;
    store.begin(noon);
    add(store, "x", 1, {{"a", "bc"}});
    add(store, "x", 2, {{"ab", "c"}});
    add(store, "xa", 3, {{"b", "c"}});
    store.end();
    CHECK(store.size() == 3);
}

TEST_CASE("the labels of the target are added, and those of the page keep their value") {
    SampleStore store({{"pod", "a"}, {"instance", "10.0.0.1:8000"}});
    store.begin(noon);
    add(store, "x", 1, {{"pod", "other"}});
    store.end();
    CHECK(contents(store).contains("__name__=x;exported_pod=other;instance=10.0.0.1:8000;pod=a;"));
    CHECK(contents(store).contains("__name__=up;instance=10.0.0.1:8000;pod=a;"));
}

TEST_CASE("a series that a page lacks has ended until it comes again") {
    SampleStore store;
    store.begin(noon);
    add(store, "x", 1);
    add(store, "y", 1);
    store.end();
    store.begin(noon + 1s);
    add(store, "y", 2);
    store.end();
    CHECK(contents(store).at("__name__=x;").has_ended);
    CHECK(!contents(store).at("__name__=y;").has_ended);
    store.begin(noon + 2s);
    add(store, "x", 3);
    store.end();
    CHECK(values(contents(store).at("__name__=x;")) == std::vector<double>{1, 3});
    CHECK(!contents(store).at("__name__=x;").has_ended);
}

TEST_CASE("of a scrape that failed nothing counts but that it failed") {
    SampleStore store;
    store.begin(noon);
    add(store, "x", 1);
    store.end();
    store.begin(noon + 1s);
    add(store, "x", 2);
    add(store, "half", 2);
    store.fail();
    const auto all = contents(store);
    CHECK(all.size() == 2);
    CHECK(values(all.at("__name__=x;")) == std::vector<double>{1});
    CHECK(!all.at("__name__=x;").has_ended);
    CHECK(values(all.at("__name__=up;")) == std::vector<double>{1, 0});
}

TEST_CASE("a scrape that never ended is dropped by the next") {
    SampleStore store;
    store.begin(noon);
    add(store, "half", 1);
    store.begin(noon + 1s);
    add(store, "x", 1);
    store.end();
    CHECK(contents(store).size() == 2);
    CHECK(store.size() == 1);
}

TEST_CASE("a target that is gone ends its series and says so") {
    SampleStore store;
    store.begin(noon);
    add(store, "x", 1);
    store.end();
    store.retire(noon + 1s);
    CHECK(contents(store).at("__name__=x;").has_ended);
    CHECK(std::isnan(store.up().back().value));
}

TEST_CASE("a page's own times count unless they are in the future") {
    SampleStore store;
    const std::int64_t second_before = 1'699'999'999'000;
    store.begin(noon);
    add(store, "past", 1, {}, second_before);
    add(store, "future", 1, {}, second_before + 60'000);
    store.end();
    store.begin(noon + 5s);
    add(store, "past", 1, {}, second_before);
    add(store, "future", 2, {}, second_before + 60'000);
    store.end();
    const auto all = contents(store);
    // The same sample again is none, but the series is still there.
    CHECK(all.at("__name__=past;") == Stored{{{noon - 1s, 1}}, false});
    CHECK(all.at("__name__=future;") == Stored{{{noon, 1}, {noon + 5s, 2}}, false});
}

TEST_CASE("of two samples of one series on a page the first counts") {
    SampleStore store;
    store.begin(noon);
    add(store, "x", 1);
    add(store, "x", 2);
    store.end();
    CHECK(values(contents(store).at("__name__=x;")) == std::vector<double>{1});
}

TEST_CASE("a scrape at the time of the one before comes a millisecond later") {
    SampleStore store;
    for (const auto time : {noon, noon, noon - 1h}) {
        store.begin(time);
        add(store, "x", 1);
        store.end();
    }
    CHECK(contents(store).at("__name__=x;").samples ==
          std::vector<Sample>{{noon, 1}, {noon + 1ms, 1}, {noon + 2ms, 1}});
}

TEST_CASE("a counter that began anew unseen has a zero where it began") {
    SampleStore store;
    const auto scrape = [&](ServerTime time, double value, double created) {
        store.begin(time);
        add(store, "x_total", value, {{"a", "1"}});
        add(store, "x_created", created, {{"a", "1"}});
        store.end();
    };
    scrape(noon, 10, 1'699'999'000);
    scrape(noon + 10s, 12, 1'699'999'000);
    scrape(noon + 20s, 15, 1'700'000'013);
    const auto all = contents(store).at("__name__=x_total;a=1;").samples;
    CHECK(all ==
          std::vector<Sample>{{noon, 10}, {noon + 10s, 12}, {noon + 13s, 0}, {noon + 20s, 15}});

    SECTION("also if the server's clock is wrong") {
        scrape(noon + 30s, 20, 1'600'000'000);
        const Stored stored = contents(store).at("__name__=x_total;a=1;");
        CHECK(stored.samples[4] == Sample{noon + 20s + 1ms, 0});
    }
    SECTION("but not if its value shows it") {
        scrape(noon + 30s, 3, 1'700'000'021);
        CHECK(contents(store).at("__name__=x_total;a=1;").samples.size() == 5);
    }
}

TEST_CASE("a start beside the sample counts, for the bucket of a histogram too") {
    SampleStore store;
    const auto scrape = [&](ServerTime time, double value, std::int64_t start) {
        store.begin(time);
        const std::vector<LabelView> labels = {{"le", "1"}};
        REQUIRE(store.add("h_bucket", labels, value, std::nullopt, start).has_value());
        store.end();
    };
    scrape(noon, 5, 1'699'999'000'000);
    scrape(noon + 10s, 6, 1'700'000'004'000);
    CHECK(values(contents(store).at("__name__=h_bucket;le=1;")) == std::vector<double>{5, 0, 6});
}

TEST_CASE("each bound has an error that names it") {
    SampleStore store(
        {}, {}, {.max_series = 2, .max_labels = 1, .max_series_bytes = 40, .max_total_bytes = 43});
    const auto error = [&](std::string_view name, const std::vector<LabelView>& labels) {
        const Result<void> result = store.add(name, labels, 1);
        REQUIRE(result.has_error());
        CHECK(result.error().is(Errc::too_large));
        return result.error().message;
    };
    store.begin(noon);
    CHECK(error("x", {{"a", "1"}, {"b", "2"}}).find("max_labels") != std::string::npos);
    CHECK(error("x", {{"a", std::string(40, 'v')}}).find("max_series_bytes") != std::string::npos);
    add(store, "x", 1);
    CHECK(error("y", {{"a", std::string(25, 'v')}}).find("max_total_bytes") != std::string::npos);
    add(store, "y", 1);
    CHECK(error("z", {}).find("max_series") != std::string::npos);
    store.fail();
    store.begin(noon + 1s);
    add(store, "z", 1);
    store.end();
    CHECK(store.size() == 1);
}

TEST_CASE("a clock of scrapes does not step with the calendar") {
    const TimePoint start{100s};
    const ScrapeClock clock(start, std::chrono::system_clock::time_point(noon));
    CHECK(clock.at(start) == noon);
    CHECK(clock.at(start + 1500ms) == noon + 1500ms);
    CHECK(clock.at(start - 1ns) == noon - 1ms);
    CHECK(clock.moment(noon + 1500ms) == start + 1500ms);
    CHECK(clock.moment(clock.at(start + 1999us)) == start + 1ms);
    CHECK(clock.moment(clock.at(start - 1ns)) == start - 1ms);
}

} // namespace
} // namespace wva_metrics::scrape
