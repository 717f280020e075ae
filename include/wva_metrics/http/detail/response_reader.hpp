// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/decompressor.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/response_parser.hpp"
#include "wva_metrics/http/header_limit.hpp"
#include "wva_metrics/http/message.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/none.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// Turns received bytes into one response. Does no I/O. Memory stays within the limits, whatever
/// arrives.
///
/// Parses with Beast and adds what Beast leaves to its user (in Boost 1.83): a bounded buffer
/// (chunk extensions and trailers have no limit of their own), interim answers, and detecting a
/// body whose end looks like a broken connection.
class ResponseReader {
public:
    enum class Progress : std::uint8_t { need_more, complete };

    /// `mode`: a collected body is kept for `take`. A delivered one is returned in pieces; if it is
    /// compressed, in one piece when it is complete. Both within the limit of bodies. A streamed one
    /// is returned in pieces, without a limit.
    ///
    /// `decompressor`: for the coding that was offered (null = none); ignored for a stream, which
    /// offers none. `buffer`: an empty one, whose memory is used.
    explicit ResponseReader(const Limits& limits, BodyMode mode = BodyMode::collect,
                            const Decompressor* decompressor = nullptr,
                            beast::flat_buffer buffer = {})
        : limits_(limits), mode_(mode),
          decompressor_(mode == BodyMode::stream ? nullptr : decompressor),
          buffer_(std::move(buffer)) {
        buffer_.max_size(limits.max_buffer_bytes);
        start_message();
    }

    /// Space for the next bytes; never empty before the end of the response or an error.
    asio::mutable_buffer prepare() {
        prepared_ = std::min(wanted_, buffer_.max_size() - buffer_.size());
        return buffer_.prepare(prepared_);
    }

    /// Parses bytes that have been written to the prepared space. After an error, `piece` still
    /// returns the piece that arrived before it.
    Result<Progress> commit(std::size_t bytes) {
        started_ = started_ || bytes > 0;
        buffer_.commit(bytes);
        // More may be waiting. A large answer costs less in large pieces.
        if (bytes == prepared_)
            wanted_ = std::min(2 * wanted_, buffer_.max_size());
        for (;;) {
            boost::system::error_code error;
            if (buffer_.size() > 0 && !parser_->is_done() && !must_wait()) {
                const std::size_t used = parser_->put(buffer_.data(), error);
                buffer_.consume(used);
                (header_seen_ ? body_bytes_ : header_bytes_) += used;
            }
            if (error && error != beast::http::error::need_more)
                return explain(error);
            if (!header_seen_ && parser_->is_header_done()) {
                if (std::optional<Error> problem = read_header())
                    return *std::move(problem);
                continue;
            }
            if (parser_->is_done())
                return complete();
            if (buffer_.size() == buffer_.max_size())
                return too_large("a part of the answer that cannot be split",
                                 limits_.max_buffer_bytes, "limits.max_buffer_bytes");
            return Progress::need_more;
        }
    }

    /// Call when the peer has ended the stream.
    Result<Progress> finish() {
        boost::system::error_code error;
        if (started_ && parser_->got_some())
            parser_->put_eof(error);
        else
            error = beast::http::error::end_of_stream;
        if (error)
            return Error(Errc::unreachable,
                         "the connection was closed before the answer was complete");
        return complete();
    }

    /// True if any byte of an answer has arrived.
    bool is_started() const noexcept { return started_; }

    /// True if what `piece` returns belongs to the sink.
    bool is_delivering() const noexcept { return delivering_; }
    /// Status of the answer; 0 before its header is complete.
    int status() const noexcept { return header_seen_ ? head().status : 0; }
    /// The answer so far; complete but for its body when the header has been read.
    const Response& head() const noexcept { return parser_->response(); }

    /// The bytes of a delivered or streamed body that have arrived since `drop_piece`. Valid until
    /// `prepare`.
    std::string_view piece() const noexcept {
        return delivering_ ? parser_->piece() : std::string_view();
    }
    void drop_piece() noexcept { parser_->drop_piece(); }

    /// True if the connection may carry another request. False if bytes are left over: they would
    /// be taken for the next answer.
    bool is_reusable() const {
        return parser_->is_done() && header_seen_ && !parser_->need_eof() &&
               parser_->keep_alive() && buffer_.size() == 0;
    }

    /// The response; without a body if that was returned in pieces. Call once.
    Response take() { return std::move(parser_->response()); }

    /// The buffer, for the next answer. Call last, and only if the connection is reusable.
    beast::flat_buffer take_buffer() noexcept { return std::move(buffer_); }

private:
    void start_message() {
        parser_.emplace(decompressor_);
        parser_->header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
        // The limit of the body depends on the header.
        parser_->body_limit(boost::none);
        header_seen_ = false;
        header_bytes_ = 0;
    }

    /// True if the parser must not be given the beginning of a chunked body yet. From its first
    /// three bytes, `0\r\n`, it knows that the body is empty; and it asserts (in Boost 1.83) that
    /// it is not called again with only one byte more. No chunked body is shorter than this, so
    /// waiting delays none.
    bool must_wait() const {
        constexpr std::string_view shortest = "0\r\n\r\n";
        return header_seen_ && body_bytes_ == 0 && parser_->chunked() &&
               buffer_.size() < shortest.size();
    }

    /// Checks a complete header. After an interim answer, starts over for the next one.
    std::optional<Error> read_header() {
        // Beast applies its limit to the status line and to the fields separately.
        if (header_bytes_ > limits_.max_header_bytes)
            return explain(beast::http::error::header_limit);
        const int status = parser_->response().status;
        if (status == 101 || status < 100)
            return bad("the answer has status " + std::to_string(status) +
                       ", which was not requested");
        if (status < 200) {
            if (++informational_ > limits_.max_informational)
                return too_large("the number of interim (1xx) answers", limits_.max_informational,
                                 "limits.max_informational");
            start_message();
            return std::nullopt;
        }
        header_seen_ = true;
        if (parser_->problem())
            return parser_->problem();
        if (parser_->need_eof() && !parser_->is_done() && !must_wait()) {
            if (!parser_->announces_close())
                return bad("the answer has neither a length nor Connection: close");
            parser_->response().ended_by_close = true;
        }
        // A decompressor needs the whole body.
        delivering_ = mode_ != BodyMode::collect && status < 300 && !parser_->is_compressed();
        if (delivering_)
            parser_->deliver();
        if (mode_ != BodyMode::stream || !delivering_) {
            if (!parser_->is_done() &&
                parser_->content_length().value_or(0) > limits_.max_body_bytes)
                return explain(beast::http::error::body_limit);
            parser_->body_limit(limits_.max_body_bytes);
        }
        parser_->eager(true);
        return std::nullopt;
    }

    /// Finishes an answer that has arrived completely.
    Result<Progress> complete() {
        std::string& body = parser_->response().body;
        if (parser_->is_compressed() && !body.empty()) {
            Result<std::string> text = decompressor_->decompress(body, limits_.max_body_bytes);
            if (!text && text.error().is(Errc::too_large))
                return too_large("the answer's body, decompressed,", limits_.max_body_bytes,
                                 "limits.max_body_bytes");
            if (!text)
                return std::move(text).error();
            body = *std::move(text);
            delivering_ = mode_ == BodyMode::deliver && status() < 300;
        }
        return Progress::complete;
    }

    Error explain(const boost::system::error_code& error) const {
        if (error == beast::http::error::body_limit)
            return too_large("the answer's body", limits_.max_body_bytes, "limits.max_body_bytes");
        if (error == beast::http::error::header_limit)
            return too_large(header_too_large_text, limits_.max_header_bytes,
                             "limits.max_header_bytes");
        return bad("the answer is not valid HTTP/1.1: " + error.message());
    }
    static Error bad(std::string text) { return {Errc::bad_response, std::move(text)}; }
    static Error too_large(std::string_view what, std::size_t bound, std::string_view name) {
        return {Errc::too_large, std::string(what) + " exceeds " + std::to_string(bound) + " (" +
                                     std::string(name) + ")"};
    }

    const Limits& limits_;
    const BodyMode mode_;
    const Decompressor* const decompressor_;
    beast::flat_buffer buffer_;
    std::optional<ResponseParser> parser_;
    /// The space for the next bytes, and that of the last.
    std::size_t wanted_ = std::size_t{16} << 10;
    std::size_t prepared_ = 0;
    std::size_t header_bytes_ = 0;
    std::size_t body_bytes_ = 0;
    std::size_t informational_ = 0;
    bool started_ = false;
    bool header_seen_ = false;
    bool delivering_ = false;
};

} // namespace wva_metrics::http::detail
