// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/variants_change.hpp"
#include "wva_metrics/workload.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes::detail {

/// A variant, if the object describes one. The warning tells what is wrong with the object.
struct ReadVariant {
    std::optional<VariantAutoscaling> variant;
    std::string warning;
};

/// Parses a cost per hour: a finite number that is not negative, without other text.
inline std::optional<double> parse_cost(std::string_view text) {
    double cost = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(cost) ||
        cost < 0)
        return std::nullopt;
    return cost;
}

/// Reads a variant from an object. Missing fields get their defaults.
inline ReadVariant read_variant(const VariantAutoscalingObject& object) {
    const Metadata& metadata = object.metadata;
    const std::string which =
        "variant autoscaling " + metadata.namespace_name + '/' + metadata.name;
    ReadVariant read;
    if (object.model_id.empty() || object.target_name.empty()) {
        read.warning = which + " has no " +
                       (object.model_id.empty() ? "spec.modelID" : "spec.scaleTargetRef.name") +
                       " and is ignored";
        return read;
    }
    VariantAutoscaling& variant = read.variant.emplace(
        metadata.namespace_name, metadata.name, object.model_id, object.target_name,
        object.accelerator, default_variant_cost,
        object.target_kind.empty() ? std::string(default_target_kind) : object.target_kind);
    if (object.variant_cost) {
        if (const std::optional<double> cost = parse_cost(*object.variant_cost))
            variant.cost = *cost;
        else
            read.warning = which + " has a spec.variantCost that is not a non-negative number; "
                                   "the default is used";
    }
    return read;
}

/// The variants of a cluster. Translates changes of objects into changes of variants and models.
/// Does no I/O; not thread-safe.
class VariantSet {
public:
    /// Replaces all objects.
    VariantsChange set_all(const std::vector<VariantAutoscalingObject>& objects) {
        std::set<VariantKey> listed;
        for (const VariantAutoscalingObject& object : objects)
            listed.insert(key_of(object));
        return change([&](VariantsChange& change) {
            std::vector<VariantKey> unlisted;
            for (const auto& [key, variant] : variants_)
                if (!listed.contains(key))
                    unlisted.push_back(key);
            for (const VariantKey& key : unlisted)
                remove(key, change);
            std::erase_if(warnings_,
                          [&](const auto& warning) { return !listed.contains(warning.first); });
            for (const VariantAutoscalingObject& object : objects)
                put(object, change);
        });
    }
    /// Adds or changes an object.
    VariantsChange set(const VariantAutoscalingObject& object) {
        return change([&](VariantsChange& change) { put(object, change); });
    }
    /// Removes an object.
    VariantsChange erase(const VariantAutoscalingObject& object) {
        warnings_.erase(key_of(object));
        return change([&](VariantsChange& change) { remove(key_of(object), change); });
    }

    /// All variants, sorted by namespace and name.
    std::vector<VariantAutoscaling> all() const {
        std::vector<VariantAutoscaling> variants;
        for (const auto& [key, variant] : variants_)
            variants.push_back(variant);
        return variants;
    }

private:
    static VariantKey key_of(const VariantAutoscalingObject& object) {
        return {object.metadata.namespace_name, object.metadata.name};
    }

    template <typename Function>
    VariantsChange change(Function function) {
        const std::map<ModelKey, std::size_t> before = models_;
        VariantsChange change;
        function(change);
        for (const auto& [model, count] : models_)
            if (!before.contains(model))
                change.new_models.push_back(model);
        for (const auto& [model, count] : before)
            if (!models_.contains(model))
                change.removed_models.push_back(model);
        return change;
    }

    void put(const VariantAutoscalingObject& object, VariantsChange& change) {
        ReadVariant read = read_variant(object);
        const VariantKey key = key_of(object);
        if (read.warning.empty())
            warnings_.erase(key);
        else if (std::exchange(warnings_[key], read.warning) != read.warning)
            change.warnings.push_back(read.warning);
        if (!read.variant) {
            remove(key, change);
            return;
        }
        const auto known = variants_.find(key);
        if (known != variants_.end() && known->second == *read.variant)
            return;
        if (known != variants_.end())
            remove_from_model(known->second.model());
        ++models_[read.variant->model()];
        variants_.insert_or_assign(key, *read.variant);
        change.upserted.push_back(*std::move(read.variant));
    }

    void remove(const VariantKey& key, VariantsChange& change) {
        const auto known = variants_.find(key);
        if (known == variants_.end())
            return;
        remove_from_model(known->second.model());
        variants_.erase(known);
        change.removed.push_back(key);
    }

    void remove_from_model(const ModelKey& model) {
        const auto found = models_.find(model);
        if (--found->second == 0)
            models_.erase(found);
    }

    std::map<VariantKey, VariantAutoscaling> variants_;
    /// How many variants each model has.
    std::map<ModelKey, std::size_t> models_;
    /// The last warning about each object.
    std::map<VariantKey, std::string> warnings_;
};

} // namespace wva_metrics::kubernetes::detail
