// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/promql/detail/text_size.hpp"
#include "wva_metrics/promql/query.hpp"
#include "wva_metrics/promql/query_windows.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace wva_metrics::promql::detail {

/// Bytes of the matchers in one selector, with the comma before them.
inline std::size_t matcher_bytes(std::span<const Matcher> matchers) {
    std::string text;
    append_matchers(text, matchers);
    return text.size();
}

inline TextSize signal_text_size(const EngineProfile& profile, const QueryWindows& windows,
                                 std::span<const Matcher> matchers) {
    TextSize size({profile.labels.namespace_name, profile.labels.model}, matcher_bytes(matchers));
    for (const Signal signal : all_signals)
        size.include([&](const std::string& selector) {
            return signal_text(signal, selector, profile, windows);
        });
    return size;
}

inline TextSize pods_text_size(const EngineProfile& profile, const QueryWindows& windows,
                               std::span<const Matcher> matchers) {
    TextSize size({profile.kube_state.namespace_name}, matcher_bytes(matchers));
    size.include([&](const std::string& selector) {
        return pods_text(selector, profile.kube_state, windows, matchers);
    });
    return size;
}

} // namespace wva_metrics::promql::detail
