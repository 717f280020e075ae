// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics::testing::detail;

namespace {

LabelSet series(const std::string& metric, const std::string& pod) {
    return LabelSet{{"__name__", metric}, {"pod", pod}};
}

std::vector<std::pair<Milliseconds, double>> points(const SeriesStore& store) {
    std::vector<std::pair<Milliseconds, double>> found;
    store.for_each("", [&](const LabelSet&, const SeriesStore::Samples& samples) {
        for (const Sample& sample : samples)
            found.emplace_back(sample.time, sample.value);
    });
    return found;
}

} // namespace

TEST_CASE("samples that are added in any order are sorted by time") {
    SeriesStore store;
    for (const Milliseconds time : {30, 10, 20, 40})
        store.append(series("m", "p"), {time, static_cast<double>(time)});
    CHECK(points(store) ==
          std::vector<std::pair<Milliseconds, double>>{{10, 10}, {20, 20}, {30, 30}, {40, 40}});
}

TEST_CASE("a sample replaces a sample of the same time") {
    SeriesStore store;
    for (const double value : {1.0, 2.0, 3.0})
        store.append(series("m", "p"), {10, value});
    CHECK(points(store) == std::vector<std::pair<Milliseconds, double>>{{10, 3}});
}

TEST_CASE("only the named metric's series are visited") {
    SeriesStore store;
    store.append(series("a", "p"), {1, 1});
    store.append(series("b", "p"), {1, 2});
    store.append(series("b", "q"), {1, 3});
    double sum = 0;
    store.for_each("b", [&](const LabelSet&, const auto& samples) { sum += samples[0].value; });
    CHECK(sum == 5);
    store.for_each("c", [&](const LabelSet&, const auto&) { FAIL("there is no such metric"); });
    CHECK(store.series_count() == 3);
}

TEST_CASE("erasing a series keeps the others") {
    SeriesStore store;
    store.append(series("a", "p"), {1, 1});
    store.append(series("a", "q"), {1, 2});
    CHECK(store.erase(series("a", "p")));
    CHECK_FALSE(store.erase(series("a", "p")));
    CHECK(points(store) == std::vector<std::pair<Milliseconds, double>>{{1, 2}});
}

TEST_CASE("old samples are removed, and a series with its last sample") {
    SeriesStore store;
    store.append(series("a", "p"), {10, 1});
    store.append(series("a", "p"), {20, 2});
    store.append(series("b", "p"), {10, 3});
    store.erase_before(20);
    CHECK(points(store) == std::vector<std::pair<Milliseconds, double>>{{20, 2}});
    CHECK(store.series_count() == 1);
}
