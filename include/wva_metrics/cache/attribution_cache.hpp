// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics {

/// A model's samples joined with one caller's variants.
struct Join {
    /// The caller's variants.
    std::vector<VariantAutoscaling> variants{};
    /// What became of the samples.
    std::shared_ptr<const ModelReplicas> replicas{};
    /// When the oldest value in it was measured; nothing where it holds none.
    std::optional<TimePoint> oldest_sample{};
};

/// The joins that were made of one entry, kept with it, so that the same caller's next hit costs no
/// join. They go when the entry goes.
///
/// Thread-safe without a lock: joins are added, never changed, and removed only with the list.
class AttributionCache {
public:
    /// Several callers may ask for one model with variants of their own; those beyond this number
    /// get a new join each time.
    static constexpr int max_joins = 4;

    AttributionCache() = default;
    AttributionCache(const AttributionCache&) = delete;
    AttributionCache& operator=(const AttributionCache&) = delete;
    ~AttributionCache() {
        const Node* node = newest_.load(std::memory_order_acquire);
        while (node != nullptr)
            delete std::exchange(node, node->older);
    }

    /// The join with these variants, in this order, or null; good as long as the list.
    const Join* find(std::span<const VariantAutoscaling> variants) const noexcept {
        for (const Node* node = newest_.load(std::memory_order_acquire); node != nullptr;
             node = node->older)
            if (std::ranges::equal(node->join.variants, variants))
                return &node->join;
        return nullptr;
    }

    /// Keeps a join, unless there are enough.
    void add(Join join) {
        const Node* newest = newest_.load(std::memory_order_acquire);
        auto node = std::make_unique<Node>(Node{std::move(join), nullptr, 0});
        do {
            node->older = newest;
            node->number = newest == nullptr ? 1 : newest->number + 1;
            if (node->number > max_joins)
                return;
        } while (!newest_.compare_exchange_weak(newest, node.get(), std::memory_order_release,
                                                std::memory_order_acquire));
        static_cast<void>(node.release()); // The list's now.
    }

private:
    struct Node {
        Join join;
        const Node* older;
        int number;
    };

    std::atomic<const Node*> newest_{nullptr};
};

} // namespace wva_metrics
