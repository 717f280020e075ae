// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes {

/// Reads fields of a JSON object.
///
/// A field that is missing or null reads as empty, and so does everything below it. A field of
/// another type is a problem: the first one is stored with its path, and reading continues.
///
/// A view: the JSON and the parent must outlive it. Not thread-safe.
class JsonFields {
public:
    /// The fields of `value`, which must be an object. `problem` receives the first problem, unless
    /// it already holds one.
    JsonFields(const boost::json::value& value, std::string& problem)
        : JsonFields(value, problem, nullptr, {}) {}
    JsonFields(const JsonFields&) = delete;
    JsonFields& operator=(const JsonFields&) = delete;

    /// The string in a field.
    std::optional<std::string_view> text(std::string_view name) const {
        const boost::json::value* const value = find(name);
        if (value == nullptr)
            return std::nullopt;
        if (const boost::json::string* text = value->if_string())
            return std::string_view(*text);
        report(name, "is not a string");
        return std::nullopt;
    }
    /// The string in a field, or an empty one.
    std::string text_or_empty(std::string_view name) const {
        return std::string(text(name).value_or(std::string_view()));
    }

    /// The value in a field as text: a string as it is, a number in decimal, and anything else by
    /// the name of its type, e.g. `an object`.
    std::optional<std::string> any_text(std::string_view name) const {
        const boost::json::value* const value = find(name);
        if (value == nullptr)
            return std::nullopt;
        if (const boost::json::string* text = value->if_string())
            return std::string(*text);
        if (value->is_number())
            return boost::json::serialize(*value);
        return value->is_object() ? "an object" : value->is_array() ? "an array" : "a boolean";
    }

    /// The integer in a field.
    std::optional<std::int64_t> integer(std::string_view name) const {
        const boost::json::value* const value = find(name);
        if (value == nullptr)
            return std::nullopt;
        if (const std::int64_t* number = value->if_int64())
            return *number;
        report(name, "is not an integer");
        return std::nullopt;
    }

    /// The boolean in a field.
    std::optional<bool> flag(std::string_view name) const {
        const boost::json::value* const value = find(name);
        if (value == nullptr)
            return std::nullopt;
        if (const bool* flag = value->if_bool())
            return *flag;
        report(name, "is not a boolean");
        return std::nullopt;
    }

    /// The object in a field, or one without fields. Must not outlive this one.
    JsonFields object(std::string_view name) const { return object(name, *problem_); }
    /// The same. Its problems go to `problem`, so that they do not make this object unreadable.
    JsonFields object(std::string_view name, std::string& problem) const {
        return JsonFields(find(name), problem, this, name);
    }

    /// Whether the field exists and is not null.
    bool has(std::string_view name) const { return find(name) != nullptr; }

    /// Calls `visit(const JsonFields&)` for each object of the array in a field.
    template <typename Visit>
    void for_each_object(std::string_view name, Visit visit) const {
        for_each(name, [&](const boost::json::value& element, std::string_view path) {
            const JsonFields fields(&element, *problem_, this, path);
            visit(fields);
        });
    }
    /// Calls `visit(std::string_view)` for each string of the array in a field.
    template <typename Visit>
    void for_each_text(std::string_view name, Visit visit) const {
        for_each(name, [&](const boost::json::value& element, std::string_view path) {
            if (const boost::json::string* text = element.if_string())
                visit(std::string_view(*text));
            else
                report(path, "is not a string");
        });
    }
    /// Calls `visit(std::string_view name, std::string_view text)` for each field of this object.
    /// Each must be a string.
    template <typename Visit>
    void for_each_entry(Visit visit) const {
        if (object_ == nullptr)
            return;
        for (const boost::json::key_value_pair& entry : *object_) {
            if (const std::optional<std::string_view> value = text(entry.key()))
                visit(std::string_view(entry.key()), *value);
        }
    }

    /// Stores a problem of a field, unless there already is one: `metadata.name is empty`.
    void report(std::string_view name, std::string_view what) const {
        if (!problem_->empty())
            return;
        *problem_ = path();
        if (!name.empty()) {
            if (!problem_->empty())
                *problem_ += '.';
            *problem_ += name;
        }
        if (problem_->empty())
            *problem_ = "the JSON value";
        *problem_ += ' ';
        *problem_ += what;
    }

private:
    JsonFields(const boost::json::value& value, std::string& problem, const JsonFields* parent,
               std::string_view name)
        : JsonFields(&value, problem, parent, name) {}
    JsonFields(const boost::json::value* value, std::string& problem, const JsonFields* parent,
               std::string_view name)
        : object_(value == nullptr ? nullptr : value->if_object()), problem_(&problem),
          parent_(parent), name_(name) {
        if (value != nullptr && object_ == nullptr)
            report({}, "is not an object");
    }

    const boost::json::value* find(std::string_view name) const {
        if (object_ == nullptr)
            return nullptr;
        const boost::json::value* const value = object_->if_contains(name);
        return value != nullptr && value->is_null() ? nullptr : value;
    }

    template <typename Visit>
    void for_each(std::string_view name, Visit visit) const {
        const boost::json::value* const value = find(name);
        if (value == nullptr)
            return;
        const boost::json::array* const array = value->if_array();
        if (array == nullptr)
            return report(name, "is not an array");
        for (std::size_t i = 0; i < array->size(); ++i)
            visit((*array)[i], std::string(name) + '[' + std::to_string(i) + ']');
    }

    std::string path() const {
        std::string text = parent_ == nullptr ? std::string() : parent_->path();
        if (!text.empty() && !name_.empty())
            text += '.';
        return text.append(name_);
    }

    const boost::json::object* object_;
    std::string* problem_;
    const JsonFields* parent_;
    std::string_view name_;
};

} // namespace wva_metrics::kubernetes
