// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/transport.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::test_support {

/// Another transport, one operation of which fails: the n-th connecting, handshake, reading or
/// writing of all its connections. For one thread.
class FailingTransport final : public http::Transport {
public:
    /// How the operation fails.
    enum class Fault {
        /// With ECONNRESET, before anything happens.
        reset,
        /// After one byte was read or half of the bytes were written; the stream has ended then.
        cut_short,
    };

    explicit FailingTransport(std::shared_ptr<http::Transport> inner)
        : inner_(std::move(inner)), plan_(std::make_shared<Plan>()) {}

    /// The `nth` operation from now on fails, counted from 1.
    void fail(std::size_t nth, Fault fault) { *plan_ = {nth, fault, false}; }
    /// No operation fails.
    void heal() { *plan_ = {}; }
    /// Whether an operation has failed since `fail`.
    bool has_failed() const { return plan_->has_failed; }

    std::string_view scheme() const noexcept override { return inner_->scheme(); }
    std::unique_ptr<http::Stream>
    make_stream(const http::asio::any_io_executor& executor) override {
        return std::make_unique<Stream>(inner_->make_stream(executor), plan_);
    }
    void resolve(const http::asio::any_io_executor& executor, const std::string& host,
                 std::uint16_t port, ResolveHandler handler) override {
        inner_->resolve(executor, host, port, std::move(handler));
    }

private:
    struct Plan {
        /// Operations until the one that fails; 0 = none fails.
        std::size_t left = 0;
        Fault fault = Fault::reset;
        bool has_failed = false;
    };

    class Stream final : public http::Stream {
    public:
        Stream(std::unique_ptr<http::Stream> inner, std::shared_ptr<Plan> plan)
            : inner_(std::move(inner)), plan_(std::move(plan)) {}

        http::asio::awaitable<boost::system::error_code>
        connect(http::tcp::endpoint address) override {
            if (fails_now())
                co_return http::asio::error::connection_reset;
            is_broken_ = false;
            co_return co_await inner_->connect(address);
        }
        http::asio::awaitable<http::HandshakeResult> handshake(std::string host) override {
            if (fails_now()) {
                http::HandshakeResult result;
                result.error = broken();
                co_return result;
            }
            co_return co_await inner_->handshake(std::move(host));
        }
        http::asio::awaitable<http::IoResult> read_some(http::asio::mutable_buffer space) override {
            http::IoResult result;
            if (is_broken_) {
                result.error = broken();
                co_return result;
            }
            if (!fails_now())
                co_return co_await inner_->read_some(space);
            if (plan_->fault == Fault::reset)
                result.error = broken();
            else
                result = co_await inner_->read_some(http::asio::buffer(space, 1));
            co_return result;
        }
        http::asio::awaitable<http::IoResult> write(http::asio::const_buffer bytes) override {
            http::IoResult result;
            if (!is_broken_ && !fails_now())
                co_return co_await inner_->write(bytes);
            if (plan_->fault == Fault::cut_short)
                result = co_await inner_->write(http::asio::buffer(bytes, bytes.size() / 2));
            result.error = broken();
            co_return result;
        }
        bool is_quiet() override { return !is_broken_ && inner_->is_quiet(); }
        void close() noexcept override { inner_->close(); }
        bool is_tls_error(const boost::system::error_code& error) const noexcept override {
            return inner_->is_tls_error(error);
        }

    private:
        bool fails_now() {
            if (plan_->left == 0 || --plan_->left > 0)
                return false;
            plan_->has_failed = is_broken_ = true;
            return true;
        }
        boost::system::error_code broken() const {
            if (plan_->fault == Fault::cut_short)
                return http::asio::error::eof;
            return http::asio::error::connection_reset;
        }

        std::unique_ptr<http::Stream> inner_;
        std::shared_ptr<Plan> plan_;
        /// An operation has failed, so all that follow do.
        bool is_broken_ = false;
    };

    std::shared_ptr<http::Transport> inner_;
    std::shared_ptr<Plan> plan_;
};

} // namespace wva_metrics::test_support
