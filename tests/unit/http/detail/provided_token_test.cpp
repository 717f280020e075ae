// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/provided_token.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using http::BearerToken;
using http::detail::ProvidedToken;

namespace {

struct CountedWakes final : http::detail::Wakeable {
    int wakes = 0;
    void post_wake() override { ++wakes; }
};

/// A token whose provider may take 5 s, and a clock.
struct Provided {
    ProvidedToken token{5s};
    TimePoint now = TimePoint() + 1h;

    ProvidedToken::Step next() { return token.next(now); }
    /// Asks, and answers at once.
    void answer(const Result<BearerToken>& answer) {
        const ProvidedToken::Step step = next();
        REQUIRE(step.must_ask);
        token.answer(step.question, answer, now);
    }
    /// The value that is used without asking.
    std::string value() {
        const ProvidedToken::Step step = next();
        CHECK_FALSE(step.must_ask);
        CHECK_FALSE(step.error);
        return step.value.value_or("");
    }
    std::string error() {
        const ProvidedToken::Step step = next();
        CHECK_FALSE(step.must_ask);
        CHECK_FALSE(step.value);
        return step.error ? step.error->message : "";
    }
};

const Error unreachable(Errc::unreachable, "no metadata service");

} // namespace

TEST_CASE("calls that need a token share one question to the provider") {
    Provided provided;
    const ProvidedToken::Step first = provided.next();
    const ProvidedToken::Step second = provided.next();
    CHECK(first.must_ask);
    CHECK_FALSE(second.must_ask);
    CHECK(first.question == second.question);
    CHECK_FALSE((first.value || first.error || second.value || second.error));
    CountedWakes one;
    CountedWakes gone;
    const ProvidedToken::Waiter waiter(provided.token, first.question, one);
    { const ProvidedToken::Waiter left(provided.token, first.question, gone); }
    CHECK_FALSE(waiter.is_over());
    provided.token.answer(first.question, BearerToken("abc"), provided.now);
    CHECK(waiter.is_over());
    CHECK(one.wakes == 1);
    CHECK(gone.wakes == 0);
    CHECK(provided.value() == "Bearer abc");
}

TEST_CASE("a token without an expiry is used until it is rejected") {
    Provided provided;
    provided.answer(BearerToken("abc"));
    provided.now += 24h * 365;
    CHECK(provided.value() == "Bearer abc");
    provided.token.reject("Bearer other", provided.now);
    CHECK(provided.value() == "Bearer abc");
    provided.token.reject("Bearer abc", provided.now);
    provided.answer(BearerToken("def"));
    CHECK(provided.value() == "Bearer def");
    // A call that was sent with the old token ends late.
    provided.token.reject("Bearer abc", provided.now);
    CHECK(provided.value() == "Bearer def");
}

TEST_CASE("a token is renewed before it expires, and used meanwhile") {
    Provided provided;
    const auto [life, renewal] =
        GENERATE(table<Duration, Duration>({{1h, 30s}, {100s, 10s}, {50ms, 5ms}}));
    provided.answer(BearerToken("old", life));
    provided.now += life - renewal - 1ns;
    CHECK(provided.value() == "Bearer old");
    provided.now += 1ns;
    const ProvidedToken::Step renewing = provided.next();
    CHECK(renewing.must_ask);
    CHECK(renewing.value == "Bearer old");
    CHECK(provided.value() == "Bearer old");
    provided.token.answer(renewing.question, BearerToken("new", life), provided.now);
    CHECK(provided.value() == "Bearer new");
}

TEST_CASE("a token is kept until it expires while the provider fails, and not longer") {
    Provided provided;
    provided.answer(BearerToken("old", 1h));
    provided.now += 1h - 10s;
    const bool throws = GENERATE(false, true);
    const Result<BearerToken> failure =
        throws ? Result<BearerToken>(unreachable) : Result<BearerToken>(BearerToken("a\r\nb"));
    provided.answer(failure);
    CHECK(provided.value() == "Bearer old");
    // Asked again once per second.
    provided.now += 999ms;
    CHECK(provided.value() == "Bearer old");
    provided.now += 1ms;
    provided.answer(failure);
    provided.now += 9s;
    provided.answer(failure);
    CHECK_FALSE(provided.error().empty());
    provided.now += 1s;
    provided.answer(BearerToken("new"));
    CHECK(provided.value() == "Bearer new");
}

TEST_CASE("what is no token is an error that does not repeat it") {
    Provided provided;
    const std::string text =
        GENERATE(as<std::string>{}, "", "hunter2 hunter2", "hunter2\r\nX: y", "hunter2\x80",
                 std::string(65537, 'h'), std::string("hunter2\0", 8));
    provided.answer(BearerToken(text));
    const std::string error = provided.error();
    CHECK(error.find("must return one token of printable ASCII") != std::string::npos);
    CHECK(error.find("hunter2") == std::string::npos);
}

TEST_CASE("the expiry of a token may be in the past or beyond all time") {
    Provided provided;
    const Duration past = GENERATE(Duration(0), Duration(-1), Duration::min());
    provided.answer(BearerToken("abc", past));
    CHECK(provided.error().find("has expired") != std::string::npos);
    provided.now += 1s;
    const Duration far = GENERATE(Duration::max(), Duration::max() - 1ns, 24h * 365 * 200);
    provided.answer(BearerToken("abc", far));
    CHECK(provided.value() == "Bearer abc");
}

TEST_CASE("a provider that hangs is given up, cancelled, and asked again") {
    Provided provided;
    int cancelled = 0;
    const ProvidedToken::Step first = provided.next();
    provided.token.set_cancel(first.question, [&] { ++cancelled; });
    CountedWakes call;
    const ProvidedToken::Waiter waiter(provided.token, first.question, call);
    provided.now += 5s - 1ns;
    CHECK(provided.next().question == first.question);
    provided.now += 1ns;
    CHECK(provided.error() == "the token provider returned nothing within 5s (timeouts.token)");
    CHECK(waiter.is_over());
    CHECK(call.wakes == 1);
    CHECK(cancelled == 1);
    provided.now += 1s;
    const ProvidedToken::Step second = provided.next();
    CHECK(second.must_ask);
    // The first one returns at last; nobody waits for it any more.
    provided.token.answer(first.question, BearerToken("late"), provided.now);
    CHECK_FALSE(provided.next().value);
    provided.token.answer(second.question, BearerToken("abc"), provided.now);
    CHECK(provided.value() == "Bearer abc");
}

TEST_CASE("a provider that hangs and ignores cancellation is not called without end") {
    Provided provided;
    std::vector<ProvidedToken::QuestionPtr> questions;
    for (std::size_t i = 0; i < ProvidedToken::max_running; ++i) {
        const ProvidedToken::Step step = provided.next();
        REQUIRE(step.must_ask);
        questions.push_back(step.question);
        provided.now += 6s;
        CHECK_FALSE(provided.error().empty());
        provided.now += 1s;
    }
    CHECK(provided.error().find("has not returned from its last 2 calls") != std::string::npos);
    provided.token.answer(questions.front(), unreachable, provided.now);
    CHECK(provided.next().must_ask);
}

TEST_CASE("a provider that returns a rejected token again is asked once per second") {
    Provided provided;
    provided.answer(BearerToken("abc"));
    provided.token.reject("Bearer abc", provided.now);
    provided.answer(BearerToken("abc"));
    provided.token.reject("Bearer abc", provided.now + 999ms);
    CHECK(provided.value() == "Bearer abc");
    provided.now += 1s;
    provided.token.reject("Bearer abc", provided.now);
    provided.answer(BearerToken("def"));
    CHECK(provided.value() == "Bearer def");
    // A new token is asked for at once if it is rejected too.
    provided.token.reject("Bearer def", provided.now);
    CHECK(provided.next().must_ask);
}

TEST_CASE("a rejected token is not used while the provider fails") {
    Provided provided;
    provided.answer(BearerToken("abc", 1h));
    provided.token.reject("Bearer abc", provided.now);
    provided.answer(unreachable);
    CHECK(provided.error() == "no metadata service");
}
