// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vllm_fleet {

/// A rejected command; the text is sent back to the client.
class ControlError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

using Form = std::map<std::string, std::string, std::less<>>;

/// Decodes the %XX and + of a form or query.
inline std::string form_decode(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned char byte = 0;
        if (text[i] == '%') {
            const char* const first = text.data() + i + 1;
            if (i + 2 >= text.size() ||
                std::from_chars(first, first + 2, byte, 16).ptr != first + 2)
                throw ControlError("a % is not followed by two hexadecimal digits");
            result += static_cast<char>(byte);
            i += 2;
        } else {
            result += text[i] == '+' ? ' ' : text[i];
        }
    }
    return result;
}

/// Reads "name=value&name=value" into `form`.
inline void parse_form(std::string_view text, Form& form) {
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        if (part.empty())
            continue;
        const std::size_t equals = std::min(part.find('='), part.size());
        std::string name = form_decode(part.substr(0, equals));
        std::string value = form_decode(part.substr(std::min(part.size(), equals + 1)));
        if (!form.emplace(name, std::move(value)).second)
            throw ControlError("'" + name + "' is given twice");
    }
}

/// The values of all `name[]` of a query, as a scrape asks for certain metrics only.
inline std::set<std::string, std::less<>> wanted_metrics(std::string_view query) {
    std::set<std::string, std::less<>> names;
    while (!query.empty()) {
        const std::string_view part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), part.size() + 1));
        const std::size_t equals = part.find('=');
        if (equals != std::string_view::npos && form_decode(part.substr(0, equals)) == "name[]")
            names.insert(form_decode(part.substr(equals + 1)));
    }
    return names;
}

/// The value of a parameter.
inline std::string value_or(const Form& form, std::string_view name, std::string_view fallback) {
    const auto found = form.find(name);
    return found == form.end() ? std::string(fallback) : found->second;
}

/// Throws ControlError unless the value is 0 or 1.
inline bool flag(const std::string& name, const std::string& value) {
    if (value != "0" && value != "1")
        throw ControlError(name + " must be 0 or 1, not '" + value + "'");
    return value == "1";
}

/// A number of the form. Throws ControlError unless it is from `low` to `high`.
inline double number(const std::string& name, const Form& form, double low, double high) {
    const std::string text = value_or(form, name, "");
    double value = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data(), end, value).ptr != end || text.empty() ||
        !(value >= low && value <= high))
        throw ControlError(name + "=" + text + " must be a number from " +
                           std::to_string(static_cast<int>(low)) + " to " +
                           std::to_string(static_cast<int>(high)));
    return value;
}

} // namespace vllm_fleet
