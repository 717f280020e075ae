// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/backend/layered_config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Chooses among what several sources say of the same thing. Pure; the sources come in the order of
/// preference.
class LayerMerger {
public:
    /// `config` must outlive it. `now` is when the answers are compared.
    LayerMerger(const LayeredConfig& config, TimePoint now) : config_(config), now_(now) {}

    /// How a source is called, from 0.
    std::string name(std::size_t source) const {
        return source < config_.names.size() && !config_.names[source].empty()
                   ? config_.names[source]
                   : "source " + std::to_string(source + 1);
    }

    /// One reading of those that the sources have; null for a source that has no answer. Without a
    /// value, the first source that has an answer says why.
    Reading<double> choose(std::span<const Reading<double>* const> readings) const {
        std::optional<std::size_t> best;
        std::optional<std::size_t> first;
        for (std::size_t i = 0; i < readings.size(); ++i) {
            if (readings[i] == nullptr)
                continue;
            if (!first)
                first = i;
            if (readings[i]->has_value() && (!best || is_fresher(*readings[i], *readings[*best])))
                best = i;
        }
        if (!first)
            return {};
        if (!best)
            return from(readings, *first, false);
        return settle(readings, whole_instead_of(readings, *best));
    }

    /// Of one variant. At least one answer is a value; a failed source is null.
    OptimizerMetrics merge(std::span<const OptimizerMetrics* const> answers) const {
        OptimizerMetrics merged = *first_of(answers);
        std::set<std::size_t> used;
        for (const auto& field : optimizer_readings)
            merged.*field.member = choose(member_of(answers, field.member));
        for (const auto& field : optimizer_readings)
            note_used(merged.*field.member, used);
        merged.optional = choose_optional(answers);
        note_used(merged.optional, used);
        if (const std::uint8_t layer = merged.arrival_rate_per_minute.layer(); layer > 0)
            merged.coverage = answers[layer - 1U]->coverage;
        add_remarks(answers, used, merged);
        return merged;
    }

    /// Of one model. At least one answer is a value; a failed source is null.
    ReplicaSamples merge(std::span<const ReplicaSamples* const> answers) const {
        ReplicaSamples merged;
        merged.model = first_of(answers)->model;
        std::map<std::string_view, std::vector<const ReplicaSample*>> pods;
        for (std::size_t i = 0; i < answers.size(); ++i)
            if (answers[i] != nullptr)
                for (const ReplicaSample& pod : answers[i]->pods)
                    pods.try_emplace(pod.pod, answers.size()).first->second[i] = &pod;
        std::set<std::string> gone;
        for (const ReplicaSamples* answer : answers)
            if (answer != nullptr)
                gone.insert(answer->gone_pods.begin(), answer->gone_pods.end());
        std::set<std::size_t> used;
        for (const auto& [name, seen] : pods) {
            ReplicaSample pod = merge_pod(seen);
            const auto found = gone.find(std::string(name));
            if (found != gone.end()) {
                if (!is_alive(pod))
                    continue;
                gone.erase(found);
            }
            for (const auto& field : replica_readings<ReplicaSample>)
                note_used(pod.*field.member, used);
            note_used(pod.optional, used);
            merged.pods.push_back(std::move(pod));
        }
        merged.gone_pods.assign(gone.begin(), gone.end());
        // Without pods, whoever answered says that there are none.
        for (std::size_t i = 0; i < answers.size(); ++i)
            if (answers[i] != nullptr && merged.pods.empty())
                used.insert(i);
        add_remarks(answers, used, merged);
        return merged;
    }

    /// The most favourable verdict: a model is available if one source has its metrics.
    Availability merge(std::span<const Availability* const> answers) const {
        const Availability* best = nullptr;
        for (const Availability* answer : answers)
            if (answer != nullptr && (best == nullptr || rank(*answer) < rank(*best)))
                best = answer;
        return *best;
    }

private:
    static int rank(const Availability& verdict) noexcept {
        switch (verdict.reason) {
        case AvailabilityReason::metrics_found:
            return 0;
        case AvailabilityReason::metrics_stale:
            return 1;
        case AvailabilityReason::metrics_missing:
            return 2;
        case AvailabilityReason::backend_error:
            break;
        }
        return 3;
    }

    template <typename Answer>
    static const Answer* first_of(std::span<const Answer* const> answers) {
        return *std::find_if(answers.begin(), answers.end(),
                             [](const Answer* answer) { return answer != nullptr; });
    }

    template <typename Metrics>
    static std::vector<const Reading<double>*> member_of(std::span<const Metrics* const> answers,
                                                         Reading<double> Metrics::*member) {
        std::vector<const Reading<double>*> readings;
        readings.reserve(answers.size());
        for (const Metrics* answer : answers)
            readings.push_back(answer == nullptr ? nullptr : &(answer->*member));
        return readings;
    }

    /// Of the optional readings that a source has, each as any other reading.
    template <typename Metrics>
    OptionalReadings choose_optional(std::span<const Metrics* const> answers) const {
        OptionalReadings chosen;
        if (std::ranges::all_of(answers, [](const Metrics* answer) {
                return answer == nullptr || answer->optional.empty();
            }))
            return chosen;
        std::vector<const Reading<double>*> readings(answers.size());
        for (const OptionalReadingInfo& info : optional_readings) {
            for (std::size_t i = 0; i < answers.size(); ++i)
                readings[i] =
                    answers[i] == nullptr ? nullptr : answers[i]->optional.get(info.reading);
            if (std::ranges::any_of(readings, [](const auto* one) { return one != nullptr; }))
                chosen.set(info.reading, choose(readings));
        }
        return chosen;
    }

    bool is_fresher(const Reading<double>& reading, const Reading<double>& other) const noexcept {
        return reading.latest_at() > saturating_add(other.latest_at(), config_.equally_fresh);
    }

    /// The truth is at least a lower bound. So what another source has measured as a whole says more, if
    /// it is higher.
    std::size_t whole_instead_of(std::span<const Reading<double>* const> readings,
                                 std::size_t best) const {
        if (!readings[best]->is_lower_bound())
            return best;
        std::size_t whole = best;
        for (std::size_t i = 0; i < readings.size(); ++i) {
            if (readings[i] == nullptr || !readings[i]->has_value() ||
                readings[i]->is_lower_bound() || readings[i]->value() <= readings[best]->value())
                continue;
            if (whole == best || is_fresher(*readings[i], *readings[whole]))
                whole = i;
        }
        return whole;
    }

    static Reading<double> from(std::span<const Reading<double>* const> readings,
                                std::size_t source, bool is_disputed) {
        return readings[source]->from_layer(static_cast<std::uint8_t>(source + 1), is_disputed);
    }

    /// The reading of source `best`, or what becomes of it in a dispute.
    Reading<double> settle(std::span<const Reading<double>* const> readings,
                           std::size_t best) const {
        bool is_disputed = false;
        std::size_t highest = best;
        for (std::size_t i = 0; i < readings.size(); ++i) {
            if (i == best || readings[i] == nullptr || !is_disputing(*readings[i], *readings[best]))
                continue;
            is_disputed = true;
            if (readings[i]->value() > readings[highest]->value())
                highest = i;
        }
        if (is_disputed && config_.on_dispute == OnDispute::missing) {
            const Reading<double>& reading = *readings[best];
            ReadingDetails<double> details;
            details.statistic = reading.statistic();
            details.window = reading.window();
            details.spacing = reading.spacing();
            details.last_sample_at = reading.last_sample_at();
            details.layer = static_cast<std::uint8_t>(best + 1);
            return Reading<double>::missing(ReadingReason::disputed, MetricName(reading.metric()),
                                            details);
        }
        const bool takes_highest = config_.on_dispute == OnDispute::highest;
        return from(readings, takes_highest ? highest : best, is_disputed);
    }

    bool is_disputing(const Reading<double>& reading, const Reading<double>& other) const {
        if (!(config_.tolerance > 0) || !reading.has_value() ||
            reading.statistic() != other.statistic())
            return false;
        const Duration apart = reading.latest_at() > other.latest_at()
                                   ? reading.latest_at() - other.latest_at()
                                   : other.latest_at() - reading.latest_at();
        const double difference = std::abs(reading.value() - other.value());
        const double higher = std::max(std::abs(reading.value()), std::abs(other.value()));
        return apart <= config_.comparable_within && difference > config_.least_difference &&
               difference > config_.tolerance * higher;
    }

    ReplicaSample merge_pod(std::span<const ReplicaSample* const> seen) const {
        ReplicaSample merged;
        merged.pod = first_of(seen)->pod;
        for (const auto& field : replica_readings<ReplicaSample>)
            merged.*field.member = choose(member_of(seen, field.member));
        merged.optional = choose_optional(seen);
        for (const ReplicaSample* pod : seen) {
            if (pod == nullptr)
                continue;
            if (!merged.owner)
                merged.owner = pod->owner;
            if (merged.state == PodState::unknown)
                merged.state = pod->state;
            if (merged.engine.empty())
                merged.engine = pod->engine;
            if (merged.role == ReplicaRole::unknown)
                merged.role = pod->role;
            if (pod->last_sample_at &&
                (!merged.last_sample_at || *merged.last_sample_at < *pod->last_sample_at))
                merged.last_sample_at = pod->last_sample_at;
        }
        return merged;
    }

    bool is_alive(const ReplicaSample& pod) const noexcept {
        return pod.last_sample_at &&
               saturating_age(*pod.last_sample_at, now_) < config_.alive_within;
    }

    static void note_used(const Reading<double>& reading, std::set<std::size_t>& used) {
        if (reading.layer() > 0)
            used.insert(reading.layer() - 1U);
    }

    static void note_used(const OptionalReadings& readings, std::set<std::size_t>& used) {
        for (const OptionalReadings::Entry& entry : readings.entries())
            note_used(entry.reading, used);
    }

    /// An answer lacks a part if a source that it uses does.
    template <typename Metrics>
    void add_remarks(std::span<const Metrics* const> answers, const std::set<std::size_t>& used,
                     Metrics& merged) const {
        merged.partial = false;
        merged.warnings.clear();
        for (const std::size_t source : used) {
            merged.partial = merged.partial || answers[source]->partial;
            for (const std::string& warning : answers[source]->warnings)
                merged.warnings.push_back(name(source) + ": " + warning);
        }
    }

    const LayeredConfig& config_;
    TimePoint now_;
};

} // namespace wva_metrics::detail
