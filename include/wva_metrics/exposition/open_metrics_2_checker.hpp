// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/detail/characters.hpp"
#include "wva_metrics/exposition/detail/composite_value.hpp"
#include "wva_metrics/exposition/detail/line_splitter.hpp"
#include "wva_metrics/exposition/detail/metric_value.hpp"
#include "wva_metrics/exposition/detail/om2_family.hpp"
#include "wva_metrics/exposition/detail/om2_line.hpp"
#include "wva_metrics/exposition/detail/om2_value.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/page_problem.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition {

/// Tells whether a page conforms to OpenMetrics 2.0 (2.0.0-rc0), by the letter: it refuses what a MUST
/// of the specification or its grammar forbids. For tests of servers; a page to be used is read by
/// `OpenMetrics2Parser`.
///
/// **Threads:** not thread-safe.
class OpenMetrics2Checker {
public:
    /// The limits are copied.
    explicit OpenMetrics2Checker(const PageLimits& limits = {}) : limits_(limits) {}

    /// Checks the next bytes, in pieces of any size. Stops at the first problem.
    Result<void> feed(std::string_view piece) {
        bytes_ += piece.size();
        if (!problem_ && bytes_ > limits_.max_page_bytes)
            exceed("max_page_bytes", limits_.max_page_bytes);
        if (!problem_)
            splitter_.feed(
                piece,
                [&](std::size_t size) {
                    if (size > limits_.max_line_bytes)
                        exceed("max_line_bytes", limits_.max_line_bytes);
                    return !problem_;
                },
                [&](std::string_view line) {
                    read(line);
                    return !problem_;
                },
                [](std::string_view) { return std::size_t{0}; });
        return result();
    }
    /// The end of the page. Errors: `bad_response`, or `too_large` if a limit was exceeded.
    Result<void> finish() {
        if (!problem_ && splitter_.open_line() == "# EOF")
            read(splitter_.open_line());
        if (!problem_ && (!is_ended_ || !splitter_.open_line().empty()) &&
            splitter_.open_line() != "# EOF") {
            ++line_;
            fail(1, "expected # EOF; the page was cut off");
        }
        return result();
    }
    /// What is wrong, and where; empty if nothing is.
    const std::optional<PageProblem>& problem() const noexcept { return problem_; }

private:
    Result<void> result() const {
        if (!problem_)
            return {};
        return problem_->as_error(is_exceeded_ ? Errc::too_large : Errc::bad_response);
    }
    bool fail(std::size_t column, std::string message) {
        problem_ = PageProblem{std::max<std::size_t>(line_, 1), column, std::move(message)};
        return false;
    }
    void exceed(const char* bound, std::size_t most) {
        is_exceeded_ = true;
        fail(1, "more than PageLimits::" + std::string(bound) + " = " + std::to_string(most) +
                    " allows");
    }

    void read(std::string_view text) {
        ++line_;
        if (is_ended_)
            return void(fail(1, "expected nothing after # EOF"));
        if (const auto invalid = wva_metrics::detail::find_invalid_utf8(text))
            return void(fail(*invalid + 1, "expected UTF-8"));
        if (text.ends_with('\r'))
            return void(fail(text.size(), "expected a line feed without a carriage return"));
        if (text == "# EOF") {
            is_ended_ = true;
            return;
        }
        detail::Om2Line line(text);
        if (text.starts_with('#'))
            read_metadata(line, text);
        else
            read_sample(line, text);
        if (!problem_ && !line.is_ok())
            fail(line.column, line.problem);
    }
    /// Ends the last family and begins another one, if it has another name.
    bool enter_family(const std::string& name, detail::Om2Line& line) {
        if (family_.name == name)
            return true;
        if (name.empty())
            return line.refuse("expected the name of a family");
        if (name.starts_with('_'))
            return line.refuse("the name of a family begins with an underscore, which is reserved",
                               1);
        if (!names_.insert(name).second)
            return line.refuse("the family has been there before; families must not be interleaved",
                               1);
        family_ = {};
        family_.name = name;
        return true;
    }
    void read_metadata(detail::Om2Line& line, std::string_view text) {
        const std::string_view kind = text.substr(0, 7);
        if (kind != "# TYPE " && kind != "# HELP " && kind != "# UNIT ")
            return void(line.refuse("expected # TYPE, # HELP, # UNIT or # EOF"));
        line.expect(kind, "");
        const bool is_quoted = line.next() == '"';
        const std::string name =
            is_quoted ? line.take_string() : std::string(line.take_name(detail::name_start));
        if (!line.expect(" ", "expected the name of a family and one space"))
            return;
        const std::string_view rest = text.substr(line.here() - 1);
        if (!enter_family(name, line))
            return;
        if (family_.has_samples)
            return void(line.refuse("the family has samples already", 1));
        if (kind == "# HELP ") {
            if (std::exchange(family_.has_help, true))
                line.refuse("the family has a HELP line already", 1);
        } else if (kind == "# UNIT ") {
            if (std::exchange(family_.has_unit_line, true))
                line.refuse("the family has a UNIT line already", 1);
            family_.has_unit = !rest.empty();
            for (const char c : rest)
                if (!detail::is_kind(c, detail::name_part))
                    line.refuse("expected a unit");
        } else {
            const std::optional<FamilyType> type = parse_family_type(rest);
            if (!type || rest == "untyped")
                line.refuse("expected a type");
            if (family_.type)
                line.refuse("the family has a TYPE line already", 1);
            family_.type = type;
        }
        const bool has_no_unit =
            family_.kind() == FamilyType::info || family_.kind() == FamilyType::state_set;
        if (has_no_unit && family_.has_unit)
            line.refuse("an info or a state set has no unit", 1);
        if (family_.kind() == FamilyType::info && !name.ends_with("_info"))
            line.refuse("the name of an info ends with _info", 1);
    }

    void read_sample(detail::Om2Line& line, std::string_view text) {
        std::string name(line.take_name(detail::name_start));
        detail::Om2Line::Labels labels;
        const bool is_inside = name.empty();
        if (is_inside && line.next() != '{')
            return void(line.refuse("expected the name of a metric"));
        if (line.next() == '{') {
            line.expect("{", "");
            line.take_labels(labels, is_inside ? &name : nullptr);
        }
        if (labels.size() > limits_.max_labels)
            return exceed("max_labels", limits_.max_labels);
        line.expect(" ", "expected one space and a value");
        if (!line.is_ok() || !enter_family(name, line))
            return;
        family_.has_samples = true;
        read_value(line, text, labels);
        std::optional<long double> time;
        bool has_start = false;
        if (line.is_ok() && line.next() == ' ' && !line.begins_with(" st@") &&
            !line.begins_with(" #")) {
            line.expect(" ", "");
            time = line.take_time();
        }
        const std::size_t start_column = line.here() + 1;
        if (line.is_ok() && line.begins_with(" st@")) {
            line.expect(" st@", "");
            line.take_time();
            has_start = true;
        }
        const FamilyType kind = family_.kind();
        const bool may_start = kind == FamilyType::counter || kind == FamilyType::histogram ||
                               kind == FamilyType::summary || kind == FamilyType::unknown;
        if (has_start && !may_start)
            line.refuse("a family of this type has no start time", start_column);
        read_exemplars(line, kind);
        if (line.is_ok() && line.here() <= text.size())
            line.refuse("expected the end of the line");
        if (line.is_ok())
            note_metric(line, labels, time);
    }
    static void read_exemplars(detail::Om2Line& line, FamilyType kind) {
        while (line.is_ok() && line.begins_with(" #")) {
            if (kind != FamilyType::counter && kind != FamilyType::histogram &&
                kind != FamilyType::gauge_histogram && kind != FamilyType::unknown)
                line.refuse("a family of this type has no exemplars");
            line.expect(" # {", "expected an exemplar with its labels in { and }");
            detail::Om2Line::Labels labels;
            line.take_labels(labels, nullptr);
            line.expect(" ", "expected one space and a number");
            line.take_number();
            line.expect(" ", "expected one space and a time");
            line.take_time();
        }
    }
    void read_value(detail::Om2Line& line, std::string_view text,
                    const detail::Om2Line::Labels& labels) {
        const FamilyType kind = family_.kind();
        const std::size_t first = line.here();
        const bool is_composite = kind == FamilyType::histogram || kind == FamilyType::summary ||
                                  kind == FamilyType::gauge_histogram;
        const auto has_label = [&](std::string_view name) {
            return std::ranges::any_of(labels, [&](const auto& one) { return one.first == name; });
        };
        if (line.next() != '{') {
            const double value = line.take_number();
            if (is_composite)
                line.refuse("expected a value in { and }", first);
            if (kind == FamilyType::counter && !(value >= 0))
                line.refuse("the value of a counter is negative or no number", first);
            if (kind == FamilyType::info && value != 1)
                line.refuse("the value of an info is not 1", first);
            if (kind == FamilyType::state_set && value != 0 && value != 1)
                line.refuse("the value of a state is neither 0 nor 1", first);
            if (kind == FamilyType::state_set && !has_label(family_.name))
                line.refuse("a state has no label with the name of its family", 1);
            return;
        }
        std::string_view rest = text.substr(first - 1);
        const std::string_view whole = rest.substr(0, rest.find('}') + 1);
        const std::size_t blank = whole.find_first_of(" \t");
        if (blank != std::string_view::npos)
            return void(line.refuse("expected no blank within a value", first + blank));
        if (!composite_.read(rest, value_, limits_.max_buckets)) {
            if (composite_.is_too_large)
                return exceed("max_buckets", limits_.max_buckets);
            return void(line.refuse(composite_.problem, text.size() - rest.size() + 1));
        }
        line.expect(whole, "expected }");
        const FamilyType type = kind == FamilyType::unknown ? composite_.type : kind;
        const std::string fields = detail::om2_fields(whole.substr(0, whole.size() - 1));
        if (!is_composite && kind != FamilyType::unknown)
            line.refuse("expected a number, as the family's type has", first);
        else if (type != composite_.type || !detail::is_om2_order(fields, type))
            line.refuse("expected the fields of the family's type, in their order", first);
        else if (const char* const problem = detail::om2_problem_of(value_, type, fields))
            line.refuse(problem, first);
        if (has_label(type == FamilyType::summary ? "quantile" : "le") &&
            (type == FamilyType::summary || fields.ends_with("bucket")))
            line.refuse("a label of a histogram or a summary is le or quantile", 1);
    }
    /// The samples of a metric come one after the other, and their times ascend.
    void note_metric(detail::Om2Line& line, detail::Om2Line::Labels& labels,
                     std::optional<long double> time) {
        std::ranges::sort(labels);
        std::string key = "{";
        for (const auto& [name, value] : labels)
            key.append(name).append(1, '\0').append(value).append(1, '\xff');
        if (key == family_.last_metric) {
            if (!time || !family_.last_time || *time <= *family_.last_time)
                line.refuse("the metric has been there before, without an earlier time", 1);
        } else if (!family_.metrics.insert(key).second) {
            line.refuse("the metric has been there before; metrics must not be interleaved", 1);
        }
        family_.last_metric = std::move(key);
        family_.last_time = time;
    }

    PageLimits limits_;
    detail::LineSplitter splitter_{};
    detail::Om2Family family_{};
    std::set<std::string> names_{};
    detail::CompositeValue composite_{};
    detail::MetricValue value_{};
    std::optional<PageProblem> problem_{};
    std::size_t bytes_ = 0;
    std::size_t line_ = 0;
    bool is_ended_ = false;
    bool is_exceeded_ = false;
};

} // namespace wva_metrics::exposition
