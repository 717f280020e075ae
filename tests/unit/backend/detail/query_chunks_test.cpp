// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/query_chunks.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

namespace {

using Chunk = promql::ModelChunk;

/// A server whose limits are scripted.
struct SizedServer {
    std::function<bool(Chunk)> rejects;
    Error error{Errc::too_costly, "too much"};
    std::size_t asked = 0;
    std::size_t rejected = 0;
    std::set<std::size_t> answered{};
    std::set<std::size_t> failed{};

    boost::asio::awaitable<Result<void>> fetch(Chunk chunk) {
        ++asked;
        if (rejects(chunk)) {
            ++rejected;
            co_return error;
        }
        for (std::size_t i = chunk.first; i < chunk.last; ++i)
            answered.insert(i);
        co_return Result<void>();
    }
    void fail(Chunk chunk, const Error&) {
        for (std::size_t i = chunk.first; i < chunk.last; ++i)
            failed.insert(i);
    }
    std::string name_of(std::size_t index) const { return std::to_string(index); }
};

/// One batch about members 0 to `members`, in chunks of `size`, with `jobs` queries at once.
SizedServer sized_batch(SizeMemory& memory, TimePoint now, std::size_t members, std::size_t size,
                        std::function<bool(Chunk)> rejects, std::size_t jobs = 4) {
    SizedServer server{std::move(rejects)};
    using Queries = ChunkQueries<SizedServer, ModelKey>;
    const auto queries = std::make_shared<Queries>(server, memory, QuerySubject::models, now);
    for (std::size_t first = 0; first < members; first += size)
        queries->add(Chunk{first, std::min(first + size, members)});
    boost::asio::io_context context;
    for (std::size_t job = 0; job < jobs; ++job)
        boost::asio::co_spawn(context, Queries::run(queries), boost::asio::detached);
    context.run();
    queries->learn();
    return server;
}

auto larger_than(std::size_t most) {
    return [most](Chunk chunk) { return chunk.size() > most; };
}
bool everything(Chunk) {
    return true;
}

auto containing(std::set<std::size_t> heavy) {
    return [heavy](Chunk chunk) {
        const auto first = heavy.lower_bound(chunk.first);
        return first != heavy.end() && *first < chunk.last;
    };
}

const TimePoint begin{24h};

} // namespace

TEST_CASE("each member is answered or has failed, once, whatever the server rejects") {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        SizeMemory memory;
        TimePoint now = begin;
        const std::size_t members = 1 + random() % 300;
        std::set<std::size_t> heavy;
        for (std::size_t i = random() % 9; i > 0; --i)
            heavy.insert(random() % members);
        const std::size_t most = random() % 2 == 0 ? 1000 : random() % 40;
        const auto rejects = [&](Chunk chunk) {
            return chunk.size() > most || containing(heavy)(chunk);
        };
        for (int batch = 0; batch < 4; ++batch, now += std::chrono::seconds(random() % 40)) {
            const SizedServer server = sized_batch(memory, now, members, 1 + random() % members,
                                                   rejects, 1 + random() % 5);
            std::vector<std::size_t> both;
            std::set_intersection(server.answered.begin(), server.answered.end(),
                                  server.failed.begin(), server.failed.end(),
                                  std::back_inserter(both));
            REQUIRE(both.empty());
            REQUIRE(server.answered.size() + server.failed.size() == members);
        }
    }
}

TEST_CASE("a chunk whose answer was cut off is queried again, a few times in a batch") {
    const Error cut_off(Errc::unreachable, "reset", "http://prometheus:9090", 200);
    const auto batch = [&](const Error& error, std::size_t failures) {
        SizeMemory memory;
        std::size_t left = failures;
        SizedServer server{[&](Chunk) { return left > 0 && left-- > 0; }, error};
        using Queries = ChunkQueries<SizedServer, ModelKey>;
        const auto queries = std::make_shared<Queries>(server, memory, QuerySubject::models, begin);
        for (std::size_t first = 0; first < 100; first += 10)
            queries->add(Chunk{first, first + 10});
        boost::asio::io_context context;
        boost::asio::co_spawn(context, Queries::run(queries), boost::asio::detached);
        context.run();
        return server;
    };
    CHECK(batch(cut_off, 0).asked == 10);
    for (std::size_t failures = 1; failures <= max_repeated_chunks; ++failures) {
        const SizedServer server = batch(cut_off, failures);
        CHECK(server.answered.size() == 100);
        CHECK(server.failed.empty());
        CHECK(server.asked == 10 + failures);
    }
    const SizedServer broken = batch(cut_off, 1000);
    CHECK(broken.failed.size() == 100);
    CHECK(broken.asked == 10 + max_repeated_chunks);
    // If nothing has arrived, the HTTP client has sent it again already.
    const SizedServer refused = batch(Error(Errc::unreachable, "refused"), 1);
    CHECK(refused.failed.size() == 10);
    CHECK(refused.asked == 10);
}

TEST_CASE("a server that rejects everything is asked a bounded number of times") {
    SizeMemory memory;
    std::size_t asked = 0;
    const std::size_t size = GENERATE(10u, 100u, 1000u);
    for (Duration later = 0s; later < 10min; later += 1s)
        asked += sized_batch(memory, begin + later, 1000, size, everything).asked;
    // Without the budget, each of the 600 batches would ask 2000 times.
    const std::size_t chunks = 1000 / size;
    CHECK(asked <= 10 * (SplitBudget::most + 2 * SizeMemory::futile_from + chunks) + 600 * 4);
}

TEST_CASE("halving begins again a minute after it did not help") {
    SizeMemory memory;
    sized_batch(memory, begin, 1000, 100, everything);
    // The server recovers, but not quite.
    const auto recovered = larger_than(5);
    CHECK(sized_batch(memory, begin + 15s, 1000, 100, recovered).answered.empty());
    CHECK(sized_batch(memory, begin + 61s, 1000, 100, recovered).answered.size() == 1000);
    CHECK(sized_batch(memory, begin + 76s, 1000, 100, recovered).rejected == 0);
}

TEST_CASE("the size that a server accepts is found in one batch, whatever it is") {
    const std::size_t most = GENERATE(1u, 2u, 3u, 7u, 50u, 99u, 333u, 999u);
    const std::size_t size = GENERATE(100u, 250u, 1000u);
    SizeMemory memory;
    const SizedServer server = sized_batch(memory, begin, 1000, size, larger_than(most));
    CHECK(server.failed.empty());
    CHECK(server.rejected < SplitBudget::most);
    CHECK(sized_batch(memory, begin + 15s, 1000, size, larger_than(most)).rejected == 0);
}

TEST_CASE(
    "members that are too large by themselves fail alone, and are then left out for a while") {
    using Members = std::set<std::size_t>;
    const Members heavy = GENERATE(Members{0}, Members{999}, Members{10, 500, 501});
    SizeMemory memory;
    const SizedServer first = sized_batch(memory, begin, 1000, 1000, containing(heavy));
    CHECK(first.failed == heavy);
    for (Duration later = 15s; later < SizeMemory::pause; later += 15s) {
        const SizedServer next = sized_batch(memory, begin + later, 1000, 1000, containing(heavy));
        CHECK(next.failed == heavy);
        CHECK(next.rejected == 0);
    }
    const TimePoint again = begin + SizeMemory::pause;
    CHECK(sized_batch(memory, again, 1000, 1000, containing({})).failed.empty());
}

TEST_CASE("many members that are too large by themselves are found over several batches") {
    std::set<std::size_t> heavy;
    for (std::size_t i = 0; i < 1000; i += 50)
        heavy.insert(i);
    SizeMemory memory;
    SizedServer last;
    for (Duration later = 0s; later < 3min; later += 15s)
        last = sized_batch(memory, begin + later, 1000, 100, containing(heavy));
    CHECK(last.failed == heavy);
    CHECK(last.rejected <= heavy.size());
}

TEST_CASE("one member that is queried by itself and rejected does not stop halving for others") {
    SizeMemory memory;
    sized_batch(memory, begin, 1, 1, everything);
    CHECK(sized_batch(memory, begin + 1s, 100, 100, larger_than(30)).failed.empty());
}

TEST_CASE("an error that is not about the size is not followed by smaller queries") {
    SizeMemory memory;
    SizedServer server{everything, Error(Errc::unavailable, "busy")};
    using Queries = ChunkQueries<SizedServer, ModelKey>;
    const auto queries = std::make_shared<Queries>(server, memory, QuerySubject::models, begin);
    queries->add(Chunk{0, 100});
    boost::asio::io_context context;
    boost::asio::co_spawn(context, Queries::run(queries), boost::asio::detached);
    context.run();
    CHECK(server.asked == 1);
    CHECK(server.failed.size() == 100);
}

TEST_CASE("models and pods have limits of their own") {
    SizeMemory memory;
    BatchOutcomes outcomes;
    outcomes.sizes.add_rejected(20);
    outcomes.sizes.add_answered(10);
    memory.learn(QuerySubject::models, outcomes, begin);
    CHECK(memory.limit(QuerySubject::models, begin) == 10);
    CHECK(memory.limit(QuerySubject::pods, begin) == ChunkSizeLimit::unlimited);
    outcomes.sizes.add_answered(15);
    memory.learn(QuerySubject::pods, outcomes, begin);
    CHECK(memory.limit(QuerySubject::models, begin) == 10);
    CHECK(memory.limit(QuerySubject::pods, begin) == 15);
}
