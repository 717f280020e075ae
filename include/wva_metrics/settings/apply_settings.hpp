// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/separate_compilation.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/validate_settings.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// The result of `apply_settings`.
struct AppliedSettings {
    /// Paths of the changed fields that are in effect now.
    std::vector<std::string> applied;
    /// Paths of the changed fields that have no effect on an existing collector, because they
    /// select its parts. They need a new collector.
    std::vector<std::string> needs_new_collector;
};

namespace detail {

/// The paths of the fields that differ.
WVA_METRICS_DECL AppliedSettings compare_settings(CollectorSettings current,
                                                  CollectorSettings wanted);

/// Untracks the workloads that are no longer in the list and tracks the new ones.
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

/// Applies changed settings to a running collector; its cache is kept.
///
/// The fields below `collector` (times, intervals, limits) and `tracked` are applied. All other
/// changed fields are reported in `needs_new_collector`.
///
/// **Parameters:**
/// - `collector`: the running collector.
/// - `current`: its settings until now.
/// - `wanted`: its settings from now on.
///
/// **Errors:** all problems of the wanted settings, or the error of `reconfigure`, for example if
/// the cache cannot change a limit. Nothing has been changed then.
///
/// **Threads:** any thread; one call at a time per collector.
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

    return detail::compare_settings(std::move(current), std::move(wanted));
}

} // namespace wva_metrics

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#include "wva_metrics/settings/impl/apply_settings.hpp"
#endif
