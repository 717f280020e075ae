// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/explanations.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const ModelKey explained("llm", "m");
const TimePoint explained_at{24h};

} // namespace

TEST_CASE("a model is explained once a minute, whether an explanation is found or not") {
    const bool is_found = GENERATE(false, true);
    Explanations known;
    CHECK(known.find(explained).empty());
    CHECK(known.claim(explained, explained_at));
    if (is_found)
        known.set(explained, "why");
    for (const Duration later : {0ms, 1ms, 59'999ms})
        CHECK_FALSE(known.claim(explained, explained_at + later));
    CHECK(known.find(explained) == (is_found ? "why" : ""));
    CHECK(known.claim(explained, explained_at + 1min));
    CHECK_FALSE(known.claim(explained, explained_at + 1min + 1ms));
    // The last explanation stays until there is another.
    CHECK(known.find(explained) == (is_found ? "why" : ""));
    known.set(explained, "another");
    CHECK(known.find(explained) == "another");
}

TEST_CASE("each model has its own explanation") {
    Explanations known;
    const ModelKey other("other", "m");
    CHECK(known.claim(explained, explained_at));
    CHECK(known.claim(other, explained_at));
    known.set(other, "why");
    CHECK(known.find(explained).empty());
    CHECK(known.find(other) == "why");
}

TEST_CASE("a model that has series is explained at once when it has none again") {
    Explanations known;
    known.forget(explained);
    CHECK(known.claim(explained, explained_at));
    known.set(explained, "why");
    known.forget(explained);
    CHECK(known.find(explained).empty());
    // One that came too late.
    known.set(explained, "why");
    CHECK(known.find(explained).empty());
    CHECK(known.claim(explained, explained_at));
}

TEST_CASE("no more models are remembered than allowed, and old ones make room") {
    Explanations known;
    for (std::size_t i = 0; i < Explanations::max_models; ++i)
        REQUIRE(known.claim({"llm", std::to_string(i)}, explained_at));
    CHECK_FALSE(known.claim(explained, explained_at + 59s));
    known.set(explained, "why");
    CHECK(known.find(explained).empty());
    // One that is known is explained anew.
    CHECK(known.claim({"llm", "7"}, explained_at + 1min));
    CHECK(known.claim(explained, explained_at + 1min));
    CHECK_FALSE(known.claim({"llm", "7"}, explained_at + 1min));
}
