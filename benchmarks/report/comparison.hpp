// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "samples.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench::report {

/// The median of some values, with their minimum and maximum.
struct Spread {
    double median;
    double low;
    double high;
};

/// Returns nothing if there are no values. With an even number of values, the median is the mean of
/// the two in the middle.
inline std::optional<Spread> spread_of(std::vector<double> values) {
    if (values.empty())
        return std::nullopt;
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    const double median =
        values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return Spread{median, values.front(), values.back()};
}

/// How many times better ours is than theirs. Returns 1 if both are 0, and infinity if only the
/// divisor is 0: theirs if more is better, ours if less is better.
inline double times_better(Better better, double ours, double theirs) {
    const double more = better == Better::more ? ours : theirs;
    const double less = better == Better::more ? theirs : ours;
    if (less == 0)
        return more == 0 ? 1 : std::numeric_limits<double>::infinity();
    return more / less;
}

/// How many times better ours was, over the rounds in which both did the work. Both ran at the same
/// moments of the machine, so the ratios per round are more precise than the ratio of the medians.
inline std::optional<Spread> ratio_of(const Measured& measured, const Contestant& peer) {
    const Contestant* ours = measured.find("ours");
    if (ours == nullptr)
        return std::nullopt;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(ours->rounds.size(), peer.rounds.size()); ++i)
        ratios.push_back(times_better(measured.better, ours->rounds[i], peer.rounds[i]));
    return spread_of(std::move(ratios));
}

/// Whether a target was met; `none` if none was set.
enum class TargetState { none, met, not_met, not_measured };

/// Ours compared with one peer.
struct PeerComparison {
    std::string who;
    std::optional<double> theirs;
    std::optional<Spread> ratio;
    /// In the build with -march=native.
    std::optional<Spread> native_ratio;
    std::optional<double> at_least;
    /// Why there is no value.
    std::string absent;

    TargetState target_state() const {
        if (!at_least)
            return TargetState::none;
        if (!ratio)
            return TargetState::not_measured;
        return ratio->median >= *at_least ? TargetState::met : TargetState::not_met;
    }
};

/// One piece of work: ours compared with all peers.
struct Comparison {
    /// The benchmark that did it.
    std::string program;
    std::string path;
    std::string work;
    std::string unit;
    Better better = Better::more;
    std::optional<Spread> ours;
    std::optional<Spread> native_ours;
    /// Targets for ours itself.
    std::optional<double> at_least;
    std::optional<double> at_most;
    std::vector<PeerComparison> peers;

    TargetState target_state() const {
        if (!at_least && !at_most)
            return TargetState::none;
        if (!ours)
            return TargetState::not_measured;
        const bool enough = !at_least || ours->median >= *at_least;
        return enough && (!at_most || ours->median <= *at_most) ? TargetState::met
                                                                : TargetState::not_met;
    }
};

/// How many targets are in each state.
struct TargetCount {
    int met = 0;
    int not_met = 0;
    int not_measured = 0;

    void add(TargetState state) {
        met += state == TargetState::met ? 1 : 0;
        not_met += state == TargetState::not_met ? 1 : 0;
        not_measured += state == TargetState::not_measured ? 1 : 0;
    }
};

inline TargetCount count_targets(const std::vector<Comparison>& comparisons) {
    TargetCount count;
    for (const Comparison& comparison : comparisons) {
        count.add(comparison.target_state());
        for (const PeerComparison& peer : comparison.peers)
            count.add(peer.target_state());
    }
    return count;
}

namespace detail {

/// The same work in the native build. A contestant with only one build, such as a program in Go, is
/// taken from the portable one, because it ran in the same rounds.
inline std::optional<Measured> native_of(const Measured& portable,
                                         const std::vector<Measured>& native) {
    const auto found =
        std::ranges::find_if(native, [&](const Measured& m) { return m.is_same_work(portable); });
    if (found == native.end())
        return std::nullopt;
    const Contestant* ours = found->find("ours");
    if (ours == nullptr || ours->rounds.empty())
        return std::nullopt;
    Measured measured = *found;
    for (const Contestant& contestant : portable.contestants)
        if (const Contestant* own = measured.find(contestant.who);
            own == nullptr || own->rounds.empty()) {
            std::erase_if(measured.contestants,
                          [&](const Contestant& c) { return c.who == contestant.who; });
            measured.contestants.push_back(contestant);
        }
    return measured;
}

} // namespace detail

/// All work of the portable build, in its order, but grouped by path. `native` may be empty.
inline std::vector<Comparison> compare(std::vector<Measured> portable,
                                       const std::vector<Measured>& native) {
    std::vector<std::string> paths;
    for (const Measured& measured : portable)
        if (std::ranges::find(paths, measured.path) == paths.end())
            paths.push_back(measured.path);
    std::ranges::stable_sort(portable, {}, [&](const Measured& measured) {
        return std::ranges::find(paths, measured.path) - paths.begin();
    });

    std::vector<Comparison> comparisons;
    for (const Measured& measured : portable) {
        const std::optional<Measured> here = detail::native_of(measured, native);
        Comparison comparison;
        comparison.program = measured.program;
        comparison.path = measured.path;
        comparison.work = measured.work;
        comparison.unit = measured.unit;
        comparison.better = measured.better;
        for (const Contestant& contestant : measured.contestants) {
            const std::optional<Spread> reached = spread_of(contestant.rounds);
            const Contestant* native_one = here ? here->find(contestant.who) : nullptr;
            if (contestant.who == "ours") {
                comparison.ours = reached;
                comparison.at_least = contestant.at_least;
                comparison.at_most = contestant.at_most;
                if (native_one != nullptr)
                    comparison.native_ours = spread_of(native_one->rounds);
                continue;
            }
            PeerComparison peer;
            peer.who = contestant.who;
            peer.at_least = contestant.at_least;
            if (reached)
                peer.theirs = reached->median;
            else
                peer.absent = contestant.absent.empty() ? "not here" : contestant.absent;
            peer.ratio = ratio_of(measured, contestant);
            if (native_one != nullptr)
                peer.native_ratio = ratio_of(*here, *native_one);
            comparison.peers.push_back(std::move(peer));
        }
        comparisons.push_back(std::move(comparison));
    }
    return comparisons;
}

} // namespace bench::report
