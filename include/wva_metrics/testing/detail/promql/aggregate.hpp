// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/range_functions.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// The result of one group, updated with each member.
class GroupValue {
public:
    void add(Aggregator aggregator, double value) noexcept {
        ++count_;
        switch (aggregator) {
        case Aggregator::sum:
            value_ = count_ == 1 ? value : value_ + value;
            break;
        case Aggregator::min:
            if (count_ == 1 || std::isnan(value_) || value < value_)
                value_ = value;
            break;
        case Aggregator::max:
            if (count_ == 1 || std::isnan(value_) || value > value_)
                value_ = value;
            break;
        case Aggregator::avg:
            if (count_ == 1)
                value_ = value;
            else if (!leaves_infinite_mean(value_, value))
                value_ += value / count_ - value_ / count_;
            break;
        case Aggregator::count:
            value_ = count_;
            break;
        case Aggregator::topk: // It selects members; see `largest`.
            break;
        }
    }
    double value() const noexcept { return value_; }

private:
    double count_ = 0;
    double value_ = 0;
};

/// The labels of the group that a member belongs to.
inline LabelSet group_of(const VectorSample& member, const Aggregation& aggregation) {
    const auto listed = [&](std::string_view name) {
        return std::find(aggregation.grouping.begin(), aggregation.grouping.end(), name) !=
               aggregation.grouping.end();
    };
    return member.labels.filtered([&](std::string_view name) {
        return aggregation.without ? !listed(name) && name != LabelSet::metric_name : listed(name);
    });
}

/// The value of `topk`: of each group the `count` members with the largest values, the largest
/// first. NaN is the smallest.
inline InstantVector largest(const Aggregation& aggregation, double count, InstantVector members) {
    std::stable_sort(members.begin(), members.end(),
                     [](const VectorSample& a, const VectorSample& b) {
                         return std::isnan(b.value) ? !std::isnan(a.value) : a.value > b.value;
                     });
    std::unordered_map<LabelSet, double> taken;
    InstantVector result;
    for (VectorSample& member : members)
        if (++taken[group_of(member, aggregation)] <= count)
            result.push_back(std::move(member));
    return result;
}

/// The value of any other aggregation. Groups are in the order of their labels.
inline InstantVector aggregate(const Aggregation& aggregation, const InstantVector& members,
                               Milliseconds time) {
    std::unordered_map<LabelSet, GroupValue> groups;
    for (const VectorSample& member : members)
        groups[group_of(member, aggregation)].add(aggregation.aggregator, member.value);

    InstantVector result;
    result.reserve(groups.size());
    for (const auto& [labels, group] : groups)
        result.push_back({labels, group.value(), time});
    std::sort(result.begin(), result.end(),
              [](const VectorSample& a, const VectorSample& b) { return a.labels < b.labels; });
    return result;
}

} // namespace wva_metrics::testing::detail
