// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bar_chart.hpp"
#include "comparison.hpp"
#include "number.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench::report {

namespace detail {

inline Bar ratio_bar(const Comparison& comparison, const PeerComparison& peer) {
    const bool is_short = peer.target_state() == TargetState::not_met;
    std::string text = readable(peer.ratio->median);
    if (comparison.ours && peer.theirs)
        text += " (" + readable(comparison.ours->median) + " : " + readable(*peer.theirs) + ')';
    return {peer.who,
            {{peer.ratio->median, is_short ? "bad" : "ours"}},
            std::move(text),
            {{peer.ratio->low, peer.ratio->high}},
            peer.at_least};
}

/// The legend's entries for what the chart contains.
inline std::vector<LegendEntry> ratio_legend(const BarChart& chart) {
    const auto any_bar = [&](auto predicate) {
        return std::ranges::any_of(chart.groups, [&](const BarGroup& group) {
            return std::ranges::any_of(group.bars, predicate);
        });
    };
    std::vector<LegendEntry> legend{{"ours", "median over the rounds"}};
    if (any_bar([](const Bar& bar) { return bar.parts.front().style == "bad"; }))
        legend.emplace_back("bad", "median, below its target");
    if (any_bar([](const Bar& bar) { return bar.whisker->first < bar.whisker->second; }))
        legend.emplace_back("whisker", "lowest to highest round");
    if (any_bar([](const Bar& bar) { return bar.goal.has_value(); }))
        legend.emplace_back("goal", "target");
    legend.emplace_back("", "at the right: times better (ours : the peer, in the heading's unit)");
    return legend;
}

} // namespace detail

/// The ratios of one program: a group for each piece of work, and a bar in it for each peer.
inline BarChart ratio_chart(const std::vector<Comparison>& comparisons, std::string_view program,
                            std::string_view footnote) {
    BarChart chart{std::string(program) + ": the library compared with its peers",
                   "times better than the peer (logarithmic axis; right of 1 is better)",
                   {},
                   {},
                   std::string(footnote),
                   1.0};
    for (const Comparison& comparison : comparisons) {
        if (comparison.program != program)
            continue;
        // The same work may be measured in several units.
        BarGroup group{comparison.path + ": " + comparison.work + " (" + comparison.unit + ')', {}};
        for (const PeerComparison& peer : comparison.peers)
            if (peer.ratio)
                group.bars.push_back(detail::ratio_bar(comparison, peer));
        if (!group.bars.empty())
            chart.groups.push_back(std::move(group));
    }
    chart.legend = detail::ratio_legend(chart);
    return chart;
}

/// The programs, in order.
inline std::vector<std::string> programs_of(const std::vector<Comparison>& comparisons) {
    std::vector<std::string> programs;
    for (const Comparison& comparison : comparisons)
        if (std::ranges::find(programs, comparison.program) == programs.end())
            programs.push_back(comparison.program);
    return programs;
}

} // namespace bench::report
