// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/detail/characters.hpp"
#include "wva_metrics/exposition/detail/composite_value.hpp"
#include "wva_metrics/exposition/detail/family_table.hpp"
#include "wva_metrics/exposition/detail/line_splitter.hpp"
#include "wva_metrics/exposition/detail/metadata_line.hpp"
#include "wva_metrics/exposition/detail/metric_expander.hpp"
#include "wva_metrics/exposition/detail/metric_value.hpp"
#include "wva_metrics/exposition/detail/parse_number.hpp"
#include "wva_metrics/exposition/detail/sample_line.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_problem.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/text_parser.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition {

/// Reads a page of OpenMetrics 2.0 (2.0.0-rc0), in one piece or in several, and passes on the samples
/// that are wanted. Tolerant, as `TextParser`. A composite value is passed on as the samples that
/// Prometheus' text has for it: `x_bucket{le}`, `x_sum`, `x_count`, `x{quantile}`; a native histogram
/// is one more sample with the family's name and `PageSample::histogram`. A start time (`st@`) is in
/// `PageSample::start_ms`. Exemplars are skipped.
///
/// **The samples are valid only if `finish` succeeds.** A page ends with `# EOF`.
///
/// **Errors** of both functions, each with the line and the column: `bad_response`, or `too_large` if
/// one of the limits was exceeded; the message names it.
///
/// **Threads:** not thread-safe.
class OpenMetrics2Parser {
public:
    /// All arguments are copied.
    explicit OpenMetrics2Parser(WantedMetrics wanted = {}, const PageLimits& limits = {})
        : wanted_(std::move(wanted)), limits_(limits) {}

    /// Reads the next bytes, which need not outlive the call. After an error it returns the same one
    /// again, and reads nothing.
    template <PageSink Sink>
    Result<void> feed(std::string_view piece, Sink& sink) {
        page_bytes_ += piece.size();
        if (!error_ && page_bytes_ > limits_.max_page_bytes)
            exceed("max_page_bytes", limits_.max_page_bytes);
        if (error_)
            return result();
        const Target target = target_of(sink);
        splitter_.feed(
            piece, [&](std::size_t size) { return accepts_size(size); },
            [&](std::string_view line) { return read(line, target); },
            [](std::string_view) { return std::size_t{0}; });
        return result();
    }
    /// The end of the page.
    template <PageSink Sink>
    Result<void> finish(Sink& sink) {
        if (!error_ && !splitter_.open_line().empty()) {
            read(splitter_.open_line(), target_of(sink));
            splitter_.clear();
        }
        if (!error_ && !is_ended_) {
            ++lines_;
            fail(0, "expected # EOF; the page was cut off");
        }
        return result();
    }
    /// Begins another page. Keeps the memory.
    void restart() noexcept {
        families_.clear();
        splitter_.clear();
        error_.reset();
        problem_.reset();
        page_bytes_ = lines_ = samples_ = 0;
        is_ended_ = false;
    }

    /// What was wrong, and where; empty if nothing was.
    const std::optional<PageProblem>& problem() const noexcept { return problem_; }
    /// The samples that were passed on.
    std::size_t samples() const noexcept { return samples_; }

private:
    /// A sink without its type.
    struct Target {
        void* sink;
        detail::MetricExpander::Emit emit;
        void (*family)(void* sink, std::string_view name, FamilyType type);
    };
    template <typename Sink>
    static Target target_of(Sink& sink) {
        return {const_cast<void*>(static_cast<const void*>(&sink)),
                [](void* to, const PageSample& sample) { (*static_cast<Sink*>(to))(sample); },
                [](void* to, std::string_view name, FamilyType type) {
                    if constexpr (requires(Sink & one) { one.family(name, type); })
                        static_cast<Sink*>(to)->family(name, type);
                }};
    }

    Result<void> result() const { return error_ ? Result<void>(*error_) : Result<void>(); }
    bool fail(std::size_t offset, std::string message, Errc code = Errc::bad_response) {
        problem_ = PageProblem{std::max<std::size_t>(lines_, 1), offset + 1, std::move(message)};
        error_ = problem_->as_error(code);
        return false;
    }
    bool exceed(const char* bound, std::size_t most, std::size_t offset = 0) {
        return fail(offset,
                    "more than PageLimits::" + std::string(bound) + " = " + std::to_string(most) +
                        " allows",
                    Errc::too_large);
    }
    bool accepts_size(std::size_t size) {
        if (size <= limits_.max_line_bytes)
            return true;
        ++lines_;
        return exceed("max_line_bytes", limits_.max_line_bytes);
    }

    /// Reads a line, without its end. False if the page is refused.
    bool read(std::string_view whole, const Target& target) {
        ++lines_;
        std::string_view line = whole;
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        while (!line.empty() && detail::is_blank(line.front()))
            line.remove_prefix(1);
        if (line.empty())
            return true;
        if (is_ended_)
            return fail(0, "expected nothing after # EOF");
        indent_ = static_cast<std::size_t>(line.data() - whole.data());
        return line.front() == '#' ? read_comment(line, target) : read_sample(line, target);
    }
    bool read_comment(std::string_view line, const Target& target) {
        if (line == "# EOF") {
            is_ended_ = true;
            return true;
        }
        std::string_view rest = line.substr(1);
        if (detail::take_word(rest) != "TYPE")
            return true;
        const std::string_view family = detail::take_family(rest, unescaped_);
        if (family.empty())
            return true;
        if (family.size() > limits_.max_name_bytes)
            return exceed("max_name_bytes", limits_.max_name_bytes);
        const FamilyType type =
            parse_family_type(detail::take_word(rest)).value_or(FamilyType::unknown);
        if (wanted_.wants_any_with_prefix(family))
            families_.add(family, type);
        target.family(target.sink, family, type);
        return families_.size() <= limits_.max_families ||
               exceed("max_families", limits_.max_families);
    }
    bool read_sample(std::string_view line, const Target& target) {
        const std::string_view plain = detail::SampleLine::peek_name(line);
        if (!plain.empty() && !wanted_.wants_any_with_prefix(plain))
            return true;
        // What follows a name and a blank is a value, also if it begins with {.
        const bool has_labels = plain.size() < line.size() && !detail::is_blank(line[plain.size()]);
        if (!line_.read_series(plain.empty() || has_labels ? line : plain, plain, limits_))
            return refuse_series();
        if (!wanted_.wants_any_with_prefix(line_.name))
            return true;
        std::string_view rest = line.substr(line_.position());
        const auto offset = [&] { return indent_ + line.size() - rest.size(); };
        skip_blanks(rest);
        const std::optional<std::size_t> known = families_.find(line_.name);
        FamilyType type = known ? families_.at(*known).type : FamilyType::unknown;
        if (rest.starts_with('{')) {
            if (!composite_.read(rest, metric_, limits_.max_buckets))
                return composite_.is_too_large
                           ? exceed("max_buckets", limits_.max_buckets, offset())
                           : fail(offset(), composite_.problem);
            if (type == FamilyType::unknown)
                type = composite_.type;
            if (type != composite_.type)
                return fail(offset(), "expected a value of its family's type");
        } else {
            const std::optional<double> number = take_number(rest);
            if (!number)
                return fail(offset(), "expected a number or {");
            // Endings of OpenMetrics 1.0 are names of their own here.
            if (is_composite(type))
                return fail(offset(), "expected a value in { and }, as its family's type has");
            metric_.value = *number;
        }
        if (!read_times(rest))
            return fail(offset(), "expected a time in seconds since 1970");
        if (!rest.empty() && rest.front() != '#')
            return fail(offset(), "expected the end of the line");
        metric_.labels.assign(line_.labels().begin(), line_.labels().end());
        detail::MetricExpander expander(wanted_, limits_.max_samples, samples_, sample_name_,
                                        target.sink, target.emit);
        if (expander.pass_on(line_.name, type, metric_))
            return true;
        return expander.bound != nullptr ? exceed(expander.bound, expander.most)
                                         : fail(indent_, expander.problem);
    }
    bool refuse_series() {
        const std::size_t offset = indent_ + line_.column - 1;
        if (line_.bound == nullptr)
            return fail(offset, line_.problem);
        const std::string_view bound = line_.bound;
        return exceed(line_.bound,
                      bound == "max_labels"       ? limits_.max_labels
                      : bound == "max_name_bytes" ? limits_.max_name_bytes
                                                  : limits_.max_label_value_bytes,
                      offset);
    }
    static bool is_composite(FamilyType type) noexcept {
        return type == FamilyType::histogram || type == FamilyType::gauge_histogram ||
               type == FamilyType::summary;
    }
    static void skip_blanks(std::string_view& text) noexcept {
        while (!text.empty() && detail::is_blank(text.front()))
            text.remove_prefix(1);
    }
    /// The rest is not changed if it does not begin with a number.
    static std::optional<double> take_number(std::string_view& text) noexcept {
        const std::size_t size = std::min(text.find_first_of(" \t"), text.size());
        const std::optional<double> number = detail::parse_number(text.substr(0, size));
        if (number)
            text.remove_prefix(size);
        return number;
    }
    /// Takes the time and the start time, each if it is there. False if one is malformed.
    bool read_times(std::string_view& rest) noexcept {
        metric_.timestamp_ms.reset();
        metric_.start_ms.reset();
        skip_blanks(rest);
        if (!rest.empty() && rest.front() != '#' && !rest.starts_with("st@") &&
            !take_time(rest, metric_.timestamp_ms))
            return false;
        if (!rest.starts_with("st@"))
            return true;
        rest.remove_prefix(3);
        return take_time(rest, metric_.start_ms);
    }
    static bool take_time(std::string_view& rest, std::optional<std::int64_t>& time) noexcept {
        const std::size_t size = std::min(rest.find_first_of(" \t"), rest.size());
        time = detail::parse_seconds(rest.substr(0, size));
        if (time)
            rest.remove_prefix(size);
        skip_blanks(rest);
        return time.has_value();
    }

    WantedMetrics wanted_;
    PageLimits limits_;
    std::optional<Error> error_{};
    std::optional<PageProblem> problem_{};
    detail::LineSplitter splitter_{};
    detail::FamilyTable families_{};
    detail::SampleLine line_{};
    detail::MetricValue metric_{};
    detail::CompositeValue composite_{};
    std::string unescaped_{};
    std::string sample_name_{};
    std::size_t page_bytes_ = 0;
    std::size_t lines_ = 0;
    std::size_t samples_ = 0;
    std::size_t indent_ = 0;
    bool is_ended_ = false;
};

} // namespace wva_metrics::exposition
