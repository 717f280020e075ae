// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/engine/detect_engine.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/reading_reason.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// How the pages of one kind of server are measured.
struct EngineRoad {
    EngineRoad(EngineProfile of, OptionalReadingSet chosen)
        : profile(std::move(of)), metrics(profile, chosen) {}

    EngineProfile profile;
    samples::MetricSet metrics;
    /// By signal: where the names of this kind begin in `EngineRoads::names`.
    std::array<std::size_t, signals.size()> first_name{};
};

/// The kinds of servers that a backend of pods knows: the configured one, which is number 0, and if
/// the configuration allows it, all others that a page can be recognized by.
class EngineRoads {
public:
    explicit EngineRoads(const PodConfig& config)
        : is_own_(!find_engine(config.engine.name).has_value()) {
        roads_.emplace_back(config.engine, config.optional_readings);
        if (config.detect_engines)
            for (const KnownEngineTable& known : known_engines)
                if (known.table->name != config.engine.name)
                    roads_.emplace_back(profile_of(known.engine), config.optional_readings);
        EngineProfile all = config.engine;
        for (EngineRoad& road : roads_) {
            if (&road == &roads_.front())
                continue;
            for (const SignalInfo& info : signals) {
                const Signal signal = info.signal;
                const std::vector<std::string>& more = road.profile[signal];
                road.first_name[index_of(signal)] = all[signal].size();
                all[signal].insert(all[signal].end(), more.begin(), more.end());
            }
        }
        names_ = SignalMetrics(all);
    }

    const EngineRoad& operator[](std::size_t road) const noexcept { return roads_[road]; }
    /// The names of all kinds, as readings have them.
    const SignalMetrics& names() const noexcept { return names_; }

    /// The kind of server that wrote a page with these names. Empty if it is of no kind known, or if
    /// nothing by which its kind is measured is there yet.
    std::optional<std::size_t> find(std::span<const std::string_view> names) const {
        const std::size_t road = likeliest(names);
        const bool is_measured = std::ranges::any_of(names, [&](std::string_view name) {
            return roads_[road].metrics.find(name).has_value();
        });
        return is_measured ? std::optional(road) : std::nullopt;
    }

    /// The kind of server that wrote a page with these names; 0 if it is of no kind known, or of the
    /// configured one: a profile of one's own may share names with a known kind.
    std::size_t likeliest(std::span<const std::string_view> names) const {
        if (roads_.size() == 1 || (is_own_ && runs(roads_.front(), names)))
            return 0;
        for (const DetectedEngine& detected : detect_engines(names))
            for (std::size_t road = 0; road < roads_.size(); ++road)
                if (roads_[road].profile.name == to_string(detected.engine))
                    return road;
        return 0;
    }

    /// The samples that pages are read for: the signals, since when they count, and `also`.
    exposition::WantedMetrics wanted(std::string_view also) const {
        std::vector<std::string> names;
        for (std::size_t road = 0; road < roads_.size(); ++road)
            add_wanted(road, names);
        names.emplace_back(also);
        return exposition::WantedMetrics(std::move(names));
    }

    /// Those of the kind of server that wrote a page with these names. Empty as long as it is not
    /// known.
    std::vector<std::string> wanted_of(std::span<const std::string_view> page) const {
        std::vector<std::string> names;
        if (const std::optional<std::size_t> road = find(page))
            add_wanted(*road, names);
        return names;
    }

    /// Makes the values of a report refer to `names`, and adds it to that of the same model's pods of
    /// other kinds.
    void merge(std::size_t road, ModelReport report, ModelReport& whole) const {
        for (JudgedPod& pod : report.pods) {
            const auto name_it = [&](Signal signal, std::size_t& alias) {
                // What this kind does not provide has no name, and not the next kind's.
                if (roads_[road].profile[signal].empty())
                    alias = SignalMetrics::no_name;
                else
                    alias += roads_[road].first_name[index_of(signal)];
            };
            for (const Signal signal : all_signals)
                name_it(signal, pod.report.values[index_of(signal)].alias);
            for (samples::OptionalValue& measured : pod.report.optional)
                name_it(measured.signal, measured.value.alias);
            for (samples::HistogramValue& measured : pod.report.histograms)
                name_it(measured.signal, measured.value.alias);
            if (pod.report.requests)
                name_it(Signal::arrival_rate, pod.report.requests->alias);
            pod.engine = roads_[road].profile.name;
            whole.pods.push_back(std::move(pod));
        }
        whole.clock = report.clock;
        whole.partial_because.merge(report.partial_because);
        whole.warnings.insert(whole.warnings.end(), report.warnings.begin(), report.warnings.end());
        // The last warnings are those of the last report.
        whole.ambiguity_warnings = report.ambiguity_warnings;
        whole.has_cluster_conflict = whole.has_cluster_conflict || report.has_cluster_conflict;
    }

    /// Leaves each pod of a whole report once. One with pages of several kinds of servers, such as a
    /// frontend and its engine, is measured by the kind that says most of it and lives.
    static void keep_one_kind(ModelReport& whole) {
        std::map<std::string, JudgedPod> kept;
        std::vector<JudgedPod> nameless;
        for (JudgedPod& pod : whole.pods) {
            const std::string name = pod.report.pod;
            if (name.empty()) {
                nameless.push_back(std::move(pod));
                continue;
            }
            const auto found = kept.find(name);
            if (found == kept.end()) {
                kept.emplace(name, std::move(pod));
                continue;
            }
            const bool is_better = merit(pod) > merit(found->second);
            const JudgedPod& other = is_better ? found->second : pod;
            if (is_alive(pod) && is_alive(found->second))
                whole.warnings.insert(whole.warnings.begin(),
                                      "pod '" + clean_text(name, max_shown) +
                                          "' has pages of several kinds of "
                                          "servers: it is not measured by that of '" +
                                          other.engine.value_or("") + "'");
            if (is_better)
                found->second = std::move(pod);
        }
        whole.pods = std::move(nameless);
        for (auto& [name, pod] : kept)
            whole.pods.push_back(std::move(pod));
    }

private:
    static constexpr std::size_t max_shown = 100;

    static bool is_alive(const JudgedPod& pod) noexcept {
        return pod.report.life != samples::PodLife::ended &&
               pod.report.life != samples::PodLife::gone;
    }
    static std::pair<bool, std::ptrdiff_t> merit(const JudgedPod& pod) {
        return {is_alive(pod), std::ranges::count(pod.report.values, ReadingReason::none,
                                                  &samples::SignalValue::reason)};
    }

    /// True if the page has a metric of `Signal::running`.
    static bool runs(const EngineRoad& road, std::span<const std::string_view> names) {
        const std::vector<std::string> running = metric_names(road.profile, Signal::running);
        return std::ranges::any_of(names, [&](std::string_view name) {
            return std::ranges::binary_search(running, name);
        });
    }

    void add_wanted(std::size_t road, std::vector<std::string>& names) const {
        for (const std::string& name : roads_[road].metrics.names()) {
            names.push_back(name);
            for (const std::string_view ending : {"_total", "_count", "_sum", "_bucket"})
                if (name.ends_with(ending))
                    names.push_back(name.substr(0, name.size() - ending.size()) + "_created");
        }
    }

    /// The configured profile is none of those that are known.
    bool is_own_;
    std::vector<EngineRoad> roads_;
    SignalMetrics names_{EngineProfile()};
};

} // namespace wva_metrics::detail
