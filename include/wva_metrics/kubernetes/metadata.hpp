// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// The labels of an object, by name. Look-ups by `std::string_view` do not allocate.
using Labels = std::map<std::string, std::string, std::less<>>;

/// An owner of an object. It is in the same namespace, or in none.
struct OwnerReference {
    /// E.g. `ReplicaSet`.
    std::string kind;
    /// The owner's name. A later object may have the same name.
    std::string name;
    /// The owner's identity: no two objects of a cluster ever have the same.
    std::string uid;
    /// This owner manages the object. At most one of an object's owners does.
    bool controller = false;

    /// Equal if all members are.
    friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

/// The metadata of an object. Only the name is never empty.
struct Metadata {
    /// Empty for objects without a namespace.
    std::string namespace_name;
    /// Unique among the objects of one kind in one namespace at one time.
    std::string name;
    /// Distinguishes an object from a later one with the same name.
    std::string uid;
    /// Changes with every change of the object. Opaque: compare it for equality only.
    std::string resource_version;
    /// Its owners, in the API server's order.
    std::vector<OwnerReference> owners;
    /// Its labels.
    Labels labels;
    /// It has a `deletionTimestamp`: its deletion was requested and is in progress.
    bool being_deleted = false;

    /// The owner that manages the object; null if there is none. Valid until the metadata changes.
    const OwnerReference* controller() const noexcept {
        for (const OwnerReference& owner : owners) {
            if (owner.controller)
                return &owner;
        }
        return nullptr;
    }

    /// Equal if all members are.
    friend bool operator==(const Metadata&, const Metadata&) = default;
};

} // namespace wva_metrics::kubernetes
