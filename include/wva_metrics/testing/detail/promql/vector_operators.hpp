// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"
#include "wva_metrics/testing/detail/promql/vocabulary.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

namespace wva_metrics::testing::detail {

inline bool has_duplicates(const InstantVector& vector) {
    std::unordered_set<LabelSet> seen;
    for (const VectorSample& sample : vector) {
        if (!seen.insert(sample.labels).second)
            return true;
    }
    return false;
}

inline double calculate(BinaryOperator operation, double left, double right) noexcept {
    switch (operation) {
    case BinaryOperator::add:
        return left + right;
    case BinaryOperator::subtract:
        return left - right;
    case BinaryOperator::multiply:
        return left * right;
    default:
        return left / right;
    }
}

/// `or`, `and`, `unless`: two samples match if all labels except the metric name are equal.
inline InstantVector combine_sets(BinaryOperator operation, const InstantVector& left,
                                  const InstantVector& right) {
    const bool keeps_left = operation == BinaryOperator::logical_or;
    std::unordered_set<LabelSet> others;
    for (const VectorSample& sample : keeps_left ? left : right)
        others.insert(sample.labels.without_metric_name());

    InstantVector result = keeps_left ? left : InstantVector();
    for (const VectorSample& sample : keeps_left ? right : left) {
        const bool matched = others.contains(sample.labels.without_metric_name());
        if (matched == (operation == BinaryOperator::logical_and))
            result.push_back(sample);
    }
    return result;
}

/// Arithmetic between samples that have the same labels except the metric name. Samples without a
/// match are dropped, and so is the metric name.
inline InstantVector combine_pairs(BinaryOperator operation, const InstantVector& left,
                                   const InstantVector& right) {
    std::unordered_map<LabelSet, double> partners;
    for (const VectorSample& sample : right) {
        LabelSet key = sample.labels.without_metric_name();
        const std::string group = key.describe();
        if (!partners.emplace(std::move(key), sample.value).second)
            throw QueryFailure::execution("found duplicate series for the match group " + group +
                                          " on the right hand-side of the operation;many-to-many "
                                          "matching not allowed: matching labels must be unique on "
                                          "one side");
    }
    std::unordered_set<LabelSet> used;
    InstantVector result;
    for (const VectorSample& sample : left) {
        LabelSet key = sample.labels.without_metric_name();
        const auto partner = partners.find(key);
        if (partner == partners.end())
            continue;
        if (!used.insert(key).second)
            throw QueryFailure::execution("multiple matches for labels: many-to-one matching must "
                                          "be explicit (group_left/group_right)");
        result.push_back({std::move(key), calculate(operation, sample.value, partner->second),
                          sample.sampled_at});
    }
    return result;
}

/// The value of a binary expression; the parser has checked the types of the operands.
inline PromqlValue combine(BinaryOperator operation, const PromqlValue& left,
                           const PromqlValue& right) {
    const auto* left_vector = std::get_if<InstantVector>(&left);
    const auto* right_vector = std::get_if<InstantVector>(&right);
    if (left_vector != nullptr && right_vector != nullptr)
        return is_set_operator(operation) ? combine_sets(operation, *left_vector, *right_vector)
                                          : combine_pairs(operation, *left_vector, *right_vector);
    if (left_vector == nullptr && right_vector == nullptr)
        return calculate(operation, std::get<double>(left), std::get<double>(right));

    InstantVector result = left_vector != nullptr ? *left_vector : *right_vector;
    for (VectorSample& sample : result) {
        sample.labels = sample.labels.without_metric_name();
        sample.value = left_vector != nullptr
                           ? calculate(operation, sample.value, std::get<double>(right))
                           : calculate(operation, std::get<double>(left), sample.value);
    }
    return result;
}

} // namespace wva_metrics::testing::detail
