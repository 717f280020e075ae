// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/parse_duration.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/json_document.hpp"
#include "wva_metrics/settings/detail/nearest_name.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// What a JSON value is, in a sentence that says what it should be instead.
inline std::string_view name_of_kind(const boost::json::value& value) noexcept {
    switch (value.kind()) {
    case boost::json::kind::null:
        return "null";
    case boost::json::kind::bool_:
        return value.get_bool() ? "true" : "false";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
        return "a number";
    case boost::json::kind::string:
        return "a string";
    case boost::json::kind::array:
        return "a list";
    case boost::json::kind::object:
        return "an object";
    }
    return "something else";
}

/// Writes what a document says into the fields of a struct, and collects everything that is wrong
/// with it. Fields that the document does not name, or names wrongly, keep their values.
class SettingsReader {
public:
    /// Problems are added to `problems`, which must outlive this.
    explicit SettingsReader(std::vector<SettingsProblem>& problems) : problems_(problems) {}

    /// Reads an object into the fields. Returns the paths of those that the document names.
    std::vector<std::string> read(const boost::json::object& object, std::span<const Field> fields,
                                  const std::string& where = {}) {
        std::vector<std::string> found;
        read_group(object, fields, "", where, found);
        return found;
    }

    /// Reads one value into one field.
    void read_value(const boost::json::value& value, const Field& field, const std::string& where) {
        std::visit([&](auto* target) { read_into(value, *target, field, where); }, field.target);
    }

private:
    /// `inside` is the group's path in the struct, with a dot behind it; `where` the object's path
    /// in the document.
    void read_group(const boost::json::object& object, std::span<const Field> fields,
                    const std::string& inside, const std::string& where,
                    std::vector<std::string>& found) {
        for (const auto& [key, value] : object) {
            const std::string_view name = key;
            const std::string path = inside + std::string(name);
            const std::string at = join_path(where, name);
            // A key with a dot in it would otherwise reach into a group.
            const bool is_name = name.find('.') == std::string_view::npos;
            const auto field = std::find_if(fields.begin(), fields.end(),
                                            [&](const Field& f) { return f.path == path; });
            const bool is_group = std::any_of(fields.begin(), fields.end(), [&](const Field& f) {
                return f.path.starts_with(path + '.');
            });
            if (is_name && field != fields.end()) {
                read_value(value, *field, at);
                found.push_back(path);
            } else if (is_name && is_group && value.is_object()) {
                read_group(value.get_object(), fields, path + '.', at, found);
            } else if (is_name && is_group) {
                refuse(at, "must be an object with fields of its own, not " +
                               std::string(name_of_kind(value)));
            } else {
                refuse_unknown(name, fields, inside, at);
            }
        }
    }

    void refuse_unknown(std::string_view name, std::span<const Field> fields,
                        const std::string& inside, const std::string& at) {
        std::vector<std::string_view> known;
        std::vector<std::string> elsewhere;
        for (const Field& field : fields) {
            const std::string_view path = field.path;
            if (path.starts_with(inside)) {
                const std::string_view rest = path.substr(inside.size());
                const std::string_view here = rest.substr(0, rest.find('.'));
                if (known.empty() || known.back() != here)
                    known.push_back(here);
            }
            // Each group that the path goes through, and the field itself.
            for (std::size_t begin = 0; begin < path.size();) {
                const std::size_t end = std::min(path.find('.', begin), path.size());
                const std::string candidate(path.substr(0, end));
                if (without_style(path.substr(begin, end - begin)) == without_style(name) &&
                    std::find(elsewhere.begin(), elsewhere.end(), candidate) == elsewhere.end())
                    elsewhere.push_back(candidate);
                begin = end + 1;
            }
        }
        std::string message = "there is no such field";
        if (const auto nearest = nearest_names(name, known); !nearest.empty()) {
            message += "; did you mean " + quoted_alternatives(nearest) + "?";
        } else if (!elsewhere.empty()) {
            const std::vector<std::string_view> paths(elsewhere.begin(), elsewhere.end());
            message += " here; did you mean " + quoted_alternatives(paths) + "?";
        } else {
            message += "; there are " + quoted_alternatives(known);
        }
        refuse(at, std::move(message));
    }

    void refuse(std::string where, std::string message) {
        problems_.push_back({std::move(where), std::move(message)});
    }
    void refuse_kind(const std::string& where, const char* wanted,
                     const boost::json::value& value) {
        refuse(where,
               std::string("must be ") + wanted + ", not " + std::string(name_of_kind(value)));
    }

    void read_into(const boost::json::value& value, bool& target, const Field&,
                   const std::string& where) {
        if (value.is_bool())
            target = value.get_bool();
        else
            refuse_kind(where, "true or false", value);
    }

    void read_into(const boost::json::value& value, std::size_t& target, const Field&,
                   const std::string& where) {
        if (value.is_int64() && value.get_int64() >= 0)
            target = static_cast<std::size_t>(value.get_int64());
        else if (value.is_uint64())
            target = value.get_uint64();
        else if (value.is_number())
            refuse(where, "must be a whole number that is not negative");
        else
            refuse_kind(where, "a whole number", value);
    }

    void read_into(const boost::json::value& value, double& target, const Field&,
                   const std::string& where) {
        if (!value.is_number())
            return refuse_kind(where, "a number", value);
        const auto number = value.to_number<double>();
        if (std::isfinite(number))
            target = number;
        else
            refuse(where, "is too large for a number");
    }

    void read_into(const boost::json::value& value, Duration& target, const Field&,
                   const std::string& where) {
        if (value.is_number())
            return refuse(where, "must be a duration with its unit, such as \"30s\", not a number");
        if (!value.is_string())
            return refuse_kind(where, "a duration such as \"30s\"", value);
        const std::string_view text = value.get_string();
        if (const Result<Duration> duration = parse_duration(text))
            target = *duration;
        else
            refuse(where, quoted(text) + " is no duration such as \"30s\", \"500ms\" or \"1m30s\"");
    }

    void read_into(const boost::json::value& value, std::string& target, const Field& field,
                   const std::string& where) {
        if (!value.is_string())
            return refuse_kind(where, "a string", value);
        if (field.secrecy == Secrecy::secret && value.get_string() == masked_secret)
            return refuse_mask(where);
        target = value.get_string();
    }

    void read_into(const boost::json::value& value, std::vector<std::string>& target, const Field&,
                   const std::string& where) {
        if (!value.is_array())
            return refuse_kind(where, "a list of strings", value);
        std::vector<std::string> items;
        for (const boost::json::value& item : value.get_array()) {
            if (item.is_string())
                items.emplace_back(item.get_string());
            else
                refuse_kind(item_path(where, &item - value.get_array().data()), "a string", item);
        }
        target = std::move(items);
    }

    /// A list of objects.
    template <typename T>
    void read_into(const boost::json::value& value, std::vector<T>& target, const Field&,
                   const std::string& where) {
        if (!value.is_array())
            return refuse_kind(where, "a list of objects", value);
        std::vector<T> items;
        for (const boost::json::value& item : value.get_array()) {
            const std::string at = item_path(where, &item - value.get_array().data());
            T& added = items.emplace_back();
            if (item.is_object())
                read(item.get_object(), fields_of(added), at);
            else
                refuse_kind(at, "an object", item);
        }
        target = std::move(items);
    }

    void read_into(const boost::json::value& value, http::Credentials& target, const Field&,
                   const std::string& where) {
        if (!value.is_object())
            return refuse_kind(where, "an object such as {\"token_file\": \"path\"}", value);
        const boost::json::object& object = value.get_object();
        const std::size_t before = problems_.size();
        CredentialsText text;
        read(object, fields_of(text), where);
        const bool has_user = object.contains("user");
        const int kinds = int{object.contains("token_file")} + int{object.contains("token")} +
                          int{has_user || object.contains("password")};
        if (kinds > 1)
            refuse(where, "there must be only one of token_file, token, and user with password");
        else if (object.contains("password") && !has_user)
            refuse(where, "a password needs a user");
        if (problems_.size() > before)
            return;
        if (object.contains("token_file"))
            target = http::Credentials::bearer_file(std::move(text.token_file));
        else if (object.contains("token"))
            target = http::Credentials::bearer(std::move(text.token));
        else if (has_user)
            target = http::Credentials::basic(std::move(text.user), std::move(text.password));
        else
            target = {};
    }

    void read_into(const boost::json::value& value, boost::json::object& target, const Field&,
                   const std::string& where) {
        if (!value.is_object())
            return refuse_kind(where, "an object", value);
        target = value.get_object();
        refuse_masks(value, where);
    }

    /// Free objects hold secrets where nobody here knows of them.
    void refuse_masks(const boost::json::value& value, const std::string& where) {
        if (value.is_string() && value.get_string() == masked_secret) {
            refuse_mask(where);
        } else if (value.is_array()) {
            for (const boost::json::value& item : value.get_array())
                refuse_masks(item, item_path(where, &item - value.get_array().data()));
        } else if (value.is_object()) {
            for (const auto& [key, item] : value.get_object())
                refuse_masks(item, join_path(where, key));
        }
    }
    void refuse_mask(const std::string& where) {
        refuse(where, "*** stands for a secret that was left out of a dump; put the secret here");
    }

    static std::string item_path(const std::string& list, std::ptrdiff_t index) {
        return list + '[' + std::to_string(index) + ']';
    }

    std::vector<SettingsProblem>& problems_;
};

} // namespace wva_metrics::detail
