// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/http/detail/response_reader.hpp"
#include "wva_metrics/http/gzip.hpp"

#include "support/gzip_bytes.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/read_response.hpp"
#include "fuzz/target.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

std::string chunk_of(const std::string& text) {
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", text.size());
    return size.data() + text + "\r\n";
}

/// Any body that a correct server sends arrives as it was sent, in whatever way it is framed,
/// compressed and cut; an answer that lacks its last byte is never taken for complete. Lines: framing,
/// compression, and how the body is taken; the chunks; where the answer is cut.
void fuzz_response_round_trip(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    const std::size_t framing = choices.below(3);
    const bool is_compressed = choices.flag();
    constexpr std::array modes{BodyMode::collect, BodyMode::deliver, BodyMode::stream};
    const BodyMode mode = modes[choices.below(is_compressed ? 2 : 3)];
    const std::string_view chunks = input.line();
    const std::string_view cuts = input.line();
    const std::string_view body = input.rest();

    const std::string sent =
        is_compressed ? test_support::gzip(std::string(body)) : std::string(body);
    std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    if (is_compressed)
        answer += "Content-Encoding: gzip\r\n";
    if (framing == 0)
        answer += "Content-Length: " + std::to_string(sent.size()) + "\r\n\r\n" + sent;
    if (framing == 1) {
        answer += "Transfer-Encoding: chunked\r\n\r\n";
        for (const std::string& piece : cut(sent, chunks))
            answer += chunk_of(piece);
        answer += "0\r\n\r\n";
    }
    if (framing == 2)
        answer += "Connection: close\r\n\r\n" + sent;

    const http::GzipDecompressor gzip;
    const http::Limits limits;
    const ReadResponse read = read_response(limits, mode, &gzip, cut(answer, cuts));
    expect(!read.error, "a correct answer is rejected: " + describe(read));
    expect(read.response.body + read.delivered == body, "the body is not what was sent");
    expect(mode == BodyMode::collect || read.response.body.empty(), "a body was not delivered");
    expect(read.response.ended_by_close == (framing == 2), "a wrong end");
    expect(read.is_reusable == (framing != 2), "a wrong decision on the connection");

    answer.pop_back();
    const ReadResponse truncated = read_response(limits, mode, &gzip, cut(answer, cuts));
    // Without a length nobody can know, except of a compressed body.
    expect(truncated.error || (framing == 2 && !is_compressed), "a truncated answer is complete");
}

const RegisteredTarget response_round_trip_target("response_round_trip", &fuzz_response_round_trip);

} // namespace
} // namespace wva_metrics::fuzz
