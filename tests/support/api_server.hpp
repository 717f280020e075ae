// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/certificates.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// A Kubernetes API server on loopback, over TLS, with scripted replies. A request without a reply
/// waits for one. For one thread; runs until its io_context is destroyed.
class ApiServer {
public:
    struct Request {
        std::string target;
        std::string authorization;

        bool is_watch() const { return target.find("watch=1") != std::string::npos; }
    };

    /// The body of a watch: pieces that are written as they are sent, until the stream ends or its
    /// connection is closed.
    class Stream {
    public:
        explicit Stream(const boost::asio::any_io_executor& executor) : changed_(executor) {
            changed_.expires_at(boost::asio::steady_timer::time_point::max());
        }
        void send(std::string piece) {
            pieces_.push_back(std::move(piece));
            changed_.cancel();
        }
        /// Ends the body regularly, as after `timeoutSeconds`.
        void end() { finish(false); }
        /// Closes the connection.
        void disconnect() { finish(true); }
        /// Whether a client has requested it and is still connected.
        bool is_open() const { return is_open_; }

    private:
        friend class ApiServer;
        void finish(bool by_disconnect) {
            is_finished_ = true;
            is_disconnected_ = by_disconnect;
            changed_.cancel();
        }
        boost::asio::steady_timer changed_;
        std::deque<std::string> pieces_;
        bool is_finished_ = false;
        bool is_disconnected_ = false;
        bool is_open_ = false;
    };
    using StreamPtr = std::shared_ptr<Stream>;

    /// `identity` must be valid for the name `localhost`.
    ApiServer(boost::asio::io_context& context, const Certificate& identity)
        : state_(std::make_shared<State>(context.get_executor())) {
        Tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
        port_ = acceptor.local_endpoint().port();
        auto tls = std::make_shared<Tls>(Tls::tls_server);
        const std::string certificate = identity.certificate_pem();
        const std::string key = identity.key_pem();
        tls->use_certificate_chain(boost::asio::buffer(certificate));
        tls->use_private_key(boost::asio::buffer(key), Tls::pem);
        boost::asio::co_spawn(context, serve(std::move(acceptor), std::move(tls), state_),
                              boost::asio::detached);
    }

    std::string url() const { return "https://localhost:" + std::to_string(port_); }
    std::uint16_t port() const { return port_; }

    /// The reply to the next list of a resource, e.g. `pods`.
    /// `headers`: further lines of its header.
    void answer_list(const std::string& plural, std::string body, int status = 200,
                     std::string headers = {}) {
        push(plural + "?list", Reply{status, std::move(body), nullptr, std::move(headers)});
    }
    /// The error reply to the next watch.
    void reject_watch(const std::string& plural, std::string body, int status) {
        push(plural + "?watch", Reply{status, std::move(body), nullptr});
    }
    /// The reply to the next watch: what is sent to the stream.
    StreamPtr answer_watch(const std::string& plural) {
        auto stream = std::make_shared<Stream>(state_->executor);
        push(plural + "?watch", Reply{200, {}, stream});
        return stream;
    }

    /// All requests so far.
    const std::vector<Request>& requests() const { return state_->requests; }
    std::size_t count(std::string_view plural, bool watches) const {
        return static_cast<std::size_t>(
            std::count_if(requests().begin(), requests().end(), [&](const Request& request) {
                return request.is_watch() == watches && plural_of(request.target) == plural;
            }));
    }
    /// The requests for a resource, in order.
    std::vector<std::string> targets(std::string_view plural, bool watches) const {
        std::vector<std::string> found;
        for (const Request& request : requests())
            if (request.is_watch() == watches && plural_of(request.target) == plural)
                found.push_back(request.target);
        return found;
    }
    std::size_t open_connections() const { return state_->open_connections; }

private:
    using Tls = boost::asio::ssl::context;
    using Tcp = boost::asio::ip::tcp;
    using Socket = boost::asio::ssl::stream<Tcp::socket>;

    struct Reply {
        int status = 200;
        std::string body;
        StreamPtr stream;
        std::string headers{};
    };
    struct Replies {
        explicit Replies(const boost::asio::any_io_executor& executor) : changed(executor) {
            changed.expires_at(boost::asio::steady_timer::time_point::max());
        }
        std::deque<Reply> waiting;
        boost::asio::steady_timer changed;
    };
    struct State {
        explicit State(boost::asio::any_io_executor runs_on) : executor(std::move(runs_on)) {}
        Replies& replies(const std::string& key) {
            return replies_.try_emplace(key, executor).first->second;
        }
        boost::asio::any_io_executor executor;
        std::vector<Request> requests;
        std::size_t open_connections = 0;

    private:
        std::map<std::string, Replies> replies_;
    };
    using StatePtr = std::shared_ptr<State>;

    void push(const std::string& key, Reply reply) {
        Replies& replies = state_->replies(key);
        replies.waiting.push_back(std::move(reply));
        replies.changed.cancel();
    }

    static std::string plural_of(std::string_view target) {
        const std::string_view path = target.substr(0, target.find('?'));
        return std::string(path.substr(path.rfind('/') + 1));
    }

    static boost::asio::awaitable<void> serve(Tcp::acceptor acceptor, std::shared_ptr<Tls> tls,
                                              StatePtr state) {
        for (;;) {
            Tcp::socket socket = co_await acceptor.async_accept(boost::asio::use_awaitable);
            boost::asio::co_spawn(acceptor.get_executor(), answer(std::move(socket), tls, state),
                                  boost::asio::detached);
        }
    }

    static boost::asio::awaitable<void> answer(Tcp::socket connection, std::shared_ptr<Tls> tls,
                                               StatePtr state) {
        const auto shared = std::make_shared<Socket>(std::move(connection), *tls);
        Socket& socket = *shared;
        ++state->open_connections;
        try {
            co_await socket.async_handshake(boost::asio::ssl::stream_base::server,
                                            boost::asio::use_awaitable);
            std::string received;
            for (bool keep_alive = true; keep_alive;) {
                const std::size_t end = co_await boost::asio::async_read_until(
                    socket, boost::asio::dynamic_buffer(received), "\r\n\r\n",
                    boost::asio::use_awaitable);
                const Request request = parse(std::string_view(received).substr(0, end));
                received.erase(0, end);
                state->requests.push_back(request);
                const std::string key =
                    plural_of(request.target) + (request.is_watch() ? "?watch" : "?list");
                Replies& replies = state->replies(key);
                while (replies.waiting.empty()) {
                    boost::system::error_code ignored;
                    co_await replies.changed.async_wait(
                        boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
                }
                Reply reply = std::move(replies.waiting.front());
                replies.waiting.pop_front();
                keep_alive = reply.stream == nullptr;
                if (reply.stream)
                    co_await stream(shared, reply.stream);
                else
                    co_await write(socket, head(reply.status) + reply.headers + "Content-Length: " +
                                               std::to_string(reply.body.size()) + "\r\n\r\n" +
                                               reply.body);
            }
        } catch (const boost::system::system_error&) {
            // The client disconnected, as many tests intend.
        }
        --state->open_connections;
    }

    static boost::asio::awaitable<void> stream(std::shared_ptr<Socket> shared, StreamPtr from) {
        Socket& socket = *shared;
        from->is_open_ = true;
        // A client sends nothing while it watches, so the read completes when it disconnects.
        const auto byte = std::make_shared<char>();
        socket.async_read_some(
            boost::asio::buffer(byte.get(), 1),
            [byte, shared, from](boost::system::error_code, std::size_t) { from->finish(true); });
        struct Closing {
            ~Closing() { stream->is_open_ = false; }
            StreamPtr stream;
        } closing{from};
        co_await write(socket, head(200) + "Transfer-Encoding: chunked\r\n\r\n");
        for (;;) {
            while (!from->pieces_.empty()) {
                std::string piece = std::move(from->pieces_.front());
                from->pieces_.pop_front();
                co_await write(socket, chunk(piece));
            }
            if (from->is_finished_)
                break;
            boost::system::error_code ignored;
            co_await from->changed_.async_wait(
                boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
        if (!from->is_disconnected_)
            co_await write(socket, "0\r\n\r\n");
        socket.lowest_layer().close();
    }

    static boost::asio::awaitable<void> write(Socket& socket, std::string bytes) {
        co_await boost::asio::async_write(socket, boost::asio::buffer(bytes),
                                          boost::asio::use_awaitable);
    }

    static std::string head(int status) {
        return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n";
    }

    static std::string chunk(const std::string& piece) {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string size;
        for (std::size_t rest = piece.size(); rest > 0; rest /= 16)
            size.insert(size.begin(), digits[rest % 16]);
        return size + "\r\n" + piece + "\r\n";
    }

    static Request parse(std::string_view head) {
        Request request;
        const std::size_t begin = head.find(' ') + 1;
        request.target = head.substr(begin, head.find(' ', begin) - begin);
        constexpr std::string_view name = "\r\nAuthorization: ";
        if (const std::size_t at = head.find(name); at != std::string_view::npos) {
            const std::size_t value = at + name.size();
            request.authorization = head.substr(value, head.find("\r\n", value) - value);
        }
        return request;
    }

    StatePtr state_;
    std::uint16_t port_ = 0;
};

} // namespace wva_metrics::test_support
