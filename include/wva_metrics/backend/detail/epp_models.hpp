// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/backend/detail/absence_findings.hpp"
#include "wva_metrics/backend/detail/epp_page.hpp"
#include "wva_metrics/backend/detail/epp_pool_status.hpp"
#include "wva_metrics/backend/detail/epp_queued.hpp"
#include "wva_metrics/backend/detail/epp_rates.hpp"
#include "wva_metrics/backend/detail/epp_reader.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// What an EPP says of models. Pure.
class EppModels {
public:
    /// The arguments must outlive it.
    EppModels(const EppReader& reader, const samples::SampleRules& rules)
        : reader_(reader), rules_(rules), rates_(reader.page(), epp_profile(reader.page()), rules),
          named_(reader.page().models()) {}

    /// Whether the page has something of a model.
    Availability availability(const ModelKey& model) const {
        Availability verdict;
        const std::string name = quoted_model(model.model_id);
        if (const std::string other = other_namespace(model); !other.empty()) {
            verdict.message = other;
        } else if (is_known(model.model_id)) {
            verdict.available = true;
            verdict.reason = AvailabilityReason::metrics_found;
            verdict.message = "the EPP has metrics of model " + name;
            verdict.last_sample_at = reader_.clock().requested;
        } else if (named_.contains(folded_model)) {
            verdict.reason = AvailabilityReason::backend_error;
            verdict.message = "the EPP has seen too many names of models, and counts new ones as "
                              "'other': nothing is known of model " +
                              name;
        } else {
            verdict.message =
                "the EPP has no metrics of model " + name + "; " + named_models(model.model_id);
        }
        return verdict;
    }

    /// The metrics of a variant; `workloads` is the number of workloads that serve its model, as far as
    /// the caller knows. The EPP counts requests per model, so the requests of one workload are known
    /// only if there is no other.
    Result<OptimizerMetrics> optimizer(const VariantAutoscaling& variant,
                                       std::size_t workloads) const {
        if (const std::string other = other_namespace(variant.model()); !other.empty())
            return Error(Errc::rejected, other);
        OptimizerMetrics metrics;
        metrics.namespace_name = variant.namespace_name;
        metrics.variant = variant.name;
        metrics.model_id = variant.model_id;
        metrics.deployment = variant.deployment;
        metrics.target_kind = variant.target_kind;
        fill(metrics, workloads);
        return metrics;
    }

    /// The endpoints of a model, with their waiting requests. An error unless the pool serves this
    /// model only: to say that a model has no replicas would be wrong.
    Result<ReplicaSamples> replicas(const ModelKey& model) const {
        if (const std::string other = other_namespace(model); !other.empty())
            return Error(Errc::rejected, other);
        if (std::string why = why_not_only(model.model_id); !why.empty())
            return Error(Errc::rejected, std::move(why));
        ReplicaSamples samples;
        samples.model = model;
        for (EppEndpointQueue& queue : endpoint_queues(reader_, rules_.peak, samples.warnings)) {
            ReplicaSample& pod = samples.pods.emplace_back();
            pod.pod = std::move(queue.pod);
            pod.queue_length = queue.queue_length;
            pod.kv_cache_usage = Reading<double>::missing(ReadingReason::not_provided);
            pod.last_sample_at = queue.queue_length.last_sample_at();
        }
        samples.partial = !samples.warnings.empty();
        if (samples.pods.empty() && reader_.ready_endpoints().value_or(1) > 0)
            return Error(Errc::rejected, "the EPP does not publish the queues of its endpoints");
        return samples;
    }

private:
    std::string other_namespace(const ModelKey& model) const {
        const std::string& own = reader_.config().namespace_name;
        return model.namespace_name == own
                   ? std::string()
                   : "the EPP is that of the namespace " + quoted_model(own) +
                         ", and does not know models of " + quoted_model(model.namespace_name);
    }

    bool is_known(std::string_view model) const {
        const std::vector<std::string>& configured = reader_.config().models;
        return named_.contains(model) ||
               std::find(configured.begin(), configured.end(), model) != configured.end();
    }

    /// Which models the page names, for one that may be misspelt.
    std::string named_models(const std::string& model) const {
        std::set<std::string> others(named_.begin(), named_.end());
        others.erase(std::string(folded_model));
        if (others.empty())
            return "it names no models: no request came by yet";
        return "it names " + count_of(others.size(), "model") + "; the nearest is " +
               quoted_model(nearest_of(model, others));
    }

    /// Why it is not known that the pool serves this model only; empty if it is.
    std::string why_not_only(const std::string& model) const {
        const std::string name = quoted_model(model);
        const std::vector<std::string>& configured = reader_.config().models;
        if (!configured.empty()) {
            if (configured.size() == 1 && configured.front() == model)
                return {};
            return std::find(configured.begin(), configured.end(), model) == configured.end()
                       ? "model " + name + " is not among EppConfig::models"
                       : "the pool serves several models, and the EPP does not say which of its "
                         "endpoints serve " +
                             name;
        }
        if (named_.size() == 1 && *named_.begin() == model)
            return {};
        const std::string seen = named_.contains(model)
                                     ? "it names " + count_of(named_.size(), "model")
                                     : named_models(model);
        return "the EPP does not say which of its endpoints serve " + name + ": " + seen +
               ". If the pool serves this model only, say so (EppConfig::models)";
    }

    void fill(OptimizerMetrics& metrics, std::size_t workloads) const {
        const auto miss = [&metrics](ReadingReason reason, std::string warning) {
            for (const auto& field : optimizer_readings)
                metrics.*field.member = Reading<double>::missing(reason);
            metrics.warnings.push_back(std::move(warning));
        };
        const std::string name = quoted_model(metrics.model_id);
        const bool is_named = named_.contains(metrics.model_id);
        if (!is_named && named_.contains(folded_model))
            return miss(
                ReadingReason::unattributed,
                "the EPP has seen too many names of models, and counts new ones as 'other': "
                "the requests of " +
                    name + " may be among them");
        if (workloads > 1)
            return miss(ReadingReason::unattributed,
                        "the EPP counts the requests of model " + name + " for its " +
                            std::to_string(workloads) +
                            " workloads together, and does not say which served them");
        if (!is_named)
            return miss(ReadingReason::no_series, "the EPP has no metrics of model " + name + "; " +
                                                      named_models(metrics.model_id));
        const auto is_of = [&metrics](const EppSeries& series) {
            // The answer to a request that is not streamed comes in one piece: its first token tells
            // nothing.
            return series.model() == metrics.model_id && series.label("streaming") != "false";
        };
        for (const auto& field : optimizer_readings)
            metrics.*field.member =
                rates_.measure(field.signal, reader_.clock(), reader_.config().min_requests, is_of);
    }

    const EppReader& reader_;
    const samples::SampleRules& rules_;
    EppRates rates_;
    std::set<std::string, std::less<>> named_;
};

} // namespace wva_metrics::detail
