// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace wva_metrics::promql {

/// The meaning of a series in an answer. One query combines several expressions; the label
/// `part_label` tells their series apart.
enum class Part : std::uint8_t {
    /// Increase of a counter per second.
    rate,
    /// Increase of a histogram's sum per second.
    sum,
    /// Increase of a histogram's count per second.
    count,
    /// Highest value of a gauge.
    value,
    /// Time of the metric's last sample, Unix seconds: the oldest of the series that were combined,
    /// for the presence of a model the newest.
    time,
    /// Time of the last sample within the look-back, Unix seconds.
    recent,
    /// A pod that kube-state-metrics reported recently and no longer reports: either it was
    /// deleted, or the instance of kube-state-metrics that reported it is restarting.
    gone,
    /// The owner of a pod.
    owner,
    /// kube-state-metrics reports pods, of any namespace.
    reporting,
};

/// All parts, in the order of the enumeration.
inline constexpr std::array all_parts = {Part::rate,  Part::sum,   Part::count,
                                         Part::value, Part::time,  Part::recent,
                                         Part::gone,  Part::owner, Part::reporting};

/// The enumerator's name.
constexpr std::string_view to_string(Part part) noexcept {
    switch (part) {
    case Part::rate:
        return "rate";
    case Part::sum:
        return "sum";
    case Part::count:
        return "count";
    case Part::value:
        return "value";
    case Part::time:
        return "time";
    case Part::recent:
        return "recent";
    case Part::gone:
        return "gone";
    case Part::owner:
        return "owner";
    case Part::reporting:
        return "reporting";
    }
    return "unknown";
}

/// A part and the metric it was computed from.
struct PartTag {
    /// The meaning of the series.
    Part part;
    /// The metric's index in the profile's list of names for the signal; 0 is the preferred name.
    std::size_t alias = 0;

    friend bool operator==(const PartTag&, const PartTag&) = default;
};

/// The value of `part_label`, e.g. `sum0` or `time1`.
inline std::string to_string(PartTag tag) {
    std::string text(to_string(tag.part));
    text += std::to_string(tag.alias);
    return text;
}

/// Parses the text that `to_string(PartTag)` writes. Empty for any other text.
inline std::optional<PartTag> parse_part(std::string_view text) noexcept {
    for (const Part part : all_parts) {
        const std::string_view word = to_string(part);
        if (!text.starts_with(word))
            continue;
        const std::string_view digits = text.substr(word.size());
        if (digits.empty() || (digits.size() > 1 && digits.front() == '0'))
            return std::nullopt;
        std::size_t alias = 0;
        const auto* end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, alias);
        if (error != std::errc() || stop != end)
            return std::nullopt;
        return PartTag{part, alias};
    }
    return std::nullopt;
}

} // namespace wva_metrics::promql
