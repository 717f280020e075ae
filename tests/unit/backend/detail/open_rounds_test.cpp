// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/open_rounds.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A round that only knows its models.
struct FakeRound {
    explicit FakeRound(const std::vector<std::string>& ids) {
        for (const std::string& id : ids)
            keys.emplace_back("llm", id);
        std::ranges::sort(keys);
    }
    const FakeRound& plan() const { return *this; }
    std::span<const ModelKey> models() const { return keys; }
    void promote() { is_promoted = true; }

    std::vector<ModelKey> keys;
    std::atomic<bool> is_over{false};
    std::atomic<bool> is_promoted{false};
};

using AllRounds = detail::OpenRounds<FakeRound>;
using End = AllRounds::End;

const TimePoint entered_at{24h};
const TimePoint no_deadline = TimePoint::max();

std::shared_ptr<FakeRound> round_of(const std::vector<std::string>& ids) {
    return std::make_shared<FakeRound>(ids);
}

/// Calls that wait for rounds, in one thread.
struct WaitingCalls {
    struct Wait {
        std::vector<ModelKey> models;
        asio::cancellation_signal cancel{};
        std::optional<AllRounds::Joined> result{};
        bool threw = false;
    };

    std::shared_ptr<Wait> join(const std::vector<std::string>& ids, TimePoint now = entered_at,
                               TimePoint deadline = no_deadline,
                               Priority priority = Priority::interactive) {
        auto wait = std::make_shared<Wait>();
        wait->models = round_of(ids)->keys;
        asio::co_spawn(
            *io, rounds.join(wait->models, now, deadline, priority),
            asio::bind_cancellation_slot(
                wait->cancel.slot(), [wait](std::exception_ptr failure, AllRounds::Joined joined) {
                    wait->threw = failure != nullptr;
                    wait->result = std::move(joined);
                }));
        run();
        return wait;
    }
    void run() {
        io->restart();
        io->poll();
    }

    AllRounds rounds; // Outlives the coroutines in the context.
    std::unique_ptr<asio::io_context> io = std::make_unique<asio::io_context>();
};

} // namespace

TEST_CASE("a round that must be alone is entered only if there is none to join") {
    AllRounds rounds;
    const std::vector<ModelKey> models;
    const auto enter = [&](TimePoint now) {
        return std::make_unique<AllRounds::Entry>(rounds, round_of({"a"}), entered_at, models, now);
    };
    auto first = enter(entered_at);
    CHECK(first->is_entered());
    {
        const auto second = enter(entered_at);
        CHECK_FALSE(second->is_entered());
    }
    CHECK_FALSE(
        enter(entered_at + AllRounds::join_within)->is_entered()); // The first one is still there.
    CHECK(enter(entered_at + AllRounds::join_within + 1ns)->is_entered());
    first.reset();
    CHECK(enter(entered_at)->is_entered());
}

TEST_CASE_METHOD(WaitingCalls, "without a round that runs a call is told so at once") {
    const auto wait = join({"a"});
    REQUIRE(wait->result);
    CHECK(wait->result->round == nullptr);
    CHECK(wait->result->end == End::none);
}

TEST_CASE_METHOD(WaitingCalls, "a call waits for a round that has all of its models") {
    const auto round = round_of({"a", "b", "c"});
    std::optional<AllRounds::Entry> entry(std::in_place, rounds, round, entered_at);
    const auto ids =
        GENERATE(values<std::vector<std::string>>({{"a"}, {"b", "c"}, {"a", "b", "c"}, {}}));
    const auto first = join(ids);
    const auto second = join(ids);
    CHECK_FALSE(first->result.has_value());
    entry.reset();
    run();
    for (const auto& wait : {first, second}) {
        REQUIRE(wait->result);
        CHECK(wait->result->round == round);
        CHECK(wait->result->end == End::over);
    }
    // It is over: the next call begins another.
    CHECK(join(ids)->result->round == nullptr);
}

TEST_CASE_METHOD(WaitingCalls, "a call does not wait for a round that lacks one of its models") {
    const AllRounds::Entry entry(rounds, round_of({"a", "c"}), entered_at);
    const auto ids = GENERATE(
        values<std::vector<std::string>>({{"b"}, {"a", "b"}, {"a", "b", "c"}, {"a", "c", "d"}}));
    const auto wait = join(ids);
    REQUIRE(wait->result);
    CHECK(wait->result->round == nullptr);
}

TEST_CASE_METHOD(WaitingCalls, "of several rounds the one with the models is waited for") {
    const auto wanted = round_of({"b"});
    std::optional<AllRounds::Entry> one(std::in_place, rounds, round_of({"a"}), entered_at);
    std::optional<AllRounds::Entry> two(std::in_place, rounds, wanted, entered_at);
    const auto wait = join({"b"});
    one.reset();
    run();
    CHECK_FALSE(wait->result.has_value());
    two.reset();
    run();
    REQUIRE(wait->result);
    CHECK(wait->result->round == wanted);
}

TEST_CASE_METHOD(WaitingCalls, "a round that began a while ago is not joined") {
    const auto round = round_of({"a"});
    std::optional<AllRounds::Entry> entry(std::in_place, rounds, round, entered_at);
    const auto first = join({"a"}, entered_at + AllRounds::join_within);
    CHECK_FALSE(first->result.has_value());
    const auto later = join({"a"}, entered_at + AllRounds::join_within + 1ms);
    REQUIRE(later->result);
    CHECK(later->result->end == End::none);

    // Its successor is, while it still runs.
    const auto successor = round_of({"a"});
    const AllRounds::Entry other(rounds, successor, entered_at + 2s);
    const auto second = join({"a"}, entered_at + 2s);
    entry.reset();
    run();
    CHECK(first->result.value().round == round);
    CHECK_FALSE(second->result.has_value());
}

TEST_CASE_METHOD(WaitingCalls, "a wait for a round that does not end is over at the deadline") {
    std::optional<AllRounds::Entry> entry(std::in_place, rounds, round_of({"a"}), entered_at);
    const auto stays = join({"a"});
    const auto late = join({"a"}, entered_at, std::chrono::steady_clock::now() + 1ms);
    while (!late->result)
        io->run_one();
    CHECK(late->result->end == End::late);
    CHECK_FALSE(late->threw);
    entry.reset();
    run();
    CHECK(stays->result.value().end == End::over);
    // The deadline of a call that was completed before it does nothing.
    const AllRounds::Entry again(rounds, round_of({"a"}), entered_at);
    const auto cancelled = join({"a"}, entered_at, std::chrono::steady_clock::now() + 1min);
    cancelled->cancel.emit(asio::cancellation_type::terminal);
    run();
    CHECK(cancelled->result.value().end == End::cancelled);
    CHECK(io->stopped());
}

TEST_CASE_METHOD(WaitingCalls, "a call that is cancelled leaves, and the others wait on") {
    const auto round = round_of({"a"});
    std::optional<AllRounds::Entry> entry(std::in_place, rounds, round, entered_at);
    const auto leaves = join({"a"});
    const auto stays = join({"a"});
    leaves->cancel.emit(asio::cancellation_type::terminal);
    run();
    REQUIRE(leaves->result);
    CHECK(leaves->result->end == End::cancelled);
    CHECK_FALSE(leaves->threw);
    CHECK_FALSE(stays->result.has_value());
    entry.reset();
    run();
    REQUIRE(stays->result);
    CHECK(stays->result->round == round);
    CHECK(stays->result->end == End::over);
}

TEST_CASE_METHOD(WaitingCalls,
                 "a context may be destroyed while calls wait, before the round ends") {
    std::optional<AllRounds::Entry> entry(std::in_place, rounds, round_of({"a"}), entered_at);
    const auto wait = join({"a"});
    io.reset();
    entry.reset();
    CHECK_FALSE(wait->result.has_value());
    CHECK(wait.use_count() == 1);
}

TEST_CASE_METHOD(
    WaitingCalls,
    "a round may end while the context is being destroyed in which calls wait for it") {
    const auto round = round_of({"a"});
    auto entry = std::make_shared<AllRounds::Entry>(rounds, round, entered_at);
    // What belongs to the first or the last of the calls keeps the round running.
    const bool is_first = GENERATE(true, false);
    for (const bool owns : {is_first, false, !is_first})
        asio::co_spawn(*io, rounds.join(round->keys, entered_at, no_deadline, Priority::background),
                       [own = owns ? entry : nullptr](std::exception_ptr, AllRounds::Joined) {});
    run();
    entry.reset();
    REQUIRE(round.use_count() > 1);
    io.reset();
    CHECK(round.use_count() == 1);
}

TEST_CASE_METHOD(WaitingCalls, "a round ends when the context that runs it is destroyed") {
    const auto round = round_of({"a"});
    const auto runner = [](AllRounds& all,
                           std::shared_ptr<FakeRound> own) -> asio::awaitable<void> {
        const AllRounds::Entry entry(all, std::move(own), entered_at);
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    };
    asio::co_spawn(*io, runner(rounds, round), asio::detached);
    io->run_one();
    REQUIRE(round.use_count() > 1);
    io.reset();
    CHECK(round.use_count() == 1);
    io = std::make_unique<asio::io_context>();
    CHECK(join({"a"})->result->round == nullptr);
}

TEST_CASE_METHOD(WaitingCalls, "a round is promoted when somebody waits for it") {
    const auto round = round_of({"a"});
    const AllRounds::Entry entry(rounds, round, entered_at);
    join({"a"}, entered_at, no_deadline, Priority::background);
    CHECK_FALSE(round->is_promoted);
    join({"b"}, entered_at, no_deadline, Priority::interactive);
    CHECK_FALSE(round->is_promoted);
    join({"a"}, entered_at, no_deadline, Priority::interactive);
    CHECK(round->is_promoted);
}

TEST_CASE("every call that waits for a round is completed, in any number of threads") {
    constexpr int calls = 200;
    asio::thread_pool pool(4);
    AllRounds rounds;
    std::atomic<int> begun{0};
    const auto call = [&]() -> asio::awaitable<bool> {
        const auto own = round_of({"a"});
        while (true) {
            const auto joined =
                co_await rounds.join(own->keys, entered_at, no_deadline, Priority::interactive);
            if (joined.round && joined.round->is_over)
                co_return true;
            if (joined.round)
                continue;
            const AllRounds::Entry entry(rounds, own, entered_at);
            ++begun;
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            own->is_over = true;
            co_return true;
        }
    };
    std::vector<std::future<bool>> results;
    for (int i = 0; i < calls; ++i)
        results.push_back(asio::co_spawn(pool, call(), asio::use_future));
    for (auto& result : results)
        CHECK(result.get());
    CHECK(begun > 0);
    CHECK(begun <= calls);
    pool.join();
}
