// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/response_reader.hpp"
#include "wva_metrics/http/gzip.hpp"

#include "support/gzip_bytes.hpp"

#include <boost/asio/buffer.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

// The parser's assertions are part of what is tested here.
#ifdef NDEBUG
#error "tests are compiled with assertions"
#endif

using namespace wva_metrics;
using http::detail::BodyMode;
using http::detail::ResponseReader;

namespace {

constexpr std::array cut_modes{BodyMode::collect, BodyMode::deliver, BodyMode::stream};

/// All that a caller can see of an answer.
struct CutAnswer {
    std::optional<Error> error;
    int status = 0;
    /// What was passed to a sink, and what was collected.
    std::string delivered;
    std::string collected;
    std::string content_type;
    std::optional<std::string> retry_after;
    bool ended_by_close = false;
    bool is_reusable = false;

    friend bool operator==(const CutAnswer&, const CutAnswer&) = default;
    friend std::ostream& operator<<(std::ostream& out, const CutAnswer& answer) {
        if (answer.error)
            out << answer.error->describe() << ", ";
        return out << answer.status << ", delivered '" << answer.delivered << "', collected '"
                   << answer.collected << "', reusable: " << answer.is_reusable;
    }
};

/// Reads an answer that arrives in these pieces, after which the connection ends.
CutAnswer read_pieces(BodyMode mode, const std::vector<std::string_view>& pieces) {
    using Progress = ResponseReader::Progress;
    static const http::Limits limits{
        .max_header_bytes = 1024, .max_buffer_bytes = 2048, .max_body_bytes = 4096};
    static const std::shared_ptr<const http::Decompressor> gunzip = http::make_gzip_decompressor();
    ResponseReader reader(limits, mode, gunzip.get());
    CutAnswer answer;
    Result<Progress> progress = Progress::need_more;
    const auto deliver = [&] {
        if (reader.is_delivering()) {
            answer.delivered += reader.piece();
            reader.drop_piece();
        }
    };
    for (std::string_view piece : pieces) {
        while (!piece.empty() && progress && *progress == Progress::need_more) {
            const boost::asio::mutable_buffer space = reader.prepare();
            const std::size_t bytes =
                boost::asio::buffer_copy(space, boost::asio::buffer(piece.data(), piece.size()));
            piece.remove_prefix(bytes);
            progress = reader.commit(bytes);
            deliver();
        }
    }
    if (progress && *progress == Progress::need_more) {
        progress = reader.finish();
        deliver();
    }
    if (!progress) {
        answer.error = progress.error();
        return answer;
    }
    answer.is_reusable = reader.is_reusable();
    const http::Response response = reader.take();
    answer.status = response.status;
    answer.collected = response.body;
    answer.content_type = response.content_type;
    answer.retry_after = response.retry_after;
    answer.ended_by_close = response.ended_by_close;
    return answer;
}

const std::string ok_line = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const std::string chunked_field = "Transfer-Encoding: chunked\r\n";

struct CompleteAnswer {
    std::string text;
    int status = 0;
    std::string body;
};

/// Answers whose framing says where they end.
std::vector<CompleteAnswer> framed_answers() {
    const std::string zipped = test_support::gzip("compressed");
    const std::string zipped_length =
        "Content-Length: " + std::to_string(zipped.size()) + "\r\nContent-Encoding: gzip\r\n\r\n";
    const std::string busy = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n";
    return {
        {ok_line + "Content-Length: 5\r\n\r\nhello", 200, "hello"},
        {ok_line + "Content-Length: 0\r\n\r\n", 200, ""},
        // An empty chunked body; a watch of Kubernetes that ends without an event is one, too.
        {ok_line + chunked_field + "\r\n0\r\n\r\n", 200, ""},
        {ok_line + chunked_field + "\r\n000\r\n\r\n", 200, ""},
        {ok_line + chunked_field + "\r\n0;a=b\r\n\r\n", 200, ""},
        {ok_line + chunked_field + "\r\n0 ; a = \"b;\\\"c\"\r\n\r\n", 200, ""},
        {ok_line + chunked_field + "\r\n0\r\nX: y\r\nZ:\r\n\r\n", 200, ""},
        {ok_line + chunked_field + "\r\n0\r\nX: a\r\n \r\n b\r\n\r\n", 200, ""},
        {ok_line + chunked_field + "\r\n1\r\nx\r\n0\r\n\r\n", 200, "x"},
        {ok_line + chunked_field + "\r\n5;a=b;c\r\nhello\r\n003\r\n, w\r\n00;d\r\nX: y\r\n\r\n",
         200, "hello, w"},
        {ok_line + chunked_field + "\r\n2\r\n\r\n\r\n4\r\n0\r\n\r\r\n0\r\n\r\n", 200,
         "\r\n0\r\n\r"},
        {ok_line + "Connection: close\r\n" + chunked_field + "\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok_line +
             chunked_field + "\r\n0\r\n\r\n",
         200, ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"HTTP/1.1 204 No Content\r\n" + chunked_field + "\r\n", 204, ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""},
        {"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 1\r\n\r\nx", 302, "x"},
        {busy + "Content-Length: 4\r\n\r\nbusy", 503, "busy"},
        {busy + chunked_field + "\r\n0\r\n\r\n", 503, ""},
        {busy + chunked_field + "\r\n4\r\nbusy\r\n0\r\n\r\n", 503, "busy"},
        {busy + zipped_length + zipped, 503, "compressed"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", 200, "old"},
    };
}

/// Compressed answers, which a stream rejects.
std::vector<CompleteAnswer> compressed_answers() {
    const std::string zipped = test_support::gzip("compressed");
    const std::string coding = "Content-Encoding: gzip\r\n";
    const std::string first = zipped.substr(0, 10);
    const std::string rest = zipped.substr(10);
    std::string size = "0";
    size += "0123456789abcdef"[rest.size() / 16];
    size += "0123456789abcdef"[rest.size() % 16];
    return {
        {ok_line + coding + "Content-Length: " + std::to_string(zipped.size()) + "\r\n\r\n" +
             zipped,
         200, "compressed"},
        {ok_line + coding + chunked_field + "\r\na\r\n" + first + "\r\n" + size + "\r\n" + rest +
             "\r\n0\r\n\r\n",
         200, "compressed"},
        {ok_line + coding + chunked_field + "\r\n0\r\n\r\n", 200, ""},
    };
}

/// Answers that end when the connection does: any part of their bodies looks complete.
std::vector<CompleteAnswer> unframed_answers() {
    return {
        {ok_line + "Connection: close\r\n\r\nhello", 200, "hello"},
        {"HTTP/1.0 200 OK\r\n\r\nold", 200, "old"},
        {"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\noops", 500, "oops"},
    };
}

std::vector<std::string> wrong_answers() {
    return {
        ok_line + "\r\nhello",
        ok_line + chunked_field + "\r\nzz\r\n\r\n",
        ok_line + chunked_field + "\r\n0x\r\n\r\n",
        ok_line + chunked_field + "\r\n\r\n0\r\n\r\n",
        ok_line + chunked_field + "\r\n0\r\nbad\r\n\r\n",
        ok_line + chunked_field + "\r\n0\r\n: bad\r\n\r\n",
        ok_line + chunked_field + "\r\n0;a=\"b\r\n\r\n\"\r\n\r\n",
        ok_line + chunked_field + "\r\n0;=\r\n\r\n",
        ok_line + chunked_field + "\r\n2\r\nok\r0\r\n\r\n",
        ok_line + chunked_field + "\r\n2\r\nokay\r\n0\r\n\r\n",
        ok_line + chunked_field + "\r\n10000000000000000\r\n",
        ok_line + chunked_field + "Content-Length: 2\r\n\r\nok",
        ok_line + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        ok_line + "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        ok_line + "Bad Name: x\r\n\r\n",
        ok_line + "X: y\rz\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "garbage that is no HTTP at all\r\n\r\n",
        "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    };
}

std::vector<std::string_view> byte_by_byte(std::string_view text) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < text.size(); ++i)
        pieces.push_back(text.substr(i, 1));
    return pieces;
}

/// Checks that the answer is the same wherever it is cut, and returns it.
CutAnswer read_cut_anywhere(BodyMode mode, std::string_view text) {
    const CutAnswer whole = read_pieces(mode, {text});
    for (std::size_t first = 1; first < text.size(); ++first) {
        for (std::size_t second = first; second < text.size(); ++second) {
            const CutAnswer cut =
                read_pieces(mode, {text.substr(0, first), text.substr(first, second - first),
                                   text.substr(second)});
            if (cut != whole) {
                CAPTURE(first, second);
                CHECK(cut == whole);
            }
        }
    }
    CHECK(read_pieces(mode, byte_by_byte(text)) == whole);
    return whole;
}

/// Checks what arrives of the answer if the connection ends before its last byte, at any byte.
template <typename Check>
void cut_short(BodyMode mode, std::string_view text, Check check) {
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        check(size, read_pieces(mode, {text.substr(0, size)}));
        check(size, read_pieces(mode, byte_by_byte(text.substr(0, size))));
    }
}

} // namespace

TEST_CASE("an answer is the same wherever it is cut, and incomplete without its last byte") {
    for (const BodyMode mode : cut_modes) {
        std::vector<CompleteAnswer> answers = framed_answers();
        for (CompleteAnswer& answer : compressed_answers()) {
            if (mode != BodyMode::stream)
                answers.push_back(std::move(answer));
        }
        for (const CompleteAnswer& expected : answers) {
            if (mode == BodyMode::stream && expected.body == "compressed")
                continue;
            CAPTURE(mode, expected.text);
            const CutAnswer answer = read_cut_anywhere(mode, expected.text);
            REQUIRE_FALSE(answer.error);
            CHECK(answer.status == expected.status);
            CHECK(answer.delivered + answer.collected == expected.body);
            CHECK_FALSE(answer.ended_by_close);
            cut_short(mode, expected.text, [](std::size_t, const CutAnswer& part) {
                REQUIRE(part.error);
                CHECK(part.error->is(Errc::unreachable));
            });
        }
    }
}

TEST_CASE("an answer that only the end of the connection ends is the same wherever it is cut") {
    for (const BodyMode mode : cut_modes) {
        for (const CompleteAnswer& expected : unframed_answers()) {
            CAPTURE(mode, expected.text);
            const CutAnswer answer = read_cut_anywhere(mode, expected.text);
            REQUIRE_FALSE(answer.error);
            CHECK(answer.status == expected.status);
            CHECK(answer.delivered + answer.collected == expected.body);
            CHECK(answer.ended_by_close);
            CHECK_FALSE(answer.is_reusable);
            const std::size_t header = expected.text.size() - expected.body.size();
            cut_short(mode, expected.text, [&](std::size_t size, const CutAnswer& part) {
                if (size < header)
                    CHECK((part.error && part.error->is(Errc::unreachable)));
                else
                    CHECK((!part.error && part.ended_by_close && !part.is_reusable));
            });
        }
    }
}

TEST_CASE("a wrong answer is the same error wherever it is cut, and never an answer") {
    for (const BodyMode mode : cut_modes) {
        for (const std::string& text : wrong_answers()) {
            CAPTURE(mode, text);
            const CutAnswer answer = read_cut_anywhere(mode, text);
            REQUIRE(answer.error);
            CHECK(answer.error->is(Errc::bad_response));
            cut_short(mode, text, [](std::size_t, const CutAnswer& part) {
                REQUIRE(part.error);
                CHECK((part.error->is(Errc::unreachable) || part.error->is(Errc::bad_response)));
            });
        }
    }
}
