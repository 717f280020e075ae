// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// The names that an object of the document may contain. `group` is the path of the object with a
/// dot at the end; empty for the document itself.
inline std::vector<std::string_view> names_in_group(std::span<const Field> fields,
                                                    std::string_view group) {
    std::vector<std::string_view> names;
    for (const Field& field : fields) {
        std::string_view path = field.path;
        if (!path.starts_with(group))
            continue;
        path.remove_prefix(group.size());
        const std::string_view name = path.substr(0, path.find('.'));
        if (names.empty() || names.back() != name)
            names.push_back(name);
    }
    return names;
}

/// The paths of the fields and groups with this name, in any style of spelling.
inline std::vector<std::string_view> paths_with_name(std::span<const Field> fields,
                                                     std::string_view name) {
    std::vector<std::string_view> paths;
    const std::string plain = without_style(name); // Once: a name may be as long as the document.
    for (const Field& field : fields) {
        const std::string_view path = field.path;
        for (std::size_t begin = 0; begin < path.size();) {
            const std::size_t end = std::min(path.find('.', begin), path.size());
            const std::string_view candidate = path.substr(0, end);
            if (without_style(path.substr(begin, end - begin)) == plain &&
                std::find(paths.begin(), paths.end(), candidate) == paths.end())
                paths.push_back(candidate);
            begin = end + 1;
        }
    }
    return paths;
}

/// The message for an unknown name in a group, with the nearest names, the right places, or all
/// names of the group.
inline std::string describe_unknown_field(std::string_view name, std::span<const Field> fields,
                                          std::string_view group) {
    const std::vector<std::string_view> names = names_in_group(fields, group);
    if (const auto nearest = nearest_names(name, names); !nearest.empty())
        return "unknown field; did you mean " + quoted_alternatives(nearest) + "?";
    if (const auto paths = paths_with_name(fields, name); !paths.empty())
        return "unknown field here; did you mean " + quoted_alternatives(paths) + "?";
    return "unknown field; expected " + quoted_alternatives(names);
}

} // namespace wva_metrics::detail
