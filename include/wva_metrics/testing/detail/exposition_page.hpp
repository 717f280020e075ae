// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/testing/detail/promql/label_set.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// One sample of a page in the text format of Prometheus.
struct ExpositionSample {
    /// The labels, with the metric name.
    LabelSet series;
    /// The number, which may be NaN.
    double value = 0;
    /// The time in the line; most lines have none.
    std::optional<Milliseconds> time;
};

/// Parses one line of a page.
class ExpositionLine {
public:
    explicit ExpositionLine(std::string_view line) : rest_(line) { skip_blanks(); }

    bool is_blank_or_comment() const noexcept { return rest_.empty() || rest_.front() == '#'; }

    /// Empty if the line is not valid.
    std::optional<ExpositionSample> sample() {
        ExpositionSample parsed;
        const std::string_view metric = word("{ \t");
        if (!wva_metrics::detail::is_metric_name(metric))
            return std::nullopt;
        parsed.series.set(LabelSet::metric_name, metric);
        skip_blanks();
        if (accept('{') && !labels(parsed.series))
            return std::nullopt;
        skip_blanks();
        const auto value = number(word(" \t"));
        skip_blanks();
        const std::string_view time = word(" \t");
        skip_blanks();
        if (!value || !rest_.empty())
            return std::nullopt;
        parsed.value = *value;
        if (!time.empty()) {
            Milliseconds milliseconds = 0;
            const auto [end, failure] =
                std::from_chars(time.data(), time.data() + time.size(), milliseconds);
            if (failure != std::errc() || end != time.data() + time.size())
                return std::nullopt;
            parsed.time = milliseconds;
        }
        return parsed;
    }

private:
    void skip_blanks() noexcept {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    }
    bool accept(char wanted) noexcept {
        if (rest_.empty() || rest_.front() != wanted)
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view word(std::string_view delimiters) noexcept {
        const std::string_view found = rest_.substr(0, rest_.find_first_of(delimiters));
        rest_.remove_prefix(found.size());
        return found;
    }

    bool labels(LabelSet& into) {
        while (true) {
            skip_blanks();
            if (accept('}'))
                return true;
            const std::string_view name = word("= \t");
            skip_blanks();
            if (!wva_metrics::detail::is_label_name(name) || !accept('='))
                return false;
            skip_blanks();
            const auto value = quoted();
            if (!value)
                return false;
            into.set(name, *value);
            skip_blanks();
            if (!accept(',') && !rest_.starts_with('}'))
                return false;
        }
    }

    std::optional<std::string> quoted() {
        if (!accept('"'))
            return std::nullopt;
        std::string text;
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"')
                return text;
            if (c == '\\') {
                if (rest_.empty())
                    return std::nullopt;
                c = rest_.front() == 'n' ? '\n' : rest_.front();
                rest_.remove_prefix(1);
            }
            text += c;
        }
        return std::nullopt;
    }

    static std::optional<double> number(std::string_view text) {
        if (text.starts_with('+'))
            text.remove_prefix(1);
        double value = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failure != std::errc() || end != text.data() + text.size() || text.empty())
            return std::nullopt;
        return value;
    }

    std::string_view rest_;
};

/// Parses a page in the text format 0.0.4 of Prometheus; comments, types and help are skipped.
///
/// Errors: `bad_response` with the line's number if a line is not a sample. As in Prometheus, one
/// invalid line makes the whole page invalid.
inline Result<std::vector<ExpositionSample>> parse_exposition_page(std::string_view page) {
    std::vector<ExpositionSample> samples;
    std::size_t line_number = 0;
    while (!page.empty()) {
        ++line_number;
        std::string_view text = page.substr(0, page.find('\n'));
        page.remove_prefix(std::min(text.size() + 1, page.size()));
        if (text.ends_with('\r'))
            text.remove_suffix(1);
        ExpositionLine line(text);
        if (line.is_blank_or_comment())
            continue;
        auto sample = line.sample();
        if (!sample)
            return Error(Errc::bad_response,
                         "line " + std::to_string(line_number) +
                             " of the page is not a sample in the text format of Prometheus");
        samples.push_back(*std::move(sample));
    }
    return samples;
}

} // namespace wva_metrics::testing::detail
