// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/characters.hpp"
#include "wva_metrics/exposition/detail/strict_number.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::exposition::detail {

/// The rest of a line that is read by the letter of OpenMetrics 2.0. After the first problem, each
/// function does nothing.
class Om2Line {
public:
    explicit Om2Line(std::string_view line) : line_(line) {}

    std::string problem{};  ///< Empty if there is none.
    std::size_t column = 1; ///< Of the problem, from 1.

    bool is_ok() const noexcept { return problem.empty(); }
    char next() const noexcept { return at_ < line_.size() ? line_[at_] : '\n'; }
    bool begins_with(std::string_view text) const noexcept {
        return line_.substr(at_).starts_with(text);
    }
    std::size_t here() const noexcept { return at_ + 1; }
    bool refuse(std::string what, std::size_t where = 0) {
        if (is_ok()) {
            problem = std::move(what);
            column = where == 0 ? here() : where;
        }
        return false;
    }
    /// Takes this text, or refuses the line.
    bool expect(std::string_view text, const char* what) {
        if (!is_ok() || !begins_with(text))
            return refuse(what);
        at_ += text.size();
        return true;
    }
    std::string_view take_name(CharacterKind start) noexcept {
        const std::size_t first = at_;
        const CharacterKind part = start == name_start ? name_part : label_part;
        if (is_kind(next(), start))
            while (is_kind(next(), part))
                ++at_;
        return line_.substr(first, at_ - first);
    }
    /// A text in double quotes. An unknown escape stands for itself.
    std::string take_string() {
        std::string text;
        const std::size_t quote = here();
        if (!expect("\"", "expected a double quote"))
            return text;
        for (; at_ < line_.size() && line_[at_] != '"'; ++at_) {
            if (line_[at_] != '\\') {
                text += line_[at_];
                continue;
            }
            ++at_;
            if (next() == '\n')
                break;
            if (next() == 'n') {
                text += '\n';
            } else {
                if (next() != '"' && next() != '\\')
                    text += '\\';
                text += next();
            }
        }
        if (at_ >= line_.size())
            refuse("expected a closing double quote", quote);
        else
            ++at_;
        return text;
    }
    double take_number(const char* what = "expected a number") {
        const std::size_t first = at_;
        const std::optional<double> number = parse_strict_number(take_word());
        if (!number)
            refuse(what, first + 1);
        return number.value_or(0);
    }
    double take_real(const char* what) {
        const std::size_t first = at_;
        const std::string_view word = take_word();
        if (!is_real_number(word))
            refuse(what, first + 1);
        return parse_strict_number(word).value_or(0);
    }
    std::optional<long double> take_time() {
        const std::size_t first = at_;
        const std::optional<long double> time = parse_strict_seconds(take_word());
        if (!time)
            refuse("expected a time in seconds since 1970", first + 1);
        return time;
    }

    using Labels = std::vector<std::pair<std::string, std::string>>;

    /// What follows the `{`, with the `}`; `name` is set to that of the metric if it is among them.
    void take_labels(Labels& labels, std::string* name) {
        while (is_ok() && next() != '}') {
            const std::size_t first = here();
            const bool is_quoted = next() == '"';
            std::string label = is_quoted ? take_string() : std::string(take_name(label_start));
            if (label.empty()) {
                refuse("expected a name", first);
            } else if (is_quoted && name != nullptr && name->empty() && labels.empty() &&
                       next() != '=') {
                *name = std::move(label);
            } else {
                if (label.starts_with('_'))
                    refuse("the name of a label begins with an underscore, which is reserved",
                           first);
                if (std::ranges::find(labels, label, &Labels::value_type::first) != labels.end())
                    refuse("the label comes twice", first);
                expect("=", "expected =");
                labels.emplace_back(std::move(label), take_string());
            }
            if (next() == '}')
                break;
            if (expect(",", "expected , or }") && next() == '}')
                refuse("expected a label");
        }
        expect("}", "expected }");
    }

private:
    /// Up to the end of a number.
    std::string_view take_word() noexcept {
        const std::size_t first = at_;
        while (at_ < line_.size() &&
               std::string_view(" ,:]}").find(line_[at_]) == std::string_view::npos)
            ++at_;
        return line_.substr(first, at_ - first);
    }

    std::string_view line_;
    std::size_t at_ = 0;
};

} // namespace wva_metrics::exposition::detail
