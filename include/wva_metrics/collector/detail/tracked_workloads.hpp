// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/collector/detail/entry_factory.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/tracked_set.hpp"

#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// The tracked variants and the tracked models, addressed by the kind of a key. Availability is
/// never tracked.
class TrackedWorkloads {
public:
    explicit TrackedWorkloads(std::size_t max_each) : variants_(max_each), models_(max_each) {}

    /// True where background fetching of it begins with this call.
    bool track(const CacheKeyView& key, const TargetPtr& target, bool in_background, TimePoint at) {
        if (key.kind == EntryKind::optimizer)
            return variants_.track(key, target, in_background, at);
        if (key.kind == EntryKind::replica)
            return models_.track(key, target, in_background, at);
        return false;
    }

    bool untrack(const CacheKeyView& key) {
        return key.kind == EntryKind::optimizer ? variants_.untrack(key) : models_.untrack(key);
    }

    /// Where it is tracked.
    void note_asked(const CacheKeyView& key, TimePoint at) {
        if (key.kind == EntryKind::optimizer)
            variants_.note_asked(key, at);
        else if (key.kind == EntryKind::replica)
            models_.note_asked(key, at);
    }

    /// Null where it is not tracked.
    TargetPtr target(const CacheKeyView& key) const {
        const auto* record = key.kind == EntryKind::optimizer ? variants_.find(key)
                             : key.kind == EntryKind::replica ? models_.find(key)
                                                              : nullptr;
        return record == nullptr ? nullptr : record->target;
    }

    void set_latest(const CacheKeyView& key, const CacheEntryPtr& entry) {
        if (key.kind == EntryKind::optimizer)
            variants_.set_latest(key, entry);
        else if (key.kind == EntryKind::replica)
            models_.set_latest(key, entry);
    }

    /// For all keys that begin so.
    void forget_latest(std::string_view prefix) {
        const auto is_meant = [prefix](const CacheKeyView& key) {
            return starts_with(key, prefix);
        };
        variants_.forget_latest_if(is_meant);
        models_.forget_latest_if(is_meant);
    }

    /// Removes and returns what nobody has asked for since `at - idle_after`.
    std::vector<CacheKey> take_idle(TimePoint at, Duration idle_after) {
        std::vector<CacheKey> idle = variants_.take_idle(at, idle_after);
        std::vector<CacheKey> models = models_.take_idle(at, idle_after);
        idle.insert(idle.end(), models.begin(), models.end());
        return idle;
    }

    /// Removes and returns what is too many, that which nobody has asked for the longest.
    std::vector<CacheKey> set_max_each(std::size_t max_each) {
        std::vector<CacheKey> surplus = variants_.set_max_records(max_each);
        const std::vector<CacheKey> models = models_.set_max_records(max_each);
        surplus.insert(surplus.end(), models.begin(), models.end());
        return surplus;
    }

    /// Calls `f(kind, target, latest entry or null)` for each whose entry was collected by then,
    /// would not be fresh for long enough, or answers what was asked under this key before.
    template <typename F>
    void for_each_due(TimePoint collected_by, TimePoint must_last_until, F&& f) {
        const auto visit = [&](const CacheKeyView& key, const auto& record) {
            if (!record.in_background)
                return;
            CacheEntryPtr latest = record.latest.lock();
            if (latest && !answers(*latest, *record.target))
                latest.reset();
            if (!latest || latest->collected_at() <= collected_by ||
                latest->fresh_until() < must_last_until)
                f(key.kind, record.target, std::move(latest));
        };
        variants_.for_each(visit);
        models_.for_each(visit);
    }

    void append_variants_of(const ModelKey& model, std::vector<CacheKey>& keys) const {
        variants_.for_each([&](const CacheKeyView& key, const auto& record) {
            const auto& variant = std::get<VariantAutoscaling>(*record.target);
            if (variant.namespace_name == model.namespace_name &&
                variant.model_id == model.model_id)
                keys.emplace_back(key);
        });
    }

    std::size_t variants_in_background() const { return variants_.in_background(); }
    std::size_t models_in_background() const { return models_.in_background(); }

private:
    TrackedSet<TargetPtr> variants_;
    TrackedSet<TargetPtr> models_;
};

} // namespace wva_metrics::detail
