// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/label_selector.hpp"
#include "wva_metrics/kubernetes/metadata.hpp"

#include <cstddef>
#include <string>

// About how much memory objects take. Rounded up, because what an allocator adds is not known.

namespace wva_metrics::kubernetes::detail {

/// What an allocation takes beside the bytes that were asked for.
inline constexpr std::size_t allocation_bytes = 16;

/// The memory of a text, beside the object itself.
inline std::size_t held_beside(const std::string& text) noexcept {
    static const std::size_t inside = std::string().capacity();
    return text.capacity() > inside ? text.capacity() + 1 + allocation_bytes : 0;
}

/// The memory of labels or annotations, beside the map itself.
inline std::size_t held_beside(const Labels& labels) noexcept {
    // An entry of a tree has three pointers and a color.
    constexpr std::size_t entry = sizeof(Labels::value_type) + 4 * sizeof(void*) + allocation_bytes;
    std::size_t bytes = 0;
    for (const auto& [name, value] : labels)
        bytes += entry + held_beside(name) + held_beside(value);
    return bytes;
}

/// The memory of a selector, beside the object itself.
inline std::size_t held_beside(const LabelSelector& selector) noexcept {
    std::size_t bytes = held_beside(selector.match_labels);
    for (const LabelRequirement& requirement : selector.match_expressions) {
        bytes += sizeof(LabelRequirement) + held_beside(requirement.key);
        for (const std::string& value : requirement.values)
            bytes += sizeof(std::string) + held_beside(value);
    }
    return bytes;
}

/// The memory of metadata, beside the object itself.
inline std::size_t held_beside(const Metadata& metadata) noexcept {
    std::size_t bytes = held_beside(metadata.namespace_name) + held_beside(metadata.name) +
                        held_beside(metadata.uid) + held_beside(metadata.resource_version) +
                        held_beside(metadata.labels);
    for (const OwnerReference& owner : metadata.owners)
        bytes += sizeof(OwnerReference) + held_beside(owner.kind) + held_beside(owner.name) +
                 held_beside(owner.uid);
    return bytes;
}

/// The memory of an object. Of a type of the user's own, only its metadata is known.
template <typename T>
std::size_t held_bytes(const T& object) noexcept {
    std::size_t bytes = sizeof(T) + held_beside(object.metadata);
    if constexpr (requires { object.selector->match_labels; })
        bytes += object.selector ? held_beside(*object.selector) : 0;
    if constexpr (requires { object.model_id; })
        bytes += held_beside(object.model_id) + held_beside(object.target_name);
    if constexpr (requires { object.annotations; }) {
        bytes += held_beside(object.annotations) + held_beside(object.address);
        for (const auto& port : object.ports)
            bytes += sizeof(port) + held_beside(port.name);
    }
    return bytes;
}

} // namespace wva_metrics::kubernetes::detail
