// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/seen_density.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using wva_metrics::detail::QuerySubject;
using wva_metrics::detail::SeenDensity;

namespace {

const TimePoint density_epoch = TimePoint() + 1000h;

prometheus::AnswerInfo answer_of(std::size_t series, std::size_t bytes) {
    prometheus::AnswerInfo info;
    info.series = series;
    info.bytes = bytes;
    return info;
}

} // namespace

TEST_CASE(
    "densities are unknown until an answer shows them, separately for models and namespaces") {
    SeenDensity density;
    CHECK(density.highest().models.series == 0);
    CHECK(density.highest().models.bytes == 0);
    density.learn(QuerySubject::models, 10, answer_of(130, 65'000), density_epoch);
    CHECK(density.highest().models.series == 13);
    CHECK(density.highest().models.bytes == 6500);
    CHECK(density.highest().namespaces.series == 0);
    density.learn(QuerySubject::pods, 2, answer_of(5, 0), density_epoch);
    CHECK(density.highest().namespaces.series == 2.5);
    CHECK(density.highest().namespaces.bytes == 0);
    CHECK(density.highest().models.series == 13);
}

TEST_CASE("skipped series count, and an answer about nothing does not") {
    SeenDensity density;
    prometheus::AnswerInfo answer = answer_of(3, 10);
    answer.skipped = 5;
    density.learn(QuerySubject::models, 0, answer, density_epoch);
    CHECK(density.highest().models.series == 0);
    density.learn(QuerySubject::models, 4, answer, density_epoch);
    CHECK(density.highest().models.series == 2);
}

TEST_CASE("a sparse answer does not hide a dense one until that is old") {
    SeenDensity density;
    density.learn(QuerySubject::models, 1, answer_of(100, 0), density_epoch);
    density.learn(QuerySubject::models, 1, answer_of(10, 0), density_epoch + 9min);
    CHECK(density.highest().models.series == 100);
    density.learn(QuerySubject::models, 1, answer_of(10, 0), density_epoch + 10min);
    CHECK(density.highest().models.series == 100);
    density.learn(QuerySubject::models, 1, answer_of(20, 0), density_epoch + 20min);
    CHECK(density.highest().models.series == 20);
}

TEST_CASE("after a long pause only the new answer counts") {
    SeenDensity density;
    density.learn(QuerySubject::models, 1, answer_of(100, 0), density_epoch);
    density.learn(QuerySubject::models, 1, answer_of(1, 0), density_epoch + 20min);
    CHECK(density.highest().models.series == 1);
}

TEST_CASE("an answer of a round that began long ago does not hide newer ones") {
    SeenDensity density;
    density.learn(QuerySubject::models, 1, answer_of(100, 0), density_epoch);
    density.learn(QuerySubject::models, 1, answer_of(1, 0), density_epoch - 1min);
    CHECK(density.highest().models.series == 100);
}

TEST_CASE("the density is at least the highest of the last ten minutes, and at most of the last "
          "twenty") {
    struct Answer {
        TimePoint at;
        double series;
    };
    std::mt19937 random(20'240'620);
    for (int repeat = 0; repeat < 50; ++repeat) {
        SeenDensity density;
        std::vector<Answer> answers;
        TimePoint now = density_epoch;
        for (int i = 0; i < 100; ++i) {
            now += std::chrono::seconds(random() % 300);
            const std::size_t series = random() % 1000;
            answers.push_back({now, static_cast<double>(series)});
            density.learn(QuerySubject::models, 1, answer_of(series, 0), now);
            const auto highest_since = [&](Duration age) {
                double highest = 0;
                for (const Answer& answer : answers)
                    if (now - answer.at < age)
                        highest = std::max(highest, answer.series);
                return highest;
            };
            REQUIRE(density.highest().models.series >= highest_since(SeenDensity::forget_after));
            REQUIRE(density.highest().models.series <=
                    highest_since(2 * SeenDensity::forget_after));
        }
    }
}
