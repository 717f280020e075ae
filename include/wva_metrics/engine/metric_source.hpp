// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace wva_metrics {

/// A label that a series must have with this value.
struct RequiredLabel {
    std::string name{};  ///< The label's name.
    std::string value{}; ///< Its value.

    friend auto operator<=>(const RequiredLabel&, const RequiredLabel&) = default;
};

/// A metric, or those of its series that have certain labels.
struct MetricTerm {
    std::string name{};                  ///< The metric's name.
    std::vector<RequiredLabel> labels{}; ///< Sorted by name, each name once.
    /// Labels whose values are numbers that the sample is multiplied by.
    std::vector<std::string> factors{};

    friend auto operator<=>(const MetricTerm&, const MetricTerm&) = default;
};

/// From what a signal is computed under one of its names; see `parse_metric_source`.
struct MetricSource {
    std::vector<MetricTerm> terms{};   ///< Added up; at least one.
    std::optional<MetricTerm> per{};   ///< What their growth is divided by.
    std::optional<MetricTerm> times{}; ///< What they are multiplied by.
    double scale = 1;                  ///< What the value is multiplied by, e.g. 0.001 for ms.
};

/// Maximum length of a metric source, in bytes.
inline constexpr std::size_t max_metric_source_bytes = 1000;
/// Maximum number of metrics that a metric source adds up.
inline constexpr std::size_t max_metric_terms = 8;
/// Maximum number of labels that one metric of a source requires.
inline constexpr std::size_t max_required_labels = 4;
/// Maximum number of labels whose values one metric of a source is multiplied by.
inline constexpr std::size_t max_factor_labels = 4;

namespace detail {

/// Reads one metric source, from left to right.
class MetricSourceReader {
public:
    explicit MetricSourceReader(std::string_view text) : text_(text) {}

    Result<MetricSource> read() {
        MetricSource source;
        if (text_.size() > max_metric_source_bytes)
            return Error(Errc::invalid_argument, "is longer than " +
                                                     std::to_string(max_metric_source_bytes) +
                                                     " bytes (max_metric_source_bytes)");
        source.terms.push_back(term());
        while (!failure_ && take('+'))
            source.terms.push_back(term());
        if (!failure_ && take('/'))
            source.per = term();
        bool is_scaled = !failure_ && take('*');
        if (is_scaled && !is_number_next()) {
            source.times = term();
            is_scaled = !failure_ && take('*');
        }
        if (is_scaled && !failure_)
            source.scale = number();
        if (!failure_ && at_ < text_.size())
            fail("expected '+', '/', '*' or the end");
        if (!failure_ && source.terms.size() > max_metric_terms)
            fail("adds up more than " + std::to_string(max_metric_terms) +
                 " metrics (max_metric_terms)");
        if (failure_)
            return Error(Errc::invalid_argument, *std::move(failure_));
        return source;
    }

private:
    void fail(const std::string& what) {
        if (!failure_)
            failure_ = "at character " + std::to_string(at_ + 1) + ": " + what;
    }

    void skip_blanks() {
        while (at_ < text_.size() && text_[at_] == ' ')
            ++at_;
    }

    bool take(char wanted) {
        skip_blanks();
        const bool is_there = at_ < text_.size() && text_[at_] == wanted;
        at_ += is_there ? 1 : 0;
        return is_there;
    }

    /// Up to a blank or a sign. Whether it is a name is not looked at.
    std::string word() {
        skip_blanks();
        const std::size_t end = std::min(text_.find_first_of(" {}[]+/*=\",", at_), text_.size());
        std::string result(text_.substr(at_, end - at_));
        at_ = end;
        return result;
    }

    /// A metric's name begins otherwise, and is none of `inf` and `nan`.
    bool is_number_next() {
        skip_blanks();
        double ignored = 0;
        const char* const last = text_.data() + text_.size();
        const auto [end, code] = std::from_chars(text_.data() + at_, last, ignored);
        const bool is_word = code == std::errc() && (end == last || *end == ' ');
        constexpr std::string_view first = "0123456789.-";
        return is_word || at_ == text_.size() || first.find(text_[at_]) != first.npos;
    }

    MetricTerm term() {
        MetricTerm result;
        result.name = word();
        if (take('{'))
            read_required(result);
        if (!failure_ && take('['))
            read_factors(result);
        return result;
    }

    void read_factors(MetricTerm& result) {
        do {
            result.factors.push_back(word());
        } while (take('*'));
        if (!take(']'))
            fail("expected '*' or ']'");
        if (result.factors.size() > max_factor_labels)
            fail("multiplies more than " + std::to_string(max_factor_labels) +
                 " labels (max_factor_labels)");
    }

    void read_required(MetricTerm& result) {
        do {
            RequiredLabel label;
            label.name = word();
            if (!take('='))
                fail("expected a label, '=' and a value in quotes");
            label.value = quoted();
            result.labels.push_back(std::move(label));
        } while (!failure_ && take(','));
        if (!take('}'))
            fail("expected ',' or '}'");
        std::sort(result.labels.begin(), result.labels.end());
        if (result.labels.size() > max_required_labels)
            fail("requires more than " + std::to_string(max_required_labels) +
                 " labels (max_required_labels)");
        const auto is_same = [](const RequiredLabel& one, const RequiredLabel& other) {
            return one.name == other.name;
        };
        if (std::adjacent_find(result.labels.begin(), result.labels.end(), is_same) !=
            result.labels.end())
            fail("requires a label twice");
    }

    /// Escapes are those of PromQL for `"`, `\` and the end of a line.
    std::string quoted() {
        std::string value;
        if (failure_ || !take('"')) {
            fail("expected a value in quotes");
            return value;
        }
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] != '\\') {
                value += text_[at_++];
                continue;
            }
            const char escaped = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
            if (escaped != '"' && escaped != '\\' && escaped != 'n') {
                fail("expected \\\", \\\\ or \\n");
                return value;
            }
            value += escaped == 'n' ? '\n' : escaped;
            at_ += 2;
        }
        if (at_ == text_.size())
            fail("a value without a closing quote");
        else
            ++at_;
        if (value.empty())
            fail("a label without a value is no label");
        return value;
    }

    double number() {
        skip_blanks();
        double value = 0;
        const char* const begin = text_.data() + at_;
        const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), value);
        if (code != std::errc() || !std::isfinite(value) || value <= 0)
            fail("expected a number above 0");
        else
            at_ += static_cast<std::size_t>(end - begin);
        skip_blanks();
        return value;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::optional<std::string> failure_{};
};

} // namespace detail

/// Reads from what a signal is computed:
///
/// - `name`: a metric; for an average, a histogram, which has `name_sum` and `name_count`;
/// - `name{label="value"}`: only its series with this label;
/// - `a + b`: the sum of metrics of which at least one is there;
/// - `a / b`: for an average: the growth of one counter divided by that of another;
/// - `a * b`: for a gauge's last sample: the product of the series of two metrics;
/// - `name[x * y]`: the same, of the numbers in two labels of a series, and of its sample;
/// - `... * 0.001`: in another unit.
///
/// Whether the names are valid is not looked at; `validate` does that.
///
/// **Errors:** `invalid_argument`, with the place in the text.
inline Result<MetricSource> parse_metric_source(std::string_view text) {
    return detail::MetricSourceReader(text).read();
}

} // namespace wva_metrics
