// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/chunk_size_limit.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

const TimePoint start{24h};

/// Asks about so many members as a backend does, in halves where a query is refused; `refuses` is
/// told the range of members that a query is about.
struct Asking {
    std::function<bool(std::size_t first, std::size_t last)> refuses;
    std::size_t refused = 0;
    std::size_t answered = 0;
    AskedSizes sizes;

    void ask(std::size_t first, std::size_t last, std::size_t most) {
        const std::size_t middle = first + (last - first) / 2;
        const bool may_split = last - first > 1;
        if (last - first > most && may_split) {
            ask(first, middle, most);
            ask(middle, last, most);
        } else if (!refuses(first, last)) {
            ++answered;
            sizes.note_answered(last - first);
        } else {
            ++refused;
            sizes.note_refused(last - first);
            if (may_split) {
                ask(first, middle, most);
                ask(middle, last, most);
            }
        }
    }
};

/// One round about 1000 members.
Asking round(LearntSize& size, TimePoint at, decltype(Asking::refuses) refuses) {
    Asking asking{std::move(refuses), 0, 0, {}};
    asking.ask(0, 1000, size.most(at));
    size.learn(asking.sizes, at);
    return asking;
}

auto more_than(std::size_t limit) {
    return [limit](std::size_t first, std::size_t last) { return last - first > limit; };
}

} // namespace

TEST_CASE("a size that a server refuses is asked about once, then not again for a while") {
    LearntSize size;
    CHECK(size.most(start) == LearntSize::unlimited);
    CHECK(round(size, start, more_than(300)).refused == 1 + 2);
    CHECK(size.most(start) == 250);
    for (Duration later = 15s; later < LearntSize::try_more_after; later += 15s) {
        const Asking asking = round(size, start + later, more_than(300));
        REQUIRE(asking.refused == 0);
        REQUIRE(asking.answered == 4);
    }
}

TEST_CASE("twice as much is tried now and then, and is kept to where it is answered") {
    LearntSize size;
    round(size, start, more_than(130));
    CHECK(size.most(start) == 125);
    TimePoint at = start + LearntSize::try_more_after;
    CHECK(round(size, at, more_than(130)).refused == 4); // Still too much.
    CHECK(size.most(at + 15s) == 125);

    at += LearntSize::try_more_after;
    CHECK(round(size, at, more_than(1000)).answered == 4);
    CHECK(size.most(at + 15s) == 250);
    at += LearntSize::try_more_after;
    CHECK(round(size, at, more_than(1000)).answered == 2);
    at += LearntSize::try_more_after;
    CHECK(round(size, at, more_than(1000)).answered == 1);
    CHECK(size.most(at + 15s) == 1000);
}

TEST_CASE("one member that is too much by itself makes nobody else's queries smaller") {
    const std::size_t heavy = GENERATE(0u, 333u, 999u);
    LearntSize size;
    round(size, start,
          [heavy](std::size_t first, std::size_t last) { return first <= heavy && heavy < last; });
    CHECK(size.most(start) == LearntSize::unlimited);
}

TEST_CASE("where nothing is answered nothing is learnt") {
    LearntSize size;
    round(size, start, more_than(0));
    CHECK(size.most(start) == LearntSize::unlimited);
    round(size, start, more_than(500));
    round(size, start + 15s, more_than(0));
    CHECK(size.most(start + 15s) == 500);
}

TEST_CASE("a question about less says nothing of what more would meet") {
    LearntSize size;
    round(size, start, more_than(500));
    AskedSizes few;
    few.note_answered(3);
    size.learn(few, start + 15s);
    CHECK(size.most(start + 15s) == 500);
}

TEST_CASE("what one signal may ask says nothing of another, nor of pods") {
    LearntSizes sizes;
    AskedSizes asked;
    asked.note_refused(20);
    asked.note_answered(10);
    sizes.learn(Signal::ttft, asked, start);
    CHECK(sizes.most(Signal::ttft, start) == 10);
    CHECK(sizes.most(Signal::itl, start) == LearntSize::unlimited);
    CHECK(sizes.most(subject_pods, start) == LearntSize::unlimited);
    sizes.learn(subject_pods, asked, start);
    CHECK(sizes.most(subject_pods, start) == 10);
}
