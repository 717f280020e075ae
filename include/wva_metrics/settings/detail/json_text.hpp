// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::detail {

/// A number in the usual form (`0.5`, not `5E-1`), exact, and never in the form of an integer.
inline std::string json_text_of(double number) {
    std::array<char, 64> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    std::string text(digits.data(), end);
    if (text.find_first_of(".e") == std::string::npos)
        text += ".0";
    return text;
}

/// A JSON value on one line.
inline std::string json_text_of(const boost::json::value& value) {
    std::string text;
    if (value.is_double())
        return json_text_of(value.get_double());
    if (value.is_array()) {
        for (const boost::json::value& item : value.get_array())
            text += (text.empty() ? "" : ", ") + json_text_of(item);
        return '[' + text + ']';
    }
    if (value.is_object()) {
        for (const auto& [key, item] : value.get_object())
            text += (text.empty() ? "" : ", ") +
                    boost::json::serialize(boost::json::string_view(key)) + ": " +
                    json_text_of(item);
        return '{' + text + '}';
    }
    return boost::json::serialize(value);
}

/// A document with one field per line. A list of scalars, and each object in a list, is on one
/// line.
inline std::string json_document_of(const boost::json::object& object,
                                    const std::string& indentation = {}) {
    if (object.empty())
        return "{}";
    const std::string inner = indentation + "  ";
    std::string text;
    for (const auto& [key, value] : object) {
        text += (text.empty() ? "{\n" : ",\n") + inner +
                boost::json::serialize(boost::json::string_view(key)) + ": ";
        if (value.is_object()) {
            text += json_document_of(value.get_object(), inner);
        } else if (value.is_array() && !value.get_array().empty() &&
                   value.get_array().front().is_object()) {
            std::string items;
            for (const boost::json::value& item : value.get_array())
                items += (items.empty() ? "[\n" : ",\n") + inner + "  " + json_text_of(item);
            text += items + '\n' + inner + ']';
        } else {
            text += json_text_of(value);
        }
    }
    return text + '\n' + indentation + '}';
}

} // namespace wva_metrics::detail
