// SPDX-License-Identifier: Apache-2.0
#include "settings_documents.hpp"
#include "support/property_cases.hpp"
#include "support/settings_samples.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/validate_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;

TEST_CASE("a value of the wrong type is rejected with its path") {
    const auto [path, value, words] = GENERATE(table<std::string, std::string, std::string>({
        {"collector.cache.enabled", "1", "must be true or false, not a number"},
        {"collector.cache.enabled", "\"true\"", "must be true or false, not a string"},
        {"collector.cache.ttl", "30", "such as \"30s\", not a number"},
        {"collector.cache.ttl", "null", "must be a duration such as \"30s\", not null"},
        {"collector.cache.ttl", "\"30\"", "\"30\" is not a duration"},
        {"collector.cache.ttl", "\"30 parsecs\"", "\"30 parsecs\" is not a duration"},
        {"collector.cache.max_entries", "\"5\"", "must be an integer, not a string"},
        {"collector.cache.max_entries", "1.5", "must be a non-negative integer"},
        {"collector.cache.max_entries", "-1", "must be a non-negative integer"},
        {"collector.cache.max_entries", "1e30", "must be a non-negative integer"},
        {"prometheus.min_requests", "\"x\"", "must be a number, not a string"},
        {"prometheus.min_requests", "1e999", "is too large for a number"},
        {"backend", "[]", "must be a string, not a list"},
        {"prometheus.flavor", "7", "must be a string, not a number"},
        {"prometheus.flavor", "\"m3\"", "must be one of unknown, prometheus, victoria_metrics"},
        {"prometheus.matchers", "[]", "must be a string such as \"cluster='eu'\", not a list"},
        {"prometheus.matchers", "\"cluster: 'eu'\"",
         "expected '=', '!=', '=~' or '!~' at offset 7 of 13"},
        {"prometheus.matchers", "\"namespace='a'\"",
         "\"namespace\" cannot be matched: the targets select the namespace"},
        {"prometheus.kube_state_matchers", "\"condition='true'\"", "\"condition\" cannot be"},
        {"decorators", "\"one\"", "must be a list of strings, not a string"},
        {"decorators", "[\"one\", 2]", "[1]: must be a string, not a number"},
        {"collector.cache", "true", "must be an object with fields, not true"},
        {"prometheus.client.headers", "{}", "must be a list of objects, not an object"},
        {"prometheus.client.headers", "[7]", "[0]: must be an object, not a number"},
        {"prometheus.client.credentials", "\"token\"", "must be an object such as"},
        {"tracked.models", "[{\"namespace\": 1, \"model_id\": \"m\"}]",
         "[0].namespace: must be a string, not a number"},
        {"tracked.variants", "[{\"nmae\": 1}]", "[0].nmae: unknown field"},
        {"options", "[]", "must be an object, not a list"},
    }));
    const std::vector<SettingsProblem> problems = problems_of(document_with(path, value));
    CAPTURE(path, value);
    REQUIRE_FALSE(problems.empty());
    CHECK_THAT(problems.front().describe(),
               Catch::Matchers::StartsWith(path) && ContainsSubstring(words));
}

TEST_CASE("all problems are reported together, each one once") {
    std::vector<std::string> paths;
    for (const SettingsProblem& problem : problems_of(R"({
            "colector": {},
            "collector": {"cache": {"ttl": "soon", "max_bytes": 0, "negative_ttl": "-1s"}},
            "prometheus": {"client": {"url": "ftp://p", "headers": [{"name": "Host", "value": ""}]},
                           "windows": {"rate": "0s"}, "engine": {"ttft": ["no metric"]}},
            "tls": {"private_key_file": "key.pem"},
            "tracked": {"variants": [{"name": 3, "cost": -1}]}})"))
        paths.push_back(problem.path);
    CHECK(std::set<std::string>(paths.begin(), paths.end()) ==
          std::set<std::string>{"colector", "collector.cache.ttl", "collector.cache.max_bytes",
                                "collector.cache.negative_ttl", "prometheus.client.url",
                                "prometheus.client.headers[0]", "prometheus.windows.rate",
                                "prometheus.engine.ttft", "tls.certificate_file",
                                "tracked.variants[0].name", "tracked.variants[0].cost",
                                "tracked.variants[0].namespace", "tracked.variants[0].model_id",
                                "tracked.variants[0].deployment"});
    CHECK(paths.size() == 14);
}

TEST_CASE("the problems of a struct's own validation have the path of the field") {
    CollectorSettings settings;
    for (const detail::Field& field : detail::fields_of(settings)) {
        if (field.path.starts_with("tracked.") || field.path.starts_with("tls."))
            continue;
        CollectorSettings spoiled = valid_settings();
        for (const detail::Field& target : detail::fields_of(spoiled)) {
            if (target.path != field.path)
                continue;
            if (const auto* duration = std::get_if<Duration*>(&target.target))
                **duration = -1s;
            else if (const auto* size = std::get_if<std::size_t*>(&target.target))
                **size = 0;
            else if (const auto* names = std::get_if<std::vector<std::string>*>(&target.target))
                **names = {"not a name"};
        }
        for (const SettingsProblem& problem : validate(spoiled)) {
            CAPTURE(field.path, problem.path, problem.message);
            // Some problems name a related field or the group.
            const std::string group = field.path.substr(0, field.path.rfind('.'));
            CHECK(problem.path.starts_with(group));
            CHECK_FALSE(problem.message.starts_with(field.path.substr(group.size() + 1)));
        }
    }
}

TEST_CASE("invalid JSON is rejected with its position") {
    CHECK_THAT(problem_of("{\n  \"cache\": \"memory\",\n}"),
               Catch::Matchers::StartsWith("line 3, column 1: the document is not JSON"));
    CHECK_THAT(problem_of("{\"cache\": tru}"), Catch::Matchers::StartsWith("line 1, column 11"));
    CHECK_THAT(problem_of("{\"cache\": "), ContainsSubstring("it is incomplete"));
    CHECK_THAT(problem_of("{} {}"), ContainsSubstring("there is text after its end"));
    CHECK_THAT(problem_of(" \n"), ContainsSubstring("empty"));
    CHECK_THAT(problem_of("[]"), ContainsSubstring("must be one JSON object"));
    CHECK_THAT(problem_of("{\"cache\": \"\xff\"}"), ContainsSubstring("not JSON"));
    CHECK(problems_of("\xEF\xBB\xBF{}\n").empty());
}

TEST_CASE("the document and the list of problems are bounded") {
    DocumentLimits limits;
    limits.max_bytes = 10;
    limits.max_depth = 4;
    CHECK_THAT(problems_of("{\"cache\": \"memory\"}", limits).at(0).message,
               ContainsSubstring("DocumentLimits::max_bytes = 10"));
    limits.max_bytes = 1000;
    CHECK(problems_of(R"({"options": {"a": {"b": {}}}})", limits).empty());
    CHECK_THAT(problems_of(R"({"options": {"a": {"b": {"c": {}}}}})", limits).at(0).message,
               ContainsSubstring("DocumentLimits::max_depth = 4"));
    CHECK_FALSE(problems_of(std::string(100'000, '[')).empty());

    limits.max_problems = 2;
    const auto problems = problems_of(R"({"a": 1, "b": 2, "c": 3, "d": 4})", limits);
    REQUIRE(problems.size() == 3);
    CHECK_THAT(problems.back().message, Equals("and 2 more"));

    const std::string long_name(5000, 'x');
    for (const SettingsProblem& problem : problems_of(
             "{\"" + long_name + "\": 1, \"collector\": {\"cache\": {\"ttl\": \"" + long_name +
             "\"}}, \"prometheus\": {\"engine\": {\"itl\": [\"" + long_name + " \"]}}}"))
        CHECK(problem.describe().size() < 1000);
}

TEST_CASE("a large document that is all wrong is read in one pass") {
    // Anything quadratic takes minutes here.
    const auto document = [](std::string_view begin, auto element, std::string_view end) {
        std::string text(begin);
        for (std::size_t i = 0; text.size() < 880'000; ++i)
            text.append(i == 0 ? "" : ",").append(element(std::to_string(100'000 + i)));
        return text += end;
    };
    const auto field = [](const std::string& n) { return '"' + n + "\":1"; };
    const auto name = [](const std::string& n) { return "\"m" + n + '"'; };
    const auto text = GENERATE_COPY(
        document("{", field, "}"),
        document(
            "{", [](const std::string&) { return R"("a":1)"; }, "}"),
        document(R"({"prometheus":{"engine":{"itl":[)", name, "]}}}"),
        document(R"({"prometheus":{"engine":{"labels":{"engine":[)",
                 [](const std::string&) { return R"("pod")"; }, "]}}}}"),
        document(R"({"tracked":{"variants":[)",
                 [](const std::string& n) { return R"({"name":")" + n + "\"}"; }, "]}}"),
        document(R"({"tracked":{"variants":[)",
                 [](const std::string& n) { return R"({"name":"v","x)" + n + "\":1}"; }, "]}}"),
        document(R"({"prometheus":{"client":{"headers":[)",
                 [](const std::string&) { return R"({"name":""})"; }, "]}}}"));
    const std::vector<SettingsProblem> problems = problems_of(text);
    CAPTURE(text.substr(0, 60), problems.back().describe());
    CHECK(problems.size() <= DocumentLimits().max_problems + 1);
    if (problems.size() > 1)
        CHECK(problems.back().message.starts_with("and "));
    std::size_t bytes = 0;
    for (const SettingsProblem& problem : problems)
        bytes += problem.describe().size();
    CHECK(bytes < 60'000);
}

TEST_CASE("tracked workloads must be complete and unique") {
    CHECK_THAT(problem_of(document_with("tracked.models", R"([{"namespace": "a"}])")),
               Equals("tracked.models[0].model_id: is required"));
    const char* const variant =
        R"({"namespace": "n", "name": "v", "model_id": "m", "deployment": "d"})";
    CHECK_THAT(problem_of(document_with("tracked.variants",
                                        '[' + std::string(variant) + ',' + variant + ']')),
               Equals("tracked.variants[1]: is the same variant as tracked.variants[0]"));
}

TEST_CASE("problems can be converted to an error") {
    const auto settings = read_settings(R"({"cach": 1, "backend": 2})", valid_settings());
    REQUIRE(settings.has_error());
    const Error error = settings.error().to_error();
    CHECK(error.is(Errc::invalid_config));
    CHECK_THAT(error.message, ContainsSubstring("cach: ") && ContainsSubstring("; backend: "));
    CHECK_THROWS_AS(settings.value(), ResultError);
}

TEST_CASE("any bytes are read or rejected") {
    std::mt19937 random(7);
    const std::string valid = write_settings(valid_settings());
    const std::string letters = "{}[]\":,0123456789.-+eE truefalsn\\u\n\xff\xc3\xa4";
    for (unsigned round = 0; round < test_support::property_cases(3000); ++round) {
        std::string text;
        if (round % 2 == 0) {
            for (std::size_t left = random() % 60; left > 0; --left)
                text += letters[random() % letters.size()];
        } else {
            text = valid;
            for (std::size_t left = 1 + random() % 4; left > 0; --left)
                text[random() % text.size()] = letters[random() % letters.size()];
        }
        const auto read = read_settings(text, valid_settings());
        if (!read)
            CHECK_FALSE(read.error().problems.empty());
    }
}
