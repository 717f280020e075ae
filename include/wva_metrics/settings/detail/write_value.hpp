// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/layered_config.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/secrets.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

boost::json::object write_fields(const std::vector<Field>& fields, Secrets secrets);

/// Converts the value of one field to JSON.
struct ValueWriter {
    const Field& field;
    Secrets secrets;

    boost::json::value operator()(const bool* value) const { return *value; }
    boost::json::value operator()(const std::size_t* value) const { return *value; }
    boost::json::value operator()(const double* value) const { return *value; }
    boost::json::value operator()(const Duration* value) const {
        return boost::json::value(format_duration(*value));
    }
    boost::json::value operator()(const std::string* value) const {
        // An invalid URL may contain a secret.
        const bool is_hidden =
            secrets == Secrets::masked && !value->empty() &&
            (field.secrecy == Secrecy::secret ||
             (field.secrecy == Secrecy::url && http::parse_url(*value).has_error()));
        return boost::json::value(is_hidden ? masked_secret : std::string_view(*value));
    }
    boost::json::value operator()(const std::vector<std::string>* value) const {
        boost::json::array list;
        for (const std::string& item : *value)
            list.emplace_back((*this)(&item));
        return list;
    }
    boost::json::value operator()(const std::vector<promql::Matcher>* value) const {
        return boost::json::value(promql::to_string(*value));
    }
    boost::json::value operator()(const prometheus::Flavor* value) const {
        return boost::json::value(prometheus::to_string(*value));
    }
    boost::json::value operator()(const std::optional<PodOwner>* value) const {
        return boost::json::value(*value ? (*value)->kind + '/' + (*value)->name : std::string());
    }
    boost::json::value operator()(const OptionalReadingSet* value) const {
        boost::json::array list;
        for (const OptionalReadingInfo& info : optional_readings)
            if (value->contains(info.reading))
                list.emplace_back(info.name);
        return list;
    }
    boost::json::value operator()(const OnDispute* value) const {
        return boost::json::value(to_string(*value));
    }
    template <typename T>
    boost::json::value operator()(const std::vector<T>* value) const {
        boost::json::array list;
        for (T item : *value)
            list.emplace_back(write_fields(fields_of(item), secrets));
        return list;
    }
    boost::json::value operator()(const http::Credentials* value) const {
        using Kind = http::Credentials::Kind;
        const auto secret = [&](const std::string& text) {
            return boost::json::value(secrets == Secrets::masked ? masked_secret
                                                                 : std::string_view(text));
        };
        boost::json::object object;
        switch (value->kind()) {
        case Kind::none:
        case Kind::bearer_provider: // Code, not data.
            break;
        case Kind::bearer:
            object["token"] = secret(value->subject());
            break;
        case Kind::bearer_file:
            object["token_file"] = value->subject();
            break;
        case Kind::basic:
            object["user"] = value->subject();
            object["password"] = secret(value->password());
            break;
        }
        return object;
    }
    boost::json::value operator()(const boost::json::object* value) const {
        boost::json::value copy(*value);
        if (secrets == Secrets::masked)
            mask_strings(copy);
        return copy;
    }

private:
    /// Masks all strings, because any of them may be a secret.
    static void mask_strings(boost::json::value& value) {
        if (value.is_string()) {
            value = masked_secret;
        } else if (value.is_array()) {
            for (boost::json::value& item : value.get_array())
                mask_strings(item);
        } else if (value.is_object()) {
            for (auto& item : value.get_object())
                mask_strings(item.value());
        }
    }
};

/// The value of a field as JSON.
inline boost::json::value write_value(const Field& field, Secrets secrets) {
    return std::visit(ValueWriter{field, secrets}, field.target);
}

/// An object with all fields; groups are inner objects.
inline boost::json::object write_fields(const std::vector<Field>& fields, Secrets secrets) {
    boost::json::object root;
    for (const Field& field : fields) {
        boost::json::object* group = &root;
        std::string_view path = field.path;
        for (std::size_t dot = path.find('.'); dot != std::string_view::npos;
             dot = path.find('.')) {
            boost::json::value& inner = (*group)[path.substr(0, dot)];
            group = inner.is_object() ? &inner.get_object() : &inner.emplace_object();
            path.remove_prefix(dot + 1);
        }
        (*group)[path] = write_value(field, secrets);
    }
    return root;
}

} // namespace wva_metrics::detail
