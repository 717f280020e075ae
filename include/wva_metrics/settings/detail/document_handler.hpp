// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/detail/document_path.hpp"

#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// A handler of Boost.JSON's parser that builds a value and finds duplicate names in an object.
/// (Boost.JSON itself silently keeps the last one.)
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
    /// The paths of the fields that are there more than once.
    const std::vector<std::string>& duplicates() const noexcept { return duplicates_; }

private:
    struct Level {
        bool is_array = false;
        /// Number of items so far.
        std::size_t items = 0;
        /// The name of the current field of an object.
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
            path = level.is_array ? item_path(path, level.items) : join_path(path, level.key);
        return path;
    }

    boost::json::value_stack stack_;
    std::vector<Level> levels_;
    std::string key_;
    std::vector<std::string> duplicates_;
};

} // namespace wva_metrics::detail
