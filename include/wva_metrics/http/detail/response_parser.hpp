// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/decompressor.hpp"
#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/http/message.hpp"

#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/version.hpp>
#include <boost/optional/optional.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// Parses one message of a server into a `Response`.
///
/// Beast's own `response_parser` copies each field of the header into an allocation of its own, and
/// reserves the body's announced length, which may be any for a streamed body.
class ResponseParser final : public boost::beast::http::basic_parser<false> {
public:
    /// `decompressor`: for the coding that was offered; null = none.
    explicit ResponseParser(const Decompressor* decompressor) : decompressor_(decompressor) {}

    /// What has been parsed so far.
    Response& response() noexcept { return response_; }
    const Response& response() const noexcept { return response_; }
    /// Why the header must be rejected, if it must.
    const std::optional<Error>& problem() const noexcept { return problem_; }
    /// From now on the body is not collected, but returned in pieces.
    void deliver() noexcept { delivers_ = true; }
    /// What has arrived of the body since `drop_piece`. Valid until the next bytes are written to the
    /// buffer that was parsed.
    std::string_view piece() const noexcept {
        return piece_.empty() ? std::string_view(response_.body) : piece_;
    }
    void drop_piece() noexcept {
        piece_ = {};
        response_.body.clear();
    }
    /// The body is compressed as was offered.
    bool is_compressed() const noexcept { return compressed_; }
    /// The server has said that it will close the connection.
    bool announces_close() const noexcept { return version_ < 11 || says_close_.value_or(false); }

private:
    using Field = boost::beast::http::field;
    using Text = boost::beast::string_view;
    using ErrorCode = boost::system::error_code;

    void on_request_impl(boost::beast::http::verb, Text, Text, int, ErrorCode&) override {}
    void on_response_impl(int status, Text, int version, ErrorCode&) override {
        response_.status = status;
        version_ = version;
    }
    void on_field_impl(Field name, Text, Text value, ErrorCode&) override {
        // After the header, it is a field of a trailer.
        if (!is_header_done() && !problem_)
            problem_ = read_field(name, value);
    }
#if BOOST_BEAST_VERSION >= 359
    void on_trailer_field_impl(Field, Text, Text, ErrorCode&) override {}
#endif
    void on_header_impl(ErrorCode&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
        constexpr std::uint64_t most = std::uint64_t{64} << 10;
        if (length && !delivers_)
            response_.body.reserve(static_cast<std::size_t>(std::min(*length, most)));
    }
    std::size_t on_body_impl(Text part, ErrorCode&) override {
        // Only the chunks of a piece have to be joined.
        if (delivers_ && piece().empty()) {
            piece_ = part;
        } else {
            response_.body.append(std::exchange(piece_, {})).append(part);
        }
        return part.size();
    }
    void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text part, ErrorCode& error) override {
        return on_body_impl(part, error);
    }
    void on_finish_impl(ErrorCode&) override {}

    /// If a field occurs twice, the first one counts.
    std::optional<Error> read_field(Field name, std::string_view value) {
        switch (name) {
        case Field::transfer_encoding:
            if (!value.empty() && !equals_ignoring_case(value, "chunked"))
                return bad("the answer has a transfer encoding other than chunked");
            break;
        case Field::content_encoding:
            return read_coding(value);
        case Field::content_type:
            if (response_.content_type.empty())
                response_.content_type = value;
            break;
        case Field::retry_after:
            if (!response_.retry_after && !value.empty())
                response_.retry_after = value;
            break;
        case Field::location:
            if (!response_.location && !value.empty())
                response_.location = value;
            break;
        case Field::connection:
            if (!says_close_)
                says_close_ = boost::beast::http::token_list{value}.exists("close");
            break;
        default:
            break;
        }
        return std::nullopt;
    }

    /// Accepts only the coding that was offered, at most once.
    std::optional<Error> read_coding(std::string_view coding) {
        if (coding.empty() || equals_ignoring_case(coding, "identity"))
            return std::nullopt;
        if (decompressor_ == nullptr || !equals_ignoring_case(coding, decompressor_->coding()))
            return bad("the answer is compressed in a way that the request did not allow");
        if (std::exchange(compressed_, true))
            return bad("the answer is compressed twice, which the request did not allow");
        return std::nullopt;
    }

    static Error bad(const char* text) {
        return {Errc::bad_response, text};
    }

    const Decompressor* const decompressor_;
    Response response_;
    std::optional<Error> problem_;
    std::optional<bool> says_close_;
    /// Empty if the piece is in the response.
    std::string_view piece_;
    int version_ = 0;
    bool compressed_ = false;
    bool delivers_ = false;
};

} // namespace wva_metrics::http::detail
