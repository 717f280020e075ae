// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/label_evidence.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/value_evidence.hpp"
#include "wva_metrics/samples/view.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

namespace wva_metrics::samples::detail {

/// Finds the pods of views whose labels name none, by the views that are copies of the same
/// processes and have a pod.
class PodAttribution {
public:
    /// `named` are the views that have a pod. `searches` is how many views will be looked for.
    PodAttribution(std::span<const View* const> named, std::size_t searches,
                   const MetricTraits& traits, const SampleRules& rules)
        : named_(named), traits_(traits), rules_(rules),
          may_compare_values_(searches * named.size() <= max_comparisons) {
        for (const View* view : named) {
            if (!view->address.empty())
                by_address_[view->address].push_back(view);
            for (const ProcessIdentity& identity : view->identity)
                by_identity_[identity].push_back(view);
        }
    }

    /// The one pod of which this is a copy; empty if there is none, or more than one.
    std::string_view find(const View& view) const {
        std::set<std::string_view> pods;
        if (const auto found = by_address_.find(view.address); found != by_address_.end())
            for (const View* copy : found->second)
                pods.insert(copy->pod);
        for (const ProcessIdentity& identity : view.identity)
            if (const auto found = by_identity_.find(identity); found != by_identity_.end())
                add_identified(pods, view, found->second);
        if (may_compare_values_)
            for (const View* copy : named_)
                if (compare_values(view, *copy, traits_, rules_) == ValueVerdict::same)
                    pods.insert(copy->pod);
        return pods.size() == 1 ? *pods.begin() : std::string_view();
    }

private:
    /// Many pods may have started at the same time, so that their values must not differ.
    void add_identified(std::set<std::string_view>& pods, const View& view,
                        std::span<const View* const> candidates) const {
        constexpr std::size_t max_started_at_once = 8;
        if (candidates.size() > max_started_at_once)
            return;
        for (const View* copy : candidates) {
            const ValueVerdict values = compare_values(view, *copy, traits_, rules_);
            if (compare_identities(view, *copy) == IdentityVerdict::same ||
                (values != ValueVerdict::other && values != ValueVerdict::contradictory))
                pods.insert(copy->pod);
        }
    }

    /// Of all views that are looked for with all that have a pod.
    static constexpr std::size_t max_comparisons = 1024;

    std::span<const View* const> named_;
    const MetricTraits& traits_;
    const SampleRules& rules_;
    bool may_compare_values_;
    std::map<std::string_view, std::vector<const View*>> by_address_;
    std::map<ProcessIdentity, std::vector<const View*>> by_identity_;
};

} // namespace wva_metrics::samples::detail
