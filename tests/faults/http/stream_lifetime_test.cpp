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

/// A client with a stream that has received one piece and is silent now.
struct OpenStream {
    explicit OpenStream(ClientConfig config = {}) {
        server = std::make_unique<ScriptedServer>(
            *context, std::vector<ScriptedServer::Script>{
                          [this](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                              co_await peer->read_request();
                              co_await peer->send(chunked_head() + chunk("first"));
                              co_await peer->wait_for_close();
                              was_closed = true;
                          },
                          answer_each_with(ok_answer)});
        config.url = server->url();
        client = std::make_unique<Client>(context->get_executor(), std::move(config));
        call = start_stream(*context, *client, keep_in(received));
        run_until(*context, [&] { return received->text == "first"; });
        run_ready(*context);
        REQUIRE_FALSE(call->is_over());
    }

    bool was_closed = false;
    std::shared_ptr<Received> received = std::make_shared<Received>();
    std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>();
    std::unique_ptr<ScriptedServer> server;
    std::unique_ptr<Client> client;
    std::shared_ptr<StartedCall> call;
};

} // namespace

TEST_CASE("cancelling an open stream ends it at once and closes its connection") {
    OpenStream open;
    open.call->cancel.emit(asio::cancellation_type::terminal);
    CHECK(finish_call(*open.context, open.call).error().is(Errc::aborted));
    run_until(*open.context, [&] { return open.was_closed; });
    CHECK(open.client->idle_connections() == 0);
    CHECK(open.received->text == "first");
}

TEST_CASE("destroying the client ends its open streams") {
    OpenStream open;
    open.client.reset();
    CHECK_FALSE(open.call->is_over());
    CHECK(finish_call(*open.context, open.call).error().is(Errc::aborted));
    run_until(*open.context, [&] { return open.was_closed; });
}

TEST_CASE("the io_context may be destroyed with an open stream, before or after the client") {
    OpenStream open;
    const std::weak_ptr<Received> received = std::exchange(open.received, nullptr);
    if (GENERATE(false, true))
        open.client.reset();
    open.server.reset();
    open.context.reset();
    CHECK_FALSE(open.call->is_over());
    // The sink was destroyed with the stream.
    CHECK(received.expired());
    open.call->cancel.emit(asio::cancellation_type::terminal);
}

TEST_CASE("a sink may destroy its client or cancel its stream") {
    const bool destroy = GENERATE(false, true);
    HttpPair pair({answer_then_silence(chunked_head() + chunk("first"))});
    std::shared_ptr<StartedCall> call;
    call = start_stream(pair.context, *pair.client, [&](std::string_view) {
        if (destroy)
            pair.client.reset();
        else
            call->cancel.emit(asio::cancellation_type::terminal);
        return true;
    });
    CHECK(finish_call(pair.context, call).error().is(Errc::aborted));
}

TEST_CASE("the sink is destroyed before its stream completes") {
    HttpPair pair({answer_each_with(ok_answer)});
    auto received = std::make_shared<Received>();
    const std::weak_ptr<Received> weak = received;
    bool was_destroyed = false;
    asio::co_spawn(
        pair.context,
        pair.client->stream(root_request, keep_in(std::move(received)), patient_timeouts()),
        [&](const std::exception_ptr&, const Result<Response>& response) {
            CHECK(response.has_value());
            was_destroyed = weak.expired();
        });
    run_until(pair.context, [&] { return weak.expired(); });
    run_ready(pair.context);
    CHECK(was_destroyed);
}

TEST_CASE("streams may be cancelled and clients destroyed while many threads run them") {
    asio::thread_pool threads(3);
    asio::io_context server_context;
    const ScriptedServer server(server_context,
                                {[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                                    co_await peer->read_request();
                                    co_await peer->send(chunked_head());
                                    co_await peer->send_without_end(chunk("line\n"));
                                }});
    std::thread server_thread([&] { server_context.run(); });
    for (int round = 0; round < 10; ++round) {
        auto client =
            std::make_unique<Client>(threads.get_executor(), ClientConfig{.url = server.url()});
        std::vector<std::future<bool>> ended;
        std::vector<std::shared_ptr<asio::cancellation_signal>> signals;
        std::vector<asio::strand<asio::thread_pool::executor_type>> strands;
        std::promise<void> talking;
        const auto has_talked = std::make_shared<std::atomic<bool>>(false);
        for (int i = 0; i < 6; ++i) {
            strands.push_back(asio::make_strand(threads.get_executor()));
            signals.push_back(std::make_shared<asio::cancellation_signal>());
            auto done = std::make_shared<std::promise<bool>>();
            ended.push_back(done->get_future());
            // The sink owns the text, so no other thread uses it.
            BodySink sink = [text = std::string(), has_talked,
                             &talking](std::string_view piece) mutable {
                text = piece;
                if (!has_talked->exchange(true))
                    talking.set_value();
                return true;
            };
            asio::co_spawn(strands.back(),
                           client->stream(root_request, std::move(sink), patient_timeouts()),
                           asio::bind_cancellation_slot(
                               signals.back()->slot(),
                               [done](const std::exception_ptr& thrown, Result<Response> result) {
                                   done->set_value(thrown != nullptr || !result);
                               }));
        }
        talking.get_future().wait();
        for (std::size_t i = 0; i < 3; ++i)
            asio::post(strands[i],
                       [signal = signals[i]] { signal->emit(asio::cancellation_type::terminal); });
        client.reset();
        for (std::future<bool>& each : ended)
            CHECK(each.get());
    }
    server_context.stop();
    server_thread.join();
}
