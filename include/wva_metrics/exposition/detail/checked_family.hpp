// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/metric_point.hpp"
#include "wva_metrics/exposition/detail/sample_role.hpp"
#include "wva_metrics/exposition/detail/strict_metadata.hpp"
#include "wva_metrics/exposition/detail/strict_sample.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/page_problem.hpp"
#include "wva_metrics/exposition/text_format.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wva_metrics::exposition::detail {

/// The family whose lines are being read, and the rules that hold among them.
class CheckedFamily {
public:
    CheckedFamily(std::string family_name, std::size_t first_line, TextFormat format)
        : name(std::move(family_name)), line(first_line), format_(format) {}

    std::string name;
    std::size_t line; ///< The first one.
    FamilyType type = FamilyType::unknown;
    /// The names of its samples are in the table of the page.
    bool is_claimed = false;

    bool has_samples() const noexcept { return !points_.empty(); }

    /// Adds a metadata line of this family. Returns what is wrong with it.
    std::optional<LineProblem> add(const StrictMetadata& metadata) {
        if (has_samples())
            return LineProblem{1, "metadata must come before the samples of its family"};
        const auto index = static_cast<std::size_t>(metadata.kind);
        if (std::exchange(seen_[index], true))
            return LineProblem{1, "the family has such a line already"};
        if (metadata.kind == MetadataKind::type)
            type = metadata.type;
        if (metadata.kind == MetadataKind::unit)
            unit_ = metadata.text;
        if (unit_.empty())
            return std::nullopt;
        if (type == FamilyType::info || type == FamilyType::state_set)
            return LineProblem{metadata.column, "an info or a stateset must not have a unit"};
        if (!name.ends_with("_" + unit_))
            return LineProblem{metadata.column,
                               "the name of the family does not end with _ and the unit"};
        return std::nullopt;
    }

    /// Adds a sample of this family. Returns what is wrong with it, or with those before it.
    std::optional<PageProblem> add(SampleRole role, const StrictSample& sample,
                                   std::size_t line_number) {
        const bool is_open_metrics = format_ == TextFormat::open_metrics_1_0;
        const std::string key = key_of(role, sample);
        const auto [found, is_new] = points_.try_emplace(key, type, format_);
        MetricPoint* point = &found->second;
        if (is_open_metrics && current_ != nullptr && current_ != point) {
            if (std::optional<PageProblem> problem = check(*current_))
                return problem;
            if (!is_new)
                return PageProblem{line_number, 1,
                                   "the samples of a metric must not be interleaved with others"};
        }
        if (is_new)
            point->timestamp = sample.timestamp;
        if (is_open_metrics && point->timestamp.has_value() != sample.timestamp.has_value())
            return PageProblem{line_number, sample.timestamp_column,
                               "either all samples of a metric have a time or none"};
        if (is_open_metrics && sample.timestamp && *sample.timestamp != *point->timestamp) {
            if (*sample.timestamp < *point->timestamp)
                return PageProblem{line_number, sample.timestamp_column,
                                   "the times of a metric must ascend"};
            if (std::optional<PageProblem> problem = check(*point))
                return problem;
            *point = MetricPoint(type, format_);
            point->timestamp = sample.timestamp;
        }
        current_ = point;
        point->line = line_number;
        if (const std::optional<LineProblem> problem = point->add(role, sample, name))
            return PageProblem{line_number, problem->column, problem->message};
        return std::nullopt;
    }

    /// What is missing at its end.
    std::optional<PageProblem> check_end() const {
        if (format_ == TextFormat::open_metrics_1_0)
            return current_ == nullptr ? std::nullopt : check(*current_);
        std::optional<PageProblem> first;
        for (const auto& [key, point] : points_)
            if (std::optional<PageProblem> problem = check(point))
                if (!first || problem->line < first->line)
                    first = std::move(problem);
        return first;
    }

private:
    static std::optional<PageProblem> check(const MetricPoint& point) {
        const char* const missing = point.missing();
        return missing == nullptr ? std::nullopt
                                  : std::optional(PageProblem{point.line, 1, missing});
    }

    /// The labels of the sample's metric: without those that tell its samples apart.
    std::string key_of(SampleRole role, const StrictSample& sample) const {
        std::string_view own;
        if (role == SampleRole::bucket)
            own = "le";
        else if (role == SampleRole::value && type == FamilyType::summary)
            own = "quantile";
        else if (role == SampleRole::value && type == FamilyType::state_set)
            own = name;
        std::vector<const StrictLabel*> labels;
        for (const StrictLabel& label : sample.labels)
            if (own.empty() || label.name != own)
                labels.push_back(&label);
        std::ranges::sort(labels, {},
                          [](const StrictLabel* label) { return std::string_view(label->name); });
        std::string key;
        for (const StrictLabel* label : labels) {
            // 0xFF occurs in no UTF-8.
            key += label->name;
            key += '\xFF';
            key += label->value;
            key += '\xFF';
        }
        return key;
    }

    TextFormat format_;
    std::string unit_{};
    bool seen_[5] = {}; ///< By kind of metadata.
    std::unordered_map<std::string, MetricPoint> points_{};
    /// The point of the last sample. The map's elements do not move.
    MetricPoint* current_ = nullptr;
};

} // namespace wva_metrics::exposition::detail
