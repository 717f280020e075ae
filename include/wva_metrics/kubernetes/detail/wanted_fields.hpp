// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/resource.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace wva_metrics::kubernetes::detail {

/// The fields of an object that are read. All others are skipped, so that they cost no memory.
class WantedFields {
public:
    /// Those of one type: what `ResourceDefaults<T>::fields` lists, or all.
    template <typename T>
    static constexpr WantedFields of() {
        if constexpr (requires { ResourceDefaults<T>::fields; })
            return WantedFields(ResourceDefaults<T>::fields);
        else
            return WantedFields();
    }

    /// Whether a field of the object itself is wanted, or something in it.
    bool has(std::string_view name) const {
        return is_all_ || contains(always, name) ||
               std::ranges::any_of(fields_, [&](std::string_view field) {
                   return field == name || (field.starts_with(name) && field[name.size()] == '.');
               });
    }

    /// Whether a field of a wanted field is wanted.
    bool has(std::string_view parent, std::string_view name) const {
        if (parent == "metadata" && is_all_)
            return name != "managedFields";
        if (parent == "metadata" && contains(of_metadata, name))
            return true;
        return is_all_ || std::ranges::any_of(fields_, [&](std::string_view field) {
                   return field == parent || (field.size() == parent.size() + 1 + name.size() &&
                                              field.starts_with(parent) && field.ends_with(name) &&
                                              field[parent.size()] == '.');
               });
    }

private:
    /// The metadata, and the fields of a `Status`, which may be there instead of an object.
    static constexpr std::array<std::string_view, 5> always{"metadata", "kind", "code", "reason",
                                                            "message"};
    /// See `Metadata`.
    static constexpr std::array<std::string_view, 7> of_metadata{
        "namespace",        "name", "uid", "resourceVersion", "ownerReferences", "labels",
        "deletionTimestamp"};

    constexpr WantedFields() = default;
    constexpr explicit WantedFields(std::span<const std::string_view> fields)
        : is_all_(false), fields_(fields) {}

    static bool contains(std::span<const std::string_view> names, std::string_view name) {
        return std::ranges::find(names, name) != names.end();
    }

    bool is_all_ = true;
    std::span<const std::string_view> fields_;
};

} // namespace wva_metrics::kubernetes::detail
