// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/read_literal.hpp"
#include "wva_metrics/promql/matcher.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

namespace detail {

/// Reads the text of matchers, from left to right.
class MatchersReader {
public:
    explicit MatchersReader(std::string_view text) : text_(text) {}

    Result<std::vector<Matcher>> read() {
        std::vector<Matcher> matchers;
        const bool has_braces = skip('{');
        const std::string_view end = has_braces ? "}" : "";
        while (!at_end(end)) {
            Result<Matcher> matcher = read_matcher();
            if (matcher.has_error())
                return matcher.error();
            matchers.push_back(*std::move(matcher));
            if (!skip(',') && !at_end(end))
                return expected(has_braces ? "',' or '}'" : "','");
        }
        if (has_braces && !skip('}'))
            return expected("'}'");
        if (!at_end(""))
            return expected("the end");
        return matchers;
    }

private:
    Result<Matcher> read_matcher() {
        Matcher matcher;
        skip_blanks();
        const std::size_t first = at_;
        while (at_ < text_.size() && wva_metrics::detail::is_name_rest(text_[at_]))
            ++at_;
        matcher.label = text_.substr(first, at_ - first);
        if (!wva_metrics::detail::is_label_name(matcher.label)) {
            at_ = first;
            return expected("the name of a label");
        }
        skip_blanks();
        if (!read_operator(matcher.op))
            return expected("'=', '!=', '=~' or '!~'");
        skip_blanks();
        Result<std::string> value = read_literal(text_, at_);
        if (value.has_error())
            return value.error();
        matcher.value = *std::move(value);
        return matcher;
    }

    bool read_operator(MatchOperator& op) {
        // The longer texts first: one of them begins like a shorter one.
        for (const MatchOperator candidate : {MatchOperator::not_equal, MatchOperator::regex,
                                              MatchOperator::not_regex, MatchOperator::equal}) {
            if (!text_.substr(at_).starts_with(to_string(candidate)))
                continue;
            at_ += to_string(candidate).size();
            op = candidate;
            return true;
        }
        return false;
    }

    static bool is_blank(char c) noexcept {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }
    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_]))
            ++at_;
    }
    bool skip(char wanted) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != wanted)
            return false;
        ++at_;
        return true;
    }
    /// At the end of the text, or before `end`.
    bool at_end(std::string_view end) {
        skip_blanks();
        return at_ == text_.size() || (!end.empty() && text_.substr(at_).starts_with(end));
    }
    Error expected(std::string_view what) const {
        return literal_error(text_, at_, "expected " + std::string(what));
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace detail

/// Parses matchers as PromQL writes them: `cluster="eu", tenant=~"a|b"`, with or without braces
/// around them. Values are in double quotes, single quotes or backticks. The empty text has no
/// matchers.
///
/// **Errors:** `invalid_argument` with the position of the first error. The matchers of a result
/// are not validated.
inline Result<std::vector<Matcher>> parse_matchers(std::string_view text) {
    return detail::MatchersReader(text).read();
}

} // namespace wva_metrics::promql
