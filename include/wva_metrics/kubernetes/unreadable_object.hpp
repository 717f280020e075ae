// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes {

/// An object that could not be read: a field has the wrong type, it nests too deep, or it is too
/// large. It exists; only what it says is unknown.
struct UnreadableObject {
    /// Empty if the object has none, or if it could not be found.
    std::string namespace_name;
    /// Empty if it could not be found.
    std::string name;
    /// What is wrong with it: one sentence, which names the object.
    std::string problem;

    /// Equal if all members are.
    friend bool operator==(const UnreadableObject&, const UnreadableObject&) = default;
};

/// The unreadable objects of a list.
struct UnreadableObjects {
    /// How many are named at most, so that a broken list does not fill the memory.
    static constexpr std::size_t max_named = 1000;

    /// Number of all of them.
    std::size_t count = 0;
    /// The first of them, in the server's order.
    std::vector<UnreadableObject> first;

    /// Adds one.
    void add(UnreadableObject object) {
        ++count;
        if (first.size() < max_named)
            first.push_back(std::move(object));
    }
    /// Adds those of the next page of the list.
    void add(UnreadableObjects page) {
        const std::size_t unnamed = page.count - page.first.size();
        for (UnreadableObject& object : page.first)
            add(std::move(object));
        count += unnamed;
    }
    /// Whether the namespace and the name of each are known.
    bool are_all_named() const {
        bool named = count == first.size();
        for (const UnreadableObject& object : first)
            named = named && !object.name.empty();
        return named;
    }
};

} // namespace wva_metrics::kubernetes
