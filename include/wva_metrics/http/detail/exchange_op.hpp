// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/guarded_request.hpp"
#include "wva_metrics/http/detail/response_reader.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::http::detail {

/// What happens between writing a request to a connection and the end of its answer. A delivered or
/// streamed body goes to the sink as it arrives. On the call's strand; everything that is passed in
/// must outlive the operation.
///
/// `Attempt` waits for the connection. Not a coroutine of its own, because each costs as much as
/// reading a small header.
template <typename Executor>
class ExchangeOp {
public:
    struct Outcome {
        Result<Response> response;
        /// The connection may carry another request.
        bool is_reusable = false;
        /// The connection ended before any byte of an answer arrived.
        bool was_dead = false;
    };

    struct Deadlines {
        /// Bounds the whole call.
        Deadline call;
        /// Bounds this attempt; of a streamed answer, only until its header.
        Deadline attempt;
    };

    /// `buffer`: an empty one, whose memory is used.
    ExchangeOp(const Endpoint<Executor>& endpoint, Call<Executor>& call, GuardedRequest& guarded,
               Stream& stream, boost::beast::flat_buffer buffer, const BodyOptions& options,
               const Deadlines& deadlines)
        : endpoint_(endpoint), call_(call), guarded_(guarded), stream_(stream), options_(options),
          deadlines_(deadlines), reader_(endpoint.config.limits, options.mode,
                                         endpoint.config.decompressor.get(), std::move(buffer)) {}

    /// Call first. Writes what can be written without waiting.
    IoResult begin(asio::const_buffer request) {
        arm_exchange_deadline();
        return stream_.try_write(request);
    }

    /// Call when the request has been written. Returns the outcome, or nothing if an answer must be
    /// read: a server may reject a request before it has read all of it, so there may be one even if
    /// writing failed.
    std::optional<Outcome> process_write(const IoResult& written) {
        write_error_ = written.error;
        if (call_.is_stopped())
            return failure(write_error_);
        return std::nullopt;
    }

    /// Space for the next bytes of the answer.
    asio::mutable_buffer prepare() { return reader_.prepare(); }

    /// Call when bytes have been read. Returns the outcome, or nothing if more must be read.
    std::optional<Outcome> process_read(const IoResult& read) {
        if (call_.is_stopped() || (read.error && read.error != asio::error::eof))
            return failure(write_error_ ? write_error_ : read.error);
        const bool at_end = read.error == asio::error::eof;
        const bool was_delivering = reader_.is_delivering();
        Result<ResponseReader::Progress> progress =
            at_end ? reader_.finish() : reader_.commit(read.bytes);
        const bool has_news =
            reader_.is_delivering() && (!was_delivering || !reader_.piece().empty());
        // A stream may last for hours: its header shows that the endpoint works.
        if (is_stream() && !was_delivering && reader_.is_delivering())
            guarded_.succeed(now());
        if (has_news) {
            const Result<bool> wants_more = deliver_piece(!was_delivering);
            if (!wants_more)
                return Outcome{wants_more.error()};
            if (!*wants_more)
                return Outcome{reader_.take()};
        }
        if (!progress) {
            Outcome outcome{with_context(std::move(progress).error())};
            outcome.was_dead = !reader_.is_started();
            return outcome;
        }
        if (*progress == ResponseReader::Progress::complete) {
            Outcome outcome{reader_.take()};
            outcome.is_reusable = !write_error_ && !at_end && reader_.is_reusable();
            return outcome;
        }
        if (has_news && is_stream()) {
            deadline_ = idle_deadline(deadlines_.call);
            // Checked here because a busy stream would rearm the timer each time before its
            // expiry is handled.
            if (deadline_.at <= now())
                call_.expire();
            else
                expire_at(deadline_.at);
        }
        if (call_.is_stopped())
            return failure(write_error_);
        return std::nullopt;
    }

    /// The buffer, for the next answer. Call last, and only if the connection is reusable.
    boost::beast::flat_buffer take_buffer() noexcept { return reader_.take_buffer(); }

private:
    static TimePoint now() { return std::chrono::steady_clock::now(); }

    bool is_stream() const noexcept { return options_.mode == BodyMode::stream; }

    void expire_at(TimePoint time) { endpoint_.calls->expire_at(call_, time); }

    /// Sets the deadline for writing the request and reading the answer.
    void arm_exchange_deadline() {
        deadline_ = is_stream() ? idle_deadline(deadlines_.attempt) : deadlines_.attempt;
        expire_at(deadline_.at);
    }

    /// The end of the longest silence that a stream may keep from now on, or `limit` if that is
    /// earlier.
    Deadline idle_deadline(const Deadline& limit) const {
        return earlier(limit, Deadline::after(now(), options_.idle, "StreamTimeouts::idle"));
    }

    /// Passes what has arrived to the sink. Returns whether the sink wants more. `is_first`: the
    /// header has just been read.
    Result<bool> deliver_piece(bool is_first) {
        std::string reason = "a non-standard exception";
        try {
            if (is_first && options_.on_opened)
                options_.on_opened();
            if (is_first && options_.on_head)
                options_.on_head(reader_.head());
            if (reader_.piece().empty())
                return true;
            guarded_.set_delivered();
            const bool wants_more = options_.sink(reader_.piece());
            reader_.drop_piece();
            return wants_more;
        } catch (const std::exception& error) {
            reason = error.what();
        } catch (...) {
        }
        return endpoint_.error(Errc::internal, "the sink of an answer's body threw: " + reason);
    }

    /// Adds the endpoint, and the status if the header of a stream had arrived, or a sink has received
    /// a part of the body: then the request is not sent again.
    Error with_context(Error error) const {
        error.endpoint = endpoint_.url.origin();
        if (reader_.is_delivering() && (is_stream() || guarded_.has_delivered()))
            error.http_status = reader_.status();
        return error;
    }

    Outcome failure(const boost::system::error_code& error) const {
        const Errc code = stream_.is_tls_error(error) ? Errc::tls_failed : Errc::unreachable;
        const char* what =
            reader_.is_started() ? "the answer did not arrive completely" : "no answer arrived";
        if (is_stream() && reader_.is_delivering() && call_.is_expired() && !deadline_.name.empty())
            what = "nothing more of the streamed answer arrived";
        Outcome outcome{with_context(endpoint_.step_error(call_, deadline_, what, code, error))};
        outcome.was_dead = !reader_.is_started() && error != asio::error::operation_aborted;
        return outcome;
    }

    const Endpoint<Executor>& endpoint_;
    Call<Executor>& call_;
    GuardedRequest& guarded_;
    Stream& stream_;
    const BodyOptions& options_;
    const Deadlines& deadlines_;
    ResponseReader reader_;
    boost::system::error_code write_error_;
    /// Bounds the write or read that is running.
    Deadline deadline_;
};

} // namespace wva_metrics::http::detail
