// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sections.hpp"
#include "simulation.hpp"

#include "../report/bar_chart.hpp"
#include "../report/number.hpp"
#include "../report/write_pictures.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hit_rate {

/// Fills in the parts and the text of a bar.
using MakeBar = std::function<void(bench::report::Bar&, const Outcome&)>;

inline void plot(const std::filesystem::path& folder, const std::string& name,
                 const Section& section, const std::string& title, const std::string& axis,
                 const std::vector<std::pair<std::string_view, std::string>>& legend,
                 const std::string& footnote, const MakeBar& make_bar) {
    bench::report::BarChart chart{title + ", by " + section.title, axis, {}, legend, footnote};
    for (const Group& group : section.groups) {
        chart.groups.push_back({group.heading, {}});
        for (const Result& result : group.results) {
            bench::report::Bar bar{result.label, {}, ""};
            make_bar(bar, result.outcome);
            chart.groups.back().bars.push_back(std::move(bar));
        }
    }
    bench::report::write_pictures(folder, name, chart);
}

inline void plot_all(const std::filesystem::path& folder, const std::vector<Section>& sections,
                     const std::string& footnote) {
    std::filesystem::create_directories(folder);
    for (const Section& section : sections)
        plot(folder, "hit_rate_by_" + section.name, section, "Outcome of look-ups", "% of look-ups",
             {{"first", "hit"},
              {"second", "stale, revalidated in background"},
              {"third", "miss, the caller waits for the backend"}},
             footnote, [](bench::report::Bar& bar, const Outcome& outcome) {
                 bar.parts = {{outcome.percent(outcome.hits), "first"},
                              {outcome.percent(outcome.stale_hits), "second"},
                              {outcome.percent(outcome.misses), "third"}};
                 bar.text = bench::report::readable(outcome.percent(outcome.hits)) + " % hit";
             });
    const Section& first = sections.front();
    plot(folder, "hit_rate_age", first, "Age of what is served", "seconds since the fetch",
         {{"ours", "p50"}, {"whisker", "up to p99"}, {"", "at the right: p50 / p99"}}, footnote,
         [](bench::report::Bar& bar, const Outcome& outcome) {
             const double half = outcome.age(0.5).count();
             const double most = outcome.age(0.99).count();
             bar.parts = {{half, "ours"}};
             bar.whisker = {half, most};
             bar.text =
                 bench::report::readable(half) + " / " + bench::report::readable(most) + " s";
         });
    plot(folder, "hit_rate_requests", first, "Requests to the backend",
         "requests per minute, each for a batch of variants", {}, footnote,
         [](bench::report::Bar& bar, const Outcome& outcome) {
             const double requests = outcome.per_minute(outcome.requests);
             bar.parts = {{requests, "ours"}};
             bar.text = bench::report::readable(requests);
         });
    for (const Section& section : sections)
        if (section.name == "variants")
            plot(folder, "hit_rate_memory", section, "Memory of the cache", "KiB", {}, footnote,
                 [](bench::report::Bar& bar, const Outcome& outcome) {
                     const double kibibytes = static_cast<double>(outcome.bytes) / 1024;
                     bar.parts = {{kibibytes, "ours"}};
                     bar.text = bench::report::readable(kibibytes);
                 });
}

} // namespace hit_rate
