// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/backend/detail/pod_facts.hpp"
#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/signal.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>

namespace wva_metrics::detail {

/// The answers to all queries of one batch. Models are indices into the batch's plan.
struct BatchResult {
    std::map<Signal, SignalRows> signals;
    PodFacts pods;
    ChunkOutcomes pods_outcomes;
    /// Warnings of Prometheus, by model.
    std::map<std::size_t, std::set<std::string>> warnings;

    /// The sorted rows of one signal of one model.
    std::span<const SignalRow> rows(Signal signal, std::size_t model) const {
        const auto found = signals.find(signal);
        return found == signals.end() ? std::span<const SignalRow>()
                                      : found->second.of_model(model);
    }

    /// The error of the query for one signal of one model, or null.
    const Error* failure(Signal signal, std::size_t model) const {
        const auto found = signals.find(signal);
        return found == signals.end() ? nullptr : found->second.failure(model);
    }
};

} // namespace wva_metrics::detail
