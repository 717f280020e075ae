// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// What a reading is if two sources of a `LayeredBackend` measured values that are too different.
enum class OnDispute : std::uint8_t {
    /// The value that is chosen without a dispute: the freshest.
    keep,
    /// The highest of the values, so that replicas are added rather than removed.
    highest,
    /// No value, with `ReadingReason::disputed`.
    missing,
};

/// The enumerator's name.
constexpr std::string_view to_string(OnDispute choice) noexcept {
    switch (choice) {
    case OnDispute::keep:
        return "keep";
    case OnDispute::highest:
        return "highest";
    case OnDispute::missing:
        return "missing";
    }
    return "unknown";
}

/// How a `LayeredBackend` asks its sources and chooses among their answers.
struct LayeredConfig {
    /// The names of the sources for warnings and errors, in the order of the backends; at most as
    /// many as there are. One without a name is called by its number.
    std::vector<std::string> names{};
    /// How long the answer waits for the other sources after the first good one, which has something
    /// of every target. 0 = the first good answer alone is used.
    Duration patience = std::chrono::milliseconds(500);
    /// Two readings whose last samples are at most so far apart count as equally fresh: then the
    /// order of the backends decides.
    Duration equally_fresh = std::chrono::seconds(2);
    /// A pod that one source reports as deleted is kept if another one has a sample of it that is
    /// younger than this, as of a pod that was created anew under the same name.
    Duration alive_within = std::chrono::seconds(10);
    /// From which difference two values are disputed, as a share of the higher one, 0..1; and only if
    /// they differ by more than `least_difference`, too. 0 = values are not compared.
    ///
    /// Only readings of the same kind are compared: with the same statistic, and whose windows end at
    /// most `comparable_within` apart.
    double tolerance = 0;
    /// See `tolerance`; in the unit of the reading.
    double least_difference = 0;
    /// See `tolerance`.
    Duration comparable_within = std::chrono::seconds(5);
    /// What becomes of a disputed reading. `Reading::is_disputed()` says so, except of a missing one,
    /// whose reason does.
    OnDispute on_dispute = OnDispute::keep;
};

/// All problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const LayeredConfig& config) {
    std::vector<std::string> problems;
    for (const auto& [name, value] :
         {std::pair{"patience", config.patience}, std::pair{"equally_fresh", config.equally_fresh},
          std::pair{"alive_within", config.alive_within},
          std::pair{"comparable_within", config.comparable_within}})
        if (value < Duration::zero())
            problems.push_back(std::string(name) + " must not be negative");
    if (!(config.tolerance >= 0 && config.tolerance <= 1))
        problems.emplace_back("tolerance must be between 0 and 1");
    if (!(config.least_difference >= 0))
        problems.emplace_back("least_difference must not be negative");
    return problems;
}

} // namespace wva_metrics
