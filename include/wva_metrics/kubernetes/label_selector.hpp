// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/metadata.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// One condition on one label.
struct LabelRequirement {
    /// How the label is tested.
    enum class Operator : std::uint8_t {
        /// The label exists, and its value is one of `values`.
        in,
        /// The label does not exist, or its value is not one of `values`.
        not_in,
        /// The label exists.
        exists,
        /// The label does not exist.
        does_not_exist,
    };

    /// The label's name.
    std::string key;
    /// How the label is tested.
    Operator op = Operator::exists;
    /// The values for `in` and `not_in`.
    std::vector<std::string> values;

    /// Whether these labels meet the condition.
    bool matches(const Labels& labels) const {
        const auto found = labels.find(key);
        const bool has = found != labels.end();
        const auto is_listed = [&] {
            return std::find(values.begin(), values.end(), found->second) != values.end();
        };
        switch (op) {
        case Operator::in:
            return has && is_listed();
        case Operator::not_in:
            return !has || !is_listed();
        case Operator::exists:
            return has;
        case Operator::does_not_exist:
            return !has;
        }
        return false;
    }

    /// Equal if all members are.
    friend bool operator==(const LabelRequirement&, const LabelRequirement&) = default;
};

/// Selects objects by their labels. A selector without conditions selects all objects.
struct LabelSelector {
    /// Labels that must exist with these values.
    Labels match_labels;
    /// Further conditions, which must all be met.
    std::vector<LabelRequirement> match_expressions;

    /// Whether an object with these labels is selected.
    bool matches(const Labels& labels) const {
        return std::all_of(match_labels.begin(), match_labels.end(),
                           [&](const Labels::value_type& wanted) {
                               const auto found = labels.find(wanted.first);
                               return found != labels.end() && found->second == wanted.second;
                           }) &&
               std::all_of(match_expressions.begin(), match_expressions.end(),
                           [&](const LabelRequirement& wanted) { return wanted.matches(labels); });
    }

    /// Equal if all members are.
    friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};

} // namespace wva_metrics::kubernetes
