// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/promql/detail/text_size.hpp"
#include "wva_metrics/promql/query.hpp"
#include "wva_metrics/promql/query_windows.hpp"

#include <string>

namespace wva_metrics::promql::detail {

inline TextSize signal_text_size(const EngineProfile& profile, const QueryWindows& windows) {
    TextSize size({profile.labels.namespace_name, profile.labels.model});
    for (const Signal signal : all_signals)
        size.include([&](const std::string& selector) {
            return signal_text(signal, selector, profile, windows);
        });
    return size;
}

inline TextSize pods_text_size(const EngineProfile& profile, const QueryWindows& windows) {
    TextSize size({profile.kube_state.namespace_name});
    size.include([&](const std::string& selector) {
        return pods_text(selector, profile.kube_state, windows);
    });
    return size;
}

} // namespace wva_metrics::promql::detail
