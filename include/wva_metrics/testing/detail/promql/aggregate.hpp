// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/range_functions.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
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
        }
    }
    double value() const noexcept { return value_; }

private:
    double count_ = 0;
    double value_ = 0;
};

/// The value of an aggregation. Groups are in the order of their labels.
inline InstantVector aggregate(const Aggregation& aggregation, const InstantVector& members,
                               Milliseconds time) {
    const auto listed = [&](std::string_view name) {
        return std::find(aggregation.grouping.begin(), aggregation.grouping.end(), name) !=
               aggregation.grouping.end();
    };
    const auto kept = [&](std::string_view name) {
        return aggregation.without ? !listed(name) && name != LabelSet::metric_name : listed(name);
    };
    std::unordered_map<LabelSet, GroupValue> groups;
    for (const VectorSample& member : members)
        groups[member.labels.filtered(kept)].add(aggregation.aggregator, member.value);

    InstantVector result;
    result.reserve(groups.size());
    for (const auto& [labels, group] : groups)
        result.push_back({labels, group.value(), time});
    std::sort(result.begin(), result.end(),
              [](const VectorSample& a, const VectorSample& b) { return a.labels < b.labels; });
    return result;
}

} // namespace wva_metrics::testing::detail
