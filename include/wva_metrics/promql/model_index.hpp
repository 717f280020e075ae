// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

namespace wva_metrics::promql {

/// Finds a model by the labels of a series, without copying the labels.
class ModelIndex {
public:
    ModelIndex() = default;
    /// Indexes `models`, which must all differ.
    explicit ModelIndex(std::span<const ModelKey> models) {
        places_.reserve(models.size());
        for (std::size_t place = 0; place < models.size(); ++place)
            places_.emplace(models[place], place);
    }

    /// The model's index in `models`, or empty. Does not allocate.
    std::optional<std::size_t> find(std::string_view namespace_name,
                                    std::string_view model_id) const {
        const auto found = places_.find(View{namespace_name, model_id});
        if (found == places_.end())
            return std::nullopt;
        return found->second;
    }

private:
    struct View {
        std::string_view namespace_name;
        std::string_view model_id;
    };
    static View view(const ModelKey& key) noexcept { return {key.namespace_name, key.model_id}; }
    static View view(View view) noexcept { return view; }

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const auto& key) const noexcept {
            const View parts = view(key);
            const std::hash<std::string_view> hash;
            const std::size_t seed = hash(parts.namespace_name);
            return seed ^ (hash(parts.model_id) + 0x9e3779b9U + (seed << 6U) + (seed >> 2U));
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const auto& left, const auto& right) const noexcept {
            const View a = view(left);
            const View b = view(right);
            return a.model_id == b.model_id && a.namespace_name == b.namespace_name;
        }
    };

    std::unordered_map<ModelKey, std::size_t, Hash, Equal> places_;
};

} // namespace wva_metrics::promql
