// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// The labels of an object, by their names. Look-ups by `std::string_view` allocate nothing.
using Labels = std::map<std::string, std::string, std::less<>>;

/// Who an object belongs to; always an object in the same namespace, or one without a namespace.
struct OwnerReference {
    /// E.g. `ReplicaSet`.
    std::string kind;
    /// The owner's name, which a later object may bear as well.
    std::string name;
    /// The owner itself, whatever its name: no two objects of a cluster ever have the same.
    std::string uid;
    /// Whether this owner manages the object. At most one of an object's owners does.
    bool controller = false;

    /// Equal where all members are.
    friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

/// What all objects of a cluster have. Only the name is never empty.
struct Metadata {
    /// Empty for objects that live in no namespace.
    std::string namespace_name;
    /// Unique among the objects of one kind in one namespace at one time.
    std::string name;
    /// Tells an object from a later one of the same name.
    std::string uid;
    /// Changes with every change of the object. Opaque: it may be compared for equality only.
    std::string resource_version;
    /// Who it belongs to, as the API server lists them.
    std::vector<OwnerReference> owners;
    /// Its labels.
    Labels labels;
    /// Somebody has deleted it, and it is on its way out: it has a `deletionTimestamp`.
    bool being_deleted = false;

    /// The owner that manages the object; null where there is none. Valid as long as the metadata
    /// is not changed.
    const OwnerReference* controller() const noexcept {
        for (const OwnerReference& owner : owners) {
            if (owner.controller)
                return &owner;
        }
        return nullptr;
    }

    /// Equal where all members are.
    friend bool operator==(const Metadata&, const Metadata&) = default;
};

} // namespace wva_metrics::kubernetes
