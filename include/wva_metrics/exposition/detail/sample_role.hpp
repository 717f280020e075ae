// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/text_format.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// What a sample says of its metric.
enum class SampleRole : std::uint8_t { value, total, bucket, count, sum, created };

/// The end of a sample's name, after that of its family.
struct SampleEnding {
    std::string_view text;
    SampleRole role;
};

inline constexpr std::array<SampleEnding, 1> value_ending{{{"", SampleRole::value}}};
inline constexpr std::array<SampleEnding, 1> info_ending{{{"_info", SampleRole::value}}};
inline constexpr std::array<SampleEnding, 2> strict_counter_endings{
    {{"_total", SampleRole::total}, {"_created", SampleRole::created}}};
inline constexpr std::array<SampleEnding, 4> strict_histogram_endings{
    {{"_bucket", SampleRole::bucket},
     {"_count", SampleRole::count},
     {"_sum", SampleRole::sum},
     {"_created", SampleRole::created}}};
inline constexpr std::array<SampleEnding, 3> strict_gauge_histogram_endings{
    {{"_bucket", SampleRole::bucket}, {"_gcount", SampleRole::count}, {"_gsum", SampleRole::sum}}};
inline constexpr std::array<SampleEnding, 4> strict_summary_endings{
    {{"", SampleRole::value},
     {"_count", SampleRole::count},
     {"_sum", SampleRole::sum},
     {"_created", SampleRole::created}}};

/// The endings that a format allows for a type.
constexpr std::span<const SampleEnding> strict_endings(FamilyType type,
                                                       TextFormat format) noexcept {
    // Only OpenMetrics has the last one, `_created`.
    const std::size_t last = format == TextFormat::open_metrics_1_0 ? 0 : 1;
    switch (type) {
    case FamilyType::counter:
        if (last == 0)
            return strict_counter_endings;
        break;
    case FamilyType::histogram:
        return std::span(strict_histogram_endings).first(strict_histogram_endings.size() - last);
    case FamilyType::gauge_histogram:
        return strict_gauge_histogram_endings;
    case FamilyType::summary:
        return std::span(strict_summary_endings).first(strict_summary_endings.size() - last);
    case FamilyType::info:
        return info_ending;
    case FamilyType::gauge:
    case FamilyType::state_set:
    case FamilyType::unknown:
        break;
    }
    return value_ending;
}

/// The role of a sample in a family; nothing if it does not belong to it.
constexpr std::optional<SampleRole> role_of(std::string_view sample, std::string_view family,
                                            FamilyType type, TextFormat format) noexcept {
    if (!sample.starts_with(family))
        return std::nullopt;
    sample.remove_prefix(family.size());
    for (const SampleEnding& ending : strict_endings(type, format))
        if (ending.text == sample)
            return ending.role;
    return std::nullopt;
}

} // namespace wva_metrics::exposition::detail
