// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// One log line: a sentence, then `key=value` fields.
///
/// A value that is not a plain word is quoted and escaped to visible ASCII, so foreign text (a
/// model id, a server's message) cannot end the line, start another field or control a terminal.
/// Values are truncated to `max_value_bytes`, and end with their length then.
class LogLine {
public:
    static constexpr std::size_t max_value_bytes = 1024;

    explicit LogLine(std::string sentence) : text_(std::move(sentence)) {}

    LogLine& field(std::string_view key, std::string_view value) {
        text_ += ' ';
        text_ += key;
        text_ += '=';
        if (is_plain(value))
            text_ += value;
        else
            append_quoted(value);
        return *this;
    }
    LogLine& field(std::string_view key, const char* value) {
        return field(key, std::string_view(value));
    }
    LogLine& field(std::string_view key, Duration value) {
        return field(key, format_duration(value));
    }
    LogLine& field(std::string_view key, bool value) {
        return field(key, value ? "true" : "false");
    }
    template <std::integral Number>
    LogLine& field(std::string_view key, Number value) {
        return field(key, std::to_string(value));
    }

    const std::string& text() const noexcept { return text_; }

private:
    static bool is_plain(std::string_view value) noexcept {
        return !value.empty() && value.size() <= max_value_bytes &&
               std::ranges::all_of(value, [](char c) {
                   return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
               });
    }

    void append_quoted(std::string_view value) {
        const std::string_view shown = value.substr(0, max_value_bytes);
        text_ += '"';
        for (const char c : shown) {
            if (c == '\n') {
                text_ += "\\n";
            } else if (c == '"' || c == '\\') {
                text_ += '\\';
                text_ += c;
            } else if (c >= ' ' && c <= '~') {
                text_ += c;
            } else {
                constexpr std::string_view digits = "0123456789abcdef";
                const auto byte = static_cast<unsigned char>(c);
                text_ += "\\x";
                text_ += digits[byte / 16];
                text_ += digits[byte % 16];
            }
        }
        if (shown.size() < value.size())
            text_ += "... (" + std::to_string(value.size()) + " bytes)";
        text_ += '"';
    }

    std::string text_;
};

} // namespace wva_metrics::detail
