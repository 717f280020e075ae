// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/exposition/detail/characters.hpp"
#include "wva_metrics/exposition/detail/fast_text.hpp"
#include "wva_metrics/exposition/detail/parse_number.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/label_view.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::exposition::detail {

/// Reads one line with a sample, tolerantly: blanks are allowed wherever they do not change the
/// meaning. What it has read lives as long as the line and until the next one.
class SampleLine {
public:
    std::string_view name{};
    double value = 0;
    std::optional<std::int64_t> timestamp_ms{};

    // Why a line was refused.

    /// What was expected at `column`, e.g. `expected a value`.
    const char* problem = nullptr;
    std::size_t column = 1; ///< From 1.
    /// The bound that was exceeded, if it was that; else null.
    const char* bound = nullptr;

    const std::vector<LabelView>& labels() const noexcept { return labels_; }

    /// The name of the line's metric, for a line that begins with a plain name; empty for another.
    /// `known`: characters at the beginning that are known to be of a name.
    static std::string_view peek_name(std::string_view line, std::size_t known = 0) noexcept {
        if (known == 0 && (line.empty() || !is_kind(line[0], name_start)))
            return {};
        const char* const first = line.data();
        const char* const last = find_end_of_name(first + known, first + line.size());
        return {first, static_cast<std::size_t>(last - first)};
    }

    /// Reads up to the value: the name and, if they are there, the labels. `line` has no blanks at
    /// its beginning and is not empty; `plain` is what `peek_name` says of it.
    bool read_series(std::string_view line, std::string_view plain, const PageLimits& limits) {
        begin_ = at_ = line.data();
        end_ = begin_ + line.size();
        labels_.clear();
        unescaped_.clear();
        name = plain;
        at_ += name.size();
        if (name.empty() && *at_ != '{')
            return refuse("expected the name of a metric");
        const char* const after_name = at_;
        skip_blanks();
        if (at_ != end_ && *at_ == '{') {
            ++at_;
            if (!read_labels(limits))
                return false;
            if (name.empty())
                return refuse("expected the name of the metric between { and }");
        } else if (at_ == after_name && at_ != end_) {
            return refuse("expected {, a blank, or a character of a metric's name");
        }
        if (name.size() > limits.max_name_bytes)
            return exceed("max_name_bytes", begin_);
        return true;
    }
    /// After `read_series`: where the rest of the line begins, from 0.
    std::size_t position() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
    /// Reads the rest of the line.
    bool read_value(TextFormat format) noexcept {
        skip_blanks();
        const char* token = at_;
        const std::optional<double> number = parse_number(read_word());
        if (!number)
            return refuse("expected a number", token);
        value = *number;
        timestamp_ms.reset();
        skip_blanks();
        if (at_ != end_ && *at_ != '#') {
            token = at_;
            const bool is_open_metrics = format == TextFormat::open_metrics_1_0;
            timestamp_ms =
                is_open_metrics ? parse_seconds(read_word()) : parse_milliseconds(read_word());
            if (!timestamp_ms)
                return refuse(is_open_metrics ? "expected a time in seconds since 1970"
                                              : "expected a time in whole milliseconds since 1970",
                              token);
            skip_blanks();
        }
        // An exemplar says nothing about the metric's value.
        if (at_ != end_ && *at_ != '#')
            return refuse("expected the end of the line");
        return true;
    }

private:
    bool refuse(const char* what, const char* where = nullptr) noexcept {
        problem = what;
        column = static_cast<std::size_t>((where != nullptr ? where : at_) - begin_) + 1;
        bound = nullptr;
        return false;
    }
    bool exceed(const char* name_of_bound, const char* where) noexcept {
        refuse("", where);
        bound = name_of_bound;
        return false;
    }
    void skip_blanks() noexcept {
        while (at_ != end_ && is_blank(*at_))
            ++at_;
    }
    std::string_view read_word() noexcept {
        const char* const first = at_;
        while (at_ != end_ && !is_blank(*at_))
            ++at_;
        return {first, static_cast<std::size_t>(at_ - first)};
    }

    /// Reads what follows the `{`, with the `}`.
    bool read_labels(const PageLimits& limits) {
        bool is_expected = true;
        for (;;) {
            skip_blanks();
            if (at_ != end_ && *at_ == '}') {
                ++at_;
                if (!is_expected)
                    expect_labels();
                return true;
            }
            const std::string_view expected =
                is_expected ? take_expected_name() : std::string_view();
            is_expected = !expected.empty();
            if (is_expected ? !add_value(expected, limits) : !read_label(limits))
                return false;
            skip_blanks();
            if (at_ != end_ && *at_ == ',')
                ++at_;
            else if (at_ == end_ || *at_ != '}')
                return refuse("expected , or }");
        }
    }

    /// Most lines have labels with the names of the line before, which were accepted there. Takes the
    /// next one and its `=`, and returns it; empty if another one follows.
    std::string_view take_expected_name() noexcept {
        if (labels_.size() >= expected_count_)
            return {};
        const std::string& expected = expected_[labels_.size()];
        const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
        if (!begins_with(rest, expected) || rest.size() <= expected.size() + 1 ||
            rest[expected.size()] != '=' || rest[expected.size() + 1] != '"')
            return {};
        at_ += expected.size() + 1;
        return rest.substr(0, expected.size());
    }
    /// Remembers the names of this line's labels, up to one that needs quotes.
    void expect_labels() {
        if (expected_.size() < labels_.size())
            expected_.resize(labels_.size());
        expected_count_ = 0;
        while (expected_count_ < labels_.size() &&
               is_plain_name(labels_[expected_count_].name, label_start)) {
            expected_[expected_count_] = labels_[expected_count_].name;
            ++expected_count_;
        }
    }

    /// Reads a label, or the name of the metric in quotes.
    bool read_label(const PageLimits& limits) {
        const char* const first = at_;
        std::string_view label;
        if (at_ != end_ && *at_ == '"') {
            if (!read_string(label))
                return false;
            skip_blanks();
            if (at_ == end_ || *at_ != '=') {
                if (!name.empty())
                    return refuse("expected =");
                if (label.empty())
                    return refuse("expected the name of a metric", first);
                name = label;
                return true;
            }
        } else {
            if (at_ == end_ || !is_kind(*at_, label_start))
                return refuse("expected the name of a label, or }");
            while (at_ != end_ && is_kind(*at_, label_part))
                ++at_;
            label = {first, static_cast<std::size_t>(at_ - first)};
            skip_blanks();
            if (at_ == end_ || *at_ != '=')
                return refuse("expected =");
        }
        ++at_;
        skip_blanks();
        if (at_ == end_ || *at_ != '"')
            return refuse("expected the value of a label in double quotes");
        if (label.size() > limits.max_name_bytes)
            return exceed("max_name_bytes", first);
        if (labels_.size() == limits.max_labels)
            return exceed("max_labels", first);
        if (label.empty() || label == "__name__")
            return refuse("expected another name of a label", first);
        for (const LabelView& other : labels_)
            if (wva_metrics::detail::is_same_name(other.name, label))
                return refuse("expected a label that is not there yet", first);
        return add_value(label, limits);
    }
    /// Reads the value of a label, which begins with a double quote.
    bool add_value(std::string_view label, const PageLimits& limits) {
        const char* const quote = at_;
        std::string_view text;
        if (!read_string(text))
            return false;
        if (text.size() > limits.max_label_value_bytes)
            return exceed("max_label_value_bytes", quote);
        labels_.push_back({label, text});
        return true;
    }

    /// Reads a text in double quotes.
    bool read_string(std::string_view& text) {
        const char* const first = ++at_;
        bool is_ascii = true;
        at_ = find_quote_or_backslash(at_, end_, is_ascii);
        if (at_ == end_)
            return refuse("expected a closing double quote", first - 1);
        if (*at_ == '\\') {
            if (!read_escaped(first, text))
                return false;
        } else {
            text = {first, static_cast<std::size_t>(at_ - first)};
        }
        ++at_;
        if (*(at_ - 1) != '"')
            return refuse("expected a closing double quote", first - 1);
        if ((!is_ascii || text.data() != first) && !wva_metrics::detail::is_valid_utf8(text))
            return refuse("expected UTF-8", first);
        return true;
    }

    /// The rest of a text that has escapes, up to its closing quote. An unknown escape stands for
    /// itself, as in Prometheus.
    bool read_escaped(const char* first, std::string_view& text) {
        // Views point into it: it must not grow while a line is read.
        const auto line_size = static_cast<std::size_t>(end_ - begin_);
        if (unescaped_.empty() && unescaped_.capacity() < line_size)
            unescaped_.reserve(line_size);
        const std::size_t start = unescaped_.size();
        unescaped_.append(first, at_);
        for (; at_ != end_ && *at_ != '"'; ++at_) {
            if (*at_ != '\\') {
                unescaped_ += *at_;
                continue;
            }
            if (++at_ == end_)
                break;
            if (*at_ == 'n') {
                unescaped_ += '\n';
            } else {
                if (*at_ != '"' && *at_ != '\\')
                    unescaped_ += '\\';
                unescaped_ += *at_;
            }
        }
        if (at_ == end_)
            return refuse("expected a closing double quote", first - 1);
        text = std::string_view(unescaped_).substr(start);
        return true;
    }

    const char* begin_ = nullptr;
    const char* at_ = nullptr;
    const char* end_ = nullptr;
    std::vector<LabelView> labels_{};
    std::string unescaped_{};
    /// The names of the labels of an earlier line, of which the first `expected_count_` count.
    std::vector<std::string> expected_{};
    std::size_t expected_count_ = 0;
};

} // namespace wva_metrics::exposition::detail
