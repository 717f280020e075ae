// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/content_type.hpp"
#include "wva_metrics/exposition/open_metrics_2_parser.hpp"
#include "wva_metrics/exposition/page_format.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/protobuf_parser.hpp"
#include "wva_metrics/exposition/text_parser.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

namespace wva_metrics::exposition {

/// Reads a page in the format that its answer's `Content-Type` says, with the parser for it. See
/// `TextParser`, `OpenMetrics2Parser` and `ProtobufParser` for what they accept, pass on, and return as errors.
///
/// **Threads:** not thread-safe.
class PageParser {
public:
    /// All arguments are copied.
    explicit PageParser(PageFormat format, const WantedMetrics& wanted = {},
                        const PageLimits& limits = {})
        : format_(format), parser_(make(format, wanted, limits)) {}
    /// By the answer's `Content-Type`; see `parse_content_type`, whose remark tells of a fallback.
    explicit PageParser(std::string_view content_type, const WantedMetrics& wanted = {},
                        const PageLimits& limits = {})
        : PageParser(parse_content_type(content_type).format, wanted, limits) {}

    /// Reads the next bytes, which need not outlive the call.
    template <PageSink Sink>
    Result<void> feed(std::string_view piece, Sink& sink) {
        return std::visit([&](auto& parser) { return parser.feed(piece, sink); }, parser_);
    }
    /// The end of the page.
    template <PageSink Sink>
    Result<void> finish(Sink& sink) {
        return std::visit([&](auto& parser) { return parser.finish(sink); }, parser_);
    }
    /// Begins another page of the same format. Keeps the memory.
    void restart() noexcept {
        std::visit([](auto& parser) { parser.restart(); }, parser_);
    }

    /// The format of the page.
    PageFormat format() const noexcept { return format_; }
    /// The samples that were passed on.
    std::size_t samples() const noexcept {
        return std::visit([](const auto& parser) { return parser.samples(); }, parser_);
    }

private:
    using Parser = std::variant<TextParser, OpenMetrics2Parser, ProtobufParser>;

    static Parser make(PageFormat format, const WantedMetrics& wanted, const PageLimits& limits) {
        if (format == PageFormat::protobuf)
            return ProtobufParser(wanted, limits);
        if (format == PageFormat::open_metrics_2_0)
            return OpenMetrics2Parser(wanted, limits);
        return TextParser(to_text_format(format).value_or(TextFormat::open_metrics_1_0), wanted,
                          limits);
    }

    PageFormat format_;
    Parser parser_;
};

} // namespace wva_metrics::exposition
