// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "points.hpp"
#include "simulation.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hit_rate {

/// A point and its outcome.
struct Result {
    std::string label;
    Point point;
    Outcome outcome{};
};

/// Results under one heading.
struct Group {
    std::string heading;
    std::vector<Result> results;
};

/// Groups that differ in one setting.
struct Section {
    /// Part of the plot's file name.
    std::string name;
    std::string title;
    std::vector<Group> groups;
};

/// The point that all sections start from: 100 variants, reconciled every 30 s, with a TTL of 30 s,
/// without stale-while-revalidate and background fetching.
inline Point base() {
    Point point;
    point.config.cache.fetch_interval = {};
    point.config.cache.stale_while_revalidate = {};
    return point;
}

inline Point with(Point point, std::string_view option, const std::string& value) {
    set(point, option, value);
    return point;
}

inline Point revalidating(const Point& point) {
    return with(point, "--revalidate", "30");
}
inline Point fetching(const Point& point, const std::string& seconds) {
    return with(revalidating(point), "--fetch", seconds);
}

inline std::vector<Result> three_ways(const Point& point) {
    return {{"TTL alone", point},
            {"+ stale-while-revalidate", revalidating(point)},
            {"+ background every 15 s", fetching(point, "15")}};
}

/// Groups of `three_ways`, one per value; the value replaces the `*` in `heading`.
inline Section section(std::string name, std::string title, std::string_view option,
                       const std::vector<std::string>& values, const std::string& heading) {
    Section made{std::move(name), std::move(title), {}};
    for (const std::string& value : values) {
        std::string words = heading;
        words.replace(words.find('*'), 1, value);
        made.groups.push_back({words, three_ways(with(base(), option, value))});
    }
    return made;
}

inline std::vector<Section> usual_sections() {
    std::vector<Section> sections{
        section("reconcile", "reconcile interval", "--reconcile", {"5", "10", "20", "30", "60"},
                "every * s"),
        section("ttl", "time to live", "--ttl", {"10", "30", "60", "120"}, "TTL * s"),
        {"fetch", "background fetch interval", {{"TTL 90 s", {}}}},
        section("variants", "number of variants", "--variants", {"10", "100", "500"}, "* variants"),
        section("churn", "churn", "--churn", {"0", "10", "100", "1000"},
                "* % of the variants replaced per hour"),
        section("cache", "cache", "--cache", {"memory", "sharded", "none"}, "cache: *"),
    };
    for (const char* interval : {"0", "5", "15", "30", "60"})
        sections[2].groups[0].results.push_back(
            {*interval == '0' ? "none" : std::string("every ") + interval + " s",
             fetching(with(base(), "--ttl", "90"), interval)});
    for (const char* cache : {"memory", "sharded"})
        sections[5].groups.push_back(
            {"cache: " + std::string(cache) + ", room for half of the variants",
             three_ways(with(with(base(), "--cache", cache), "--entries", "50"))});
    return sections;
}

/// One section with all combinations of the lists' values.
inline Section combinations(const std::vector<std::pair<std::string, std::string>>& lists) {
    std::vector<Result> results{{"", base()}};
    for (const auto& [option, list] : lists) {
        std::vector<Result> more;
        for (const Result& result : results)
            for (const std::string& value : parts_of(list))
                more.push_back({result.label + (result.label.empty() ? "" : ", ") +
                                    option.substr(2) + ' ' + value,
                                with(result.point, option, value)});
        results = std::move(more);
    }
    return {"own", "requested settings", {{"combinations", std::move(results)}}};
}

} // namespace hit_rate
