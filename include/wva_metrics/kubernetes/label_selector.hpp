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
    /// How the label is judged.
    enum class Operator : std::uint8_t {
        /// There is such a label, and its value is one of `values`.
        in,
        /// There is no such label, or its value is none of `values`.
        not_in,
        /// There is such a label.
        exists,
        /// There is no such label.
        does_not_exist,
    };

    /// The label's name.
    std::string key;
    /// How the label is judged.
    Operator op = Operator::exists;
    /// The values for `in` and `not_in`.
    std::vector<std::string> values;

    /// Whether these labels fulfil the condition.
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

    /// Equal where all members are.
    friend bool operator==(const LabelRequirement&, const LabelRequirement&) = default;
};

/// Which objects are meant, by their labels. One without any condition means all objects.
struct LabelSelector {
    /// Labels that must be there with these values.
    Labels match_labels;
    /// Further conditions, all of which must hold.
    std::vector<LabelRequirement> match_expressions;

    /// Whether an object with these labels is meant.
    bool matches(const Labels& labels) const {
        return std::all_of(match_labels.begin(), match_labels.end(),
                           [&](const Labels::value_type& wanted) {
                               const auto found = labels.find(wanted.first);
                               return found != labels.end() && found->second == wanted.second;
                           }) &&
               std::all_of(match_expressions.begin(), match_expressions.end(),
                           [&](const LabelRequirement& wanted) { return wanted.matches(labels); });
    }

    /// Equal where all members are.
    friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};

} // namespace wva_metrics::kubernetes
