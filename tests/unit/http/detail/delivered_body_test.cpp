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

const Limits delivery_limits{
    .max_header_bytes = 1024, .max_buffer_bytes = 2048, .max_body_bytes = 4096};

struct Delivered {
    std::optional<Errc> error;
    int status = 0;
    /// The body that was returned in pieces, and the body that was collected.
    std::string delivered;
    std::string collected;
    bool is_reusable = false;

    friend bool operator==(const Delivered&, const Delivered&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Delivered& outcome) {
        if (outcome.error)
            out << to_string(*outcome.error) << " after ";
        return out << outcome.status << ' ' << outcome.delivered.size() << " bytes delivered, "
                   << outcome.collected.size() << " collected, reusable: " << outcome.is_reusable;
    }
};

/// An invented coding: the text twice.
class Doubling final : public http::Decompressor {
public:
    std::string_view coding() const noexcept override { return "doubled"; }
    Result<std::string> decompress(std::string_view compressed,
                                   std::size_t max_bytes) const override {
        if (compressed.size() * 2 > max_bytes)
            return Error(Errc::too_large, "it becomes too large");
        if (compressed == "bad")
            return Error(Errc::bad_response, "it cannot be doubled");
        return std::string(compressed) + std::string(compressed);
    }
};

/// Reads the text as an answer whose body is delivered, first `cut` bytes, then at most `piece` at a
/// time, then its end.
Delivered deliver(std::string_view text, std::size_t cut, std::size_t piece) {
    const Doubling decompressor;
    ResponseReader reader(delivery_limits, BodyMode::deliver, &decompressor);
    Delivered outcome;
    Result<ResponseReader::Progress> progress = ResponseReader::Progress::need_more;
    const auto take_piece = [&] {
        outcome.delivered += reader.piece();
        if (!reader.piece().empty()) {
            CHECK(reader.status() / 100 == 2);
            reader.drop_piece();
            CHECK(reader.piece().empty());
        }
    };
    std::size_t wanted = cut == 0 ? piece : cut;
    while (!text.empty() && progress && *progress == ResponseReader::Progress::need_more) {
        const boost::asio::mutable_buffer space = reader.prepare();
        REQUIRE(space.size() > 0);
        const std::size_t bytes = std::min({wanted, space.size(), text.size()});
        wanted = piece;
        boost::asio::buffer_copy(space, boost::asio::buffer(text.data(), bytes));
        text.remove_prefix(bytes);
        progress = reader.commit(bytes);
        take_piece();
    }
    if (progress && *progress == ResponseReader::Progress::need_more) {
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

TEST_CASE("a delivered body may be cut anywhere, and is complete up to an error") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string doubled = "Content-Encoding: doubled\r\n";
    const std::string gone = "HTTP/1.1 410 Gone\r\n";
    const std::vector<std::tuple<std::string, Delivered>> cases{
        {head + "Content-Length: 5\r\n\r\nhello", {{}, 200, "hello", "", true}},
        {head + "Content-Length: 5\r\n\r\nhel", {Errc::unreachable, 0, "hel", "", false}},
        {chunked + "5;a=b\r\nhello\r\n3\r\n, w\r\n0\r\nX: y\r\n\r\n",
         {{}, 200, "hello, w", "", true}},
        {chunked + "5\r\nhello\r\nzz\r\n", {Errc::bad_response, 0, "hello", "", false}},
        {chunked + "5\r\nhello\r\n0\r\n", {Errc::unreachable, 0, "hello", "", false}},
        {head + "Connection: close\r\n\r\nhello", {{}, 200, "hello", "", false}},
        {"HTTP/1.1 103 Early Hints\r\n\r\n" + head + "Content-Length: 2\r\n\r\nok",
         {{}, 200, "ok", "", true}},
        {head + "Content-Length: 0\r\n\r\n", {{}, 200, "", "", true}},
        {"HTTP/1.1 204 No Content\r\n\r\n", {{}, 204, "", "", true}},
        // The body of any other status is collected, compressed or not.
        {gone + "Transfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n0\r\n\r\n",
         {{}, 410, "", "gone", true}},
        {gone + doubled + "Content-Length: 2\r\n\r\nab", {{}, 410, "", "abab", true}},
        {"HTTP/1.1 302 Found\r\nContent-Length: 1\r\n\r\nx", {{}, 302, "", "x", true}},
        // A compressed body is delivered when it is complete.
        {head + doubled + "Content-Length: 2\r\n\r\nab", {{}, 200, "abab", "", true}},
        {head + doubled + "Connection: close\r\n\r\nab", {{}, 200, "abab", "", false}},
        {chunked.substr(0, chunked.size() - 2) + doubled + "\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
         {{}, 200, "abab", "", true}},
        {head + doubled + "Content-Length: 0\r\n\r\n", {{}, 200, "", "", true}},
        {head + doubled + "Content-Length: 3\r\n\r\nab", {Errc::unreachable, 0, "", "", false}},
        {head + doubled + "Content-Length: 3\r\n\r\nbad", {Errc::bad_response, 0, "", "", false}},
        {head + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
         {Errc::bad_response, 0, "", "", false}},
        {"", {Errc::unreachable, 0, "", "", false}},
    };
    for (const auto& [text, expected] : cases) {
        CAPTURE(text);
        for (std::size_t cut = 1; cut <= text.size(); ++cut)
            CHECK(deliver(text, cut, 100'000) == expected);
        for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U})
            CHECK(deliver(text, 0, piece) == expected);
    }
}

TEST_CASE("a delivered body has the limit of a collected one, whatever was delivered before") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    const std::size_t most = delivery_limits.max_body_bytes;
    for (const std::size_t piece : {1U, 7U, 1000U, 2048U}) {
        CAPTURE(piece);
        const std::string body(most, 'x');
        CHECK(deliver(chunked + "1000\r\n" + body + "\r\n0\r\n\r\n", 0, piece) ==
              Delivered{{}, 200, body, "", true});
        CHECK(deliver(head + "Content-Length: 4096\r\n\r\n" + body, 0, piece) ==
              Delivered{{}, 200, body, "", true});

        const Delivered announced = deliver(head + "Content-Length: 4097\r\n\r\nx", 0, piece);
        CHECK(announced.error == Errc::too_large);
        CHECK(announced.delivered.empty());

        const std::string block = "100\r\n" + std::string(256, 'x') + "\r\n";
        std::string endless = chunked;
        for (int i = 0; i < 100; ++i)
            endless += block;
        const Delivered cut = deliver(endless, 0, piece);
        CHECK(cut.error == Errc::too_large);
        CHECK(cut.delivered.size() <= most);
        CHECK(cut.delivered.size() >= most - 256);

        const Delivered unending =
            deliver(head + "Connection: close\r\n\r\n" + std::string(10'000, 'x'), 0, piece);
        CHECK(unending.error == Errc::too_large);
        CHECK(unending.delivered.size() <= most);

        const std::string large(3000, 'x');
        CHECK(deliver(head + "Content-Encoding: doubled\r\nContent-Length: 3000\r\n\r\n" + large, 0,
                      piece)
                  .error == Errc::too_large);
    }
}
