// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/selector.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::promql::detail {

/// Writes one selector of series of several metrics, e.g. `{__name__=~"a|b",namespace="ns"}`. Names
/// and values are sorted, each once.
class SeriesSelector {
public:
    /// There must be at least one metric.
    explicit SeriesSelector(std::span<const std::string> metrics) { add("__name__", metrics); }

    /// Selects series with one of these values.
    void add(std::string_view label, std::span<const std::string> values,
             WithoutLabel others = WithoutLabel::excluded) {
        begin_matcher();
        if (auto error = append_matcher(text_, label, values, others); error && !error_)
            error_ = std::move(error);
    }
    /// Adds matchers that are already PromQL; may be empty.
    void add(std::string_view matchers) {
        if (matchers.empty())
            return;
        begin_matcher();
        text_ += matchers;
    }

    /// The selector, or the first error.
    Result<std::string> take() && {
        if (error_)
            return *std::move(error_);
        return std::move(text_) + '}';
    }

private:
    void begin_matcher() { text_ += text_.empty() ? '{' : ','; }

    std::string text_;
    std::optional<Error> error_;
};

} // namespace wva_metrics::promql::detail
