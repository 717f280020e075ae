// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/reader_notes.hpp"

#include "support/flights.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace wva_metrics;
using detail::ReaderNotes;
using test_support::flights::start;

TEST_CASE("readers leave one note per key, and only the first has to be announced") {
    const auto entry_at = [](TimePoint at) {
        return std::make_shared<const CacheEntry>(OptimizerMetrics(), at, at, at);
    };
    const std::chrono::seconds second(1);
    const CacheEntryPtr older = entry_at(start);
    const CacheEntryPtr newer = entry_at(start + second);
    ReaderNotes notes;
    CHECK(notes.add(optimizer_key("llm", "a"), nullptr, start));
    CHECK_FALSE(notes.add(optimizer_key("llm", "b"), older, start));
    CHECK_FALSE(notes.add(optimizer_key("llm", "b"), newer, start + second));
    CHECK_FALSE(notes.add(optimizer_key("llm", "b"), nullptr, start)); // Reported late.

    const ReaderNotes::Notes taken = notes.take();
    REQUIRE(taken.size() == 2);
    CHECK(taken.find(CacheKey(optimizer_key("llm", "a")))->second.stale == nullptr);
    const ReaderNotes::Note& note = taken.find(CacheKey(optimizer_key("llm", "b")))->second;
    CHECK(note.stale == newer);
    CHECK(note.at == start + second);

    CHECK(notes.take().empty());
    CHECK(notes.add(optimizer_key("llm", "a"), older, start)); // To be announced again.
}

TEST_CASE("notes are bounded, and the dropped ones can be left again") {
    ReaderNotes notes;
    const auto add = [&](std::size_t number) {
        const std::string name = std::to_string(number);
        return notes.add(optimizer_key("llm", name), nullptr, start);
    };
    for (std::size_t i = 0; i < ReaderNotes::capacity + 10; ++i)
        CHECK(add(i) == (i == 0));
    CHECK(notes.take().size() == ReaderNotes::capacity);
    CHECK(add(ReaderNotes::capacity));
    CHECK(notes.take().size() == 1);
}
