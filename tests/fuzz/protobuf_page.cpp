// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/exposition/protobuf_parser.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// What a sink has seen, as one text.
struct ProtobufPageText {
    std::string text{};

    void operator()(const exposition::PageSample& sample) {
        expect(!sample.name.empty() && sample.name.starts_with(sample.family),
               "a sample has not the name of its family");
        expect(wva_metrics::detail::is_valid_utf8(sample.name), "a name is not UTF-8");
        text += sample.name;
        for (const LabelView& label : sample.labels) {
            expect(!label.name.empty(), "a label has no name");
            expect(wva_metrics::detail::is_valid_utf8(label.value), "a label is not UTF-8");
            text.append("\1").append(label.name).append("\2").append(label.value);
        }
        text += " " + std::to_string(sample.value) + "\n";
        if (sample.histogram != nullptr)
            expect(!find_problem(*sample.histogram,
                                 sample.type == exposition::FamilyType::gauge_histogram),
                   "a native histogram is not valid");
    }
};

/// Hostile bytes are read or rejected with a reason, and alike in one piece and in pieces. The first
/// line has the sizes of the pieces.
void fuzz_protobuf_page(std::string_view bytes) {
    Input input(bytes);
    const std::string_view sizes = input.line();
    const std::string_view page = input.rest();
    exposition::PageLimits limits;
    limits.max_page_bytes = std::size_t{64} << 10;
    limits.max_buckets = 100;
    ProtobufPageText whole;
    const Result<void> read = exposition::parse_protobuf(page, whole, {}, limits);
    if (!read)
        expect_explained(read.error(), {Errc::bad_response, Errc::too_large});

    exposition::ProtobufParser parser({}, limits);
    ProtobufPageText split;
    Result<void> fed;
    for (const std::string& piece : cut(page, sizes))
        if (fed)
            fed = parser.feed(piece, split);
    if (fed)
        fed = parser.finish(split);
    if (page.size() > limits.max_page_bytes)
        return;
    expect(fed.has_value() == read.has_value(), "a page split in pieces has another end");
    expect(split.text == whole.text, "a page split in pieces has other samples");
}

const RegisteredTarget protobuf_page_target("protobuf_page", &fuzz_protobuf_page);

} // namespace
} // namespace wva_metrics::fuzz
