// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/detail/line_splitter.hpp"
#include "wva_metrics/exposition/detail/text_page.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_problem.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition {

/// Something that receives the samples of a page. It may also have a function
/// `family(std::string_view name, FamilyType type)`, which is told of each `# TYPE` line, also of
/// families that are not wanted: what a server exposes says what it is.
template <typename Sink>
concept PageSink = std::invocable<Sink&, const PageSample&>;

/// Reads a page of text, in one piece or in several as they arrive, and passes on the samples that
/// are wanted. Tolerant, as pages of real servers need it: accepts blanks, empty lines, CR LF, unknown
/// comments, types and escapes, a last line without an end, families and samples that come twice or
/// in any order, and samples whose family has no `# TYPE` line. `ConformanceChecker` is strict.
///
/// Passes on every sample: what comes twice is passed twice. Exemplars are skipped.
///
/// **The samples are valid only if `finish` succeeds**: a page may turn out to be malformed or cut off
/// after thousands of samples. Collect them, and discard the collection on an error. Of Prometheus'
/// text, which has no mark for its end, only the last line tells whether it was cut; see `last_line_is_open`.
///
/// Lines of samples that are not wanted are not read, and so what is wrong in them is not found. After
/// the first page it allocates nothing, unless a page is larger than all before.
///
/// **Errors** of both functions, each with the line and the column:
/// - `bad_response`: a line that cannot be read, or an OpenMetrics page without `# EOF`,
/// - `too_large`: one of the limits was exceeded; the message names it.
///
/// What a sink throws passes through; the page must be discarded then.
///
/// **Threads:** not thread-safe.
class TextParser {
public:
    /// All arguments are copied.
    explicit TextParser(TextFormat format, WantedMetrics wanted = {}, const PageLimits& limits = {})
        : page_(format, std::move(wanted), limits) {}

    /// Reads the next bytes, which need not outlive the call. After an error it returns the same one
    /// again, and reads nothing.
    template <PageSink Sink>
    Result<void> feed(std::string_view piece, Sink& sink) {
        if (page_.error || !page_.add_bytes(piece.size()))
            return *page_.error;
        lines_.feed(
            piece, [&](std::size_t size) { return page_.accepts_size(size); },
            [&](std::string_view line) {
                pass_on(page_.read(line), sink);
                return !page_.error;
            },
            [&](std::string_view text) { return page_.skip(text); });
        return page_.error ? Result<void>(*page_.error) : Result<void>();
    }
    /// The end of the page.
    template <PageSink Sink>
    Result<void> finish(Sink& sink) {
        if (!page_.error && !lines_.open_line().empty()) {
            last_line_is_open_ = true;
            pass_on(page_.read(lines_.open_line()), sink);
            lines_.clear();
        }
        page_.end();
        return page_.error ? Result<void>(*page_.error) : Result<void>();
    }
    /// Begins another page of the same format. Keeps the memory.
    void restart() noexcept {
        page_.clear();
        lines_.clear();
        last_line_is_open_ = false;
    }

    /// After `finish`: true if the last line had no end. It was read all the same, but such a page may
    /// have been cut off within its last value.
    bool last_line_is_open() const noexcept { return last_line_is_open_; }
    /// What was wrong, and where; empty if nothing was.
    const std::optional<PageProblem>& problem() const noexcept { return page_.problem; }
    /// The samples that were passed on.
    std::size_t samples() const noexcept { return page_.samples(); }
    /// The lines that were read.
    std::size_t lines() const noexcept { return page_.lines(); }

private:
    template <PageSink Sink>
    void pass_on(detail::LineResult result, Sink& sink) {
        if (result == detail::LineResult::sample)
            sink(std::as_const(page_.sample));
        if constexpr (requires { sink.family(page_.sample.family, page_.sample.type); })
            if (result == detail::LineResult::family)
                sink.family(page_.sample.family, page_.sample.type);
    }

    detail::TextPage page_;
    detail::LineSplitter lines_{};
    bool last_line_is_open_ = false;
};

/// Reads a whole page. See `TextParser`.
template <PageSink Sink>
Result<void> parse_text(std::string_view page, TextFormat format, Sink&& sink,
                        const WantedMetrics& wanted = {}, const PageLimits& limits = {}) {
    TextParser parser(format, wanted, limits);
    if (Result<void> fed = parser.feed(page, sink); !fed)
        return fed;
    return parser.finish(sink);
}

} // namespace wva_metrics::exposition
