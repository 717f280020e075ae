// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/choose_copy.hpp"
#include "wva_metrics/samples/combine.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/measure.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/process.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// What was measured of one pod.
struct PodReport {
    /// Empty for the processes whose labels name no pod.
    std::string pod{};
    /// Whether it answers.
    PodLife life = PodLife::ended;
    /// By signal, in the order of the enumeration.
    std::array<SignalValue, signals.size()> values{};
    /// Its newest sample.
    ServerTime last_sample{};
    /// Its newest scrape has not happened or failed, although it was due. False if nothing is known
    /// of its spacing.
    bool is_late = false;
    /// By what it was decided which series are one process; sorted, each once.
    std::vector<std::string> evidence{};

    /// The value of a signal.
    const SignalValue& operator[](Signal signal) const noexcept {
        return values[wva_metrics::detail::index_of(signal)];
    }
};

namespace detail {

/// The processes of one pod, and what is measured of them.
class PodMeasurement {
public:
    PodMeasurement(const MetricSet& metrics, ServerTime now, const SampleRules& rules)
        : metrics_(metrics), now_(now), rules_(rules) {}

    /// Takes a process into account, if it counts.
    void add(const Process& process) {
        if (process.status == ProcessStatus::predecessor ||
            process.status == ProcessStatus::aggregate)
            return;
        is_ambiguous_ |= process.status == ProcessStatus::ambiguous;
        evidence_.insert(evidence_.end(), process.evidence.begin(), process.evidence.end());
        const View& view = choose_copy(process.copies, now_, rules_);
        if (is_lost(view, now_, rules_)) {
            lost_.push_back(&view);
            is_unread_ |= std::ranges::any_of(process.copies, [this](const View* copy) {
                return is_unread(*copy, now_, rules_);
            });
            has_target_ |= std::ranges::any_of(process.copies,
                                               [](const View* copy) { return !copy->up.empty(); });
        } else {
            living_.push_back(&view);
        }
    }

    /// True if no process counts.
    bool empty() const noexcept { return living_.empty() && lost_.empty(); }

    PodReport report(std::string_view pod) {
        PodReport result;
        result.pod = pod;
        result.life = life();
        for (const auto* views : {&living_, &lost_})
            for (const View* view : *views)
                result.last_sample = std::max(result.last_sample, view->last());
        result.is_late = is_late(living_) && is_late(lost_);
        std::ranges::sort(evidence_);
        evidence_.erase(std::unique(evidence_.begin(), evidence_.end()), evidence_.end());
        result.evidence = std::move(evidence_);
        measure_all(result);
        return result;
    }

private:
    /// True if the newest scrape of each, also one that failed, is older than the next one's due.
    bool is_late(std::span<const View* const> views) const {
        return std::ranges::all_of(views, [this](const View* view) {
            const std::optional<ServerDuration> spacing = scrape_spacing(*view);
            const ServerTime scraped =
                view->up.empty() ? view->last() : std::max(view->last(), view->up.back().time);
            return spacing && now_ - scraped > *spacing;
        });
    }

    PodLife life() const noexcept {
        if (is_ambiguous_)
            return PodLife::ambiguous;
        if (!living_.empty())
            return is_unread_ ? PodLife::part : PodLife::alive;
        if (is_unread_)
            return PodLife::unread;
        return has_target_ ? PodLife::gone : PodLife::ended;
    }

    void measure_all(PodReport& report) const {
        if (is_ambiguous_) {
            for (SignalValue& value : report.values) {
                value.reason = ReadingReason::ambiguous;
                value.time = report.last_sample;
            }
            return;
        }
        const std::vector<ViewMeasurer> living = measurers(living_);
        const std::vector<ViewMeasurer> lost = measurers(lost_);
        for (const Signal signal : all_signals) {
            SignalValue& value = report.values[wva_metrics::detail::index_of(signal)];
            value = combine(measure_each(living, lost, signal), signal);
            if (report.life == PodLife::unread && value.reason != ReadingReason::none)
                value.reason = ReadingReason::unread;
        }
    }

    std::vector<ViewMeasurer> measurers(std::span<const View* const> views) const {
        std::vector<ViewMeasurer> result;
        for (const View* view : views)
            result.emplace_back(*view, metrics_, now_, rules_);
        return result;
    }

    /// A gauge is measured by what lives. A request that was served in the window counts, also if
    /// the process that served it has ended.
    static std::vector<SignalValue> measure_each(std::span<const ViewMeasurer> living,
                                                 std::span<const ViewMeasurer> lost,
                                                 Signal signal) {
        std::vector<SignalValue> values;
        for (const ViewMeasurer& process : living)
            values.push_back(process.measure(signal));
        const Computation computation = computation_of(signal);
        const bool is_rate =
            computation == Computation::counter_rate || computation == Computation::average;
        for (const ViewMeasurer& process : lost) {
            if (!living.empty() && !is_rate)
                break;
            const SignalValue value = process.measure(signal);
            if (living.empty() || value.reason == ReadingReason::none)
                values.push_back(value);
        }
        return values;
    }

    const MetricSet& metrics_;
    ServerTime now_;
    const SampleRules& rules_;
    std::vector<const View*> living_;
    std::vector<const View*> lost_;
    std::vector<std::string> evidence_;
    bool is_ambiguous_ = false;
    bool is_unread_ = false;
    bool has_target_ = false;
};

} // namespace detail

/// What was measured of each pod, sorted by pod; the processes without a pod are one report. Windows
/// end at `now`, on the clock of the server.
///
/// Predecessors and aggregates do not count; a pod that has nothing else is left out. A pod that
/// ended keeps its values with the times of its own samples: its rates count for the part of the
/// window in which it served.
inline std::vector<PodReport> report_pods(const ModelProcesses& processes, const MetricSet& metrics,
                                          ServerTime now, const SampleRules& rules) {
    std::map<std::string_view, detail::PodMeasurement> pods;
    for (const Process& process : processes.processes)
        pods.try_emplace(process.pod, metrics, now, rules).first->second.add(process);
    std::vector<PodReport> reports;
    reports.reserve(pods.size());
    for (auto& [pod, measurement] : pods)
        if (!measurement.empty())
            reports.push_back(measurement.report(pod));
    return reports;
}

} // namespace wva_metrics::samples
