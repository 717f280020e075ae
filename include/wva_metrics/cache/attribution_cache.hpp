// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/attribution_budget.hpp"
#include "wva_metrics/cache/detail/heap_bytes.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics {

/// A model's samples, attributed to one caller's variants.
struct Attribution {
    /// The caller's variants.
    std::vector<VariantAutoscaling> variants{};
    /// The result: the model's replicas, attributed to these variants.
    std::shared_ptr<const ModelReplicas> replicas{};
    /// When the oldest value in `replicas` was measured; empty if there is no value.
    std::optional<TimePoint> oldest_sample{};
    /// `KnownWorkloads::changes` when it was computed. With other workloads known, it may be another
    /// one.
    std::uint64_t known = 0;
};

/// The attributions computed from one cache entry. They are kept with the entry, so that the same
/// caller's next hit need not compute one, and are destroyed with it.
///
/// **Threads:** safe without a lock. An attribution never changes once it is added, and is removed
/// only when this object is destroyed.
class AttributionCache {
public:
    /// Several callers may request one model with different variants; the callers beyond this
    /// number get a new attribution each time.
    static constexpr int max_attributions = 4;

    /// Without a budget, they are bounded by their number only.
    explicit AttributionCache(std::shared_ptr<AttributionBudget> budget = {}) noexcept
        : budget_(std::move(budget)) {}
    AttributionCache(const AttributionCache&) = delete;
    AttributionCache& operator=(const AttributionCache&) = delete;
    ~AttributionCache() {
        const Node* node = newest_.load(std::memory_order_acquire);
        while (node != nullptr) {
            if (budget_)
                budget_->give_back(node->bytes);
            delete std::exchange(node, node->older);
        }
    }

    /// The attribution to these variants, in this order, with these workloads known, or null; valid
    /// as long as this object.
    const Attribution* find(std::span<const VariantAutoscaling> variants,
                            std::uint64_t known = 0) const noexcept {
        for (const Node* node = newest_.load(std::memory_order_acquire); node != nullptr;
             node = node->older)
            if (node->attribution.known == known &&
                std::ranges::equal(node->attribution.variants, variants))
                return &node->attribution;
        return nullptr;
    }

    /// Keeps an attribution, unless there are `max_attributions` already or the budget is used up.
    void add(Attribution attribution) {
        const Node* newest = newest_.load(std::memory_order_acquire);
        const std::size_t bytes = bytes_of(attribution);
        auto node = std::make_unique<Node>(Node{std::move(attribution), nullptr, 0, bytes});
        if (budget_ && !budget_->take(bytes))
            return;
        do {
            node->older = newest;
            node->number = newest == nullptr ? 1 : newest->number + 1;
            if (node->number > max_attributions) {
                if (budget_)
                    budget_->give_back(bytes);
                return;
            }
        } while (!newest_.compare_exchange_weak(newest, node.get(), std::memory_order_release,
                                                std::memory_order_acquire));
        static_cast<void>(node.release()); // The list owns it now.
    }

private:
    struct Node {
        Attribution attribution;
        const Node* older;
        int number;
        std::size_t bytes;
    };

    /// Estimated memory of a kept attribution.
    static std::size_t bytes_of(const Attribution& attribution) noexcept {
        return detail::heap_bytes(sizeof(Node)) + detail::heap_bytes(attribution.variants) +
               detail::shared_bytes<ModelReplicas>() + detail::heap_bytes(*attribution.replicas);
    }

    std::atomic<const Node*> newest_{nullptr};
    const std::shared_ptr<AttributionBudget> budget_;
};

} // namespace wva_metrics
