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

/// Queries members as a backend does, in halves if a query is rejected. `rejects` gets the range of
/// members of a query.
struct Querying {
    std::function<bool(std::size_t first, std::size_t last)> rejects;
    std::size_t rejected = 0;
    std::size_t answered = 0;
    ChunkOutcomes outcomes;

    void query(std::size_t first, std::size_t last, std::size_t most) {
        const std::size_t middle = first + (last - first) / 2;
        const bool may_split = last - first > 1;
        if (last - first > most && may_split) {
            query(first, middle, most);
            query(middle, last, most);
        } else if (!rejects(first, last)) {
            ++answered;
            outcomes.add_answered(last - first);
        } else {
            ++rejected;
            outcomes.add_rejected(last - first);
            if (may_split) {
                query(first, middle, most);
                query(middle, last, most);
            }
        }
    }
};

/// One round for 1000 members.
Querying round(ChunkSizeLimit& limit, TimePoint at, decltype(Querying::rejects) rejects) {
    Querying querying{std::move(rejects), 0, 0, {}};
    querying.query(0, 1000, limit.limit(at));
    limit.learn(querying.outcomes, at);
    return querying;
}

auto more_than(std::size_t most) {
    return [most](std::size_t first, std::size_t last) { return last - first > most; };
}

} // namespace

TEST_CASE("a size that a server rejects is tried once, then not again for a while") {
    ChunkSizeLimit limit;
    CHECK(limit.limit(start) == ChunkSizeLimit::unlimited);
    CHECK(round(limit, start, more_than(300)).rejected == 1 + 2);
    CHECK(limit.limit(start) == 250);
    for (Duration later = 15s; later < ChunkSizeLimit::raise_after; later += 15s) {
        const Querying querying = round(limit, start + later, more_than(300));
        REQUIRE(querying.rejected == 0);
        REQUIRE(querying.answered == 4);
    }
}

TEST_CASE("twice the limit is tried from time to time, and kept if it is answered") {
    ChunkSizeLimit limit;
    round(limit, start, more_than(130));
    CHECK(limit.limit(start) == 125);
    TimePoint at = start + ChunkSizeLimit::raise_after;
    CHECK(round(limit, at, more_than(130)).rejected == 4); // Still too much.
    CHECK(limit.limit(at + 15s) == 125);

    at += ChunkSizeLimit::raise_after;
    CHECK(round(limit, at, more_than(1000)).answered == 4);
    CHECK(limit.limit(at + 15s) == 250);
    at += ChunkSizeLimit::raise_after;
    CHECK(round(limit, at, more_than(1000)).answered == 2);
    at += ChunkSizeLimit::raise_after;
    CHECK(round(limit, at, more_than(1000)).answered == 1);
    CHECK(limit.limit(at + 15s) == 1000);
}

TEST_CASE("one member that is too large by itself does not make other queries smaller") {
    const std::size_t heavy = GENERATE(0u, 333u, 999u);
    ChunkSizeLimit limit;
    round(limit, start,
          [heavy](std::size_t first, std::size_t last) { return first <= heavy && heavy < last; });
    CHECK(limit.limit(start) == ChunkSizeLimit::unlimited);
}

TEST_CASE("if nothing is answered the limit does not change") {
    ChunkSizeLimit limit;
    round(limit, start, more_than(0));
    CHECK(limit.limit(start) == ChunkSizeLimit::unlimited);
    round(limit, start, more_than(500));
    round(limit, start + 15s, more_than(0));
    CHECK(limit.limit(start + 15s) == 500);
}

TEST_CASE("a small query that is answered does not change the limit") {
    ChunkSizeLimit limit;
    round(limit, start, more_than(500));
    ChunkOutcomes few;
    few.add_answered(3);
    limit.learn(few, start + 15s);
    CHECK(limit.limit(start + 15s) == 500);
}
