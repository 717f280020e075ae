// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/epp_page.hpp"
#include "wva_metrics/backend/detail/epp_rates.hpp"
#include "wva_metrics/backend/detail/epp_reader.hpp"
#include "wva_metrics/backend/epp_status.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/signal.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The pod of an endpoint: an endpoint per engine has its number behind the name.
inline std::string_view pod_of_endpoint(std::string_view endpoint) noexcept {
    constexpr std::string_view mark = "-rank-";
    const std::size_t at = endpoint.rfind(mark);
    if (at == std::string_view::npos || at == 0)
        return endpoint;
    const std::string_view number = endpoint.substr(at + mark.size());
    const bool is_number =
        !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
    return is_number ? endpoint.substr(0, at) : endpoint;
}

/// The pod of a series of a queue per endpoint.
inline std::string_view pod_of(const EppSeries& series) noexcept {
    const std::string_view endpoint = series.label("model_server_endpoint");
    return pod_of_endpoint(endpoint.empty() ? series.label("model_server_pod") : endpoint);
}

/// The waiting requests of each endpoint's pod, and what is doubtful about them. The EPP says 0 for an
/// endpoint that it has never read, so while it has fresh metrics of fewer endpoints than it lists, a 0
/// is not known to be one, and without any nothing is.
inline std::vector<EppEndpointQueue> endpoint_queues(const EppReader& reader,
                                                     samples::ServerDuration peak,
                                                     std::vector<std::string>& warnings) {
    const EppPage::Family family = reader.page().find(EppMetric::endpoint_queue);
    std::set<std::string_view> pods;
    std::size_t listed = 0;
    for (const EppSeries& series : family.series)
        if (!series.has_ended && !pod_of(series).empty()) {
            pods.insert(pod_of(series));
            ++listed;
        }
    const Reading<double> ready = reader.ready_endpoints();
    const bool is_whole = ready.has_value() && ready.value() >= static_cast<double>(listed);
    const bool is_frozen = ready.has_value() && ready.value() <= 0;
    std::vector<EppEndpointQueue> queues;
    for (const std::string_view pod : pods) {
        EppEndpointQueue& queue = queues.emplace_back();
        queue.pod = pod;
        queue.queue_length = reader.sum(
            EppMetric::endpoint_queue,
            [pod](const EppSeries& series) { return pod_of(series) == pod; }, peak);
        if (is_frozen || (!is_whole && queue.queue_length.value_or(1) <= 0))
            queue.queue_length = Reading<double>::missing(ReadingReason::unread, family.name);
    }
    if (listed > 0 && !is_whole)
        warnings.push_back("the EPP lists " + std::to_string(listed) +
                           " endpoints, and has fresh metrics of " +
                           (ready ? std::to_string(static_cast<long long>(ready.value()))
                                  : "an unknown number of them") +
                           ": an empty queue of one may be one that it could not read. Check that "
                           "the EPP can reach the metrics port of its endpoints");
    return queues;
}

/// Makes a status of a page. Pure.
class EppPoolReader {
public:
    /// The arguments must outlive it.
    EppPoolReader(const EppReader& reader, const samples::SampleRules& rules)
        : reader_(reader), page_(reader.page()), rules_(rules) {}

    EppPoolStatus read() const {
        EppPoolStatus status;
        status.namespace_name = reader_.config().namespace_name;
        status.scraped_at = reader_.clock().requested;
        read_names(status);
        status.ready_endpoints = reader_.ready_endpoints();
        read_averages(status);
        status.stale_endpoints = stale_endpoints();
        read_saturation(status);
        read_queues(status);
        status.request_capacity_usage = reader_.only(EppMetric::capacity_requests);
        status.byte_capacity_usage = reader_.only(EppMetric::capacity_bytes);
        status.endpoints =
            endpoint_queues(reader_, samples::ServerDuration::zero(), status.warnings);
        status.scheduler_attempts = rates(EppMetric::scheduler_attempts, "status");
        status.flow_outcomes = rates(EppMetric::flow_requests, "outcome");
        return status;
    }

private:
    void read_names(EppPoolStatus& status) const {
        const std::vector<std::string> pools = page_.pools();
        if (pools.size() == 1)
            status.pool = pools.front();
        if (pools.size() > 1 && reader_.config().pool.empty())
            status.warnings.push_back("the page has " + std::to_string(pools.size()) +
                                      " pools; choose one (EppConfig::pool)");
        for (const std::string& model : page_.models()) {
            if (model == folded_model)
                status.has_folded_models = true;
            else
                status.models.push_back(model);
        }
        status.has_legacy_names = page_.has_legacy_names();
    }

    void read_averages(EppPoolStatus& status) const {
        const Duration delay = reader_.config().flush_interval;
        const bool is_frozen = status.ready_endpoints && status.ready_endpoints.value() <= 0;
        if (is_frozen)
            status.warnings.emplace_back("no endpoint of the pool has fresh metrics "
                                         "(ready_endpoints is 0): the EPP no longer "
                                         "changes its averages, so they are left out");
        const auto average = [&](EppMetric metric) {
            const Reading<double> reading = reader_.only(metric, delay);
            return is_frozen && reading.reason() != ReadingReason::no_series
                       ? Reading<double>::missing(ReadingReason::unread, page_.find(metric).name)
                       : reading;
        };
        status.average_kv_cache_usage = average(EppMetric::average_kv_cache);
        status.average_queue_length = average(EppMetric::average_queue);
        status.average_running_requests = average(EppMetric::average_running);
    }

    /// The most that any detector says: each counts the endpoints of its own.
    Reading<double> stale_endpoints() const {
        Reading<double> most = reader_.only(EppMetric::stale_endpoints);
        if (most.reason() != ReadingReason::ambiguous)
            return most;
        for (const EppSeries& series : page_.find(EppMetric::stale_endpoints).series) {
            if (series.has_ended)
                continue;
            const Reading<double> one =
                reader_.only(EppMetric::stale_endpoints,
                             [&](const EppSeries& other) { return other.labels == series.labels; });
            if (!one || !most || one.value() > most.value())
                most = one;
            if (!one)
                break; // What one detector does not know, nobody knows.
        }
        return most;
    }

    void read_saturation(EppPoolStatus& status) const {
        const auto of_stage = [&](std::string_view stage) {
            return explain_one(
                status, reader_.only(EppMetric::pool_saturation, [stage](const EppSeries& series) {
                    return series.label("stage") == stage;
                }));
        };
        status.saturation = of_stage("effective");
        status.prefill_saturation = of_stage("prefill");
        status.decode_saturation = of_stage("decode");
        // Older releases have no stages.
        if (status.saturation.reason() == ReadingReason::no_series)
            status.saturation = of_stage("");
        if (status.saturation.reason() == ReadingReason::unread)
            status.warnings.emplace_back(
                "the saturation is exactly 0 or 1, and the EPP lacks metrics of endpoints, or has "
                "no endpoint: it says nothing of the load");
        if (status.saturation.reason() == ReadingReason::ambiguous)
            status.warnings.emplace_back("the saturation is exactly 1, which may be load, "
                                         "endpoints without metrics or an empty "
                                         "pool: the EPP publishes too little to tell");
    }

    /// A saturation of exactly 1 stands for load only if nothing else explains it; and one of 0 for
    /// idleness: with the policy to ignore stale endpoints, it is 0 when all are stale.
    Reading<double> explain_one(const EppPoolStatus& status, const Reading<double>& value) const {
        if (!value || (value.value() != 1 && value.value() != 0))
            return value;
        const MetricName name = page_.find(EppMetric::pool_saturation).name;
        const bool is_empty = status.ready_endpoints && status.ready_endpoints.value() <= 0;
        if (is_empty || status.stale_endpoints.value_or(0) > 0)
            return Reading<double>::missing(ReadingReason::unread, name);
        if (value.value() == 1 && (!status.ready_endpoints || !status.stale_endpoints))
            return Reading<double>::missing(ReadingReason::ambiguous, name);
        return value;
    }

    void read_queues(EppPoolStatus& status) const {
        const auto all = [](const EppSeries&) { return true; };
        status.queued_requests = queued(EppMetric::flow_queue_size, all);
        status.queued_bytes = queued(EppMetric::flow_queue_bytes, all);
        std::set<std::pair<std::string, std::string>> queues;
        for (const EppMetric metric : {EppMetric::flow_queue_size, EppMetric::flow_queue_bytes})
            for (const EppSeries& series : page_.find(metric).series)
                if (!series.has_ended)
                    queues.emplace(series.model(), series.label("priority"));
        for (const auto& [model, priority] : queues) {
            const auto is_of = [&model = model, &priority = priority](const EppSeries& series) {
                return series.model() == model && series.label("priority") == priority;
            };
            status.queues.push_back({model, priority,
                                     reader_.sum(EppMetric::flow_queue_size, is_of),
                                     reader_.sum(EppMetric::flow_queue_bytes, is_of)});
        }
    }

    /// A queue that the EPP has removed is empty, if there is flow control at all.
    template <typename Wanted>
    Reading<double> queued(EppMetric metric, Wanted is_wanted) const {
        const Reading<double> sum = reader_.sum(metric, is_wanted);
        if (sum.reason() != ReadingReason::no_series || !reader_.has_flow_control())
            return sum;
        ReadingDetails<double> details;
        details.statistic = Statistic::last_sample;
        return Reading<double>::measured(0, reader_.clock().requested, {}, details);
    }

    std::vector<EppRate> rates(EppMetric counter, std::string_view label) const {
        std::set<std::string> outcomes;
        for (const EppSeries& series : page_.find(counter).series)
            outcomes.emplace(series.label(label));
        std::vector<EppRate> result;
        if (outcomes.empty())
            return result;
        const EppRates measured(page_, counter_profile(page_, counter), rules_);
        for (const std::string& outcome : outcomes)
            result.push_back({outcome, measured.measure(Signal::arrival_rate, reader_.clock(), 0,
                                                        [&](const EppSeries& series) {
                                                            return series.label(label) == outcome;
                                                        })});
        return result;
    }

    const EppReader& reader_;
    const EppPage& page_;
    const samples::SampleRules& rules_;
};

} // namespace wva_metrics::detail
