// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/epp_page.hpp"
#include "wva_metrics/backend/detail/epp_reader.hpp"
#include "wva_metrics/backend/epp_status.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// A model's name in a sentence.
inline std::string quoted_model(std::string_view model) {
    constexpr std::size_t max_bytes = 100;
    return "'" + clean_text(model, max_bytes) + "'";
}

/// Whether the EPP's flow control holds requests for a model. Pure. The page was read successfully: a
/// failed scrape has no answer.
inline EppQueued is_queued(const EppReader& reader, const ModelKey& model) {
    const EppPage& page = reader.page();
    const EppConfig& config = reader.config();
    const std::string name = quoted_model(model.model_id);
    const auto unknown = [](QueuedReason reason, std::string message,
                            ReadingReason missing = ReadingReason::no_series) {
        return EppQueued{Queued::unknown, reason, Reading<double>::missing(missing),
                         std::move(message)};
    };
    if (model.namespace_name != config.namespace_name)
        return unknown(QueuedReason::other_namespace,
                       "the EPP is that of the namespace " + quoted_model(config.namespace_name) +
                           ", and does not know models of " + quoted_model(model.namespace_name));
    if (config.pool.empty() && page.pools().size() > 1)
        return unknown(QueuedReason::several_pools,
                       "the EPP has several pools; choose one (EppConfig::pool)",
                       ReadingReason::ambiguous);
    if (!reader.has_flow_control())
        return unknown(QueuedReason::no_flow_control,
                       "the EPP publishes nothing of flow control: enable it (feature gate "
                       "flowControl), or no request ever came by");
    const auto of_model = [&model](const EppSeries& series) {
        return series.model() == model.model_id;
    };
    const auto of_folded = [](const EppSeries& series) { return series.model() == folded_model; };
    Reading<double> waiting = reader.sum(EppMetric::flow_queue_size, of_model);
    if (waiting.state() == ReadingState::invalid)
        return EppQueued{Queued::unknown, QueuedReason::not_finite, waiting,
                         "the number of requests that wait for " + name + " is not finite"};
    if (waiting.reason() == ReadingReason::implausible)
        return unknown(QueuedReason::implausible,
                       "the number of requests that wait for " + name + " is negative",
                       ReadingReason::implausible);
    if (waiting && waiting.value() > 0)
        return EppQueued{Queued::yes, QueuedReason::none, waiting, "requests wait for " + name};
    // A name that the EPP has seen itself is never folded later.
    const Reading<double> folded = reader.sum(EppMetric::flow_queue_size, of_folded);
    const bool may_be_folded = !waiting && model.model_id != folded_model &&
                               folded.reason() != ReadingReason::no_series &&
                               folded.value_or(1) > 0 && !page.models().contains(model.model_id);
    if (may_be_folded)
        return unknown(
            QueuedReason::folded,
            "the EPP has seen too many names of models, and counts new ones as 'other', for "
            "which requests wait: some may be for " +
                name,
            ReadingReason::unattributed);
    if (!waiting) {
        ReadingDetails<double> details;
        details.statistic = Statistic::last_sample;
        waiting = Reading<double>::measured(0, reader.clock().requested, {}, details);
    }
    return EppQueued{Queued::no, QueuedReason::none, waiting, "no request waits for " + name};
}

} // namespace wva_metrics::detail
