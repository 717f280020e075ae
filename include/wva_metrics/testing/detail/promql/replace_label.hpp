// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/regex_matcher.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"

#include <optional>
#include <stdexcept>
#include <string>

namespace wva_metrics::testing::detail {

/// The arguments of `label_replace` after the vector, in PromQL's order.
struct LabelReplacement {
    std::string destination;
    std::string replacement;
    std::string source;
    std::string pattern;
};

/// PromQL's `label_replace`: if the pattern matches the whole source label, the destination label
/// gets the expanded replacement.
inline void replace_label(InstantVector& vector, const LabelReplacement& arguments) {
    if (!wva_metrics::detail::is_label_name(arguments.destination))
        throw QueryFailure::execution("invalid destination label name in label_replace(): " +
                                      arguments.destination);
    std::optional<RegexMatcher> regex;
    try {
        regex.emplace(arguments.pattern);
    } catch (const std::invalid_argument&) {
        throw QueryFailure::execution("invalid regular expression in label_replace(): " +
                                      arguments.pattern);
    }
    for (VectorSample& sample : vector) {
        if (const auto text =
                regex->replace(sample.labels.get(arguments.source), arguments.replacement))
            sample.labels.set(arguments.destination, *text);
    }
}

} // namespace wva_metrics::testing::detail
