// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes::detail {

/// Whether a namespace can have this name, or it is empty and means all namespaces.
inline bool is_namespace_name(std::string_view name) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    return name.size() <= 63 && name.find_first_not_of(allowed) == std::string_view::npos &&
           !name.starts_with('-') && !name.ends_with('-');
}

/// What is wrong with the name of a namespace, as a sentence that begins with its field.
inline std::string namespace_problem(const std::string& field) {
    return field + " must be empty (all namespaces) or the name of a namespace: at most 63 " +
           "lower-case letters, digits and -, with no - at its ends";
}

} // namespace wva_metrics::kubernetes::detail
