// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/text.hpp"
#include "wva_metrics/promql/matcher.hpp"
#include "wva_metrics/promql/quote.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// The series that a query selects: those of any of these models in any of these namespaces.
///
/// The order does not matter, and duplicates are allowed. The empty namespace selects series
/// without that label. A query also matches combinations that belong to no target;
/// `QueryPlan::find` ignores them.
struct QueryScope {
    /// Any of these namespaces.
    std::vector<std::string> namespaces;
    /// Any of these model ids.
    std::vector<std::string> models;
};

namespace detail {

/// Whether a matcher also selects the series that do not have the label.
enum class WithoutLabel { excluded, included };

/// Appends `label="value"`, or `label=~"value|value"` with the values sorted, so that equal scopes
/// make equal texts. An empty alternative at the end selects the series without the label.
inline std::optional<Error> append_matcher(std::string& out, std::string_view label,
                                           std::span<const std::string> values,
                                           WithoutLabel others = WithoutLabel::excluded) {
    std::vector<std::string_view> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (const std::string_view value : sorted) {
        if (const auto at = find_invalid_utf8(value)) {
            Error error = invalid_utf8_error(value, *at);
            error.message = "label " + std::string(label) + ": " + error.message;
            return error;
        }
    }
    out += label;
    if (sorted.size() == 1 && others == WithoutLabel::excluded) {
        out += "=\"";
        append_escaped(out, sorted.front());
    } else {
        out += "=~\"";
        std::string expression;
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            if (i > 0)
                expression += '|';
            append_regex_escaped(expression, sorted[i]);
        }
        if (others == WithoutLabel::included)
            expression += '|';
        append_escaped(out, expression);
    }
    out += '"';
    return std::nullopt;
}

/// Appends the matchers after another one.
inline void append_matchers(std::string& out, std::span<const Matcher> matchers) {
    if (!matchers.empty())
        out += ',' + to_string(matchers);
}

} // namespace detail

/// A selector of all series in these namespaces, e.g. `{namespace="ns"}`, that also meet the
/// matchers. There must be at least one namespace.
inline Result<std::string> namespace_selector(std::span<const std::string> namespaces,
                                              std::string_view namespace_label,
                                              std::span<const Matcher> matchers = {}) {
    if (namespaces.empty())
        return Error(Errc::invalid_argument, "a query needs at least one namespace");
    std::string selector = "{";
    if (auto error = detail::append_matcher(selector, namespace_label, namespaces))
        return std::move(*error);
    detail::append_matchers(selector, matchers);
    selector += '}';
    return selector;
}

/// A selector of a scope, e.g. `{namespace="ns",model_name=~"a|b"}`. There must be at least one
/// namespace and one model. A model must not be empty: it would match all series without a model
/// name.
inline Result<std::string> scope_selector(const QueryScope& scope, std::string_view namespace_label,
                                          std::string_view model_label,
                                          std::span<const Matcher> matchers = {}) {
    if (scope.namespaces.empty() || scope.models.empty())
        return Error(Errc::invalid_argument, "a query needs at least one namespace and one model");
    if (std::find(scope.models.begin(), scope.models.end(), "") != scope.models.end())
        return Error(Errc::invalid_argument, "the model id is empty");
    std::string selector = "{";
    if (auto error = detail::append_matcher(selector, namespace_label, scope.namespaces))
        return std::move(*error);
    selector += ',';
    if (auto error = detail::append_matcher(selector, model_label, scope.models))
        return std::move(*error);
    detail::append_matchers(selector, matchers);
    selector += '}';
    return selector;
}

} // namespace wva_metrics::promql
