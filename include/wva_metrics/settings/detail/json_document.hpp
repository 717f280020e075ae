// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/detail/document_handler.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// `line 3, column 14`, both counted from 1, the column in bytes.
inline std::string describe_position(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line_begin = before.rfind('\n');
    const std::size_t column =
        line_begin == std::string_view::npos ? offset + 1 : offset - line_begin;
    return "line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) +
           ", column " + std::to_string(column);
}

/// Parses a JSON text that must be one object. Appends to `problems`; returns empty if the text
/// is not such a document.
inline std::optional<boost::json::object> parse_document(std::string_view text,
                                                         const DocumentLimits& limits,
                                                         std::vector<SettingsProblem>& problems) {
    if (text.size() > limits.max_bytes) {
        problems.push_back({"", "the document has " + std::to_string(text.size()) +
                                    " bytes, more than DocumentLimits::max_bytes = " +
                                    std::to_string(limits.max_bytes)});
        return std::nullopt;
    }
    // Some editors begin every file with it.
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        problems.push_back({"", "the document is empty; the smallest valid document is {}"});
        return std::nullopt;
    }

    boost::json::parse_options options;
    options.max_depth = limits.max_depth;
    options.numbers = boost::json::number_precision::precise;
    boost::json::basic_parser<DocumentHandler> parser(options);
    boost::system::error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure || used < text.size()) {
        std::string message = "the document is not JSON: ";
        if (failure == boost::json::error::too_deep)
            message = "objects and arrays are nested deeper than DocumentLimits::max_depth = " +
                      std::to_string(limits.max_depth);
        else if (failure == boost::json::error::incomplete)
            message += "it is incomplete";
        else if (!failure)
            message += "there is text after its end";
        else
            message += failure.message() +
                       " (comments, single quotes and a comma before } or ] are not allowed)";
        problems.push_back({describe_position(text, used), std::move(message)});
        return std::nullopt;
    }
    for (const std::string& path : parser.handler().duplicates())
        problems.push_back({path, "duplicate field; keep one of them"});
    boost::json::value document = parser.handler().release();
    if (!document.is_object()) {
        problems.push_back({"", "the document must be one JSON object, such as {\"prometheus\": "
                                "{\"client\": {\"url\": \"http://prometheus:9090\"}}}"});
        return std::nullopt;
    }
    return std::move(document.get_object());
}

} // namespace wva_metrics::detail
