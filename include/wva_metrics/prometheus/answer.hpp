// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus {

/// How much of anything a query's answer may hold. One bound more than the body's size, because a
/// body of a few MiB can describe very many things.
struct AnswerLimits {
    /// Series in one answer, those that are skipped included.
    std::size_t max_series = 50'000;
    /// JSON arrays and objects within each other; a native histogram needs 8.
    std::size_t max_depth = 32;
    /// Labels of one series.
    std::size_t max_labels = 64;
    /// The longest name of a label.
    std::size_t max_label_name_bytes = 256;
    /// The longest value of a label.
    std::size_t max_label_value_bytes = 4096;
    /// Characters of one value. Prometheus writes the smallest numbers with more than 300 digits.
    std::size_t max_value_bytes = 512;
    /// Warnings that are kept, and infos likewise; how many more there were is told in one more
    /// line.
    std::size_t max_warnings = 32;
    /// Of one warning or info; the rest is cut off.
    std::size_t max_warning_bytes = 1024;
};

/// One series, as a sink sees it. Valid only during the call.
struct SeriesView {
    /// The values of the labels that were asked for, in that order; "" where the series has no such
    /// label.
    std::span<const std::string_view> labels;
    /// As sent, NaN and the infinities included.
    double value = 0;
    /// Unix seconds, as sent: at least 0 and below 1e12. For an instant query this is the time of
    /// the evaluation, not of the sample.
    double timestamp = 0;
};

/// What an answer says beside its series.
struct AnswerInfo {
    /// One line each, without control characters. An answer that calls itself partial has a warning
    /// that says so.
    std::vector<std::string> warnings{};
    /// Remarks of Prometheus that are no warnings.
    std::vector<std::string> infos{};
    /// Series that the sink was given.
    std::size_t series = 0;
    /// Series without a number to give: native histograms, strings, ranges without a point.
    std::size_t skipped = 0;
};

/// Everything that is wrong with the limits, one sentence each; empty where they are sound.
inline std::vector<std::string> validate(const AnswerLimits& limits) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(limits.max_series > 0, "answer.max_series must be positive");
    require(limits.max_depth >= 8 && limits.max_depth <= 1000,
            "answer.max_depth must be between 8 and 1000");
    require(limits.max_labels > 0, "answer.max_labels must be positive");
    require(limits.max_label_name_bytes > 0, "answer.max_label_name_bytes must be positive");
    require(limits.max_label_value_bytes > 0, "answer.max_label_value_bytes must be positive");
    require(limits.max_value_bytes >= 32 && limits.max_value_bytes <= 65'536,
            "answer.max_value_bytes must be between 32 and 65536");
    require(limits.max_warning_bytes >= 16 && limits.max_warning_bytes <= 65'536,
            "answer.max_warning_bytes must be between 16 and 65536");
    return problems;
}

} // namespace wva_metrics::prometheus
