// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// The labels of a series by name.
using ScrapedLabels = std::map<std::string, std::string>;

/// How long before the scenario's moment something was.
using Ago = std::chrono::milliseconds;

/// When a target was scraped: last at exactly that moment, before it as often as `first` allows.
struct Scrapes {
    Ago first = std::chrono::seconds(300);
    Ago last = std::chrono::seconds(1);
    Ago every = std::chrono::seconds(15);
    /// The last scrape was followed by one that did not find the series any more, by which the
    /// scraper marks their end.
    std::optional<Ago> end_marked{};
    /// That scrape failed, as did all later ones up to this one. Without it the target had been
    /// removed.
    std::optional<Ago> failed_until{};

    /// From the first to the last.
    std::vector<Ago> times() const {
        std::vector<Ago> all;
        for (Ago ago = last; ago <= first; ago += every)
            all.push_back(ago);
        std::reverse(all.begin(), all.end());
        return all;
    }
};

/// What a gauge shows at a moment.
class Course {
public:
    /// The same value always.
    Course(double value) : at_([value](Ago) { return value; }) {}
    Course(std::function<double(Ago)> at) : at_(std::move(at)) {}
    /// `before`, and from that moment on `after`.
    static Course step(double before, Ago moment, double after) {
        return std::function<double(Ago)>([=](Ago ago) { return ago > moment ? before : after; });
    }

    double operator()(Ago ago) const { return at_(ago); }

private:
    std::function<double(Ago)> at_;
};

/// A process that serves one model as vLLM does. All that it ever reports follows from these
/// values, so that two scrapers see the same process, each at its own times.
struct ServingProcess {
    std::string model = "meta/llama";
    /// The label `engine` of all series; none if it is empty.
    std::string engine = "0";
    /// More labels that the server writes itself.
    ScrapedLabels labels{};
    /// Counters grow evenly since the start. Two processes with one start and rate look as one.
    Ago started = std::chrono::hours(1);
    double requests_per_minute = 60;
    double input_tokens = 100;
    double output_tokens = 200;
    double ttft_seconds = 0.25;
    double itl_seconds = 0.02;
    Course kv_usage = 0.5;
    Course queue = 3;
    /// Its histograms are stored as native ones, under their own names.
    bool has_native_histograms = false;
    /// Whether it tells its start, by `process_start_time_seconds` and `..._created`.
    bool tells_start = true;
};

/// A pod as kube-state-metrics reports it.
struct ReportedPod {
    std::string pod;
    std::string owner_kind = "ReplicaSet";
    std::string owner_name{};
    bool ready = true;
    /// The scrapes of kube-state-metrics that found it.
    Scrapes seen{};
    /// Where kube-state-metrics runs.
    std::string reporter_namespace = "monitoring";
    /// The labels in which its namespace and name are; other ones if labels are not honoured.
    std::string namespace_label = "namespace";
    std::string pod_label = "pod";
};

} // namespace wva_metrics::test_support
