// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/http/gzip.hpp"

#include "support/gzip_bytes.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// Hostile bytes are rejected or give at most what is allowed; a text survives compression, and is
/// rejected if it is cut, followed by something, or larger than allowed. The first line has the
/// choice between the two, and the bytes to cut.
void fuzz_gzip(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    const bool is_text = choices.flag();
    const std::size_t some = choices.below(64) + 1;
    const std::string_view text = input.rest();
    const http::GzipDecompressor gzip;
    constexpr std::size_t limit = std::size_t{64} << 10;
    if (!is_text) {
        if (text.empty())
            return;
        const Result<std::string> read = gzip.decompress(text, limit);
        if (!read)
            return expect_explained(read.error(), {Errc::bad_response, Errc::too_large});
        expect(read->size() <= limit, "more than allowed");
        const Result<std::string> exact = gzip.decompress(text, read->size());
        expect(exact.has_value() && *exact == *read, "what fits exactly is rejected or another");
        const Result<std::string> small =
            gzip.decompress(text, read->size() - (read->empty() ? 0 : 1));
        return expect(read->empty() || (small.has_error() && small.error().is(Errc::too_large)),
                      "more than a smaller limit allows");
    }
    const std::string packed = test_support::gzip(std::string(text));
    const Result<std::string> read = gzip.decompress(packed, text.size());
    expect(read.has_value() && *read == text, "a text does not survive compression");
    const Result<std::string> cut_off = gzip.decompress(
        std::string_view(packed).substr(0, packed.size() - some % packed.size()), limit);
    expect(some % packed.size() == 0 || cut_off.has_error(), "a truncated text is accepted");
    expect(gzip.decompress(packed + std::string(some, 'x'), limit).has_error(),
           "bytes behind the text are accepted");
}

const RegisteredTarget gzip_target("gzip", &fuzz_gzip);

} // namespace
} // namespace wva_metrics::fuzz
