// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "support/token_rotation.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::BearerToken;
using http::ClientConfig;
using http::Credentials;
using http::Response;

namespace {

/// Returns when its coroutine is cancelled, and counts its calls.
struct HangingProvider {
    std::shared_ptr<int> calls = std::make_shared<int>(0);
    std::shared_ptr<int> cancelled = std::make_shared<int>(0);

    Credentials credentials() const {
        return Credentials::bearer_provider(
            [calls = calls, cancelled = cancelled]() -> asio::awaitable<Result<BearerToken>> {
                ++*calls;
                asio::steady_timer timer(co_await asio::this_coro::executor, TimePoint::max());
                boost::system::error_code error;
                co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
                ++*cancelled;
                Result<BearerToken> none = Error(Errc::aborted, "cancelled");
                co_return none;
            });
    }
};

} // namespace

TEST_CASE("a token comes from a provider, which is a coroutine or a function") {
    int calls = 0;
    const bool is_coroutine = GENERATE(false, true);
    const Credentials credentials =
        is_coroutine ? Credentials::bearer_provider([&]() -> asio::awaitable<Result<BearerToken>> {
            asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
            co_await timer.async_wait(asio::use_awaitable);
            ++calls;
            Result<BearerToken> token = BearerToken("fresh");
            co_return token;
        })
                     : Credentials::bearer_provider([&] {
                           ++calls;
                           return BearerToken("fresh");
                       });
    HttpPair pair({accept_only("fresh")}, {.credentials = credentials});
    std::vector<std::shared_ptr<StartedCall>> started;
    for (int i = 0; i < 5; ++i)
        started.push_back(start_call(pair.context, *pair.client));
    for (const auto& call : started)
        CHECK(finish_call(pair.context, call)->status == 200);
    CHECK(pair.send_request()->status == 200);
    CHECK(calls == 1);
}

TEST_CASE("a provider is asked again after a 401, within the same call") {
    std::string token = "old";
    int calls = 0;
    const Credentials credentials = Credentials::bearer_provider([&]() -> Result<BearerToken> {
        ++calls;
        return BearerToken(token);
    });
    HttpPair pair({expire_token_after_first_request()}, {.credentials = credentials});
    CHECK(pair.send_request()->status == 200);
    token = "new";
    CHECK(pair.send_request()->status == 200);
    CHECK(calls == 2);
    REQUIRE(pair.server.requests().size() == 3);
    CHECK(pair.server.requests()[1].find("Bearer old\r\n") != std::string::npos);
    CHECK(pair.server.requests()[2].find("Bearer new\r\n") != std::string::npos);
}

TEST_CASE("a 401 whose token the provider does not replace is the answer") {
    int calls = 0;
    const Credentials credentials = Credentials::bearer_provider([&]() -> Result<BearerToken> {
        ++calls;
        if (calls == 2)
            return Error(Errc::unreachable, "no metadata service");
        return BearerToken("old");
    });
    HttpPair pair({accept_only("new")}, {.credentials = credentials});
    CHECK(pair.send_request()->status == 401);
    CHECK(calls == 2);
    CHECK(pair.server.requests().size() == 1);
}

TEST_CASE("a provider that fails, throws or returns no token is an error, and nothing is sent") {
    using Provider = std::function<Result<BearerToken>()>;
    const auto [provider, code, reason] = GENERATE(table<Provider, Errc, std::string>({
        {[] { return Error(Errc::unreachable, "no metadata\nservice"); }, Errc::unreachable,
         "the token provider failed: no metadata service"},
        {[]() -> Result<BearerToken> { throw std::runtime_error("exit status 1"); }, Errc::internal,
         "the token provider threw: exit status 1"},
        {[]() -> Result<BearerToken> { throw 1; }, Errc::internal, "a non-standard exception"},
        {[] { return BearerToken(secret_token + "\n"); }, Errc::internal, "must return one token"},
        {[] { return BearerToken(secret_token, 0s); }, Errc::internal, "has expired"},
    }));
    CAPTURE(reason);
    HttpPair pair({answer_each_with(ok_answer)},
                  {.credentials = Credentials::bearer_provider(provider)});
    // The second call gets the reason without asking again.
    for (int i = 0; i < 2; ++i) {
        const Result<Response> response = pair.send_request();
        REQUIRE_FALSE(response.has_value());
        CHECK(response.error().is(code));
        CAPTURE(response.error().message);
        CHECK(response.error().message.find(reason) != std::string::npos);
        CHECK(find_secret(response.error().describe()).empty());
        CHECK(response.error().endpoint == pair.client->endpoint());
    }
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("a provider that hangs ends calls in time, and is cancelled") {
    const HangingProvider provider;
    ClientConfig config{.credentials = provider.credentials()};
    config.timeouts.token = 50ms;
    HttpPair pair({answer_each_with(ok_answer)}, config);
    SECTION("at timeouts.token") {
        const Result<Response> response = pair.send_request();
        REQUIRE_FALSE(response.has_value());
        CHECK(response.error().is(Errc::timeout));
        CHECK(response.error().message ==
              "the token provider returned nothing within 50ms (timeouts.token)");
        run_until(pair.context, [&] { return *provider.cancelled == 1; });
    }
    SECTION("at the caller's deadline, while others go on waiting") {
        const auto patient = start_call(pair.context, *pair.client);
        const auto hasty = start_call(pair.context, *pair.client, root_request,
                                      std::chrono::steady_clock::now() + 5ms);
        const Result<Response> response = finish_call(pair.context, hasty);
        REQUIRE_FALSE(response.has_value());
        CHECK(response.error().is(Errc::timeout));
        CHECK(response.error().message.find("before the caller's deadline") != std::string::npos);
        CHECK(finish_call(pair.context, patient).error().message.find("timeouts.token") !=
              std::string::npos);
        CHECK(*provider.calls == 1);
    }
    CHECK(pair.server.connections() == 0);
}

TEST_CASE(
    "a call that waits for a provider may be cancelled, and its client or context destroyed") {
    const HangingProvider provider;
    auto context = std::make_unique<asio::io_context>();
    auto client = std::make_unique<http::Client>(
        context->get_executor(),
        ClientConfig{.url = "http://127.0.0.1:9", .credentials = provider.credentials()});
    const auto call = start_call(*context, *client);
    run_until(*context, [&] { return *provider.calls == 1; });
    run_ready(*context);
    REQUIRE_FALSE(call->is_over());
    SECTION("cancelled") {
        call->cancel.emit(asio::cancellation_type::terminal);
        CHECK(finish_call(*context, call).error().is(Errc::aborted));
    }
    SECTION("client first: the provider is cancelled too") {
        client.reset();
        CHECK(finish_call(*context, call).error().is(Errc::aborted));
        run_until(*context, [&] { return *provider.cancelled == 1; });
    }
    SECTION("context first") {
        context.reset();
        CHECK_FALSE(call->is_over());
    }
}

TEST_CASE("credentials without a provider are refused") {
    const Credentials credentials = Credentials::bearer_provider(http::TokenProvider());
    CHECK(credentials.problem() == "credentials: the token provider must not be empty");
}
