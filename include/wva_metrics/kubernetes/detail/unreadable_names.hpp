// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/unreadable_object.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Which known objects a list may lack only because they could not be read. They are not gone.
class UnreadableNames {
public:
    /// All objects could be read.
    UnreadableNames() = default;
    explicit UnreadableNames(const UnreadableObjects& objects)
        : are_complete_(objects.are_all_named()) {
        for (const UnreadableObject& object : objects.first)
            names_.emplace(object.namespace_name, object.name);
    }

    /// Whether the object exists, but could not be read.
    bool contains(std::string_view namespace_name, std::string_view name) const {
        return names_.contains({std::string(namespace_name), std::string(name)});
    }
    /// The same, or it may be one of those whose names are unknown.
    bool may_contain(std::string_view namespace_name, std::string_view name) const {
        return !are_complete_ || contains(namespace_name, name);
    }

    auto begin() const { return names_.begin(); }
    auto end() const { return names_.end(); }

private:
    bool are_complete_ = true;
    std::set<std::pair<std::string, std::string>> names_;
};

/// For people: how many objects of a list are left out, and which, as far as a line can say it.
inline std::string describe(const UnreadableObjects& objects, const std::string& resource) {
    constexpr std::size_t shown = 3;
    std::string text = std::to_string(objects.count) + " of the listed " + resource +
                       " could not be read and are left out";
    std::string_view separator = ": ";
    for (std::size_t i = 0; i < std::min(shown, objects.first.size()); ++i) {
        text.append(separator).append(objects.first[i].problem);
        separator = "; ";
    }
    if (objects.count > shown)
        text += "; and " + std::to_string(objects.count - shown) + " more";
    return text;
}

} // namespace wva_metrics::kubernetes::detail
