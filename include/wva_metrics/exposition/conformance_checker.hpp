// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/detail/checked_family.hpp"
#include "wva_metrics/exposition/detail/line_splitter.hpp"
#include "wva_metrics/exposition/detail/sample_role.hpp"
#include "wva_metrics/exposition/detail/strict_metadata.hpp"
#include "wva_metrics/exposition/detail/strict_sample.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_problem.hpp"
#include "wva_metrics/exposition/text_format.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace wva_metrics::exposition {

/// Tells whether a page of text conforms to its format, by the letter: it refuses whatever a rule of
/// the OpenMetrics 1.0 specification forbids (each MUST and the grammar), or of the description of
/// Prometheus' text format. For tests of servers; a page to be used is read by `TextParser`.
///
/// Knows one page only: that a counter does not fall from one page to the next is not checked.
///
/// Uses the memory of the page's names and of the label sets of one family; the limits on pages, lines
/// and labels bound it.
///
/// **Threads:** not thread-safe.
class ConformanceChecker {
public:
    /// The limits are copied.
    explicit ConformanceChecker(TextFormat format, const PageLimits& limits = {})
        : format_(format), limits_(limits) {}

    /// Checks the next bytes, in pieces of any size. Stops at the first problem.
    Result<void> feed(std::string_view piece) {
        if (!problem_) {
            bytes_ += piece.size();
            if (bytes_ > limits_.max_page_bytes)
                exceed("max_page_bytes", limits_.max_page_bytes);
        }
        if (!problem_)
            lines_.feed(
                piece, [&](std::size_t size) { return accepts_size(size); },
                [&](std::string_view line) {
                    read(line);
                    return !problem_;
                },
                [](std::string_view) { return std::size_t{0}; });
        return result();
    }
    /// The end of the page. Errors: `bad_response`, or `too_large` if a limit was exceeded.
    Result<void> finish() {
        if (!problem_)
            read_end();
        return result();
    }
    /// What is wrong, and where; empty if nothing is. A problem of several lines is at the last one.
    const std::optional<PageProblem>& problem() const noexcept { return problem_; }

private:
    bool is_open_metrics() const noexcept { return format_ == TextFormat::open_metrics_1_0; }

    Result<void> result() const {
        if (problem_)
            return problem_->as_error(is_exceeded_ ? Errc::too_large : Errc::bad_response);
        return {};
    }
    void fail(std::size_t column, std::string message) {
        problem_ = PageProblem{line_, column, std::move(message)};
    }
    void exceed(const char* bound, std::size_t most) {
        is_exceeded_ = true;
        problem_ = PageProblem{line_ + 1, 1,
                               "more than PageLimits::" + std::string(bound) + " = " +
                                   std::to_string(most) + " allows"};
    }
    bool accepts_size(std::size_t size) {
        if (size > limits_.max_line_bytes)
            exceed("max_line_bytes", limits_.max_line_bytes);
        return !problem_;
    }

    void read(std::string_view line) {
        ++line_;
        if (is_ended_)
            return fail(1, "expected nothing after # EOF");
        if (const auto invalid = wva_metrics::detail::find_invalid_utf8(line))
            return fail(*invalid + 1, "expected UTF-8");
        if (line.ends_with('\r'))
            return fail(line.size(), "expected a line feed without a carriage return");
        std::string_view text = line;
        if (!is_open_metrics())
            while (!text.empty() && detail::is_blank(text.front()))
                text.remove_prefix(1);
        if (text.empty()) {
            if (is_open_metrics())
                fail(1, "expected no empty line");
            return;
        }
        if (text.front() == '#')
            read_metadata(line);
        else
            read_sample(line);
    }
    void read_end() {
        if (!lines_.open_line().empty()) {
            if (is_open_metrics() && lines_.open_line() != "# EOF" && !is_ended_) {
                line_ += 1;
                return fail(1, "expected # EOF; the page was cut off");
            }
            read(lines_.open_line());
            if (!is_open_metrics() && !problem_)
                return fail(lines_.open_line().size() + 1,
                            "expected a line feed after the last line");
        }
        if (problem_)
            return;
        if (is_open_metrics() && !is_ended_) {
            line_ += 1;
            return fail(1, "expected # EOF; the page was cut off");
        }
        end_family();
    }

    void read_metadata(std::string_view line) {
        detail::StrictMetadata metadata;
        detail::StrictMetadataReader reader(line, format_);
        if (!reader.read(metadata))
            return fail(reader.problem.column, reader.problem.message);
        if (metadata.kind == detail::MetadataKind::comment)
            return;
        if (metadata.kind == detail::MetadataKind::end) {
            is_ended_ = true;
            return end_family();
        }
        if ((!family_ || family_->name != metadata.family) && !begin_family(metadata.family))
            return;
        if (const std::optional<detail::LineProblem> problem = family_->add(metadata))
            fail(problem->column, problem->message);
    }

    void read_sample(std::string_view line) {
        detail::StrictSample sample;
        detail::StrictSampleReader reader(line, format_, limits_);
        if (!reader.read(sample))
            return fail(reader.problem.column, reader.problem.message);
        std::optional<detail::SampleRole> role;
        if (family_)
            role = detail::role_of(sample.name, family_->name, family_->type, format_);
        if (!role) {
            if (!begin_family(sample.name))
                return;
            role = detail::SampleRole::value;
        }
        if (!family_->is_claimed && !claim_samples())
            return;
        if (std::optional<PageProblem> problem = family_->add(*role, sample, line_))
            problem_ = std::move(problem);
    }

    /// Ends the family, if there is one, and begins another one. False if that is not allowed.
    bool begin_family(const std::string& name) {
        end_family();
        if (problem_)
            return false;
        if (is_open_metrics() && name.starts_with('_'))
            fail(1, "the name of a family begins with an underscore, which is reserved");
        else if (!family_names_.insert(name).second)
            fail(1,
                 "the family " + name + " has been there before; families must not be interleaved");
        family_.emplace(name, line_, format_);
        return !problem_;
    }
    void end_family() {
        if (!family_)
            return;
        problem_ = family_->check_end();
        if (!problem_ && !family_->is_claimed)
            claim_samples();
        family_.reset();
    }
    /// No two families may have samples of the same name, whether they are there or not. In OpenMetrics
    /// a family may not have the name of another one's samples either.
    bool claim_samples() {
        family_->is_claimed = true;
        if (is_open_metrics() && sample_names_.contains(family_->name))
            return refuse_name(family_->name);
        for (const detail::SampleEnding& ending : detail::strict_endings(family_->type, format_)) {
            std::string name = family_->name + std::string(ending.text);
            const bool is_of_another_family =
                is_open_metrics() && name != family_->name && family_names_.contains(name);
            if (is_of_another_family || sample_names_.contains(name))
                return refuse_name(name);
            sample_names_.insert(std::move(name));
        }
        return true;
    }
    bool refuse_name(const std::string& name) {
        problem_ =
            PageProblem{family_->line, 1, "the name " + name + " belongs to an earlier family"};
        return false;
    }

    TextFormat format_;
    PageLimits limits_;
    detail::LineSplitter lines_{};
    std::optional<detail::CheckedFamily> family_{};
    std::unordered_set<std::string> family_names_{};
    std::unordered_set<std::string> sample_names_{};
    std::optional<PageProblem> problem_{};
    std::size_t bytes_ = 0;
    std::size_t line_ = 0;
    bool is_ended_ = false;
    bool is_exceeded_ = false;
};

/// What is wrong with a whole page; nothing if it conforms. See `ConformanceChecker`.
inline std::optional<PageProblem> find_problem(std::string_view page, TextFormat format,
                                               const PageLimits& limits = {}) {
    ConformanceChecker checker(format, limits);
    if (checker.feed(page))
        static_cast<void>(checker.finish());
    return checker.problem();
}

} // namespace wva_metrics::exposition
