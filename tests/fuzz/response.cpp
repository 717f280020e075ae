// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/http/detail/response_reader.hpp"
#include "wva_metrics/http/gzip.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/read_response.hpp"
#include "fuzz/target.hpp"

#include <array>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// An answer is accepted or rejected alike in one piece and in several, within its limits and with
/// words. Lines: how its body is taken, whether gzip was offered, and the limits; where it is cut.
void fuzz_response(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    constexpr std::array modes{BodyMode::collect, BodyMode::deliver, BodyMode::stream};
    const BodyMode mode = modes[choices.below(3)];
    const http::GzipDecompressor gzip;
    const http::Decompressor* const decompressor = choices.flag() ? &gzip : nullptr;
    http::Limits limits;
    if (choices.flag()) {
        limits.max_header_bytes = 256;
        limits.max_buffer_bytes = 512;
        limits.max_body_bytes = 64;
        limits.max_informational = 1;
    }
    const std::string_view cuts = input.line();
    const std::string_view answer = input.rest();

    const ReadResponse whole = read_response(limits, mode, decompressor, cut(answer, ""));
    const ReadResponse pieces = read_response(limits, mode, decompressor, cut(answer, cuts));
    for (const ReadResponse& read : {whole, pieces}) {
        if (mode != BodyMode::stream)
            expect(read.response.body.size() + read.delivered.size() <= limits.max_body_bytes,
                   "a body above its limit");
        if (read.error)
            expect_explained(*read.error, {Errc::bad_response, Errc::too_large, Errc::unreachable});
        else
            expect(read.response.status >= 200 && read.response.status <= 999, "a wrong status");
    }
    // Why it is rejected may depend on them: Beast looks at the beginning of a header that is not
    // complete only if that arrives at once.
    expect(whole.error.has_value() == pieces.error.has_value(),
           "the result depends on the pieces: " + describe(whole) + " or " + describe(pieces));
    if (whole.error)
        return;
    expect(whole.delivered == pieces.delivered, "other bytes are delivered in pieces");
    expect(is_same(whole.response, pieces.response), "the response depends on the pieces");
    // In one piece, what follows the answer is there already.
    expect(!whole.is_reusable || pieces.is_reusable, "the connection is lost in pieces");
}

const RegisteredTarget response_target("response", &fuzz_response);

} // namespace
} // namespace wva_metrics::fuzz
