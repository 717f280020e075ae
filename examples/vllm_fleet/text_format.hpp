// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vllm_fleet {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// A label's value in the text format: backslash, quote and line feed are escaped, all other bytes
/// are unchanged.
inline std::string escape_label_value(std::string_view value) {
    std::string result;
    for (const char c : value) {
        if (c == '\n')
            result += "\\n";
        else if (c == '\\' || c == '"')
            (result += '\\') += c;
        else
            result += c;
    }
    return result;
}

inline std::string to_text(const Labels& labels) {
    std::string result;
    for (const auto& [name, value] : labels) {
        if (!result.empty())
            result += ',';
        ((result += name) += "=\"") += escape_label_value(value);
        result += '"';
    }
    return result;
}

/// Appends a number as Prometheus reads it, with as many digits as are needed to read the same
/// number back.
inline void append_number(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
    } else if (std::isinf(value)) {
        out += value > 0 ? "+Inf" : "-Inf";
    } else {
        std::array<char, 32> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        out.append(digits.data(), end);
    }
}

/// The `le` label of a bucket, as vLLM's Python client writes it: 1.0, not 1.
inline std::string bound_text(double bound) {
    std::string text;
    append_number(text, bound);
    if (std::isfinite(bound) && text.find_first_of(".e") == std::string::npos)
        text += ".0";
    return text;
}

} // namespace vllm_fleet
