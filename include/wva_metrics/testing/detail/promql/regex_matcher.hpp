// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// GCC 12 warns of an uninitialized std::function inside <regex> if it optimizes with a sanitizer.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <regex>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace wva_metrics::testing::detail {

/// A regular expression that must match a whole text, as in label matchers and `label_replace`.
///
/// Prometheus uses RE2. Alternatives of literals (`a|b\.c`), `.*` and `.+` mean exactly the same
/// here and are fast at any length. All other patterns use std::regex in ECMAScript mode, byte by
/// byte, which agrees with RE2 on groups, classes, repetition and alternatives over ASCII. Syntax
/// that RE2 spells differently or does not have is rejected: `(?i)`, `(?P<name>)`, `(?=`, `\Q`,
/// `\p`, `\A`, `\z`, `\C`, back references. Immutable and cheap to copy.
class RegexMatcher {
public:
    /// Throws std::invalid_argument with the reason if the pattern is not supported.
    explicit RegexMatcher(std::string_view pattern) {
        if (pattern == ".*" || pattern == ".+") {
            shape_ = pattern == ".*" ? Shape::any_line : Shape::any_nonempty_line;
        } else if (auto literals = alternatives(pattern)) {
            shape_ = Shape::literals;
            std::sort(literals->begin(), literals->end());
            literals_ = std::make_shared<const std::vector<std::string>>(*std::move(literals));
        } else {
            reject_differences_to_re2(pattern);
            compile(pattern);
        }
    }

    /// True if the whole text matches.
    bool matches(std::string_view text) const {
        switch (shape_) {
        case Shape::any_line:
            return text.find('\n') == std::string_view::npos;
        case Shape::any_nonempty_line:
            return !text.empty() && text.find('\n') == std::string_view::npos;
        case Shape::literals:
            return std::binary_search(literals_->begin(), literals_->end(), text, std::less<>());
        case Shape::general:
            break;
        }
        return std::regex_match(text.begin(), text.end(), *regex_);
    }

    /// Expands `$1`, `${1}` and `$$` in `replacement`; empty if the text does not match.
    std::optional<std::string> replace(std::string_view text, std::string_view replacement) const {
        std::match_results<std::string_view::const_iterator> groups;
        if (shape_ == Shape::general) {
            if (!std::regex_match(text.begin(), text.end(), groups, *regex_))
                return std::nullopt;
        } else if (!matches(text)) {
            return std::nullopt;
        }
        return expand(replacement, [&](std::size_t group) {
            if (group == 0)
                return std::string(text);
            return group < groups.size() ? groups[group].str() : std::string();
        });
    }

private:
    enum class Shape { any_line, any_nonempty_line, literals, general };

    static constexpr std::string_view metacharacters = "\\.+*?()|[]{}^$";

    static std::optional<std::vector<std::string>> alternatives(std::string_view pattern) {
        std::vector<std::string> literals(1);
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            char c = pattern[i];
            if (c == '|') {
                literals.emplace_back();
                continue;
            }
            if (c == '\\') {
                if (++i == pattern.size() || !is_punctuation(pattern[i]))
                    return std::nullopt;
                c = pattern[i];
            } else if (metacharacters.find(c) != std::string_view::npos) {
                return std::nullopt;
            }
            literals.back() += c;
        }
        return literals;
    }

    static bool is_alphanumeric(char c) noexcept {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    static bool is_punctuation(char c) noexcept {
        return static_cast<unsigned char>(c) < 0x80 && !is_alphanumeric(c);
    }

    static void reject_differences_to_re2(std::string_view pattern) {
        for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
            const char next = pattern[i + 1];
            if (pattern[i] == '(' && next == '?' && pattern.substr(i + 2, 1) != ":")
                throw std::invalid_argument("the fake does not support groups like `(?`");
            if (pattern[i] == '\\') {
                if (next >= '1' && next <= '9')
                    throw std::invalid_argument(std::string("invalid escape sequence: `\\") + next +
                                                '`');
                if (std::string_view("QEpPAzCxu").find(next) != std::string_view::npos)
                    throw std::invalid_argument(std::string("the fake does not support `\\") +
                                                next + '`');
                ++i;
            }
        }
    }

    void compile(std::string_view pattern) {
        try {
            regex_ = std::make_shared<const std::regex>(pattern.begin(), pattern.end(),
                                                        std::regex::ECMAScript);
        } catch (const std::regex_error& error) {
            throw std::invalid_argument(error.what());
        }
    }

    template <typename Group>
    static std::string expand(std::string_view replacement, Group&& group) {
        std::string text;
        while (!replacement.empty()) {
            if (replacement.front() != '$') {
                text += replacement.front();
                replacement.remove_prefix(1);
                continue;
            }
            replacement.remove_prefix(1);
            if (replacement.substr(0, 1) == "$") {
                text += '$';
                replacement.remove_prefix(1);
                continue;
            }
            const bool braced = replacement.substr(0, 1) == "{";
            const std::string_view rest = replacement.substr(braced ? 1 : 0);
            std::size_t length = 0;
            while (length < rest.size() && (is_alphanumeric(rest[length]) || rest[length] == '_'))
                ++length;
            if (length == 0 || (braced && rest.substr(length, 1) != "}")) {
                text += '$';
                continue;
            }
            text += named_group(rest.substr(0, length), group);
            replacement = rest.substr(length + (braced ? 1 : 0));
        }
        return text;
    }

    /// A group that does not exist is empty; `$1x` is the group named `1x`.
    template <typename Group>
    static std::string named_group(std::string_view name, Group& group) {
        std::size_t number = 0;
        for (const char c : name) {
            if (c < '0' || c > '9' || number > 1000)
                return {};
            number = number * 10 + static_cast<std::size_t>(c - '0');
        }
        return group(number);
    }

    Shape shape_ = Shape::general;
    std::shared_ptr<const std::vector<std::string>> literals_;
    std::shared_ptr<const std::regex> regex_;
};

} // namespace wva_metrics::testing::detail
