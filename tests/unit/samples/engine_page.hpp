// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/processes.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples::engine_pages {

using namespace std::chrono_literals;

/// When all pages are read.
inline constexpr ServerTime read_at{1'700'000'000s};
/// The time between two scrapes of a page.
inline constexpr ServerDuration page_spacing = 15s;

/// The values of a counter at its last four scrapes, which grows by this much in each second.
inline std::vector<double> counter_of(double per_second, double first = 1e6) {
    const double step = per_second * std::chrono::duration<double>(page_spacing).count();
    return {first, first + step, first + 2 * step, first + 3 * step};
}

/// The pages of one pod, scraped four times, and what they say under a profile.
class EnginePage {
public:
    explicit EnginePage(EngineProfile profile, OptionalReadingSet chosen = {})
        : profile_(std::move(profile)), chosen_(chosen) {}

    /// Adds a series as a page has it, e.g. `x{a="b"}`, with its values at the last scrapes: one is
    /// for all four. `later` is how many scrapes have passed since the last value.
    EnginePage& add(std::string_view series, std::vector<double> values, int later = 0) {
        if (values.size() == 1)
            values.assign(4, values.front());
        Line line;
        line.labels = labels_of(series);
        ServerTime time = read_at - page_spacing * (later + static_cast<int>(values.size()) - 1);
        for (const double value : values) {
            line.samples.push_back({time, value});
            time += page_spacing;
        }
        lines_.push_back(std::move(line));
        return *this;
    }

    /// What the pages say of the pod; the order of the lines does not matter.
    PodReport report() const {
        const MetricSet metrics(profile_, chosen_);
        const SampleRules rules;
        ViewTable table(metrics, profile_.labels, rules);
        for (const Line& line : lines_) {
            std::vector<LabelView> labels;
            for (const auto& [name, value] : line.labels)
                labels.push_back({name, value});
            table.add(0, labels, line.samples);
        }
        const std::map<std::size_t, std::vector<View>> views = std::move(table).take();
        if (views.empty())
            throw std::logic_error("the page has no series of the profile");
        const auto processes = find_processes(views.at(0), metrics, rules, read_at);
        const std::vector<PodReport> pods = report_pods(processes, metrics, read_at, rules);
        if (pods.size() != 1)
            throw std::logic_error(std::to_string(pods.size()) + " pods instead of one");
        return pods.front();
    }

    /// The value of a gauge, or that of a rate or an average; empty if there is none.
    std::optional<double> value(Signal signal) const {
        const SignalValue found = report()[signal];
        if (found.reason != ReadingReason::none)
            return std::nullopt;
        return computation_of(signal) == Computation::average ? found.value / found.weight
                                                              : found.value;
    }

    /// Why there is no value.
    ReadingReason reason(Signal signal) const { return report()[signal].reason; }

private:
    struct Line {
        std::vector<std::pair<std::string, std::string>> labels;
        std::vector<Sample> samples;
    };

    /// Values must have no quote and no comma.
    static std::vector<std::pair<std::string, std::string>> labels_of(std::string_view series) {
        std::vector<std::pair<std::string, std::string>> labels = {
            {"namespace", "prod"}, {"pod", "p-0"}, {"instance", "10.0.0.1:8000"}};
        const std::size_t brace = series.find('{');
        labels.emplace_back("__name__", series.substr(0, brace));
        std::string_view rest = brace == std::string_view::npos ? "" : series.substr(brace + 1);
        while (!rest.empty() && rest != "}") {
            const std::size_t equals = rest.find("=\"");
            const std::size_t end = rest.find('"', equals + 2);
            labels.emplace_back(rest.substr(0, equals), rest.substr(equals + 2, end - equals - 2));
            rest.remove_prefix(end + 1);
            if (rest.starts_with(','))
                rest.remove_prefix(1);
        }
        return labels;
    }

    EngineProfile profile_;
    OptionalReadingSet chosen_;
    std::vector<Line> lines_;
};

} // namespace wva_metrics::samples::engine_pages
