// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/detail/family_table.hpp"
#include "wva_metrics/exposition/detail/fast_text.hpp"
#include "wva_metrics/exposition/detail/metadata_line.hpp"
#include "wva_metrics/exposition/detail/sample_line.hpp"
#include "wva_metrics/exposition/detail/type_lines.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_problem.hpp"
#include "wva_metrics/exposition/page_sample.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition::detail {

/// What a line was.
enum class LineResult {
    nothing, ///< A comment, an empty line, or a sample that is not wanted.
    sample,  ///< `TextPage::sample` is set.
    family,  ///< A `# TYPE` line: `sample.family` and `sample.type` are set.
    failure, ///< `TextPage::error` is set.
};

/// The state of a page of text, which is given line by line.
class TextPage {
public:
    TextPage(TextFormat format, WantedMetrics wanted, const PageLimits& limits)
        : format_(format), wanted_(std::move(wanted)), limits_(limits) {}

    PageSample sample{};
    std::optional<Error> error{};
    std::optional<PageProblem> problem{};

    const PageLimits& limits() const noexcept { return limits_; }
    std::size_t samples() const noexcept { return samples_; }
    std::size_t lines() const noexcept { return lines_; }
    bool is_ended() const noexcept { return is_ended_; }

    void clear() noexcept {
        families_.clear();
        type_lines_.restart();
        current_.reset();
        is_plain_ = false;
        error.reset();
        problem.reset();
        bytes_ = samples_ = lines_ = 0;
        is_ended_ = false;
    }
    /// Counts bytes of the page. False if there are too many.
    bool add_bytes(std::size_t count) {
        bytes_ += count;
        if (bytes_ > limits_.max_page_bytes)
            exceed("max_page_bytes", limits_.max_page_bytes);
        return !error;
    }
    /// False for a line that is longer than allowed.
    bool accepts_size(std::size_t line_size) {
        if (line_size <= limits_.max_line_bytes)
            return true;
        ++lines_;
        exceed("max_line_bytes", limits_.max_line_bytes);
        return false;
    }

    /// The bytes of the whole lines at the beginning that need not be read: help, and samples that
    /// are not wanted, like one before. Most lines of a page of which little is wanted.
    std::size_t skip(std::string_view text) noexcept {
        const std::string_view skipped = skipped_;
        if (skipped.empty() || is_ended_)
            return 0;
        const char* at = text.data();
        const char* const end = at + text.size();
        std::size_t lines = 0;
        for (;; ++lines) {
            const std::string_view rest(at, static_cast<std::size_t>(end - at));
            const bool is_sample = begins_with(rest, skipped);
            if (!is_sample && !begins_with(rest, help_line))
                break;
            const char* const line_feed =
                find_line_feed(at + (is_sample ? skipped.size() : 0), end);
            if (line_feed == end ||
                static_cast<std::size_t>(line_feed - at) > limits_.max_line_bytes)
                break;
            at = line_feed + 1;
        }
        lines_ += lines;
        return static_cast<std::size_t>(at - text.data());
    }

    /// Reads a line, without its end. `accepts_size` has returned true.
    LineResult read(std::string_view line) {
        ++lines_;
        const std::size_t size = line.size();
        while (!line.empty() && is_blank(line.front()))
            line.remove_prefix(1);
        indent_ = size - line.size();
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (line.empty())
            return LineResult::nothing;
        if (is_ended_)
            return fail(1, "expected nothing after # EOF");
        return line.front() == '#' ? read_comment(line) : read_sample(line);
    }

    /// The end of the page.
    void end() {
        if (!error && !is_ended_ && format_ == TextFormat::open_metrics_1_0) {
            ++lines_;
            indent_ = 0;
            fail(1, "expected # EOF; the page was cut off");
        }
    }

private:
    static constexpr std::string_view help_line = "# HELP ";

    LineResult fail(std::size_t column, const char* message) {
        problem = PageProblem{lines_, indent_ + column, message};
        error = problem->as_error();
        return LineResult::failure;
    }
    LineResult exceed(const char* bound, std::size_t most, std::size_t column = 1) {
        problem = PageProblem{lines_ == 0 ? 1 : lines_, column,
                              "more than PageLimits::" + std::string(bound) + " = " +
                                  std::to_string(most) + " allows"};
        error = problem->as_error(Errc::too_large);
        return LineResult::failure;
    }

    LineResult read_comment(std::string_view line) {
        if (line == "# EOF" && format_ == TextFormat::open_metrics_1_0) {
            is_ended_ = true;
            return LineResult::nothing;
        }
        if (begins_with(line, help_line))
            return LineResult::nothing;
        TypeLine said;
        if (!type_lines_.find(line, said)) {
            if (!read_type(line, said))
                return LineResult::nothing;
            if (said.family.size() > limits_.max_name_bytes)
                return exceed("max_name_bytes", limits_.max_name_bytes);
            type_lines_.remember(line, said);
        }
        sample = {};
        sample.family = said.family;
        sample.type = said.type;
        current_.reset();
        is_plain_ = false;
        if (!said.unwanted.empty()) {
            // Samples with a name in quotes do not begin with it.
            if (said.is_plain)
                skipped_ = said.unwanted;
        } else {
            current_ = families_.add(said.family, said.type);
            is_plain_ = said.is_plain;
            if (families_.size() > limits_.max_families)
                return exceed("max_families", limits_.max_families);
        }
        return LineResult::family;
    }
    /// False for a comment that is no `# TYPE` line.
    bool read_type(std::string_view line, TypeLine& said) {
        std::string_view rest = line.substr(1);
        if (begins_with(line, "# TYPE "))
            rest.remove_prefix(6);
        else if (take_word(rest) != "TYPE")
            return false;
        while (!rest.empty() && is_blank(rest.front()))
            rest.remove_prefix(1);
        said.family = SampleLine::peek_name(rest);
        said.is_plain = !said.family.empty() &&
                        (said.family.size() == rest.size() || is_blank(rest[said.family.size()]));
        if (said.is_plain)
            rest.remove_prefix(said.family.size());
        else
            said.family = take_family(rest, unescaped_);
        said.type = parse_family_type(take_word(rest)).value_or(FamilyType::unknown);
        said.unwanted = wanted_.unwanted_prefix(said.family);
        return !said.family.empty();
    }

    LineResult read_sample(std::string_view line) {
        // Most samples belong to the family whose `# TYPE` line came last: its name is not read again.
        FamilyTable::Family family{};
        if (current_)
            family = families_.at(*current_);
        const bool is_current = is_plain_ && begins_with(line, family.name);
        const std::string_view plain =
            SampleLine::peek_name(line, is_current ? family.name.size() : 0);
        if (!plain.empty() && !wanted_.wants(plain)) {
            if (const std::string_view unwanted = wanted_.unwanted_prefix(plain); !unwanted.empty())
                skipped_ = unwanted;
            return LineResult::nothing;
        }
        if (!line_.read_series(line, plain, limits_))
            return is_terminator(line) ? LineResult::nothing : refuse();
        if (plain.empty() && !wanted_.wants(line_.name))
            return LineResult::nothing;
        if (!line_.read_value(format_))
            return refuse();
        if (samples_ == limits_.max_samples)
            return exceed("max_samples", limits_.max_samples);
        ++samples_;
        if (!is_current || !is_ending_of(line_.name.substr(family.name.size()), family.type))
            family = families_.at_or_none(families_.family_of(line_.name), line_.name);
        sample.family = family.name;
        sample.type = family.type;
        sample.name = line_.name;
        sample.labels = line_.labels();
        sample.value = line_.value;
        sample.timestamp_ms = line_.timestamp_ms;
        return LineResult::sample;
    }
    /// Some servers in C send the zero at the end of their text with it.
    bool is_terminator(std::string_view line) const noexcept {
        return format_ != TextFormat::open_metrics_1_0 &&
               line.find_first_not_of('\0') == std::string_view::npos;
    }
    LineResult refuse() {
        if (line_.bound == nullptr)
            return fail(line_.column, line_.problem);
        const std::string_view bound = line_.bound;
        const std::size_t most = bound == "max_labels"       ? limits_.max_labels
                                 : bound == "max_name_bytes" ? limits_.max_name_bytes
                                                             : limits_.max_label_value_bytes;
        return exceed(line_.bound, most, indent_ + line_.column);
    }
    TextFormat format_;
    WantedMetrics wanted_;
    PageLimits limits_;
    FamilyTable families_{};
    TypeLines type_lines_{};
    SampleLine line_{};
    std::string unescaped_{};
    /// The family of the last `# TYPE` line, if any of its samples may be wanted.
    std::optional<std::size_t> current_{};
    bool is_plain_ = false; ///< Its samples begin with its name: it needs no quotes.
    /// No name that begins with this is wanted: the beginning of the last name that was not.
    std::string skipped_{};
    std::size_t bytes_ = 0;
    std::size_t samples_ = 0;
    std::size_t lines_ = 0;
    std::size_t indent_ = 0;
    bool is_ended_ = false;
};

} // namespace wva_metrics::exposition::detail
