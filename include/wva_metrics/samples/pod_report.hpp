// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/role_of_label.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/replica_role.hpp"
#include "wva_metrics/samples/choose_copy.hpp"
#include "wva_metrics/samples/combine.hpp"
#include "wva_metrics/samples/detail/measure_processes.hpp"
#include "wva_metrics/samples/liveness.hpp"
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
    /// By signal, in the order of the enumeration; without the optional ones.
    std::array<SignalValue, all_signals.size()> values{};
    /// The optional signals that were asked for, in the order of the enumeration. Empty for a pod
    /// that has no samples at all.
    std::vector<OptionalValue> optional{};
    /// The same of the histograms.
    std::vector<HistogramValue> histograms{};
    /// How many requests it has finished, if they are counted; see `samples::count_requests`.
    std::optional<SignalValue> requests{};
    /// Its newest sample.
    ServerTime last_sample{};
    /// Its newest scrape has not happened or failed, although it was due. False if nothing is known
    /// of its spacing.
    bool is_late = false;
    /// By what it was decided which series are one process; sorted, each once.
    std::vector<std::string> evidence{};
    /// What the labels of its series tell; of several processes, what they do together.
    ReplicaRole role = ReplicaRole::unknown;

    /// The value of a signal; `not_collected` for an optional one that was not measured.
    const SignalValue& operator[](Signal signal) const noexcept {
        if (!is_optional(signal))
            return values[wva_metrics::detail::index_of(signal)];
        const auto found = std::ranges::find(optional, signal, &OptionalValue::signal);
        return found == optional.end() ? not_measured : found->value;
    }
    /// The histogram of a signal, or null if it was not measured.
    const HistogramValue* histogram(Signal signal) const noexcept {
        const auto found = std::ranges::find(histograms, signal, &HistogramValue::signal);
        return found == histograms.end() ? nullptr : &*found;
    }
    /// Calls `use(value)` for all values.
    template <typename Use>
    void for_each_value(Use use) {
        for (SignalValue& value : values)
            use(value);
        for (OptionalValue& measured : optional)
            use(measured.value);
        for (HistogramValue& measured : histograms)
            use(measured.value);
        if (requests)
            use(*requests);
    }

private:
    static constexpr SignalValue not_measured{.reason = ReadingReason::not_collected};
};

namespace detail {

/// The processes of one pod, and what is measured of them.
class PodMeasurement {
public:
    PodMeasurement(const MetricSet& metrics, ServerTime now, const SampleRules& rules)
        : metrics_(metrics), now_(now), rules_(rules) {}

    /// Takes a process into account, if it counts.
    void add(const Process& process) {
        has_predecessor_ |= process.status == ProcessStatus::predecessor;
        if (process.status == ProcessStatus::predecessor ||
            process.status == ProcessStatus::aggregate)
            return;
        is_ambiguous_ |= process.status == ProcessStatus::ambiguous;
        evidence_.insert(evidence_.end(), process.evidence.begin(), process.evidence.end());
        const View& view = choose_copy(process.copies, now_, rules_);
        if (is_lost(view, now_, rules_)) {
            lost_.push_back({&view, process.copies});
            is_unread_ |= std::ranges::any_of(process.copies, [this](const View* copy) {
                return is_unread(*copy, now_, rules_);
            });
            has_target_ |= std::ranges::any_of(process.copies,
                                               [](const View* copy) { return !copy->up.empty(); });
        } else {
            living_.push_back({&view, process.copies});
        }
    }

    /// True if no process counts.
    bool empty() const noexcept { return living_.empty() && lost_.empty(); }

    PodReport report(std::string_view pod) {
        PodReport result;
        result.pod = pod;
        result.life = life();
        for (const auto* processes : {&living_, &lost_})
            for (const Counted& process : *processes)
                result.last_sample = std::max(result.last_sample, process.chosen->last());
        result.is_late = is_late(living_) && is_late(lost_);
        std::ranges::sort(evidence_);
        evidence_.erase(std::unique(evidence_.begin(), evidence_.end()), evidence_.end());
        result.evidence = std::move(evidence_);
        result.role = role();
        measure_all(result);
        return result;
    }

private:
    /// A process, and the copy by which it is measured.
    struct Counted {
        const View* chosen = nullptr;
        std::span<const View* const> copies{};
    };

    /// True if the newest scrape of each, also one that failed, is older than the next one's due.
    bool is_late(std::span<const Counted> processes) const {
        return std::ranges::all_of(processes, [this](const Counted& process) {
            const View& view = *process.chosen;
            const std::optional<ServerDuration> spacing = scrape_spacing(view);
            const ServerTime scraped =
                view.up.empty() ? view.last() : std::max(view.last(), view.up.back().time);
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

    /// Of what lives; or else of what was there.
    ReplicaRole role() const {
        ReplicaRole role = ReplicaRole::unknown;
        const auto add = [&role](const Labels& labels) {
            for (const auto& [name, value] : labels)
                role = merge_roles(role, role_of_label(name, value));
        };
        for (const Counted& process : living_.empty() ? lost_ : living_) {
            add(process.chosen->labels);
            for (const Series& series : process.chosen->series)
                add(series.server_labels);
        }
        return role;
    }

    void measure_all(PodReport& report) const {
        if (is_ambiguous_) {
            miss_all(report);
            return;
        }
        const std::vector<ProcessMeasurer> living = measurers(living_);
        const std::vector<ProcessMeasurer> lost = measurers(lost_);
        const auto measure_one = [&](Signal signal) {
            return combine(measure_each(living, lost, signal), signal);
        };
        for (const Signal signal : all_signals)
            report.values[wva_metrics::detail::index_of(signal)] = measure_one(signal);
        for (const Signal signal : metrics_.optional())
            report.optional.push_back({signal, measure_one(signal)});
        for (const Signal signal : metrics_.histograms())
            report.histograms.push_back(measure_histogram(living, lost, signal));
        if (metrics_.counts_requests())
            report.requests = count_all(living, lost);
        if (report.life == PodLife::unread)
            report.for_each_value([](SignalValue& value) {
                if (value.reason != ReadingReason::none &&
                    value.reason != ReadingReason::not_provided)
                    value.reason = ReadingReason::unread;
            });
    }

    /// The requests of all processes, also of those that ended. What a predecessor did is not
    /// known.
    SignalValue count_all(std::span<const ProcessMeasurer> living,
                          std::span<const ProcessMeasurer> lost) const {
        std::vector<SignalValue> values;
        for (const auto& processes : {living, lost})
            for (const ProcessMeasurer& process : processes)
                values.push_back(process.count_requests());
        SignalValue whole = combine(values, Signal::arrival_rate);
        if (whole.reason == ReadingReason::none && whole.value == 0 && has_predecessor_)
            whole.reason = ReadingReason::warming_up;
        return whole;
    }

    /// Nothing is known of an ambiguous pod.
    void miss_all(PodReport& report) const {
        const auto missing = [&](bool is_provided) {
            SignalValue value;
            value.reason = is_provided ? ReadingReason::ambiguous : ReadingReason::not_provided;
            value.time = report.last_sample;
            return value;
        };
        for (const Signal signal : all_signals)
            report.values[wva_metrics::detail::index_of(signal)] =
                missing(!metrics_.sources(signal).empty());
        for (const Signal signal : metrics_.optional())
            report.optional.push_back({signal, missing(!metrics_.sources(signal).empty())});
        for (const Signal signal : metrics_.histograms())
            report.histograms.push_back({signal, missing(!metrics_.buckets(signal).empty())});
        if (metrics_.counts_requests())
            report.requests = missing(!metrics_.sources(Signal::arrival_rate).empty());
    }

    std::vector<ProcessMeasurer> measurers(std::span<const Counted> processes) const {
        std::vector<ProcessMeasurer> result;
        for (const Counted& process : processes)
            result.emplace_back(*process.chosen, process.copies, metrics_, now_, rules_);
        return result;
    }

    const MetricSet& metrics_;
    ServerTime now_;
    const SampleRules& rules_;
    std::vector<Counted> living_;
    std::vector<Counted> lost_;
    std::vector<std::string> evidence_;
    bool is_ambiguous_ = false;
    bool is_unread_ = false;
    bool has_predecessor_ = false;
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
