// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_all.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using http::BodySink;
using http::Client;
using http::ClientConfig;
using http::Response;

namespace {

/// A client with a call of whose body the first piece was delivered, and nothing follows.
struct OpenDelivery {
    OpenDelivery() {
        server = std::make_unique<ScriptedServer>(
            *context, std::vector<ScriptedServer::Script>{answer_then_silence(
                          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst")});
        client =
            std::make_unique<Client>(context->get_executor(), ClientConfig{.url = server->url()});
        call = start_call(*context, client->send(root_request, far_deadline(), keep_in(received)));
        run_until(*context, [&] { return received->text == "first"; });
        run_ready(*context);
        REQUIRE_FALSE(call->is_over());
    }

    std::shared_ptr<Received> received = std::make_shared<Received>();
    std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>();
    std::unique_ptr<ScriptedServer> server;
    std::unique_ptr<Client> client;
    std::shared_ptr<StartedCall> call;
};

} // namespace

TEST_CASE("a delivery ends at once when it is cancelled or its client destroyed") {
    OpenDelivery open;
    if (GENERATE(false, true))
        open.call->cancel.emit(asio::cancellation_type::terminal);
    else
        open.client.reset();
    CHECK(finish_call(*open.context, open.call).error().is(Errc::aborted));
    CHECK(open.received.use_count() == 1);
    CHECK(open.received->text == "first");
}

TEST_CASE("the io_context may be destroyed during a delivery, before or after the client") {
    OpenDelivery open;
    const std::weak_ptr<Received> received = std::exchange(open.received, nullptr);
    if (GENERATE(false, true))
        open.client.reset();
    open.server.reset();
    open.context.reset();
    CHECK_FALSE(open.call->is_over());
    // The sink was destroyed with the call.
    CHECK(received.expired());
}

TEST_CASE("the sink of a delivery may destroy its client or cancel its call") {
    const bool destroy = GENERATE(false, true);
    HttpPair pair({answer_then_silence("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst")});
    std::shared_ptr<StartedCall> call;
    call = start_call(pair.context,
                      pair.client->send(root_request, far_deadline(), [&](std::string_view) {
                          if (destroy)
                              pair.client.reset();
                          else
                              call->cancel.emit(asio::cancellation_type::terminal);
                          return true;
                      }));
    CHECK(finish_call(pair.context, call).error().is(Errc::aborted));
}

TEST_CASE("the sink is destroyed before its delivery completes, however it ends") {
    const std::string answer =
        GENERATE(as<std::string>{}, ok_answer, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst", "nonsense");
    HttpPair pair({answer_and_close(answer)});
    auto received = std::make_shared<Received>();
    const std::weak_ptr<Received> weak = received;
    bool was_destroyed = false;
    bool is_over = false;
    asio::co_spawn(pair.context,
                   pair.client->send(root_request, far_deadline(), keep_in(std::move(received))),
                   [&](const std::exception_ptr& thrown, const Result<Response>&) {
                       CHECK(thrown == nullptr);
                       was_destroyed = weak.expired();
                       is_over = true;
                   });
    run_until(pair.context, [&] { return is_over; });
    CHECK(was_destroyed);
}

TEST_CASE("deliveries may be cancelled and clients destroyed while many threads run them") {
    asio::thread_pool threads(3);
    asio::io_context server_context;
    const ScriptedServer server(server_context,
                                {[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                                    co_await peer->read_request();
                                    co_await peer->send(chunked_head());
                                    for (int i = 0; i < 100; ++i)
                                        co_await peer->send(chunk("line\n"));
                                    co_await peer->send(last_chunk);
                                }});
    std::thread server_thread([&] { server_context.run(); });
    // Assertions are for one thread.
    const auto problems = std::make_shared<std::atomic<int>>(0);
    for (int round = 0; round < 10; ++round) {
        auto client =
            std::make_unique<Client>(threads.get_executor(), ClientConfig{.url = server.url()});
        std::vector<std::future<void>> ended;
        const auto pieces = std::make_shared<std::atomic<std::size_t>>(0);
        for (int i = 0; i < 6; ++i) {
            const auto strand = asio::make_strand(threads.get_executor());
            const auto signal = std::make_shared<asio::cancellation_signal>();
            const auto done = std::make_shared<std::promise<void>>();
            ended.push_back(done->get_future());
            // Its own text is used by one thread at a time, and by the caller after the call.
            const auto text = std::make_shared<std::string>();
            auto owned = std::make_shared<bool>(true);
            const std::weak_ptr<bool> sink_lives = owned;
            BodySink sink = [owned = std::move(owned), text, pieces](std::string_view piece) {
                *text += piece;
                ++*pieces;
                return true;
            };
            asio::co_spawn(
                strand, client->send(root_request, far_deadline(), std::move(sink)),
                asio::bind_cancellation_slot(
                    signal->slot(),
                    [done, text, signal, sink_lives, problems](const std::exception_ptr& thrown,
                                                               const Result<Response>& result) {
                        const bool is_complete = thrown == nullptr && result.has_value();
                        if (!sink_lives.expired() || (is_complete && text->size() != 500))
                            ++*problems;
                        done->set_value();
                    }));
            if (i % 3 == 0)
                asio::post(strand, [signal] { signal->emit(asio::cancellation_type::terminal); });
        }
        if (round % 2 == 0) {
            while (*pieces == 0)
                std::this_thread::yield();
            client.reset();
        }
        for (std::future<void>& each : ended)
            each.get();
    }
    CHECK(*problems == 0);
    server_context.stop();
    server_thread.join();
}
