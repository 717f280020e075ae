// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_table.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/engine/metric_source.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// A kind of server whose metrics are on a page.
struct DetectedEngine {
    KnownEngine engine; ///< The kind.
    /// How many signals it can be measured by what is on the page; at least one.
    std::size_t signals = 0;

    friend bool operator==(const DetectedEngine&, const DetectedEngine&) = default;
};

/// Tells from the names on a page what kind of server wrote it. The names decide, never a label:
/// labels are written by whoever deploys the pod, and outlive a change of the server.
///
/// **Threads:** safe, because it does not change.
class EngineDetector {
public:
    /// Knows all of `known_engines`.
    EngineDetector() {
        for (std::size_t i = 0; i < known_engines.size(); ++i) {
            const EngineProfile profile = profile_of(known_engines[i].engine);
            for (const Signal signal : all_signals)
                for (const std::string& text : profile[signal])
                    add(i, signal, parse_metric_source(text).value());
        }
    }

    /// The kinds of servers that wrote a page, the one first that it says most of; of two equal ones,
    /// the first of the enumeration. Measure by the first only: the others are copies, such as those
    /// of KServe, or what a runtime adds, such as Dynamo. Empty if it is of no known kind.
    ///
    /// `names` are the names of the page's samples or of its families, in any order and number.
    std::vector<DetectedEngine> detect(std::span<const std::string_view> names) const {
        std::vector<std::string_view> page(names.begin(), names.end());
        std::ranges::sort(page);
        const auto is_there = [&page](const std::vector<std::string>& spellings) {
            return std::ranges::any_of(spellings, [&page](const std::string& spelling) {
                return std::ranges::binary_search(page, std::string_view(spelling));
            });
        };
        std::array<std::array<bool, signals.size()>, known_engines.size()> found{};
        std::array<bool, known_engines.size()> is_own{};
        for (const Sign& sign : signs_) {
            const bool is_complete = sign.needs_all ? std::ranges::all_of(sign.terms, is_there)
                                                    : std::ranges::any_of(sign.terms, is_there);
            if (!is_complete)
                continue;
            found[sign.engine][detail::index_of(sign.signal)] = true;
            is_own[sign.engine] = is_own[sign.engine] || sign.is_own;
        }
        std::vector<DetectedEngine> engines;
        for (std::size_t i = 0; i < found.size(); ++i)
            if (is_own[i])
                engines.push_back({known_engines[i].engine,
                                   static_cast<std::size_t>(std::ranges::count(found[i], true))});
        std::ranges::stable_sort(engines, std::ranges::greater(), &DetectedEngine::signals);
        return engines;
    }

private:
    /// One way to measure a signal of an engine.
    struct Sign {
        std::size_t engine;
        Signal signal;
        /// By metric: how a page may spell it.
        std::vector<std::vector<std::string>> terms;
        /// A quotient needs both metrics; of a sum, one is enough.
        bool needs_all;
        /// The name is only used by this kind of server.
        bool is_own;
    };

    /// A family has the name of its histogram, or of its counter with or without `_total`.
    static std::vector<std::string> spellings_of(const std::string& name, bool is_histogram) {
        std::vector<std::string> spellings = {name};
        if (is_histogram)
            for (const char* const ending : {"_bucket", "_count", "_sum"})
                spellings.push_back(name + ending);
        for (const std::string_view ending : {"_total", "_count"})
            if (name.ends_with(ending))
                spellings.push_back(name.substr(0, name.size() - ending.size()));
        return spellings;
    }

    void add(std::size_t engine, Signal signal, const MetricSource& source) {
        const bool is_histogram =
            computation_of(signal) == Computation::average && !source.per.has_value();
        Sign sign{engine, signal, {}, source.per.has_value(), false};
        for (const MetricTerm& term : source.terms)
            sign.terms.push_back(spellings_of(term.name, is_histogram));
        if (source.per)
            sign.terms.push_back(spellings_of(source.per->name, false));
        sign.is_own = source.terms.front().name.starts_with(known_engines[engine].table->prefix);
        signs_.push_back(sign);
    }

    std::vector<Sign> signs_;
};

/// The kinds of servers that wrote a page; see `EngineDetector::detect`.
inline std::vector<DetectedEngine> detect_engines(std::span<const std::string_view> names) {
    static const EngineDetector detector;
    return detector.detect(names);
}

} // namespace wva_metrics
