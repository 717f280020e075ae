// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/secrets.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/validate_settings.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// What became of changed settings.
struct AppliedSettings {
    /// Paths of the fields that were changed and are in force.
    std::vector<std::string> applied;
    /// Paths of the fields that were changed and stay as they were, because they say what the
    /// collector is made of; make a new one for them.
    std::vector<std::string> needs_new_collector;
};

namespace detail {

/// Tracks and untracks the difference of two lists.
template <typename Collector, typename Workload, typename Key>
void track_difference(Collector& collector, const std::vector<Workload>& current,
                      const std::vector<Workload>& wanted, Key key) {
    for (const Workload& known : current) {
        const bool is_kept = std::any_of(wanted.begin(), wanted.end(), [&](const Workload& other) {
            return key(other) == key(known);
        });
        if (!is_kept)
            collector.untrack(key(known));
    }
    for (const Workload& workload : wanted)
        if (std::find(current.begin(), current.end(), workload) == current.end())
            collector.track(workload);
}

} // namespace detail

/// Applies changed settings to a running collector, whose cache keeps what it has: everything below
/// `collector` (times, intervals, limits) and `tracked`. The rest is compared and reported.
///
/// Params: the collector; the settings that it works by now; those that it shall work by.
/// Errors: all that is wrong with the new settings, or what the collector refuses, for example
/// limits that its cache cannot change; then nothing has been changed.
/// Thread safety: any thread, one call at a time per collector.
template <MetricsCollector Collector>
SettingsResult<AppliedSettings> apply_settings(Collector& collector, CollectorSettings current,
                                               CollectorSettings wanted) {
    if (std::vector<SettingsProblem> problems = validate(wanted); !problems.empty())
        return SettingsProblems{std::move(problems)};
    if (const Result<void> done = collector.reconfigure(wanted.collector); !done)
        return SettingsProblems{{{"collector", done.error().message}}};
    detail::track_difference(collector, current.tracked.variants, wanted.tracked.variants,
                             [](const VariantAutoscaling& variant) { return variant.key(); });
    detail::track_difference(collector, current.tracked.models, wanted.tracked.models,
                             [](const ModelKey& model) { return model; });

    AppliedSettings result;
    const std::vector<detail::Field> before = detail::fields_of(current);
    const std::vector<detail::Field> after = detail::fields_of(wanted);
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (detail::write_value(before[i], Secrets::plain) ==
            detail::write_value(after[i], Secrets::plain))
            continue;
        const bool is_live =
            before[i].path.starts_with("collector.") || before[i].path.starts_with("tracked.");
        (is_live ? result.applied : result.needs_new_collector).push_back(before[i].path);
    }
    return result;
}

} // namespace wva_metrics
