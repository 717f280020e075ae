// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../examples/vllm_fleet/dialects/all.hpp"
#include "../examples/vllm_fleet/simulation.hpp"
#include "../examples/vllm_fleet/text_page.hpp"

#include "wva_metrics/engine/detect_engine.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/exposition/text_parser.hpp"

#include "unit/samples/engine_page.hpp"

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vllm_fleet::measuring {

/// The families and the series of a page, with their values.
struct ReadPage {
    explicit ReadPage(std::string_view page) {
        using namespace wva_metrics::exposition;
        if (!parse_text(page, TextFormat::prometheus_0_0_4, *this))
            throw std::logic_error("the page cannot be read");
    }

    void operator()(const wva_metrics::exposition::PageSample& sample) {
        std::string shown(sample.name);
        for (const wva_metrics::LabelView& label : sample.labels)
            ((((shown += &label == sample.labels.data() ? '{' : ',') += label.name) += "=\"") +=
             label.value) += '"';
        if (!series.emplace(shown + (sample.labels.empty() ? "" : "}"), sample.value).second)
            throw std::logic_error("the page has a series twice: " + shown);
    }
    void family(std::string_view name, wva_metrics::exposition::FamilyType) {
        families.emplace_back(name);
    }

    std::vector<wva_metrics::DetectedEngine> engines() const {
        return wva_metrics::detect_engines(
            std::vector<std::string_view>(families.begin(), families.end()));
    }

    std::map<std::string, double> series{};
    std::vector<std::string> families{};
};

/// One pod of one model that is never idle.
inline FleetOptions one_pod(const Dialect& dialect, std::size_t engines = 1) {
    FleetOptions options;
    options.model_ids = {"meta-llama/Llama-3.1-8B-Instruct"};
    options.pods = 1;
    options.engines = engines;
    options.dialects = {&dialect};
    return options;
}

/// A model as it was each time when its only pod was scraped. The kind of server does not change what
/// is simulated.
inline const std::vector<Model>& simulated(std::size_t engines) {
    static std::map<std::size_t, std::vector<Model>> all;
    std::vector<Model>& models = all[engines];
    if (models.empty()) {
        constexpr int seconds_apart = 15;
        Fleet fleet(one_pod(vllm_dialect, engines));
        // A whole wave, so that no counter is near 0, where the rules of rates differ.
        for (int second = 0; second <= 720 + 3 * seconds_apart; ++second) {
            if (second >= 720 && (second - 720) % seconds_apart == 0)
                models.push_back(fleet.models().front());
            fleet.step_one_second();
        }
    }
    return models;
}

/// One pod, whose page was read four times, 15 s apart, and what the library says of it.
class MeasuredPod {
public:
    explicit MeasuredPod(const Dialect& dialect, std::size_t engines = 1)
        : models_(simulated(engines)) {
        for (Model& model : models_) {
            Pod& pod = model.deployments.front().pods.front();
            pod.dialect = &dialect;
            TextPage page;
            visit_pod(model, pod, View{}, page);
            texts_.push_back(page.text);
            pages_.emplace_back(page.text);
        }
    }

    static constexpr double seconds_measured = 45;
    const std::vector<Engine>& engines() const { return engines_of(models_.back()); }
    /// The engines at the first scrape.
    const std::vector<Engine>& engines_before() const { return engines_of(models_.front()); }
    const ReadPage& last_page() const { return pages_.back(); }
    const std::string& page_text() const { return texts_.back(); }

    /// Measured by the kind of server that the page is of.
    wva_metrics::samples::engine_pages::EnginePage measured() const { return measure(pages_); }
    /// As if all pages were like the last one, so that its gauges are their own peak.
    wva_metrics::samples::engine_pages::EnginePage measured_last() const {
        return measure({last_page()});
    }

private:
    wva_metrics::samples::engine_pages::EnginePage
    measure(const std::vector<ReadPage>& pages) const {
        wva_metrics::samples::engine_pages::EnginePage page(
            wva_metrics::profile_of(last_page().engines().at(0).engine));
        for (const auto& [series, value] : last_page().series) {
            std::vector<double> values;
            for (const ReadPage& each : pages)
                values.push_back(each.series.at(series));
            page.add(series, values);
        }
        return page;
    }

    static const std::vector<Engine>& engines_of(const Model& model) {
        return model.deployments.front().pods.front().engines;
    }

    std::vector<Model> models_;
    std::vector<std::string> texts_;
    std::vector<ReadPage> pages_;
};

} // namespace vllm_fleet::measuring
