// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/reference_time.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <map>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

using Models = std::map<std::size_t, std::vector<View>>;

View last_scraped(ServerDuration age, ServerDuration spacing = 15s, int count = 4) {
    return make_view({{finished, spaced(spacing, age, rising(count, 1))}});
}

/// How far the reference is behind the evaluation.
ServerDuration delay(const Models& models, const std::vector<TargetUp>& others = {}) {
    return now - reference_time(now, models, others, SampleRules{});
}

} // namespace

TEST_CASE("the evaluation is the reference while an answer is fresh") {
    CHECK(delay({}) == 0s);
    CHECK(delay({{0, {last_scraped(0s)}}}) == 0s);
    CHECK(delay({{0, {last_scraped(37s)}}}) == 0s);
    // Clocks of scrapers may be ahead.
    CHECK(delay({{0, {last_scraped(-5s)}}}) == 0s);
}

TEST_CASE("where a whole answer is behind, its newest sample is the reference") {
    CHECK(delay({{0, {last_scraped(38s)}}}) == 38s);
    CHECK(delay({{0, {last_scraped(60s), last_scraped(50s)}}, {1, {last_scraped(45s)}}}) == 45s);
    CHECK(delay({{0, {last_scraped(60s, 60s)}}}) == 0s);
    CHECK(delay({{0, {last_scraped(151s, 60s)}}}) == 151s);
}

TEST_CASE("one that died is judged by the evaluation while others are fresh") {
    CHECK(delay({{0, {last_scraped(50s)}}, {1, {last_scraped(3s)}}}) == 0s);
    // Also if the others are scraped more rarely.
    CHECK(delay({{0, {last_scraped(50s)}}, {1, {last_scraped(45s, 60s)}}}) == 0s);
}

TEST_CASE("a target that is scraped rarely does not hide that all the others are behind") {
    CHECK(delay({{0, {last_scraped(50s), last_scraped(52s), last_scraped(55s)}},
                 {1, {last_scraped(45s, 60s)}}}) == 45s);
}

TEST_CASE("what has ended is not behind") {
    View over = last_scraped(50s);
    over.has_ended = true;
    CHECK(delay({{0, {over}}}) == 0s);
    CHECK(delay({{0, {over}}, {1, {last_scraped(40s)}}}) == 40s);
}

TEST_CASE("a fresh scrape of any target shows that samples arrive") {
    View dead = last_scraped(50s);
    CHECK(delay({{0, {dead}}}, {{.samples = {{now - 5s, 1}}}}) == 0s);
    CHECK(delay({{0, {dead}}}, {{.samples = {{now - 45s, 1}}}}) == 45s);
    CHECK(delay({{0, {dead}}}, {TargetUp{}}) == 50s);
    dead.up = spaced(15s, 5s, {1, 1, 0, 0});
    CHECK(delay({{0, {dead}}}) == 0s);
}

TEST_CASE("of a single sample nothing is known, but by its target") {
    View single = last_scraped(50s, 15s, 1);
    CHECK(delay({{0, {single}}}) == 0s);
    single.up = spaced(15s, 50s, {1, 1});
    CHECK(delay({{0, {single}}}) == 50s);
}

} // namespace wva_metrics::samples::measured
