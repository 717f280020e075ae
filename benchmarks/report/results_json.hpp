// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comparison.hpp"
#include "environment.hpp"

#include <boost/json.hpp>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
    boost::json::object object{{"program", comparison.program},
                               {"path", comparison.path},
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

/// What an earlier run measured, and where.
struct RecordedResults {
    Environment environment;
    std::vector<Comparison> comparisons;
};

namespace detail {

inline std::string text_at(const boost::json::object& object, const char* key) {
    const auto* text = object.if_contains(key);
    return text == nullptr ? "" : std::string(text->as_string());
}

inline double read_number(const boost::json::value& value) {
    return value.is_string() ? std::numeric_limits<double>::infinity() : value.to_number<double>();
}

inline std::optional<double> number_at(const boost::json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    return value == nullptr ? std::nullopt : std::optional(read_number(*value));
}

inline std::optional<Spread> spread_at(const boost::json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr)
        return std::nullopt;
    return Spread{read_number(value->at("median")), read_number(value->at("min")),
                  read_number(value->at("max"))};
}

inline Comparison read_comparison(const boost::json::object& object) {
    Comparison comparison;
    comparison.program = text_at(object, "program");
    comparison.path = text_at(object, "path");
    comparison.work = text_at(object, "work");
    comparison.unit = text_at(object, "unit");
    comparison.better = text_at(object, "better") == "more" ? Better::more : Better::less;
    comparison.ours = spread_at(object, "ours");
    comparison.native_ours = spread_at(object, "native_ours");
    comparison.at_least = number_at(object, "at_least");
    comparison.at_most = number_at(object, "at_most");
    for (const boost::json::value& value : object.at("peers").as_array()) {
        const boost::json::object& peer = value.as_object();
        comparison.peers.push_back({text_at(peer, "who"), number_at(peer, "theirs"),
                                    spread_at(peer, "times_better"),
                                    spread_at(peer, "native_times_better"),
                                    number_at(peer, "at_least"), text_at(peer, "absent")});
    }
    return comparison;
}

} // namespace detail

/// Reads what `results_json` wrote. Throws `std::exception` if the text is something else.
inline RecordedResults read_results(std::string_view text) {
    boost::json::parse_options options;
    options.numbers = boost::json::number_precision::precise;
    const boost::json::value document = boost::json::parse(text, {}, options);
    const boost::json::object& about = document.at("environment").as_object();
    RecordedResults results{{detail::text_at(about, "cpu"), about.at("cores").to_number<unsigned>(),
                             detail::text_at(about, "compiler"), detail::text_at(about, "flags"),
                             detail::text_at(about, "commit"), detail::text_at(about, "date"),
                             detail::text_at(about, "note")},
                            {}};
    for (const boost::json::value& line : document.at("results").as_array())
        results.comparisons.push_back(detail::read_comparison(line.as_object()));
    return results;
}

} // namespace bench::report
