// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::detail {

/// The longest name of a Kubernetes object (a DNS subdomain, RFC 1123).
inline constexpr std::size_t max_object_name_bytes = 253;
/// Much longer than any model id; servers take it from a command line.
inline constexpr std::size_t max_model_id_bytes = 4096;

/// A name as an error shows it: on one line, and not longer than a line.
inline std::string shown_name(std::string_view name) {
    constexpr std::size_t max_bytes = 100;
    return clean_text(name, max_bytes);
}

/// Why no cluster has a thing of this name; empty if one could. `what()` begins the sentence. It is
/// called only if there is a problem, so that a valid name costs no memory.
template <typename What>
std::optional<std::string> name_problem(const What& what, std::string_view name,
                                        std::size_t max_bytes) {
    if (name.empty())
        return what() + " is empty";
    if (name.size() > max_bytes)
        return what() + " has " + std::to_string(name.size()) + " bytes, more than " +
               std::to_string(max_bytes) + ": '" + shown_name(name) + "'";
    if (const auto invalid = find_invalid_utf8(name))
        return what() + " is not UTF-8 from byte " + std::to_string(*invalid) + " on: '" +
               shown_name(name) + "'";
    // The id of a model is the value of a label, which may have any character.
    if (max_bytes == max_model_id_bytes)
        return std::nullopt;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    if (const auto control = std::ranges::find_if(name, is_control); control != name.end())
        return what() + " has a control character at byte " +
               std::to_string(control - name.begin()) + ": '" + shown_name(name) + "'";
    return std::nullopt;
}

} // namespace wva_metrics::detail
