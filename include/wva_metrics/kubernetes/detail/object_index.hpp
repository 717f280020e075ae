// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/metadata.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Facts about the objects of one kind, by namespace and name, and by uid. Does no I/O; not
/// thread-safe.
///
/// `Facts` has a member `uid`. No two objects ever share one; objects without a uid are found by
/// name only.
template <typename Facts>
class ObjectIndex {
public:
    /// By name.
    using InNamespace = std::map<std::string, Facts, std::less<>>;
    /// By namespace and name. Maps, because pointers to their elements stay valid.
    using Objects = std::map<std::string, InNamespace, std::less<>>;

    /// The facts about an object, new or to be changed. Their uid is set.
    Facts& put(const Metadata& metadata) {
        Facts& facts = objects_[metadata.namespace_name][metadata.name];
        set_uid(facts, metadata.uid);
        return facts;
    }
    /// Puts back an object that `take` has returned.
    Facts& put_back(const std::string& namespace_name, const std::string& name, Facts taken) {
        Facts& facts = objects_[namespace_name][name];
        set_uid(facts, taken.uid);
        return facts = std::move(taken);
    }

    /// Removes an object, but not a later one with the same name. Returns whether it existed.
    bool erase(const Metadata& metadata) {
        const auto found = objects_.find(metadata.namespace_name);
        if (found == objects_.end())
            return false;
        const auto entry = found->second.find(metadata.name);
        if (entry == found->second.end() || entry->second.uid != metadata.uid)
            return false;
        by_uid_.erase(entry->second.uid);
        found->second.erase(entry);
        return true;
    }

    /// Removes and returns the objects in one namespace, or (empty) in all.
    Objects take(std::string_view namespace_name) {
        Objects taken;
        if (namespace_name.empty())
            taken = std::exchange(objects_, {});
        else if (const auto found = objects_.find(namespace_name); found != objects_.end())
            taken.insert(objects_.extract(found));
        for (const auto& [name_space, inside] : taken)
            for (const auto& [name, facts] : inside)
                by_uid_.erase(facts.uid);
        return taken;
    }

    /// Null if there is no such object. Its uid must not be changed.
    Facts* find(std::string_view namespace_name, std::string_view name) {
        return const_cast<Facts*>(std::as_const(*this).find(namespace_name, name));
    }
    /// Null if there is no such object.
    const Facts* find(std::string_view namespace_name, std::string_view name) const {
        const InNamespace* const inside = find_namespace(namespace_name);
        if (inside == nullptr)
            return nullptr;
        const auto entry = inside->find(name);
        return entry == inside->end() ? nullptr : &entry->second;
    }
    /// Null if there is no such object.
    const Facts* find_uid(std::string_view uid) const {
        const auto found = by_uid_.find(uid);
        return found == by_uid_.end() ? nullptr : found->second;
    }
    /// Null if the namespace never had an object.
    const InNamespace* find_namespace(std::string_view namespace_name) const {
        const auto found = objects_.find(namespace_name);
        return found == objects_.end() ? nullptr : &found->second;
    }

    std::size_t size() const noexcept {
        std::size_t objects = 0;
        for (const auto& [namespace_name, inside] : objects_)
            objects += inside.size();
        return objects;
    }

private:
    void set_uid(Facts& facts, const std::string& uid) {
        by_uid_.erase(facts.uid);
        facts.uid = uid;
        if (!uid.empty())
            by_uid_.insert_or_assign(uid, &facts);
    }

    Objects objects_;
    std::map<std::string, const Facts*, std::less<>> by_uid_;
};

} // namespace wva_metrics::kubernetes::detail
