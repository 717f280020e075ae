// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/settings/detail/field.hpp"
#include "wva_metrics/settings/detail/nearest_name.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// A group of fields that a document may also give by the name of a kind of server.
inline bool is_engine_group(std::string_view path) noexcept {
    return path == "prometheus.engine" || path == "pods.engine";
}

/// Why a name is that of no kind of server, with what may have been meant.
inline std::string describe_unknown_engine(std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(known_engines.size());
    for (const KnownEngineTable& known : known_engines)
        names.push_back(known.table->name);
    if (const auto nearest = nearest_names(name, names); !nearest.empty())
        return "unknown engine; did you mean " + quoted_alternatives(nearest) + "?";
    return "unknown engine; expected " + quoted_alternatives(names) +
           ", or an object with metric names";
}

/// Sets the fields of a group to those of a kind of server, and returns their paths. The names
/// of kube-state-metrics stay as they are, because they do not depend on it. `chosen` are the fields
/// of its profile, by their paths in it.
inline std::vector<std::string> set_engine_fields(std::span<const Field> fields,
                                                  const std::string& group,
                                                  std::span<const Field> chosen) {
    std::vector<std::string> paths;
    for (const Field& from : chosen) {
        const std::string path = group + '.' + from.path;
        const auto to = std::find_if(fields.begin(), fields.end(),
                                     [&](const Field& field) { return field.path == path; });
        if (to == fields.end() || from.path.starts_with("kube_state."))
            continue;
        std::visit(
            [&](auto* target) {
                using Value = std::remove_pointer_t<decltype(target)>;
                *target = *std::get<Value*>(from.target);
            },
            to->target);
        paths.push_back(path);
    }
    return paths;
}

} // namespace wva_metrics::detail
