// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/orca/orca_ingest.hpp"
#include "wva_metrics/orca/orca_ingest_config.hpp"
#include "wva_metrics/orca/orca_metric.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/schedule.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// The load reports of the pods that are scraped. Those of other pods are refused, so that a caller's
/// names fill no memory and take no room from the pods.
///
/// **Threads:** safe. No lock is held while a report is parsed.
class PodLoadReports {
public:
    using Id = scrape::Schedule::Id;

    explicit PodLoadReports(orca::OrcaIngestConfig config) : ingest_(std::move(config)) {}

    /// This target is a page of the pod. A pod may have several.
    void add(const std::string& namespace_name, const std::string& pod, Id target) {
        const std::lock_guard lock(mutex_);
        pods_[namespace_name][pod].emplace(target, std::nullopt);
    }

    /// The target is there no more. Does nothing if it was not there.
    void remove(std::string_view namespace_name, std::string_view pod, Id target) {
        const std::lock_guard lock(mutex_);
        const auto pods = pods_.find(namespace_name);
        if (pods == pods_.end())
            return;
        const auto found = pods->second.find(pod);
        if (found == pods->second.end() || found->second.erase(target) == 0)
            return;
        if (found->second.empty())
            pods->second.erase(found);
        if (pods->second.empty())
            pods_.erase(pods);
        // Another target may be the pod that has taken its place: its reports begin anew.
        ingest_.forget(namespace_name, pod);
    }

    /// A scrape of the target that began at this time has succeeded. Reports are older than all pages
    /// of the pod only if they are older than the oldest of them.
    void was_read(std::string_view namespace_name, std::string_view pod, Id target,
                  TimePoint begun) {
        const std::lock_guard lock(mutex_);
        Reads* const reads = find(namespace_name, pod);
        if (reads == nullptr)
            return;
        const auto found = reads->find(target);
        if (found == reads->end())
            return; // It was removed meanwhile.
        found->second = begun;
        const auto oldest = std::ranges::min_element(
            *reads, {}, [](const Reads::value_type& read) { return read.second; });
        if (oldest->second)
            ingest_.supersede(namespace_name, pod, *oldest->second);
    }

    /// See `BasicPodBackend::ingest_orca`.
    Result<void> ingest(std::string_view namespace_name, std::string_view pod,
                        std::string_view value, TimePoint now, orca::OrcaHeader header) {
        {
            const std::lock_guard lock(mutex_);
            if (find(namespace_name, pod) == nullptr) {
                namespace_name = {}; // A target without a namespace is in each.
                if (find(namespace_name, pod) == nullptr)
                    return unknown(pod);
            }
        }
        return ingest_.ingest_orca(namespace_name, pod, value, now, header);
    }

    /// See `orca::OrcaIngest::apply`.
    void apply(ReplicaSamples& samples, TimePoint now) const {
        for (ReplicaSample& sample : samples.pods) {
            ingest_.apply(samples.model.namespace_name, sample, now);
            if (!samples.model.namespace_name.empty())
                ingest_.apply({}, sample, now);
        }
    }

    /// The number of pods whose reports are kept.
    std::size_t size() const { return ingest_.size(); }

private:
    /// When each target of a pod was read last.
    using Reads = std::map<Id, std::optional<TimePoint>>;

    static Error unknown(std::string_view pod) {
        constexpr std::size_t max_bytes = 100;
        return {Errc::invalid_argument, "the load report of pod '" + clean_text(pod, max_bytes) +
                                            "' is not used: no pod of this name is scraped"};
    }

    Reads* find(std::string_view namespace_name, std::string_view pod) {
        const auto pods = pods_.find(namespace_name);
        if (pods == pods_.end())
            return nullptr;
        const auto found = pods->second.find(pod);
        return found == pods->second.end() ? nullptr : &found->second;
    }

    orca::OrcaIngest ingest_;
    mutable std::mutex mutex_;
    /// By namespace and name.
    std::map<std::string, std::map<std::string, Reads, std::less<>>, std::less<>> pods_;
};

} // namespace wva_metrics::detail
