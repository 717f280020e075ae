// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/read_variant.hpp"
#include "wva_metrics/kubernetes/detail/unreadable_names.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"
#include "wva_metrics/kubernetes/variants_change.hpp"
#include "wva_metrics/workload.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes::detail {

/// The variants of a cluster. Translates changes of objects into changes of variants and models. The
/// cost of a change of one object does not depend on how many there are.
///
/// Does no I/O; not thread-safe.
class VariantSet {
public:
    /// Replaces all objects. Variants whose objects could not be read stay as they are.
    VariantsChange set_all(const std::vector<VariantAutoscalingObject>& objects,
                           const UnreadableNames& unreadable = {}) {
        std::set<VariantKey> listed;
        for (const VariantAutoscalingObject& object : objects)
            listed.insert(key_of(object));
        const auto is_gone = [&](const VariantKey& key) {
            return !listed.contains(key) && !unreadable.may_contain(key.namespace_name, key.name);
        };
        Change change(*this);
        for (auto known = variants_.begin(); known != variants_.end();) {
            const VariantKey& key = (known++)->first;
            if (is_gone(key))
                change.remove(VariantKey(key));
        }
        std::erase_if(warnings_, [&](const auto& warning) { return is_gone(warning.first); });
        for (const VariantAutoscalingObject& object : objects)
            change.put(object);
        return std::move(change).take();
    }
    /// Adds or changes an object.
    VariantsChange set(const VariantAutoscalingObject& object) {
        Change change(*this);
        change.put(object);
        return std::move(change).take();
    }
    /// An object that could not be read: its variant stays as it is.
    VariantsChange keep(const UnreadableObject& object) {
        Change change(*this);
        change.warn({object.namespace_name, object.name},
                    "variant autoscaling: " + object.problem + "; its last known state stays");
        return std::move(change).take();
    }
    /// Removes an object.
    VariantsChange erase(const VariantAutoscalingObject& object) {
        warnings_.erase(key_of(object));
        Change change(*this);
        change.remove(key_of(object));
        return std::move(change).take();
    }

    /// All variants, sorted by namespace and name.
    std::vector<VariantAutoscaling> all() const {
        std::vector<VariantAutoscaling> variants;
        variants.reserve(variants_.size());
        for (const auto& [key, variant] : variants_)
            variants.push_back(variant);
        return variants;
    }

private:
    static VariantKey key_of(const VariantAutoscalingObject& object) {
        return {object.metadata.namespace_name, object.metadata.name};
    }

    /// A change in progress.
    class Change {
    public:
        explicit Change(VariantSet& set) : set_(set) {}

        void put(const VariantAutoscalingObject& object) {
            ReadVariant read = read_variant(object);
            const VariantKey key = key_of(object);
            if (read.warning.empty())
                set_.warnings_.erase(key);
            else
                warn(key, std::move(read.warning));
            if (!read.variant) {
                remove(key);
                return;
            }
            const auto [known, is_new] = set_.variants_.try_emplace(key, *read.variant);
            if (!is_new) {
                if (known->second == *read.variant)
                    return;
                uncount(known->second.model());
                known->second = *read.variant;
            }
            count(read.variant->model());
            change_.upserted.push_back(*std::move(read.variant));
        }

        void remove(const VariantKey& key) {
            const auto known = set_.variants_.find(key);
            if (known == set_.variants_.end())
                return;
            uncount(known->second.model());
            set_.variants_.erase(known);
            change_.removed.push_back(key);
        }

        /// Reports a problem of an object, unless it has the same already.
        void warn(const VariantKey& key, std::string warning) {
            std::string& last = set_.warnings_[key];
            if (last == warning)
                return;
            change_.warnings.push_back(warning);
            last = std::move(warning);
        }

        /// The change, complete. Call once.
        VariantsChange take() && {
            for (const auto& [model, had_variants] : models_before_) {
                const bool has_variants = set_.models_.contains(model);
                if (has_variants && !had_variants)
                    change_.new_models.push_back(model);
                if (had_variants && !has_variants)
                    change_.removed_models.push_back(model);
            }
            return std::move(change_);
        }

    private:
        void count(const ModelKey& model) {
            const auto [found, is_new] = set_.models_.try_emplace(model, 0);
            ++found->second;
            models_before_.try_emplace(model, !is_new);
        }
        void uncount(const ModelKey& model) {
            models_before_.try_emplace(model, true);
            const auto found = set_.models_.find(model);
            if (--found->second == 0)
                set_.models_.erase(found);
        }

        VariantSet& set_;
        VariantsChange change_;
        /// Of the models of changed variants: whether they had any before the change.
        std::map<ModelKey, bool> models_before_;
    };

    std::map<VariantKey, VariantAutoscaling> variants_;
    /// How many variants each model has.
    std::map<ModelKey, std::size_t> models_;
    /// The last warning about each object.
    std::map<VariantKey, std::string> warnings_;
};

} // namespace wva_metrics::kubernetes::detail
