// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"
#include "support/scripted_transport.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::BodySink;
using http::Client;
using http::ClientConfig;
using http::Request;
using http::Response;
using http::StreamTimeouts;

namespace {

/// A server that sends these bytes and then says nothing more, to each request.
ScriptedServer::Script answer_then_silence(std::string bytes) {
    return [bytes = std::move(bytes)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(bytes);
        co_await peer->wait_for_close();
    };
}

/// A client with a stream that has given one piece and is silent now.
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

TEST_CASE("a streamed body reaches the sink as it arrives, and its connection is used again") {
    const auto received = std::make_shared<Received>();
    HttpPair pair({[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        // Cut where it hurts: within a chunk's size, its bytes, and its end.
        const std::string bytes =
            "HTTP/1.1 103 Early Hints\r\n\r\n" + chunked_head() + chunk("0123456789abcdefg");
        for (const char byte : bytes) {
            co_await peer->send(std::string(1, byte));
            co_await peer->wait(0ms);
        }
        while (received->text != "0123456789abcdefg")
            co_await peer->wait(1ms);
        co_await peer->send(chunk("the rest") + last_chunk);
        co_await peer->read_request();
        co_await peer->send(ok_answer);
    }});
    const auto call = start_stream(pair.context, *pair.client, keep_in(received));
    const Result<Response> response = finish_call(pair.context, call);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(response->body.empty());
    CHECK(received->text == "0123456789abcdefgthe rest");
    CHECK(pair.client->idle_connections() == 1);
    CHECK(pair.ask()->body == "{}");
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a streamed body may be larger than what is collected, in pieces that are bounded") {
    const std::string block(10'000, 'x');
    HttpPair pair({[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(chunked_head());
                      for (int i = 0; i < 300; ++i)
                          co_await peer->send(chunk(block));
                      co_await peer->send(last_chunk);
                  }},
                  tight_config());
    const auto received = std::make_shared<Received>();
    const auto call = start_stream(pair.context, *pair.client, keep_in(received));
    REQUIRE(finish_call(pair.context, call).has_value());
    CHECK(received->text.size() == 300 * block.size());
    CHECK(std::ranges::max(received->piece_sizes) <= tight_config().limits.max_buffer_bytes);
    CHECK(std::ranges::min(received->piece_sizes) > 0);
}

TEST_CASE("the body of any other status is collected and not given to the sink") {
    const std::string status =
        GENERATE(as<std::string>{}, "301 Moved", "403 Forbidden", "410 Gone", "500 Oops");
    HttpPair pair({answer_each_with(http_answer("why", "Retry-After: 7\r\n", status))});
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE(response.has_value());
    CHECK(std::to_string(response->status) == status.substr(0, 3));
    CHECK(response->body == "why");
    CHECK(response->retry_after == "7");
    CHECK(received->text.empty());
    CHECK(pair.client->idle_connections() == 1);
}

TEST_CASE("a sink that has enough ends the stream, and the connection is closed") {
    const bool complete = GENERATE(false, true);
    HttpPair pair(
        {answer_then_silence(chunked_head() + chunk("enough") + (complete ? last_chunk : "")),
         answer_each_with(ok_answer)});
    int calls = 0;
    const auto call = start_stream(pair.context, *pair.client, [&calls](std::string_view piece) {
        CHECK(piece == "enough");
        ++calls;
        return false;
    });
    const Result<Response> response = finish_call(pair.context, call);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(calls == 1);
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.ask().has_value());
    CHECK(pair.server.connections() == 2);
}

TEST_CASE("a sink that throws ends its own stream and nothing else") {
    const bool is_standard = GENERATE(false, true);
    HttpPair pair({answer_then_silence(chunked_head() + chunk("first")),
                   answer_then_silence(chunked_head() + chunk("second")),
                   answer_each_with(ok_answer)});
    const auto received = std::make_shared<Received>();
    const auto good = start_stream(pair.context, *pair.client, keep_in(received));
    run_until(pair.context, [&] { return !received->text.empty(); });
    const auto bad =
        start_stream(pair.context, *pair.client, [is_standard](std::string_view) -> bool {
            if (is_standard)
                throw std::runtime_error("out of coffee");
            throw 42;
        });
    const Result<Response> response = finish_call(pair.context, bad);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::internal));
    CHECK((response.error().message.find("out of coffee") != std::string::npos) == is_standard);
    CHECK(response.error().endpoint == pair.server.url());
    CHECK_FALSE(good->is_over());
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.ask().has_value());
}

TEST_CASE("a stream that breaks is an error, and what came before it has reached the sink") {
    const auto [end, code] = GENERATE(table<std::string, Errc>({
        {"", Errc::unreachable},
        {"5\r\nab", Errc::unreachable},
        {"0\r\n", Errc::unreachable},
        {"zz\r\n", Errc::bad_response},
        {"1;" + std::string(5000, 'x'), Errc::too_large},
        {"0\r\nX: " + std::string(5000, 'x'), Errc::too_large},
    }));
    CAPTURE(end.substr(0, 10));
    HttpPair pair({answer_and_close(chunked_head() + chunk("good") + end)}, tight_config());
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(code));
    CHECK(response.error().http_status == 200);
    CHECK(received->text.starts_with("good"));
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a stream that ends with its connection is marked as such") {
    HttpPair pair({answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it?")});
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE(response.has_value());
    CHECK(response->ended_by_close);
    CHECK(received->text == "all of it?");
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE(
    "silence ends a stream, before the header and after it, and only signs of a body break it") {
    const auto [start, repeated, what] = GENERATE(table<std::string, std::string, std::string>({
        {"", "", "no answer arrived"},
        {"", "HTTP/1.1 103 Early Hints\r\n\r\n", "the answer did not arrive completely"},
        {"HTTP/1.1 200 OK\r\n", "", "the answer did not arrive completely"},
        {chunked_head(), "", "nothing more of the streamed answer arrived"},
        {chunked_head() + chunk("piece"), "", "nothing more of the streamed answer arrived"},
        {chunked_head() + chunk("piece") + "1;", "x",
         "nothing more of the streamed answer arrived"},
    }));
    CAPTURE(start, repeated);
    ClientConfig config = tight_config();
    config.limits.max_informational = 1000;
    HttpPair pair({[start = start,
                    repeated = repeated](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(start);
                      for (int i = 0; i < 1000; ++i) {
                          co_await peer->send(repeated);
                          co_await peer->wait(20ms);
                      }
                  }},
                  config);
    StreamTimeouts timeouts = patient();
    timeouts.idle = 150ms;
    const auto received = std::make_shared<Received>();
    const Result<Response> response = finish_call(
        pair.context, start_stream(pair.context, *pair.client, keep_in(received), timeouts));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message == what + " within 150 ms (StreamTimeouts::idle)");
    CHECK(response.error().http_status == (start.starts_with(chunked_head()) ? 200 : 0));
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("a stream that keeps talking outlives the bounds of silence and of an attempt") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(chunked_head());
                      for (int i = 0; i < 10; ++i) {
                          co_await peer->wait(100ms);
                          co_await peer->send(chunk("x"));
                      }
                      co_await peer->send(last_chunk);
                  }},
                  {.timeouts = {.attempt = 500ms}});
    StreamTimeouts timeouts = patient();
    timeouts.idle = 500ms;
    const auto received = std::make_shared<Received>();
    REQUIRE(finish_call(pair.context,
                        start_stream(pair.context, *pair.client, keep_in(received), timeouts))
                .has_value());
    CHECK(received->text == std::string(10, 'x'));
}

TEST_CASE("the deadline ends a stream however busy it is") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(chunked_head());
        co_await peer->send_without_end(chunk(std::string(100, 'x')));
    }});
    StreamTimeouts timeouts = patient();
    timeouts.deadline = std::chrono::steady_clock::now() + 200ms;
    std::size_t bytes = 0;
    const Result<Response> response =
        finish_call(pair.context, start_stream(
                                      pair.context, *pair.client,
                                      [&bytes](std::string_view piece) {
                                          bytes += piece.size();
                                          return true;
                                      },
                                      timeouts));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message ==
          "the answer did not arrive completely before the caller's deadline");
    CHECK(bytes > 0);
}

TEST_CASE("the header of a stream must come within the time of an attempt") {
    HttpPair pair({never_answer()}, {.timeouts = {.attempt = 100ms}});
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client,
                                               keep_in(std::make_shared<Received>())));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message == "no answer arrived within 100 ms (timeouts.attempt)");
}

TEST_CASE("a stream that makes no sense is refused before any I/O") {
    HttpPair pair({answer_each_with(ok_answer)});
    StreamTimeouts timeouts = patient();
    BodySink sink = keep_in(std::make_shared<Received>());
    Request request = root_request;
    Errc expected = Errc::invalid_argument;
    SECTION("no sink") {
        sink = nullptr;
    }
    SECTION("no time for silence") {
        timeouts.idle = 0s;
    }
    SECTION("a silence beyond reckoning") {
        timeouts.idle = Duration::max();
    }
    SECTION("a request that smuggles") {
        request = Request::get("/\r\nX: y");
    }
    SECTION("a deadline in the past") {
        timeouts.deadline = std::chrono::steady_clock::now() - 1s;
        expected = Errc::timeout;
    }
    const Result<Response> response = finish_call(
        pair.context, start_stream(pair.context, *pair.client, sink, timeouts, request));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(expected));
    CHECK(response.error().endpoint == pair.server.url());
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("a stream without a deadline may last") {
    HttpPair pair({answer_each_with(ok_answer)});
    const auto received = std::make_shared<Received>();
    REQUIRE(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received),
                                                   StreamTimeouts()))
                .has_value());
    CHECK(received->text == "{}");
}

TEST_CASE("streams and ordinary calls do not take each other's places") {
    HttpPair pair({answer_then_silence(chunked_head() + chunk("x")),
                   answer_then_silence(chunked_head() + chunk("x")), answer_each_with(ok_answer)},
                  {.limits = {.max_connections = 1, .max_streams = 2, .max_queued = 1}});
    const auto received = std::make_shared<Received>();
    const auto first = start_stream(pair.context, *pair.client, keep_in(received));
    const auto second = start_stream(pair.context, *pair.client, keep_in(received));
    run_until(pair.context, [&] { return received->text == "xx"; });
    CHECK(pair.ask().has_value());

    const Result<Response> refused =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().is(Errc::unavailable));
    CHECK(refused.error().message.find("limits.max_streams = 2") != std::string::npos);
    CHECK(pair.ask().has_value());

    // An ended stream makes room for another.
    first->cancel.emit(asio::cancellation_type::terminal);
    CHECK(finish_call(pair.context, first).error().is(Errc::aborted));
    CHECK(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)))
              .has_value());
    CHECK_FALSE(second->is_over());
}

TEST_CASE("a stream heeds no queue of ordinary calls") {
    HttpPair pair({never_answer(), answer_each_with(ok_answer)},
                  {.timeouts = {.attempt = 1h}, .limits = {.max_connections = 1, .max_queued = 0}});
    const auto busy = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    const auto received = std::make_shared<Received>();
    CHECK(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)))
              .has_value());
    CHECK_FALSE(busy->is_over());
}

TEST_CASE("a stream over a kept connection that has died is asked for once more") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send(ok_answer);
                       co_await peer->read_request();
                   },
                   answer_each_with(ok_answer)});
    CHECK(pair.ask().has_value());
    const auto received = std::make_shared<Received>();
    CHECK(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)))
              .has_value());
    CHECK(received->text == "{}");
    CHECK(pair.server.connections() == 2);
}

TEST_CASE("a stream renews its token within the same call") {
    const TemporaryDirectory directory;
    const std::string path = (directory.path() / "token").string();
    std::ofstream(path) << "old";
    HttpPair pair({[=](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(ok_answer);
                      co_await peer->read_request();
                      co_await peer->send(http_answer("no", "", "401 Unauthorized"));
                      co_await peer->read_request();
                      co_await peer->send(ok_answer);
                  }},
                  {.credentials = http::Credentials::bearer_file(path)});
    CHECK(pair.ask()->status == 200);
    std::ofstream(path) << "new";
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(received->text == "{}");
    REQUIRE(pair.server.requests().size() == 3);
    CHECK(pair.server.requests()[2].find("Bearer new\r\n") != std::string::npos);
}

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

TEST_CASE("the io_context may be destroyed with an open stream, before the client or after it") {
    OpenStream open;
    const std::weak_ptr<Received> received = std::exchange(open.received, nullptr);
    if (GENERATE(false, true))
        open.client.reset();
    open.server.reset();
    open.context.reset();
    CHECK_FALSE(open.call->is_over());
    // The sink has gone with the stream.
    CHECK(received.expired());
    open.call->cancel.emit(asio::cancellation_type::terminal);
}

TEST_CASE("a sink may destroy the client that it streams for, or cancel its own stream") {
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
    bool was_gone = false;
    asio::co_spawn(pair.context,
                   pair.client->stream(root_request, keep_in(std::move(received)), patient()),
                   [&](const std::exception_ptr&, const Result<Response>& response) {
                       CHECK(response.has_value());
                       was_gone = weak.expired();
                   });
    run_until(pair.context, [&] { return weak.expired(); });
    run_ready(pair.context);
    CHECK(was_gone);
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
            // The text is the sink's own, and touched by nobody else.
            BodySink sink = [text = std::string(), has_talked,
                             &talking](std::string_view piece) mutable {
                text = piece;
                if (!has_talked->exchange(true))
                    talking.set_value();
                return true;
            };
            asio::co_spawn(strands.back(), client->stream(root_request, std::move(sink), patient()),
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
