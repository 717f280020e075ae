// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/promql/parse_matchers.hpp"
#include "wva_metrics/settings/detail/document_path.hpp"
#include "wva_metrics/settings/detail/engine_by_name.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/read_scalar.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/unknown_field.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// Stores the values of a document in the fields of a struct and collects all problems. A field
/// that the document does not contain, or whose value is invalid, keeps its value.
class SettingsReader {
public:
    /// Appends to `problems`, and to `warnings` if it is not null; they must outlive the reader.
    /// What is meant by an unknown field is only guessed for the problems that are reported in
    /// words, because guessing is slow.
    explicit SettingsReader(std::vector<SettingsProblem>& problems,
                            std::vector<SettingsProblem>* warnings = nullptr,
                            const DocumentLimits& limits = {})
        : problems_(problems), warnings_(warnings), limits_(limits) {}

    /// Reads an object into the fields. `path` is the path of the object, for messages. Returns the
    /// paths of the fields that the object contains.
    std::vector<std::string> read(const boost::json::object& object, std::span<const Field> fields,
                                  const std::string& path = {}) {
        std::vector<std::string> found;
        read_group(object, fields, "", path, found);
        return found;
    }

    /// Reads one value into one field. `path` is the path of the value, for messages.
    void read_value(const boost::json::value& value, const Field& field, const std::string& path) {
        std::visit([&](auto* target) { read_into(value, *target, field, path); }, field.target);
    }

private:
    /// `group` is the path of the object in the struct, with a dot at the end. `object_path` is its
    /// path in the document; it differs if the object is an item of a list.
    void read_group(const boost::json::object& object, std::span<const Field> fields,
                    const std::string& group, const std::string& object_path,
                    std::vector<std::string>& found) {
        for (const auto& [key, value] : object) {
            const std::string_view name = key;
            const std::string field_path = group + std::string(name);
            const std::string path = join_path(object_path, name);
            // A key that contains a dot would otherwise be found in an inner group.
            const bool is_name = name.find('.') == std::string_view::npos;
            const auto field = std::find_if(fields.begin(), fields.end(), [&](const Field& f) {
                return !name.empty() && (f.path == field_path || f.deprecated_path == field_path);
            });
            const std::string inner_group = field_path + '.';
            const bool is_group = std::any_of(fields.begin(), fields.end(), [&](const Field& f) {
                return f.path.starts_with(inner_group);
            });
            if (is_name && field != fields.end()) {
                if (field->path != field_path && !accept_deprecated(object, *field, path))
                    continue;
                read_value(value, *field, path);
                found.push_back(field->path);
            } else if (is_name && is_group && value.is_object()) {
                if (is_engine_group(field_path))
                    begin_with_engine(value.get_object(), fields, field_path, path, found);
                read_group(value.get_object(), fields, inner_group, path, found);
            } else if (is_name && is_group && is_engine_group(field_path) && value.is_string()) {
                read_engine(value.get_string(), fields, field_path, path, found);
            } else if (is_name && is_group) {
                reject(path, wrong_kind("an object with fields", value));
            } else {
                reject(path, problems_.size() < limits_.max_problems
                                 ? describe_unknown_field(name, fields, group)
                                 : "unknown field");
            }
        }
    }

    /// An engine by its name.
    void read_engine(std::string_view name, std::span<const Field> fields, const std::string& group,
                     const std::string& path, std::vector<std::string>& found) {
        const std::optional<KnownEngine> engine = find_engine(name);
        if (!engine)
            return reject(path, describe_unknown_engine(name));
        EngineProfile profile = profile_of(*engine);
        for (std::string& set : set_engine_fields(fields, group, fields_of(profile)))
            found.push_back(std::move(set));
    }

    /// If the object has the name of a known engine, its other fields change what that has.
    void begin_with_engine(const boost::json::object& object, std::span<const Field> fields,
                           const std::string& group, const std::string& path,
                           std::vector<std::string>& found) {
        const boost::json::value* const name = object.if_contains("name");
        if (name != nullptr && name->is_string() && find_engine(name->get_string()))
            read_engine(name->get_string(), fields, group, path, found);
    }

    /// Warns of an old name; false if the object contains the new name too.
    bool accept_deprecated(const boost::json::object& object, const Field& field,
                           const std::string& path) {
        const std::string_view new_name = name_of(field.path);
        const std::string message = "is the deprecated name of \"" + std::string(new_name) + "\"; ";
        if (object.contains(new_name)) {
            reject(path, message + "both are set: remove the deprecated one");
            return false;
        }
        if (warnings_ != nullptr)
            warnings_->push_back({path, message + "use the new name"});
        return true;
    }

    template <typename T>
    static constexpr bool has_url = requires(T item) {
        item.url;
    };

    void reject(std::string path, std::string message) {
        problems_.push_back({std::move(path), std::move(message)});
    }
    void reject_mask(const std::string& path) {
        reject(path, "*** is the placeholder for a secret in a dump; replace it with the secret");
    }

    /// A boolean, a number, a duration, or another single value.
    template <typename T>
    void read_into(const boost::json::value& value, T& target, const Field&,
                   const std::string& path) {
        if (std::string problem = read_scalar(value, target); !problem.empty())
            reject(path, std::move(problem));
    }

    void read_into(const boost::json::value& value, std::string& target, const Field& field,
                   const std::string& path) {
        if (!value.is_string())
            return reject(path, wrong_kind("a string", value));
        if (field.secrecy == Secrecy::secret && value.get_string() == masked_secret)
            return reject_mask(path);
        target = value.get_string();
    }

    void read_into(const boost::json::value& value, std::vector<std::string>& target, const Field&,
                   const std::string& path) {
        if (!value.is_array())
            return reject(path, wrong_kind("a list of strings", value));
        const boost::json::array& list = value.get_array();
        std::vector<std::string> items;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (list[i].is_string())
                items.emplace_back(list[i].get_string());
            else
                reject(item_path(path, i), wrong_kind("a string", list[i]));
        }
        target = std::move(items);
    }

    void read_into(const boost::json::value& value, std::vector<promql::Matcher>& target,
                   const Field&, const std::string& path) {
        if (!value.is_string())
            return reject(path, wrong_kind(R"(a string such as "cluster='eu'")", value));
        Result<std::vector<promql::Matcher>> matchers = promql::parse_matchers(value.get_string());
        if (matchers.has_error())
            return reject(path, matchers.error().message);
        target = *std::move(matchers);
    }

    void read_into(const boost::json::value& value, prometheus::Flavor& target, const Field&,
                   const std::string& path) {
        if (!value.is_string())
            return reject(path, wrong_kind("a string", value));
        const auto flavor = prometheus::parse_flavor(value.get_string());
        if (!flavor)
            return reject(path, "must be one of " + prometheus::flavor_list());
        target = *flavor;
    }

    /// A list of objects. For one that has a URL, the URL alone is enough.
    template <typename T>
    void read_into(const boost::json::value& value, std::vector<T>& target, const Field&,
                   const std::string& path) {
        if (!value.is_array())
            return reject(
                path,
                wrong_kind(has_url<T> ? "a list of URLs or objects" : "a list of objects", value));
        const boost::json::array& list = value.get_array();
        std::vector<T> items;
        for (std::size_t i = 0; i < list.size(); ++i) {
            T& added = items.emplace_back();
            if (list[i].is_object()) {
                read(list[i].get_object(), fields_of(added), item_path(path, i));
                continue;
            }
            if constexpr (has_url<T>)
                if (list[i].is_string()) {
                    added.url = list[i].get_string();
                    continue;
                }
            reject(item_path(path, i),
                   wrong_kind(has_url<T> ? "a URL or an object" : "an object", list[i]));
        }
        target = std::move(items);
    }

    void read_into(const boost::json::value& value, http::Credentials& target, const Field&,
                   const std::string& path) {
        if (!value.is_object())
            return reject(path, wrong_kind("an object such as {\"token_file\": \"path\"}", value));
        const boost::json::object& object = value.get_object();
        const std::size_t problems_before = problems_.size();
        CredentialsText text;
        read(object, fields_of(text), path);
        const bool has_user = object.contains("user");
        const int kinds = int{object.contains("token_file")} + int{object.contains("token")} +
                          int{has_user || object.contains("password")};
        if (kinds > 1)
            reject(path, "set only one of token_file, token, and user with password");
        else if (object.contains("password") && !has_user)
            reject(path, "password needs user");
        if (problems_.size() > problems_before)
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
                   const std::string& path) {
        if (!value.is_object())
            return reject(path, wrong_kind("an object", value));
        target = value.get_object();
        reject_masks(value, path);
    }

    /// Any string of a free object may be a secret.
    void reject_masks(const boost::json::value& value, const std::string& path) {
        if (value.is_string() && value.get_string() == masked_secret) {
            reject_mask(path);
        } else if (value.is_array()) {
            for (std::size_t i = 0; i < value.get_array().size(); ++i)
                reject_masks(value.get_array()[i], item_path(path, i));
        } else if (value.is_object()) {
            for (const auto& [key, item] : value.get_object())
                reject_masks(item, join_path(path, key));
        }
    }

    std::vector<SettingsProblem>& problems_;
    std::vector<SettingsProblem>* warnings_;
    DocumentLimits limits_;
};

} // namespace wva_metrics::detail
