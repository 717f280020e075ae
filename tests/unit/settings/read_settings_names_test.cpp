// SPDX-License-Identifier: Apache-2.0
#include "settings_documents.hpp"
#include "support/settings_samples.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;

namespace {

/// The names that one typing error makes of a name.
std::set<std::string> typing_errors(const std::string& name) {
    std::set<std::string> all;
    for (std::size_t i = 0; i <= name.size(); ++i) {
        all.insert(std::string(name).insert(i, 1, 'q'));
        if (i == name.size())
            break;
        all.insert(std::string(name).replace(i, 1, 1, 'q'));
        all.insert(std::string(name).erase(i, 1));
        all.insert(std::string(name).insert(i, 1, name[i]));
        if (i > 0) {
            std::string swapped = name;
            std::swap(swapped[i - 1], swapped[i]);
            all.insert(swapped);
        }
    }
    return all;
}

/// The path of every group and field, with the paths of its siblings.
std::vector<std::pair<std::string, std::set<std::string>>> all_names() {
    CollectorSettings settings;
    std::set<std::string> paths;
    for (const detail::Field& field : detail::fields_of(settings))
        for (std::size_t dot = 0; dot != std::string::npos;) {
            dot = field.path.find('.', dot + 1);
            paths.insert(field.path.substr(0, dot));
        }
    const auto parent = [](const std::string& path) {
        const std::size_t dot = path.rfind('.');
        return dot == std::string::npos ? std::string() : path.substr(0, dot + 1);
    };
    std::vector<std::pair<std::string, std::set<std::string>>> names;
    for (const std::string& path : paths) {
        std::set<std::string> siblings;
        for (const std::string& other : paths)
            if (parent(other) == parent(path))
                siblings.insert(other);
        names.emplace_back(path, siblings);
    }
    return names;
}

} // namespace

TEST_CASE("every typing error in a name is rejected with the right name") {
    std::size_t tried = 0;
    for (const auto& [path, siblings] : all_names()) {
        const std::size_t dot = path.rfind('.');
        const std::string object = dot == std::string::npos ? "" : path.substr(0, dot);
        const std::string prefix = object.empty() ? "" : object + '.';
        const std::string name = path.substr(prefix.size());
        std::vector<std::string> misspelled;
        for (const std::string& error : typing_errors(name))
            if (!siblings.contains(prefix + error))
                misspelled.push_back(error);
        // Several in one document, but fewer than the problems that are told.
        for (std::size_t begin = 0; begin < misspelled.size(); begin += 50) {
            const std::size_t end = std::min(begin + 50, misspelled.size());
            std::string members = "\"" + misspelled[begin] + "\": {}";
            for (std::size_t i = begin + 1; i < end; ++i)
                members += ", \"" + misspelled[i] + "\": {}";
            const std::vector<SettingsProblem> problems =
                problems_of(document_with_members(object, members));
            CAPTURE(path, members);
            REQUIRE(problems.size() == end - begin);
            for (std::size_t i = begin; i < end; ++i) {
                CHECK(problems[i - begin].path == prefix + misspelled[i]);
                CHECK_THAT(problems[i - begin].message, ContainsSubstring("did you mean") &&
                                                            ContainsSubstring('"' + name + '"'));
            }
            tried += end - begin;
        }
    }
    CHECK(tried > 5000);
}

TEST_CASE("a name in the style of another language is rejected with the right name") {
    CHECK_THAT(problem_of(document_with("collector.cache.fetchInterval", "\"1s\"")),
               Equals("collector.cache.fetchInterval: unknown field; did you mean "
                      "\"fetch_interval\"?"));
    CHECK_THAT(problem_of(document_with("prometheus.client.BaseUrl", "1")),
               ContainsSubstring("unknown field"));
}

TEST_CASE("a field in the wrong place is rejected with the right path") {
    CHECK_THAT(problem_of(document_with("ttl", "\"1s\"")),
               Equals("ttl: unknown field here; did you mean \"collector.cache.ttl\"?"));
    CHECK_THAT(problem_of(document_with("prometheus.url", "\"http://p\"")),
               ContainsSubstring("\"prometheus.client.url\""));
}

TEST_CASE("a name that is near to no other is rejected with all names of the object") {
    CHECK_THAT(problem_of(document_with("tracked.everything", "true")),
               Equals("tracked.everything: unknown field; expected \"variants\" or \"models\""));
}

TEST_CASE("a dot in a name does not select a field of an inner object") {
    CHECK_THAT(problem_of(R"({"collector.call_timeout": "1s"})"),
               ContainsSubstring("\"collector.call_timeout\": unknown field"));
    CHECK_THAT(problem_of(R"({"": 1})"), ContainsSubstring("unknown field"));
}

TEST_CASE("a duplicate field is rejected at any depth") {
    CHECK_THAT(problem_of(R"({"cache": "memory", "cache": "none"})"),
               Equals("cache: duplicate field; keep one of them"));
    CHECK_THAT(problem_of(R"({"collector": {"cache": {"ttl": "1s", "t\u0074l": "2s"}}})"),
               Equals("collector.cache.ttl: duplicate field; keep one of them"));
    CHECK_THAT(problem_of(R"({"options": {"a": [{}, {"b": 1, "b": 2}]}})"),
               Equals("options.a[1].b: duplicate field; keep one of them"));
    CHECK(problems_of(R"({"options": {"a": {"c": 1}, "b": {"c": 1}}})").empty());
}

TEST_CASE("a new name has no warning") {
    std::vector<SettingsProblem> warnings;
    const auto settings = read_settings(
        document_with("collector.cache.freshness_thresholds.optimizer_metrics", "\"7s\""),
        valid_settings(), {}, &warnings);
    REQUIRE(settings.has_value());
    CHECK(settings->collector.cache.freshness_thresholds.optimizer_metrics == 7s);
    CHECK(warnings.empty());
}

TEST_CASE("a deprecated name works and a warning has the new name") {
    std::vector<SettingsProblem> warnings;
    const auto settings = read_settings(
        document_with("collector.cache.freshness_thresholds.allocation_metrics", "\"7s\""),
        valid_settings(), {}, &warnings);
    REQUIRE(settings.has_value());
    CHECK(settings->collector.cache.freshness_thresholds.optimizer_metrics == 7s);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].describe() ==
          "collector.cache.freshness_thresholds.allocation_metrics: is the deprecated name of "
          "\"optimizer_metrics\"; use the new name");
    // Without a place for warnings it works too.
    CHECK(problems_of(
              document_with("collector.cache.freshness_thresholds.allocation_metrics", "\"7s\""))
              .empty());
    CHECK_THAT(write_settings(*settings), ContainsSubstring("\"optimizer_metrics\": \"7s\"") &&
                                              !ContainsSubstring("allocation_metrics"));
}

TEST_CASE("the deprecated and the new name together are rejected, in any order") {
    for (const char* const thresholds :
         {R"({"allocation_metrics": "7s", "optimizer_metrics": "7s"})",
          R"({"optimizer_metrics": "7s", "allocation_metrics": "7s"})"})
        CHECK(problem_of(document_with("collector.cache.freshness_thresholds", thresholds)) ==
              "collector.cache.freshness_thresholds.allocation_metrics: is the deprecated name of "
              "\"optimizer_metrics\"; both are set: remove the deprecated one");
}

TEST_CASE("a value under a deprecated name is validated") {
    const std::string path = "collector.cache.freshness_thresholds.allocation_metrics";
    CHECK_THAT(problem_of(document_with(path, "7")),
               ContainsSubstring(path + ": must be a duration"));
    CHECK_THAT(problem_of(document_with(path, "\"0s\"")),
               ContainsSubstring("freshness_thresholds.optimizer_metrics: must be positive"));
}

TEST_CASE("a misspelled deprecated name is unknown, and the deprecated name is not suggested") {
    const std::string problem = problem_of(
        document_with("collector.cache.freshness_thresholds.alocation_metrics", "\"7s\""));
    CHECK_THAT(problem, ContainsSubstring("alocation_metrics: unknown field") &&
                            !ContainsSubstring("\"allocation_metrics\""));
}
