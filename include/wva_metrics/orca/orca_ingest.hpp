// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/orca/detail/reported_value.hpp"
#include "wva_metrics/orca/orca_ingest_config.hpp"
#include "wva_metrics/orca/visit_report.hpp"
#include "wva_metrics/reading.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::orca {

/// Keeps what pods report of their own load in the answers to requests, between two scrapes. A proxy
/// or a client passes each header to `ingest_orca`; `apply` puts the numbers into readings.
///
/// Reports ride on answers, so an idle server says nothing, and a server with several engines may report
/// one of them only. So a report can raise a value or make it fresher. It never lowers a value below
/// that of another engine, never shows that a server is idle, and adds no pod. Where it raises a value,
/// the reading is a lower bound.
///
/// **Threads:** safe.
class OrcaIngest {
public:
    /// Throws `ResultError` with `Errc::invalid_config` and all problems that `validate(config)` finds.
    explicit OrcaIngest(OrcaIngestConfig config = {})
        : config_(wva_metrics::detail::checked(std::move(config), "ORCA ingest")) {}

    /// Takes the value of a response header.
    ///
    /// **Parameters:**
    /// - `namespace_name`, `pod`: the pod that sent the answer.
    /// - `value`: of the header `report_header`, or of `binary_report_header` with `header`.
    /// - `now`: when the answer arrived.
    ///
    /// **Errors:** those of `visit_report`, and nothing is kept of the report. And
    /// - `invalid_argument`: the pod has no name.
    /// - `bad_response`: a KV cache usage is not 0 to 1, or a number of requests is negative.
    /// - `too_large`: `max_pods` pods report already.
    Result<void> ingest_orca(std::string_view namespace_name, std::string_view pod,
                             std::string_view value, TimePoint now,
                             OrcaHeader header = OrcaHeader::load_metrics) {
        if (pod.empty())
            return Error(Errc::invalid_argument, "a load report needs the name of its pod");
        Found kv;
        Found queue;
        const Result<void> visited = visit_report(
            value,
            [&](const OrcaMetric& metric) {
                if (metric.field != OrcaField::named_metric)
                    return;
                kv.take(metric, config_.kv_cache_usage);
                queue.take(metric, config_.queue_length);
            },
            config_.limits, header);
        if (visited.has_error())
            return visited.error();
        if (kv.value && (*kv.value < 0 || *kv.value > 1))
            return detail::malformed("has a KV cache usage that is not 0 to 1: " +
                                     std::to_string(*kv.value));
        if (queue.value && *queue.value < 0)
            return detail::malformed("has a negative number of waiting requests");
        if (!kv.value && !queue.value)
            return {}; // Valid, but of no use here.
        const std::lock_guard lock(mutex_);
        Pod* const entry = find_or_add({namespace_name, pod}, now);
        if (entry == nullptr)
            return Error(Errc::too_large, "more pods send load reports than are kept (max_pods = " +
                                              std::to_string(config_.max_pods) + ")");
        if (now - entry->reported > config_.expiration)
            *entry = Pod{now, now};
        if (entry->superseded && now <= *entry->superseded)
            return {}; // It came late.
        entry->reported = std::max(entry->reported, now);
        if (kv.value)
            entry->kv_cache_usage.add(*kv.value, now, config_.hold);
        if (queue.value)
            entry->queue_length.add(*queue.value, now, config_.hold);
        return {};
    }

    /// Raises the readings of a model's pods by their reports, or makes them fresher. Of a pod without
    /// a report, in its blackout, or with an expired one, nothing changes.
    void apply(ReplicaSamples& samples, TimePoint now) const {
        const std::lock_guard lock(mutex_);
        for (ReplicaSample& sample : samples.pods)
            apply_locked(samples.model.namespace_name, sample, now);
    }

    /// The same for one pod.
    void apply(std::string_view namespace_name, ReplicaSample& sample, TimePoint now) const {
        const std::lock_guard lock(mutex_);
        apply_locked(namespace_name, sample, now);
    }

    /// The pod's page was read at this time: what it says counts, even that it has no such metric, and
    /// reports up to then are not used any more. Without it a report is used until its value is
    /// scraped, or it expires.
    void supersede(std::string_view namespace_name, std::string_view pod, TimePoint read_at) {
        const std::lock_guard lock(mutex_);
        const auto found =
            pods_.find(std::pair<std::string_view, std::string_view>(namespace_name, pod));
        if (found == pods_.end() || found->second.superseded >= read_at)
            return;
        found->second.superseded = read_at;
        found->second.kv_cache_usage.drop_until(read_at);
        found->second.queue_length.drop_until(read_at);
    }

    /// Forgets a pod's reports, e.g. when it is deleted.
    void forget(std::string_view namespace_name, std::string_view pod) {
        const std::lock_guard lock(mutex_);
        const auto found =
            pods_.find(std::pair<std::string_view, std::string_view>(namespace_name, pod));
        if (found != pods_.end())
            pods_.erase(found);
    }

    /// The number of pods whose reports are kept.
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return pods_.size();
    }

private:
    /// A number in a report, by the first of its names.
    struct Found {
        std::optional<double> value{};
        std::size_t rank = 0;

        void take(const OrcaMetric& metric, const std::vector<std::string>& names) {
            for (std::size_t i = 0; i < names.size(); ++i)
                if (names[i] == metric.name && (!value || i < rank)) {
                    value = metric.value;
                    rank = i;
                }
        }
    };

    struct Pod {
        TimePoint since{};    ///< The first report of those that count.
        TimePoint reported{}; ///< The newest report.
        detail::ReportedValue kv_cache_usage{};
        detail::ReportedValue queue_length{};
        std::optional<TimePoint> superseded{}; ///< See `supersede`.
    };

    /// Compares names without copying them.
    struct ByName {
        using is_transparent = void;
        template <typename One, typename Other>
        bool operator()(const One& one, const Other& other) const noexcept {
            const int first = std::string_view(one.first).compare(other.first);
            return first != 0 ? first < 0 : std::string_view(one.second) < other.second;
        }
    };

    Pod* find_or_add(std::pair<std::string_view, std::string_view> name, TimePoint now) {
        const auto found = pods_.find(name);
        if (found != pods_.end())
            return &found->second;
        if (pods_.size() >= config_.max_pods)
            std::erase_if(pods_, [&](const auto& pod) {
                return now - pod.second.reported > config_.expiration;
            });
        if (pods_.size() >= config_.max_pods)
            return nullptr;
        return &pods_
                    .try_emplace({std::string(name.first), std::string(name.second)}, Pod{now, now})
                    .first->second;
    }

    void apply_locked(std::string_view namespace_name, ReplicaSample& sample, TimePoint now) const {
        const auto found =
            pods_.find(std::pair<std::string_view, std::string_view>(namespace_name, sample.pod));
        if (found == pods_.end() || now - found->second.since < config_.blackout)
            return;
        raise(sample.kv_cache_usage, found->second.kv_cache_usage, now, sample);
        raise(sample.queue_length, found->second.queue_length, now, sample);
    }

    void raise(Reading<double>& reading, const detail::ReportedValue& value, TimePoint now,
               ReplicaSample& sample) const {
        const std::optional<detail::Reported> reported = value.at(now, config_.expiration);
        if (!reported)
            return;
        reading = detail::raise(reading, *reported, metric_);
        if (!sample.last_sample_at || *sample.last_sample_at < reported->at)
            sample.last_sample_at = reported->at;
    }

    const OrcaIngestConfig config_;
    const MetricName metric_{report_header};
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, Pod, ByName> pods_;
};

} // namespace wva_metrics::orca
