// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/scripted_server.hpp"
#include "support/scripted_transport.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::ClientConfig;
using http::Request;
using http::Response;

namespace {

enum class Phase { resolving, connecting, handshaking, writing, reading, queued };

/// A client with a call that is stuck in one phase.
struct StuckCall {
    explicit StuckCall(Phase phase) {
        const auto misbehave = [phase](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            if (phase != Phase::writing)
                co_await peer->read_request();
            co_await peer->wait(1h);
        };
        server = std::make_unique<ScriptedServer>(*context,
                                                  std::vector<ScriptedServer::Script>{misbehave});
        ClientConfig config{
            .url = server->url(),
            .timeouts = {.resolve = 1h, .connect = 1h, .tls_handshake = 1h, .attempt = 1h},
            .limits = {.max_connections = 1},
            .transport = transport};
        if (phase == Phase::resolving)
            config.url = "http://name.test";
        if (phase == Phase::connecting)
            transport->black_hole =
                asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), server->port());
        transport->stall_handshake = phase == Phase::handshaking;
        client = std::make_unique<Client>(context->get_executor(), std::move(config));

        const std::size_t body_bytes = phase == Phase::writing ? std::size_t{64} << 20 : 0;
        const Request request = Request::post("/", std::string(body_bytes, 'x'), "");
        if (phase == Phase::queued) {
            other = start_call(*context, *client);
            run_until(*context, [&] { return !server->requests().empty(); });
        }
        call = start_call(*context, *client, request, std::chrono::steady_clock::now() + 1h);
        switch (phase) {
        case Phase::resolving:
            run_until(*context, [&] { return transport->lookups.size() == 1; });
            break;
        case Phase::connecting:
            run_until(*context, [&] { return transport->connects == 1; });
            break;
        case Phase::handshaking:
            run_until(*context, [&] { return transport->handshakes == 1; });
            break;
        case Phase::reading:
            run_until(*context, [&] { return server->requests().size() == 1; });
            break;
        case Phase::writing:
            run_until(*context, [&] { return server->connections() == 1; });
            break;
        case Phase::queued:
            break;
        }
        run_ready(*context);
        REQUIRE_FALSE(call->is_over());
    }

    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>();
    std::unique_ptr<ScriptedServer> server;
    std::unique_ptr<Client> client;
    std::shared_ptr<StartedCall> call;
    /// In the phase `queued`: the call that has the connection.
    std::shared_ptr<StartedCall> other;
};

Phase any_phase() {
    return GENERATE(Phase::resolving, Phase::connecting, Phase::handshaking, Phase::writing,
                    Phase::reading, Phase::queued);
}

} // namespace

TEST_CASE("a call ends at once when it is cancelled, whatever it waits for") {
    StuckCall stuck(any_phase());
    stuck.call->cancel.emit(asio::cancellation_type::terminal);
    CHECK(finish_call(*stuck.context, stuck.call).error().is(Errc::aborted));
    CHECK(stuck.client->idle_connections() == 0);
    if (stuck.other)
        CHECK_FALSE(stuck.other->is_over());
}

TEST_CASE("a call that is cancelled while its name is resolved does not connect") {
    StuckCall stuck(Phase::resolving);
    stuck.transport->black_hole = asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 1);
    stuck.call->cancel.emit(asio::cancellation_type::terminal);
    stuck.transport->lookups.front()({}, {*stuck.transport->black_hole});
    CHECK(finish_call(*stuck.context, stuck.call).error().is(Errc::aborted));
    CHECK(stuck.transport->connects == 0);
}

TEST_CASE("cancelling a completed call does nothing, even after its client and context") {
    std::shared_ptr<StartedCall> call;
    {
        asio::io_context context;
        const ScriptedServer server(context, {answer_each_with(ok_answer)});
        Client client(context.get_executor(), {.url = server.url()});
        call = start_call(context, client);
        CHECK(finish_call(context, call).has_value());
        call->cancel.emit(asio::cancellation_type::terminal);
        CHECK(send_request(context, client).has_value());
    }
    CHECK(call->is_over());
}

TEST_CASE("a cancelled call leaves the queue, and the next call gets the connection") {
    asio::io_context context;
    bool answer = false;
    const ScriptedServer server(context,
                                {[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                                    for (;;) {
                                        co_await peer->read_request();
                                        while (!answer)
                                            co_await peer->wait(1ms);
                                        co_await peer->send(ok_answer);
                                    }
                                }});
    Client client(context.get_executor(),
                  {.url = server.url(), .limits = {.max_connections = 1, .max_queued = 2}});
    const auto busy = start_call(context, client, Request::get("/busy"));
    run_until(context, [&] { return server.requests().size() == 1; });
    const auto leaver = start_call(context, client, Request::get("/leaver"));
    const auto next = start_call(context, client, Request::get("/next"));
    run_ready(context);
    leaver->cancel.emit(asio::cancellation_type::terminal);
    CHECK(finish_call(context, leaver).error().is(Errc::aborted));
    // There is room in the queue again.
    const auto last = start_call(context, client, Request::get("/last"));
    run_ready(context);
    CHECK_FALSE(last->is_over());
    answer = true;
    CHECK(finish_call(context, busy).has_value());
    CHECK(finish_call(context, next).has_value());
    CHECK(finish_call(context, last).has_value());
    CHECK(server.requests().size() == 3);
}

TEST_CASE("destroying the client ends its calls, whatever they wait for") {
    StuckCall stuck(any_phase());
    stuck.client.reset();
    CHECK_FALSE(stuck.call->is_over());
    CHECK(finish_call(*stuck.context, stuck.call).error().is(Errc::aborted));
    if (stuck.other)
        CHECK(finish_call(*stuck.context, stuck.other).error().is(Errc::aborted));
}

TEST_CASE("the io_context may be destroyed with pending calls, before the client") {
    StuckCall stuck(any_phase());
    const bool stop_first = GENERATE(false, true);
    if (stop_first)
        stuck.context->stop();
    stuck.context.reset();
    CHECK_FALSE(stuck.call->is_over());
    stuck.call->cancel.emit(asio::cancellation_type::terminal);
    stuck.client.reset();
}

TEST_CASE("the io_context may be destroyed right after the client, without running again") {
    StuckCall stuck(any_phase());
    stuck.client.reset();
    stuck.context.reset();
    CHECK_FALSE(stuck.call->is_over());
}

TEST_CASE("the io_context may be destroyed with idle connections, before the client") {
    auto context = std::make_unique<asio::io_context>();
    const ScriptedServer server(*context, {answer_each_with(ok_answer)});
    Client client(context->get_executor(), {.url = server.url()});
    CHECK(send_request(*context, client).has_value());
    CHECK(client.idle_connections() == 1);
    context.reset();
    CHECK(client.idle_connections() == 0);
}

TEST_CASE("a client rejects calls after its io_context was destroyed") {
    auto context = std::make_unique<asio::io_context>();
    Client client(context->get_executor(), {.url = "http://127.0.0.1:1"});
    context.reset();
    asio::io_context other;
    CHECK(send_request(other, client).error().is(Errc::aborted));
}

TEST_CASE("the client's io_context may be destroyed before that of a waiting caller") {
    auto context = std::make_unique<asio::io_context>();
    const ScriptedServer server(*context, {never_answer()});
    auto client =
        std::make_unique<Client>(asio::make_strand(*context), ClientConfig{.url = server.url()});
    auto callers_context = std::make_unique<asio::io_context>();
    const auto call = start_call(*callers_context, *client);
    callers_context->poll();
    run_until(*context, [&] { return server.requests().size() == 1; });
    const bool client_first = GENERATE(true, false);
    if (client_first)
        client.reset();
    context.reset();
    run_ready(*callers_context);
    CHECK_FALSE(call->is_over());
    call->cancel.emit(asio::cancellation_type::terminal);
    callers_context.reset();
}

TEST_CASE("a client owned by a coroutine may be destroyed with the io_context and pending calls") {
    auto context = std::make_unique<asio::io_context>();
    const ScriptedServer server(*context, {answer_each_with(ok_answer), never_answer()});
    asio::co_spawn(
        *context,
        [](std::string url) -> asio::awaitable<void> {
            const asio::any_io_executor executor = co_await asio::this_coro::executor;
            Client client(executor, {.url = std::move(url), .limits = {.max_connections = 1}});
            for (int i = 0; i < 3; ++i)
                asio::co_spawn(executor, client.send(root_request, far_deadline()), asio::detached);
            const Result<Response> mine = co_await client.send(root_request, far_deadline());
            asio::steady_timer(executor, 1h);
        }(server.url() + "/"),
        asio::detached);
    run_until(*context, [&] { return server.requests().size() >= 2; });
    context.reset();
}

TEST_CASE("calls go on when a stopped io_context is run again") {
    asio::io_context context;
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    Client client(context.get_executor(), {.url = server.url()});
    const auto call = start_call(context, client);
    run_until(context, [&] { return server.connections() == 1; });
    context.stop();
    CHECK(finish_call(context, call).has_value());
}

TEST_CASE("calls from other execution contexts run on the client's and return to their own") {
    asio::thread_pool client_threads(2);
    asio::thread_pool caller_threads(3);
    asio::io_context server_context;
    const ScriptedServer server(server_context, {answer_each_with(ok_answer)});
    std::thread server_thread([&] { server_context.run(); });
    std::atomic<int> good = 0;
    {
        Client client(client_threads.get_executor(),
                      {.url = server.url(), .limits = {.max_connections = 4}});
        const auto caller = [&client, &good, &caller_threads]() -> asio::awaitable<void> {
            for (int i = 0; i < 25; ++i) {
                const Result<Response> response =
                    co_await client.send(root_request, far_deadline());
                const bool is_on_own_thread =
                    caller_threads.get_executor().running_in_this_thread();
                if (response && response->body == "{}" && is_on_own_thread)
                    ++good;
            }
        };
        std::vector<std::future<void>> callers;
        for (int i = 0; i < 8; ++i)
            callers.push_back(asio::co_spawn(caller_threads, caller(), asio::use_future));
        for (std::future<void>& each : callers)
            each.get();
    }
    CHECK(good == 200);
    server_context.stop();
    server_thread.join();
    CHECK(server.connections() <= 4);
}

TEST_CASE("calls may be cancelled and clients destroyed while many threads run them") {
    asio::thread_pool threads(3);
    asio::io_context server_context;
    const ScriptedServer server(
        server_context, {answer_each_with(ok_answer), never_answer(), answer_each_with(ok_answer)});
    std::thread server_thread([&] { server_context.run(); });
    for (int round = 0; round < 20; ++round) {
        auto client = std::make_unique<Client>(
            threads.get_executor(),
            ClientConfig{.url = server.url(), .limits = {.max_connections = 2}});
        std::vector<std::future<bool>> calls;
        std::vector<std::shared_ptr<asio::cancellation_signal>> signals;
        std::vector<asio::strand<asio::thread_pool::executor_type>> strands;
        for (int i = 0; i < 8; ++i) {
            strands.push_back(asio::make_strand(threads.get_executor()));
            signals.push_back(std::make_shared<asio::cancellation_signal>());
            auto done = std::make_shared<std::promise<bool>>();
            calls.push_back(done->get_future());
            asio::co_spawn(strands.back(), client->send(root_request, far_deadline()),
                           asio::bind_cancellation_slot(
                               signals.back()->slot(),
                               [done](std::exception_ptr thrown, Result<Response> result) {
                                   done->set_value(thrown == nullptr && result.has_value());
                               }));
        }
        for (std::size_t i = 0; i < 4; ++i)
            asio::post(strands[i],
                       [signal = signals[i]] { signal->emit(asio::cancellation_type::terminal); });
        client.reset();
        for (std::future<bool>& call : calls)
            call.get();
    }
    server_context.stop();
    server_thread.join();
}
