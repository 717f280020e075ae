// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/exposition/conformance_checker.hpp"
#include "wva_metrics/exposition/text_parser.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

using exposition::PageLimits;
using exposition::TextFormat;

PageLimits small_page_limits() {
    PageLimits limits;
    limits.max_page_bytes = 400;
    limits.max_line_bytes = 60;
    limits.max_samples = 6;
    limits.max_families = 3;
    limits.max_labels = 2;
    limits.max_name_bytes = 10;
    limits.max_label_value_bytes = 8;
    return limits;
}

/// What a parser has said, as one text.
struct PageText {
    const PageLimits* limits;
    std::string text{};
    std::size_t samples = 0;
    std::optional<Error> error{};

    void operator()(const exposition::PageSample& sample) {
        ++samples;
        expect(samples <= limits->max_samples, "more samples than max_samples");
        expect(sample.labels.size() <= limits->max_labels, "more labels than max_labels");
        expect(sample.name.size() <= limits->max_name_bytes, "a name is too long");
        expect(sample.name.starts_with(sample.family), "a sample of another family");
        text += std::string(sample.family) + "|" + std::string(sample.name);
        for (const LabelView& label : sample.labels) {
            expect(label.value.size() <= limits->max_label_value_bytes, "a value is too long");
            expect(detail::is_valid_utf8(label.value), "a label is not UTF-8");
            text += "|" + std::string(label.name) + "=" + std::string(label.value);
        }
        text += "|" + std::to_string(sample.value);
        if (sample.timestamp_ms)
            text += "@" + std::to_string(*sample.timestamp_ms);
        text += "\n";
    }
};

PageText parse_pieces(const std::vector<std::string>& pieces, TextFormat format,
                      const exposition::WantedMetrics& wanted, const PageLimits& limits) {
    exposition::TextParser parser(format, wanted, limits);
    PageText page{&limits};
    Result<void> result;
    for (const std::string& piece : pieces)
        if (result)
            result = parser.feed(piece, page);
    if (result)
        result = parser.finish(page);
    if (!result)
        page.error = result.error();
    return page;
}

std::optional<Error> check_pieces(const std::vector<std::string>& pieces, TextFormat format,
                                  const PageLimits& limits) {
    exposition::ConformanceChecker checker(format, limits);
    for (const std::string& piece : pieces)
        static_cast<void>(checker.feed(piece));
    const Result<void> result = checker.finish();
    return result ? std::nullopt : std::optional(result.error());
}

/// A page says the same in one piece and in several, within the limits, and a page that conforms to
/// its format can be read. Lines: the format, the limits and what is wanted; where it is cut.
void fuzz_exposition(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    constexpr TextFormat formats[] = {TextFormat::prometheus_0_0_4, TextFormat::prometheus_1_0_0,
                                      TextFormat::open_metrics_1_0};
    const TextFormat format = formats[choices.below(3)];
    const PageLimits limits = choices.flag() ? small_page_limits() : PageLimits();
    const exposition::WantedMetrics wanted(choices.flag()
                                               ? std::vector<std::string>{"a", "h_sum", "b_total"}
                                               : std::vector<std::string>());
    const std::string_view cuts = input.line();
    const std::string_view page = input.rest();

    const PageText whole = parse_pieces(cut(page, ""), format, wanted, limits);
    const PageText pieces = parse_pieces(cut(page, cuts), format, wanted, limits);
    const auto is_too_large = [](const std::optional<Error>& error) {
        return error && error->is(Errc::too_large);
    };
    // The pieces decide whether the whole page or one of its lines is found too large first.
    if (!is_too_large(whole.error) && !is_too_large(pieces.error)) {
        expect(whole.text == pieces.text, "the samples depend on the pieces");
        expect(whole.error == pieces.error, "the error depends on the pieces");
    }
    const std::optional<Error> strict = check_pieces(cut(page, ""), format, limits);
    const std::optional<Error> strict_pieces = check_pieces(cut(page, cuts), format, limits);
    if (!is_too_large(strict) && !is_too_large(strict_pieces))
        expect(strict == strict_pieces, "conformance depends on the pieces");
    for (const std::optional<Error>& error : {whole.error, strict})
        if (error)
            expect_explained(*error, {Errc::bad_response, Errc::too_large});
    if (!strict && !is_too_large(whole.error))
        expect(!whole.error, "a page that conforms is refused: " +
                                 (whole.error ? whole.error->describe() : std::string()));
}

const RegisteredTarget exposition_target("exposition", &fuzz_exposition);

} // namespace
} // namespace wva_metrics::fuzz
