// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/label_evidence.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/value_evidence.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// A label that names clusters has several values at the same time.
struct ClusterConflict {
    std::string label{};               ///< The label's name.
    std::vector<std::string> values{}; ///< Its values, sorted, each once.
};

namespace detail {

/// The views that have one value of a label.
struct ValueGroup {
    ServerTime first = ServerTime::max(); ///< The oldest sample.
    ServerTime last = ServerTime::min();  ///< The newest.
    /// By pod.
    std::multimap<std::string_view, const View*> views{};

    void add(const View& view) {
        first = std::min(first, view.first());
        last = std::max(last, view.last());
        views.emplace(view.pod, &view);
    }

    bool overlaps(const ValueGroup& other) const noexcept {
        return std::min(last, other.last) >= std::max(first, other.first);
    }
};

/// Tells copies of one process under two names of a cluster from two clusters.
class CopyProof {
public:
    CopyProof(const MetricTraits& traits, const SampleRules& rules)
        : traits_(traits), rules_(rules) {}

    /// True if each view of one group is proven to be a copy of one of the other.
    bool are_copies(const ValueGroup& a, const ValueGroup& b) const {
        return all_have_copy(a, b) && all_have_copy(b, a);
    }

private:
    bool all_have_copy(const ValueGroup& from, const ValueGroup& in) const {
        return std::ranges::all_of(from.views, [&](const auto& entry) {
            const auto [first, last] = in.views.equal_range(entry.first);
            // A pod that is seen so often is not worth the comparisons.
            constexpr std::ptrdiff_t max_compared = 8;
            return std::distance(first, last) <= max_compared &&
                   std::any_of(first, last, [&](const auto& other) {
                       return is_copy(*entry.second, *other.second);
                   });
        });
    }

    bool is_copy(const View& a, const View& b) const {
        return compare_identities(a, b) == IdentityVerdict::same ||
               compare_values(a, b, traits_, rules_) == ValueVerdict::same;
    }

    const MetricTraits& traits_;
    const SampleRules& rules_;
};

inline std::optional<ClusterConflict>
conflict_of(const std::string& label, std::span<const View* const> views, const CopyProof& proof) {
    std::map<std::string_view, ValueGroup> by_value;
    for (const View* view : views)
        if (const std::string_view value = find_label(view->labels, label); !value.empty())
            by_value[value].add(*view);
    // A value that ended before all others began is the old name of the same cluster.
    std::vector<const ValueGroup*> groups;
    groups.reserve(by_value.size());
    for (const auto& [value, group] : by_value)
        groups.push_back(&group);
    std::ranges::sort(groups, {},
                      [](const ValueGroup* group) { return std::pair(group->first, group->last); });
    const ValueGroup* newest = nullptr;
    bool has_conflict = false;
    for (const ValueGroup* group : groups) {
        has_conflict = has_conflict || (newest != nullptr && newest->overlaps(*group) &&
                                        !proof.are_copies(*newest, *group));
        if (newest == nullptr || group->last >= newest->last)
            newest = group;
    }
    if (!has_conflict)
        return std::nullopt;
    ClusterConflict conflict{label, {}};
    for (const auto& [value, group] : by_value)
        conflict.values.emplace_back(value);
    return conflict;
}

} // namespace detail

/// The first of the labels that name clusters or tenants that has several values at the same time
/// among all views of a model. Pods of two clusters may have the same name, so that nothing can be
/// said of any.
///
/// A view without the label has no value. It is no conflict if all views under two values are
/// proven to be copies of the same processes.
inline std::optional<ClusterConflict> find_cluster_conflict(std::span<const View* const> views,
                                                            const MetricTraits& traits,
                                                            const SampleRules& rules) {
    const detail::CopyProof proof(traits, rules);
    for (const std::string& label : rules.boundary)
        if (auto conflict = detail::conflict_of(label, views, proof))
            return conflict;
    return std::nullopt;
}

} // namespace wva_metrics::samples
