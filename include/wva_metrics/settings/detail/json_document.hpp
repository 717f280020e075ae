// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Somebody's word as it is repeated in a message: in quotes, short and without control characters.
inline std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 60;
    return '"' + wva_metrics::detail::clean_text(text, longest) + '"';
}

/// A field inside an object, as messages name it.
inline std::string join_path(std::string_view where, std::string_view name) {
    const bool is_word =
        !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '-';
        });
    std::string path(where);
    if (!path.empty())
        path += '.';
    path += is_word ? std::string(name) : quoted(name);
    return path;
}

/// Builds the values, and notices names that one object has twice: the library keeps the last one
/// without a word.
class DocumentHandler {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    using Code = boost::system::error_code;

    bool on_document_begin(Code&) {
        stack_.reset();
        return true;
    }
    bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code&) { return open(false); }
    bool on_object_end(std::size_t size, Code&) {
        stack_.push_object(size);
        return close();
    }
    bool on_array_begin(Code&) { return open(true); }
    bool on_array_end(std::size_t size, Code&) {
        stack_.push_array(size);
        return close();
    }
    bool on_key_part(std::string_view part, std::size_t, Code&) {
        key_ += part;
        stack_.push_chars(part);
        return true;
    }
    bool on_key(std::string_view part, std::size_t, Code&) {
        key_ += part;
        stack_.push_key(part);
        Level& object = levels_.back();
        object.key = std::exchange(key_, {});
        if (!object.keys.insert(object.key).second)
            duplicates_.push_back(path());
        return true;
    }
    bool on_string_part(std::string_view part, std::size_t, Code&) {
        stack_.push_chars(part);
        return true;
    }
    bool on_string(std::string_view part, std::size_t, Code&) {
        stack_.push_string(part);
        return count();
    }
    bool on_number_part(std::string_view, Code&) { return true; }
    bool on_int64(std::int64_t number, std::string_view, Code&) {
        stack_.push_int64(number);
        return count();
    }
    bool on_uint64(std::uint64_t number, std::string_view, Code&) {
        stack_.push_uint64(number);
        return count();
    }
    bool on_double(double number, std::string_view, Code&) {
        stack_.push_double(number);
        return count();
    }
    bool on_bool(bool value, Code&) {
        stack_.push_bool(value);
        return count();
    }
    bool on_null(Code&) {
        stack_.push_null();
        return count();
    }
    bool on_comment_part(std::string_view, Code&) { return true; }
    bool on_comment(std::string_view, Code&) { return true; }

    boost::json::value release() { return stack_.release(); }
    /// The paths of what is there more than once.
    const std::vector<std::string>& duplicates() const noexcept { return duplicates_; }

private:
    struct Level {
        bool is_array = false;
        /// Items so far.
        std::size_t items = 0;
        /// The one that is being read.
        std::string key;
        std::unordered_set<std::string> keys;
    };

    bool open(bool is_array) {
        levels_.push_back({is_array, 0, {}, {}});
        return true;
    }
    bool close() {
        levels_.pop_back();
        return count();
    }
    bool count() {
        if (!levels_.empty())
            ++levels_.back().items;
        return true;
    }

    std::string path() const {
        std::string path;
        for (const Level& level : levels_)
            path = level.is_array ? path + '[' + std::to_string(level.items) + ']'
                                  : join_path(path, level.key);
        return path;
    }

    boost::json::value_stack stack_;
    std::vector<Level> levels_;
    std::string key_;
    std::vector<std::string> duplicates_;
};

/// `line 3, column 14`, both counted from one, the column in bytes.
inline std::string describe_position(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line_begin = before.rfind('\n');
    const std::size_t column =
        line_begin == std::string_view::npos ? offset + 1 : offset - line_begin;
    return "line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) +
           ", column " + std::to_string(column);
}

/// Reads a JSON text that must be one object. What is wrong is added to `problems`; nothing comes
/// back where the text cannot be read at all.
inline std::optional<boost::json::object> parse_document(std::string_view text,
                                                         const DocumentLimits& limits,
                                                         std::vector<SettingsProblem>& problems) {
    if (text.size() > limits.max_bytes) {
        problems.push_back({"", "the document has " + std::to_string(text.size()) +
                                    " bytes, more than DocumentLimits::max_bytes = " +
                                    std::to_string(limits.max_bytes)});
        return std::nullopt;
    }
    // Editors of some systems begin every file with this.
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        problems.push_back({"", "the document is empty; the least that can be read is {}"});
        return std::nullopt;
    }

    boost::json::parse_options options;
    options.max_depth = limits.max_depth;
    options.numbers = boost::json::number_precision::precise;
    boost::json::basic_parser<DocumentHandler> parser(options);
    boost::system::error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure || used < text.size()) {
        std::string what = "the document is not JSON: ";
        if (failure == boost::json::error::too_deep)
            what = "objects and arrays are nested deeper than DocumentLimits::max_depth = " +
                   std::to_string(limits.max_depth);
        else if (failure == boost::json::error::incomplete)
            what += "it breaks off";
        else if (!failure)
            what += "there is more after its end";
        else
            what += failure.message() +
                    " (comments, single quotes and a comma before } or ] are not allowed)";
        problems.push_back({describe_position(text, used), std::move(what)});
        return std::nullopt;
    }
    for (const std::string& path : parser.handler().duplicates())
        problems.push_back({path, "is there more than once; say it once"});
    boost::json::value document = parser.handler().release();
    if (!document.is_object()) {
        problems.push_back({"", "the document must be one JSON object, such as {\"prometheus\": "
                                "{\"client\": {\"url\": \"http://prometheus:9090\"}}}"});
        return std::nullopt;
    }
    return std::move(document.get_object());
}

} // namespace wva_metrics::detail
