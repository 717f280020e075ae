// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/epp_names.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// One series of an EPP's page.
struct EppSeries {
    /// Without the name, and without those that the scrape adds; sorted.
    samples::Labels labels{};
    /// In ascending order of time, at least one.
    std::vector<samples::Sample> samples{};
    /// The newest page lacks it.
    bool has_ended = false;

    std::string_view label(std::string_view name) const noexcept {
        return samples::find_label(labels, name);
    }
    /// The model that it is about: the one that serves the requests, or, before that is chosen, the
    /// one that they ask for. Empty if no label says it.
    std::string_view model() const noexcept {
        const std::string_view target = label("target_model_name");
        return target.empty() ? label("model_name") : target;
    }
    /// The pool's name; metrics of flow control have it in another label.
    std::string_view pool() const noexcept {
        const std::string_view pool = label("inference_pool");
        return pool.empty() ? label("name") : pool;
    }
};

/// The value that the EPP gives to the labels of models when it has seen too many.
inline constexpr std::string_view folded_model = "other";

/// The series of an EPP's newest pages, by metric. Of the names of one metric one counts.
class EppPage {
public:
    /// A metric under the name that counts.
    struct Family {
        MetricName name{};
        std::span<const EppSeries> series{};
    };

    /// `pool`: only series of this pool, or of none, count; empty = those of all.
    explicit EppPage(EppNames names, std::string pool = {})
        : names_(std::move(names)), pool_(std::move(pool)) {}

    /// Adds a series as a store has it. `labels` have `__name__`.
    void add(std::span<const samples::LabelView> labels, std::span<const samples::Sample> samples,
             bool has_ended) {
        EppSeries series;
        std::string_view name;
        for (const samples::LabelView& label : labels) {
            if (label.name == "__name__")
                name = label.value;
            else if (!label.value.empty() && !is_of_scrape(label.name))
                series.labels.emplace_back(label.name, label.value);
        }
        std::ranges::sort(series.labels);
        if (samples.empty() || !is_of_pool(series.pool()))
            return;
        series.samples.assign(samples.begin(), samples.end());
        series.has_ended = has_ended;
        families_[std::string(name)].push_back(std::move(series));
    }

    /// The series of a metric under the first of its names that the newest page has; with `ending`
    /// (`_count`, `_sum`) of a histogram. Those that have ended are among them.
    Family find(EppMetric metric, std::string_view ending = {}) const {
        for (const std::string& name : names_[metric]) {
            const auto found = families_.find(name + std::string(ending));
            if (found != families_.end() && has_living(found->second))
                return {MetricName(name), found->second};
        }
        return {};
    }

    /// All series of one name, living or not.
    std::span<const EppSeries> named(const std::string& name) const {
        const auto found = families_.find(name);
        return found == families_.end() ? std::span<const EppSeries>() : found->second;
    }

    /// The names of a metric, the preferred one first.
    const std::vector<std::string>& names_of(EppMetric metric) const noexcept {
        return names_[metric];
    }

    /// The pools that the page is about, sorted.
    std::vector<std::string> pools() const {
        std::set<std::string, std::less<>> found;
        for (const EppMetric metric :
             {EppMetric::ready_endpoints, EppMetric::average_queue, EppMetric::endpoint_queue})
            add_pools(find(metric), found);
        // Flow control may call the pool by another name, so it is asked only if nothing else tells.
        if (found.empty())
            for (const EppMetric metric : {EppMetric::flow_queue_size, EppMetric::pool_saturation})
                add_pools(find(metric), found);
        return {found.begin(), found.end()};
    }

    /// The models that the page names, sorted; `other` is among them if the EPP has folded some.
    std::set<std::string, std::less<>> models() const {
        std::set<std::string, std::less<>> found;
        const auto add_models = [&found](const Family& family) {
            for (const EppSeries& series : family.series)
                for (const std::string_view label : {"target_model_name", "model_name"})
                    if (const std::string_view model = series.label(label); !model.empty())
                        found.emplace(model);
        };
        for (const EppMetric metric :
             {EppMetric::requests, EppMetric::running_requests, EppMetric::flow_queue_size})
            add_models(find(metric));
        return found;
    }

    /// True if a metric is read by a name that newer releases no longer publish.
    bool has_legacy_names() const {
        for (std::size_t i = 0; i < epp_metric_count; ++i) {
            const std::string_view name = find(static_cast<EppMetric>(i)).name.view();
            if (!name.empty() && !EppNames::is_current(name))
                return true;
        }
        return false;
    }

private:
    /// What a scrape adds to every series says nothing here.
    static bool is_of_scrape(std::string_view label) noexcept {
        return label == "instance" || label == "pod";
    }

    static bool has_living(const std::vector<EppSeries>& all) noexcept {
        return std::any_of(all.begin(), all.end(),
                           [](const EppSeries& series) { return !series.has_ended; });
    }

    /// The name of a pool may have that of its EPP behind it.
    bool is_of_pool(std::string_view name) const {
        return pool_.empty() || name.empty() || name == pool_ || name == pool_ + "-epp" ||
               name == pool_ + "-router-epp";
    }

    static void add_pools(const Family& family, std::set<std::string, std::less<>>& found) {
        for (const EppSeries& series : family.series)
            if (!series.has_ended && !series.pool().empty())
                found.emplace(series.pool());
    }

    EppNames names_;
    std::string pool_;
    std::map<std::string, std::vector<EppSeries>, std::less<>> families_;
};

} // namespace wva_metrics::detail
