// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace wva_metrics::exposition {

/// What a metric family measures, by its `# TYPE` line.
enum class FamilyType : std::uint8_t {
    /// No `# TYPE` line, `unknown`, `untyped`, or a word that no format knows.
    unknown,
    counter,
    gauge,
    histogram,
    gauge_histogram,
    summary,
    info,
    state_set,
};

/// The word of OpenMetrics, e.g. `gaugehistogram`.
constexpr std::string_view to_string(FamilyType type) noexcept {
    constexpr std::array<std::string_view, 8> words{"unknown",   "counter",        "gauge",
                                                    "histogram", "gaugehistogram", "summary",
                                                    "info",      "stateset"};
    return words[static_cast<std::size_t>(type)];
}

/// The type that a word of a `# TYPE` line means: one of OpenMetrics, or Prometheus' `untyped`.
/// Nothing for another word.
constexpr std::optional<FamilyType> parse_family_type(std::string_view word) noexcept {
    if (word == "untyped")
        return FamilyType::unknown;
    for (std::size_t i = 0; i < 8; ++i)
        if (const auto type = static_cast<FamilyType>(i); to_string(type) == word)
            return type;
    return std::nullopt;
}

} // namespace wva_metrics::exposition
