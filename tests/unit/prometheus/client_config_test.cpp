// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/client_config.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace wva_metrics::prometheus;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

ClientConfig valid_config() {
    ClientConfig config;
    config.http.url = "http://prometheus:9090/prefix";
    config.query_parameters = {{"dedup", "true"}, {"partial_response", ""}};
    return config;
}

} // namespace

TEST_CASE("the defaults with a URL are valid") {
    CHECK(validate(valid_config()).empty());
    CHECK(validate(AnswerLimits{}).empty());
}

TEST_CASE("an answer may be larger than that of other HTTP servers, and its bound can be set") {
    CHECK(ClientConfig{}.http.limits.max_body_bytes == 64U << 20);
    CHECK(ClientConfig{}.http.limits.max_body_bytes > wva_metrics::http::Limits{}.max_body_bytes);
    ClientConfig config = valid_config();
    config.http.limits.max_body_bytes = 0;
    REQUIRE(validate(config).size() == 1);
    CHECK_THAT(validate(config)[0], ContainsSubstring("limits.max_body_bytes must be positive"));
}

TEST_CASE("up to 7 replicas are valid, each by the rules of the url, and none twice") {
    ClientConfig config = valid_config();
    for (int i = 1; i <= 7; ++i) {
        config.replicas.push_back("http://prometheus-" + std::to_string(i) + ":9090");
        CHECK(validate(config).empty());
    }
    config.replicas.emplace_back("http://prometheus-8:9090");
    REQUIRE(validate(config).size() == 1);
    CHECK_THAT(validate(config)[0], ContainsSubstring("replicas must be at most 7"));

    const auto problem_of = [](const std::string& url) {
        ClientConfig wrong = valid_config();
        wrong.replicas = {"http://other:9090", url};
        REQUIRE(validate(wrong).size() == 1);
        return validate(wrong)[0];
    };
    CHECK_THAT(problem_of(""), StartsWith("replicas[1]: "));
    CHECK_THAT(problem_of("other"), StartsWith("replicas[1]: "));
    CHECK_THAT(problem_of("https://other"), StartsWith("replicas[1]: an https url needs a TLS"));
    CHECK_THAT(problem_of("http://user:pass@other"), !ContainsSubstring("pass@"));
    CHECK_THAT(problem_of("http://OTHER:9090/"), ContainsSubstring("in the list already"));
    CHECK_THAT(problem_of("http://prometheus:9090/prefix/"), ContainsSubstring("already"));

    config = valid_config();
    config.replicas = {"http://prometheus:9090/other"};
    CHECK(validate(config).empty());
    config.http.credentials = wva_metrics::http::Credentials::bearer("token");
    config.http.url = "http://localhost:9090";
    REQUIRE(validate(config).size() == 1);
    CHECK_THAT(validate(config)[0],
               StartsWith("replicas[0]: credentials would be sent without encryption"));
}

TEST_CASE("each invalid member is named, and all of them at once") {
    struct Case {
        std::string name;
        std::function<void(ClientConfig&)> spoil;
    };
    const std::vector<Case> cases{
        {"http: ", [](auto& c) { c.http.url = "nonsense"; }},
        {"answer.max_series", [](auto& c) { c.answer.max_series = 0; }},
        {"answer.max_samples_per_series", [](auto& c) { c.answer.max_samples_per_series = 0; }},
        {"answer.max_samples", [](auto& c) { c.answer.max_samples = 0; }},
        {"answer.max_depth", [](auto& c) { c.answer.max_depth = 7; }},
        {"answer.max_depth", [](auto& c) { c.answer.max_depth = 1001; }},
        {"answer.max_labels", [](auto& c) { c.answer.max_labels = 0; }},
        {"answer.max_label_name_bytes", [](auto& c) { c.answer.max_label_name_bytes = 0; }},
        {"answer.max_label_value_bytes", [](auto& c) { c.answer.max_label_value_bytes = 0; }},
        {"answer.max_value_bytes", [](auto& c) { c.answer.max_value_bytes = 31; }},
        {"answer.max_warning_bytes", [](auto& c) { c.answer.max_warning_bytes = 15; }},
        {"query_parameters[2]: query ",
         [](auto& c) { c.query_parameters.emplace_back("query", "up"); }},
        {"query_parameters[2]: timeout ",
         [](auto& c) { c.query_parameters.emplace_back("timeout", "1s"); }},
        {"query_parameters[2]: time ",
         [](auto& c) { c.query_parameters.emplace_back("time", "0"); }},
        {"query_parameters[2] must have a name",
         [](auto& c) { c.query_parameters.emplace_back("", "x"); }},
        {"max_get_bytes", [](auto& c) { c.max_get_bytes = 1023; }},
        {"max_get_bytes", [](auto& c) { c.max_get_bytes = (1U << 20) + 1; }},
    };
    for (const Case& tried : cases) {
        ClientConfig config = valid_config();
        tried.spoil(config);
        const std::vector<std::string> problems = validate(config);
        INFO(tried.name);
        REQUIRE(problems.size() == 1);
        CHECK_THAT(problems[0], ContainsSubstring(tried.name));
    }

    ClientConfig worst;
    worst.answer.max_series = 0;
    worst.max_get_bytes = 0;
    CHECK(validate(worst).size() == 3);
}
