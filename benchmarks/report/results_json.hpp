// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comparison.hpp"
#include "environment.hpp"

#include <boost/json.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace bench::report {

namespace detail {

/// JSON has no infinity.
inline boost::json::value number(double value) {
    return std::isfinite(value) ? boost::json::value(value) : boost::json::value("infinite");
}

inline void put(boost::json::object& object, const char* key, std::optional<double> value) {
    if (value)
        object[key] = number(*value);
}

inline void put(boost::json::object& object, const char* key, const std::optional<Spread>& spread) {
    if (spread)
        object[key] = {{"median", number(spread->median)},
                       {"min", number(spread->low)},
                       {"max", number(spread->high)}};
}

inline void put(boost::json::object& object, TargetState state) {
    if (state == TargetState::met || state == TargetState::not_met)
        object["target_met"] = state == TargetState::met;
}

inline boost::json::object json_of(const Comparison& comparison) {
    boost::json::object object{{"path", comparison.path},
                               {"work", comparison.work},
                               {"unit", comparison.unit},
                               {"better", comparison.better == Better::more ? "more" : "less"}};
    put(object, "ours", comparison.ours);
    put(object, "native_ours", comparison.native_ours);
    put(object, "at_least", comparison.at_least);
    put(object, "at_most", comparison.at_most);
    put(object, comparison.target_state());
    boost::json::array peers;
    for (const PeerComparison& peer : comparison.peers) {
        boost::json::object one{{"who", peer.who}};
        put(one, "theirs", peer.theirs);
        put(one, "times_better", peer.ratio);
        put(one, "native_times_better", peer.native_ratio);
        put(one, "at_least", peer.at_least);
        put(one, peer.target_state());
        if (!peer.absent.empty())
            one["absent"] = peer.absent;
        peers.push_back(std::move(one));
    }
    object["peers"] = std::move(peers);
    return object;
}

} // namespace detail

/// All results as JSON, one line per piece of work, so that a diff is readable.
inline std::string results_json(const std::vector<Comparison>& comparisons,
                                const Environment& environment) {
    const boost::json::object about{
        {"cpu", environment.cpu},           {"cores", environment.cores},
        {"compiler", environment.compiler}, {"flags", environment.flags},
        {"commit", environment.commit},     {"date", environment.date},
        {"note", environment.note}};
    std::string text = "{\"environment\":" + boost::json::serialize(about) + ",\n\"results\":[";
    const char* separator = "\n";
    for (const Comparison& comparison : comparisons) {
        text += separator + boost::json::serialize(detail::json_of(comparison));
        separator = ",\n";
    }
    return text + "\n]}\n";
}

} // namespace bench::report
