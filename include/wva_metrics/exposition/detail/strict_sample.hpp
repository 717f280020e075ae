// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/exposition/detail/characters.hpp"
#include "wva_metrics/exposition/detail/strict_number.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/text_format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::exposition::detail {

/// What is wrong with a line, and where.
struct LineProblem {
    std::size_t column = 1; ///< From 1.
    std::string message{};
};

/// A label that outlives its line.
struct StrictLabel {
    std::string name{};
    std::string value{};
    std::size_t column = 1; ///< Where its name begins.
};

struct StrictExemplar {
    std::vector<StrictLabel> labels{};
    double value = 0;
    std::size_t column = 1; ///< Of the `#`.
};

/// A sample, read by the letter of its format.
struct StrictSample {
    std::string name{};
    std::vector<StrictLabel> labels{};
    double value = 0;
    std::size_t value_column = 1;
    /// OpenMetrics: seconds. Prometheus: milliseconds.
    std::optional<long double> timestamp{};
    std::size_t timestamp_column = 1;
    std::optional<StrictExemplar> exemplar{};

    const StrictLabel* find_label(std::string_view label) const noexcept {
        const auto found = std::ranges::find(labels, label, &StrictLabel::name);
        return found == labels.end() ? nullptr : &*found;
    }
};

/// Reads a line with a sample by the grammar of its format. Each function returns false after it has
/// set the problem.
class StrictSampleReader {
public:
    StrictSampleReader(std::string_view line, TextFormat format, const PageLimits& limits)
        : line_(line), format_(format), limits_(limits) {}

    LineProblem problem{};

    bool read(StrictSample& sample) {
        skip_blanks();
        sample.name = take_name(name_start);
        const bool has_name = !sample.name.empty();
        if (!has_name && !(is_quoted() && next() == '{'))
            return refuse("expected the name of a metric");
        if (!is_open_metrics())
            skip_blanks();
        if (next() == '{' && !read_labels(sample.labels, is_quoted() ? &sample.name : nullptr))
            return false;
        if (sample.name.empty())
            return refuse("expected the name of the metric between { and }");
        if (!take_space("expected one space and a value"))
            return false;
        sample.value_column = column();
        if (!read_number(sample.value))
            return false;
        return read_timestamp(sample) && read_exemplar(sample) && expect_end();
    }

private:
    bool is_open_metrics() const noexcept { return format_ == TextFormat::open_metrics_1_0; }
    bool is_quoted() const noexcept { return format_ == TextFormat::prometheus_1_0_0; }
    char next(std::size_t ahead = 0) const noexcept {
        return at_ + ahead < line_.size() ? line_[at_ + ahead] : '\n';
    }
    std::size_t column() const noexcept { return at_ + 1; }
    bool refuse(std::string message, std::size_t where = 0) {
        problem = {where == 0 ? column() : where, std::move(message)};
        return false;
    }
    /// OpenMetrics has no blanks but those that it demands.
    void skip_blanks() noexcept {
        while (!is_open_metrics() && is_blank(next()))
            ++at_;
    }
    bool take_space(const char* message) {
        if (!is_open_metrics()) {
            const bool is_between =
                is_blank(next()) || line_[at_ - 1] == '}' || is_blank(line_[at_ - 1]);
            skip_blanks();
            return is_between || refuse(message);
        }
        if (next() != ' ')
            return refuse(message);
        ++at_;
        return true;
    }
    std::string take_name(CharacterKind start) {
        const std::size_t first = at_;
        const CharacterKind part = start == name_start ? name_part : label_part;
        if (is_kind(next(), start))
            while (is_kind(next(), part))
                ++at_;
        return std::string(line_.substr(first, at_ - first));
    }
    std::string_view take_word() noexcept {
        const std::size_t first = at_;
        while (at_ < line_.size() && !is_blank(next()))
            ++at_;
        return line_.substr(first, at_ - first);
    }
    bool read_number(double& value) {
        const std::size_t where = column();
        const std::optional<double> number = parse_strict_number(take_word());
        if (!number)
            return refuse("expected a number, NaN or Inf", where);
        value = *number;
        return true;
    }

    /// Reads `{...}`. `name`: where a metric's name in quotes is put, if the format has them.
    bool read_labels(std::vector<StrictLabel>& labels, std::string* name) {
        ++at_;
        skip_blanks();
        for (bool is_first = true; next() != '}'; is_first = false) {
            if (!is_first) {
                if (next() != ',')
                    return refuse("expected , or }");
                ++at_;
                skip_blanks();
                if (next() == '}' && !is_open_metrics())
                    break;
            }
            if (!read_label(labels, is_first ? name : nullptr))
                return false;
            skip_blanks();
        }
        ++at_;
        return true;
    }
    bool read_label(std::vector<StrictLabel>& labels, std::string* metric) {
        StrictLabel label;
        label.column = column();
        const bool is_in_quotes = is_quoted() && next() == '"';
        if (is_in_quotes) {
            if (!read_string(label.name))
                return false;
        } else {
            label.name = take_name(label_start);
        }
        if (label.name.empty())
            return refuse("expected the name of a label", label.column);
        skip_blanks();
        if (is_in_quotes && metric != nullptr && next() != '=') {
            if (!metric->empty())
                return refuse("expected =");
            *metric = std::move(label.name);
            return true;
        }
        if (next() != '=')
            return refuse("expected =");
        ++at_;
        skip_blanks();
        if (!read_string(label.value))
            return false;
        // OpenMetrics reserves all names that begin with an underscore, Prometheus those with two.
        if (label.name.starts_with(is_open_metrics() ? "_" : "__"))
            return refuse("the name of a label begins with an underscore, which is reserved",
                          label.column);
        if (std::ranges::find(labels, label.name, &StrictLabel::name) != labels.end())
            return refuse("the label is there already", label.column);
        if (labels.size() == limits_.max_labels)
            return refuse("more labels than PageLimits::max_labels allows", label.column);
        labels.push_back(std::move(label));
        return true;
    }
    bool read_string(std::string& text) {
        const std::size_t quote = column();
        if (next() != '"')
            return refuse("expected a text in double quotes");
        for (++at_; at_ < line_.size() && next() != '"'; ++at_) {
            if (next() != '\\') {
                text += next();
                continue;
            }
            const char escaped = next(1);
            if (at_ + 1 == line_.size())
                return refuse("expected a closing double quote", quote);
            const bool is_known = escaped == 'n' || escaped == '"' || escaped == '\\';
            if (!is_known && !is_open_metrics())
                return refuse("expected one of the escapes \\\\, \\\" and \\n");
            if (!is_known)
                text += '\\';
            text += escaped == 'n' ? '\n' : escaped;
            ++at_;
        }
        if (at_ == line_.size())
            return refuse("expected a closing double quote", quote);
        ++at_;
        return true;
    }

    bool read_timestamp(StrictSample& sample) {
        skip_blanks();
        const std::size_t space = is_open_metrics() ? 1 : 0;
        if (at_ == line_.size() || (is_open_metrics() && (next() != ' ' || next(1) == '#')))
            return true;
        at_ += space;
        sample.timestamp_column = column();
        const std::string_view word = take_word();
        if (is_open_metrics()) {
            sample.timestamp = parse_strict_seconds(word);
            return sample.timestamp ||
                   refuse("expected a time in seconds since 1970, or #", sample.timestamp_column);
        }
        const std::optional<std::int64_t> time = parse_milliseconds(word);
        if (!time)
            return refuse("expected a time in whole milliseconds since 1970",
                          sample.timestamp_column);
        sample.timestamp = static_cast<long double>(*time);
        return true;
    }
    bool read_exemplar(StrictSample& sample) {
        if (!is_open_metrics() || next() != ' ' || next(1) != '#')
            return true;
        StrictExemplar exemplar;
        at_ += 1;
        exemplar.column = column();
        at_ += 1;
        if (!take_space("expected one space and the labels of an exemplar"))
            return false;
        if (next() != '{')
            return refuse("expected { and the labels of an exemplar");
        if (!read_labels(exemplar.labels, nullptr) ||
            !take_space("expected one space and the value of an exemplar") ||
            !read_number(exemplar.value))
            return false;
        if (next() == ' ') {
            ++at_;
            const std::size_t where = column();
            if (!parse_strict_seconds(take_word()))
                return refuse("expected a time in seconds since 1970", where);
        }
        std::size_t characters = 0;
        for (const StrictLabel& label : exemplar.labels)
            for (const std::string& text : {label.name, label.value})
                for (const char c : text)
                    characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1U : 0U;
        if (characters > 128)
            return refuse("the labels of an exemplar have more than 128 characters",
                          exemplar.column);
        sample.exemplar = std::move(exemplar);
        return true;
    }
    bool expect_end() {
        skip_blanks();
        return at_ == line_.size() || refuse("expected the end of the line");
    }

    std::string_view line_;
    TextFormat format_;
    const PageLimits& limits_;
    std::size_t at_ = 0;
};

} // namespace wva_metrics::exposition::detail
