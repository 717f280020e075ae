// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/response_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace wva_metrics;
using http::Limits;
using http::Response;
using http::detail::BodyMode;
using http::detail::ResponseReader;

namespace {

using Progress = ResponseReader::Progress;

const Limits small{.max_header_bytes = 1024, .max_buffer_bytes = 2048, .max_body_bytes = 4096};

struct Outcome {
    std::optional<Errc> error;
    int status = 0;
    std::string body;
    bool ended_by_close = false;
    bool is_reusable = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
        if (outcome.error)
            return out << to_string(*outcome.error);
        return out << outcome.status << ' ' << outcome.body.size() << " bytes";
    }
};

/// Reads the text in pieces of at most `piece` bytes, then the end of the stream.
Outcome read(std::string_view text, std::size_t piece) {
    ResponseReader reader(small);
    const auto finished = [&] {
        const bool is_reusable = reader.is_reusable();
        const Response response = reader.take();
        return Outcome{std::nullopt, response.status, response.body, response.ended_by_close,
                       is_reusable};
    };
    const auto failed = [](const Error& error) {
        return Outcome{static_cast<Errc>(error.code.value()), 0, "", false, false};
    };
    while (!text.empty()) {
        const boost::asio::mutable_buffer space = reader.prepare();
        REQUIRE(space.size() > 0);
        const std::size_t bytes = std::min({piece, space.size(), text.size()});
        boost::asio::buffer_copy(space, boost::asio::buffer(text.data(), bytes));
        text.remove_prefix(bytes);
        const Result<Progress> progress = reader.commit(bytes);
        if (!progress)
            return failed(progress.error());
        if (*progress == Progress::complete)
            return finished();
    }
    const Result<Progress> progress = reader.finish();
    return progress ? finished() : failed(progress.error());
}

} // namespace

TEST_CASE("an answer may arrive in any pieces") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::vector<std::string> texts{
        head + "Content-Length: 5\r\n\r\nhello",
        head + "Content-Length: 5\r\n\r\nhel",
        head + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\n, w\r\n0\r\nX: y\r\n\r\n",
        head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        head + "Connection: close\r\n\r\nhello",
        head + "\r\nhello",
        head + "Content-Length: 4097\r\n\r\n",
        head + "Transfer-Encoding: chunked\r\n\r\n1001\r\n" + std::string(4097, 'x') +
            "\r\n0\r\n\r\n",
        head + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(4096, 'x'),
        head + "X: " + std::string(4096, 'x'),
        head + "Content-Encoding: br\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + head + "Content-Length: 2\r\n\r\nok",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nold",
        "garbage that is no HTTP at all\r\n\r\n",
        "",
    };
    for (const std::string& text : texts) {
        CAPTURE(text.substr(0, 80));
        const Outcome byte_by_byte = read(text, 1);
        for (const std::size_t piece : {2U, 3U, 7U, 64U, 1000U, 100'000U})
            CHECK(read(text, piece) == byte_by_byte);
    }
}

TEST_CASE("an interim answer and the real one may arrive together") {
    const Outcome outcome = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                                 100'000);
    CHECK(outcome == Outcome{std::nullopt, 200, "ok", false, true});
}

TEST_CASE("interim answers are skipped up to their limit") {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    std::string interim;
    for (std::size_t i = 0; i < small.max_informational; ++i)
        interim += "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK(read(interim + answer, 10).status == 200);
    CHECK(read("HTTP/1.1 100 Continue\r\n\r\n" + interim + answer, 10).error == Errc::too_large);
}

TEST_CASE("fields of a trailer do not replace header fields") {
    const Outcome outcome =
        read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "2\r\nok\r\n0\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n",
             100'000);
    CHECK(outcome.status == 200);
    CHECK(outcome.body == "ok");
}

TEST_CASE("a header of exactly the limit is read, and one byte more is rejected") {
    const std::string start = "HTTP/1.1 204 No Content\r\nX: ";
    const std::string end = "\r\n\r\n";
    const std::size_t room = small.max_header_bytes - start.size() - end.size();
    CHECK(read(start + std::string(room, 'x') + end, 100'000).status == 204);
    CHECK(read(start + std::string(room + 1, 'x') + end, 100'000).error == Errc::too_large);
}

namespace {

struct Streamed {
    std::optional<Errc> error;
    int status = 0;
    /// The body that was returned in pieces, and the body that was collected.
    std::string streamed;
    std::string collected;
    bool is_reusable = false;

    friend bool operator==(const Streamed&, const Streamed&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Streamed& outcome) {
        if (outcome.error)
            out << to_string(*outcome.error) << " after ";
        return out << outcome.status << ' ' << outcome.streamed.size() << " bytes streamed, "
                   << outcome.collected.size() << " collected";
    }
};

/// Reads the text as a streamed answer, in pieces of at most `piece` bytes, then its end.
Streamed stream(std::string_view text, std::size_t piece) {
    ResponseReader reader(small, BodyMode::stream);
    Streamed outcome;
    Result<Progress> progress = Progress::need_more;
    const auto take_piece = [&] {
        outcome.streamed += reader.piece();
        CHECK(reader.piece().size() <= small.max_buffer_bytes);
        if (!reader.piece().empty()) {
            reader.drop_piece();
            CHECK(reader.piece().empty());
        }
    };
    while (!text.empty() && progress && *progress == Progress::need_more) {
        const boost::asio::mutable_buffer space = reader.prepare();
        REQUIRE(space.size() > 0);
        const std::size_t bytes = std::min({piece, space.size(), text.size()});
        boost::asio::buffer_copy(space, boost::asio::buffer(text.data(), bytes));
        text.remove_prefix(bytes);
        progress = reader.commit(bytes);
        take_piece();
    }
    if (progress && *progress == Progress::need_more) {
        progress = reader.finish();
        take_piece();
    }
    if (!progress) {
        outcome.error = static_cast<Errc>(progress.error().code.value());
        return outcome;
    }
    outcome.is_reusable = reader.is_reusable();
    Response response = reader.take();
    outcome.status = response.status;
    outcome.collected = std::move(response.body);
    return outcome;
}

} // namespace

TEST_CASE("a streamed body may arrive in any pieces, and is complete up to an error") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string large(20'000, 'x');
    const std::vector<std::tuple<std::string, Streamed>> cases{
        {head + "Content-Length: 5\r\n\r\nhello", {{}, 200, "hello", "", true}},
        {head + "Content-Length: 5\r\n\r\nhel", {Errc::unreachable, 0, "hel", "", false}},
        // A stream may announce a length that exceeds any memory.
        {head + "Content-Length: 9000000000000000000\r\n\r\nhel",
         {Errc::unreachable, 0, "hel", "", false}},
        {chunked + "5;a=b\r\nhello\r\n3\r\n, w\r\n0\r\nX: y\r\n\r\n",
         {{}, 200, "hello, w", "", true}},
        {chunked + "5\r\nhello\r\nzz\r\n", {Errc::bad_response, 0, "hello", "", false}},
        {chunked + "5\r\nhello\r\n0\r\n", {Errc::unreachable, 0, "hello", "", false}},
        {chunked + "5\r\nhello\r\n1;" + std::string(4096, 'x'),
         {Errc::too_large, 0, "hello", "", false}},
        // More than limits.max_body_bytes.
        {chunked + "4e20\r\n" + large + "\r\n0\r\n\r\n", {{}, 200, large, "", true}},
        {head + "Connection: close\r\n\r\nhello", {{}, 200, "hello", "", false}},
        {head + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
         {Errc::bad_response, 0, "", "", false}},
        {"HTTP/1.1 103 Early Hints\r\n\r\n" + head + "Content-Length: 2\r\n\r\nok",
         {{}, 200, "ok", "", true}},
        {"HTTP/1.1 204 No Content\r\n\r\n", {{}, 204, "", "", true}},
        // The body of an error status is collected.
        {"HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n0\r\n\r\n",
         {{}, 410, "", "gone", true}},
        {"HTTP/1.1 302 Found\r\nContent-Length: 1\r\n\r\nx", {{}, 302, "", "x", true}},
        {"HTTP/1.1 500 Oops\r\nContent-Length: 4097\r\n\r\n", {Errc::too_large, 0, "", "", false}},
        {"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n" + large,
         {Errc::too_large, 0, "", "", false}},
        {"", {Errc::unreachable, 0, "", "", false}},
    };
    for (const auto& [text, expected] : cases) {
        CAPTURE(text.substr(0, 80));
        for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U, 1000U, 100'000U})
            CHECK(stream(text, piece) == expected);
    }
}

namespace {

/// An invented coding: the text in reverse.
class Turning final : public http::Decompressor {
public:
    std::string_view coding() const noexcept override { return "turned"; }
    Result<std::string> decompress(std::string_view compressed,
                                   std::size_t max_bytes) const override {
        CHECK(max_bytes == small.max_body_bytes);
        if (compressed == "bad")
            return Error(Errc::bad_response, "it cannot be turned");
        if (compressed == "large")
            return Error(Errc::too_large, "it becomes too large");
        return std::string(compressed.rbegin(), compressed.rend());
    }
};

/// The body, or the code and message of the error.
std::string turned(const std::string& fields, const std::string& body,
                   BodyMode mode = BodyMode::collect) {
    const Turning decompressor;
    ResponseReader reader(small, mode, &decompressor);
    const std::string text = "HTTP/1.1 200 OK\r\n" + fields +
                             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    boost::asio::buffer_copy(reader.prepare(), boost::asio::buffer(text));
    const Result<Progress> progress = reader.commit(text.size());
    return progress ? reader.take().body : progress.error().describe();
}

} // namespace

TEST_CASE("a body in an offered coding is decompressed when it is complete") {
    CHECK(turned("Content-Encoding: turned\r\n", "olleh") == "hello");
    CHECK(turned("Content-Encoding: Turned\r\nContent-Encoding: identity\r\n", "ab") == "ba");
    CHECK(turned("", "ab") == "ab");
    CHECK(turned("Content-Encoding: turned\r\n", "").empty());
    CHECK(turned("Content-Encoding: turned\r\n", "bad") == "bad_response: it cannot be turned");
    CHECK(turned("Content-Encoding: turned\r\n", "large") ==
          "too_large: the answer's body, decompressed, exceeds 4096 (limits.max_body_bytes)");
}

TEST_CASE("a coding that was not offered is rejected, in whichever field it is") {
    const std::string rejection =
        "bad_response: the answer is compressed in a way that the request "
        "did not allow";
    CHECK(turned("Content-Encoding: gzip\r\n", "x") == rejection);
    CHECK(turned("Content-Encoding: turned, turned\r\n", "x") == rejection);
    CHECK(turned("Content-Encoding: identity\r\nContent-Encoding: br\r\n", "x") == rejection);
    CHECK(turned("Content-Encoding: turned\r\n", "x", BodyMode::stream) == rejection);
    CHECK(turned("Content-Encoding: turned\r\nContent-Encoding: turned\r\n", "x") ==
          "bad_response: the answer is compressed twice, which the request did not allow");
}

TEST_CASE("a buffer is used again for the next answer, whatever their sizes") {
    boost::beast::flat_buffer buffer;
    for (const std::size_t bytes : {5000U, 3U, 0U, 9000U, 1U}) {
        const std::string body(bytes, 'x');
        const std::string text =
            "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + body;
        const http::Limits roomy;
        ResponseReader reader(roomy, BodyMode::collect, nullptr, std::move(buffer));
        boost::asio::buffer_copy(reader.prepare(), boost::asio::buffer(text));
        const Result<Progress> progress = reader.commit(text.size());
        REQUIRE(progress.has_value());
        CHECK(*progress == Progress::complete);
        REQUIRE(reader.is_reusable());
        CHECK(reader.take().body == body);
        buffer = reader.take_buffer();
        CHECK(buffer.size() == 0);
        CHECK(buffer.capacity() > 0);
    }
}

TEST_CASE("of a repeated field the first counts, but every coding is checked") {
    const auto read_with = [](const std::string& fields) {
        ResponseReader reader(small);
        const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + fields + "\r\n";
        boost::asio::buffer_copy(reader.prepare(), boost::asio::buffer(text));
        const Result<Progress> progress = reader.commit(text.size());
        return progress ? Result<Response>(reader.take()) : Result<Response>(progress.error());
    };
    const auto response = read_with("Content-Type: a/b\r\nRetry-After: 1\r\nLocation: /one\r\n"
                                    "content-type: c/d\r\nretry-after: 2\r\nlocation: /two\r\n");
    REQUIRE(response.has_value());
    CHECK(response->content_type == "a/b");
    CHECK(response->retry_after == "1");
    CHECK(response->location == "/one");
    CHECK(read_with("Content-Encoding: identity\r\nContent-Encoding: gzip\r\n").has_error());
}
