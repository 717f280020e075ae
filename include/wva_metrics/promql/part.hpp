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

/// What one series of an answer is. A query asks several things at once and tags each with
/// `part_label`.
enum class Part : std::uint8_t {
    /// Increase of a counter per second.
    rate,
    /// Increase of a histogram's sum per second.
    sum,
    /// Increase of a histogram's count per second.
    count,
    /// Highest value of a gauge.
    value,
    /// When the metric was last sampled, Unix seconds: the oldest of what was put together, for a
    /// model the youngest.
    time,
    /// When it was last sampled in a longer past, Unix seconds.
    recent,
    /// A pod that kube-state-metrics reported a short time ago, and does no more: either it exists
    /// no more, or the instance of kube-state-metrics that reported it is restarting.
    gone,
    /// Who owns a pod.
    owner,
    /// That kube-state-metrics reports pods at all, of whatever namespace.
    reporting,
};

/// All of them, in the order of the enumeration.
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

/// A part, and the place of the metric it came from in the profile's list for the signal.
struct PartTag {
    /// What the series is.
    Part part;
    /// 0 is the most preferred name.
    std::size_t alias = 0;

    friend bool operator==(const PartTag&, const PartTag&) = default;
};

/// `sum0`, `time1`: the value of `part_label`.
inline std::string to_string(PartTag tag) {
    std::string text(to_string(tag.part));
    text += std::to_string(tag.alias);
    return text;
}

/// Reads what `to_string(PartTag)` writes, and nothing else.
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
