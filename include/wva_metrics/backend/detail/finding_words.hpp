// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/edit_distance.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

// The words of findings and verdicts.

namespace wva_metrics::detail {

/// A name in quotes, as far as people need it to recognise it.
inline std::string in_quotes(std::string_view name) {
    constexpr std::size_t max_bytes = 100;
    return "'" + clean_text(name, max_bytes) + "'";
}

inline std::string name_of(const ModelKey& model) {
    return "model " + in_quotes(model.model_id) + " in namespace " +
           in_quotes(model.namespace_name);
}

/// Up to five names in quotes, the first ones by alphabet.
inline std::string quoted_list(const std::set<std::string>& names) {
    constexpr std::size_t max_named = 5;
    std::string text;
    std::size_t named = 0;
    for (const std::string& name : names) {
        if (name.empty() || named == max_named)
            continue;
        text += (named == 0 ? "" : ", ") + in_quotes(name);
        ++named;
    }
    return text;
}

/// A number and what it counts, e.g. `1 pod`, `2 pods`.
inline std::string count_of(std::size_t number, std::string_view noun) {
    return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

/// The name that is the most similar; empty if there is none. One that contains the other, such as
/// `meta/Llama-3` of `Llama-3`, is nearer than any other.
inline std::string nearest_of(std::string_view name, const std::set<std::string>& known) {
    // The time is quadratic in the length, and linear in the number.
    constexpr std::size_t longest = 200;
    constexpr std::size_t most = 1000;
    std::string nearest;
    std::size_t best = static_cast<std::size_t>(-1);
    std::size_t seen = 0;
    const std::string_view cut = name.substr(0, longest);
    for (const std::string& candidate : known) {
        if (candidate.empty() || ++seen > most)
            continue;
        const std::string_view other = std::string_view(candidate).substr(0, longest);
        // A few letters are in many names.
        constexpr std::size_t fewest = 4;
        const bool contains = std::min(cut.size(), other.size()) >= fewest &&
                              (other.find(cut) != std::string_view::npos ||
                               cut.find(other) != std::string_view::npos);
        const std::size_t distance = contains ? 0 : edit_distance(cut, other);
        if (distance < best) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

/// E.g. `2 pods ('a', 'b')`.
inline std::string named_pods(const std::set<std::string>& pods) {
    const std::string names = quoted_list(pods);
    return count_of(pods.size(), "pod") + (names.empty() ? "" : " (" + names + ")");
}

} // namespace wva_metrics::detail
