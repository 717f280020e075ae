// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/engine/metric_source.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using Catch::Matchers::ContainsSubstring;

namespace {

/// What is wrong with a source; empty if nothing is.
std::string source_problem(const std::string& text) {
    const Result<MetricSource> source = parse_metric_source(text);
    return source ? std::string() : source.error().message;
}

} // namespace

TEST_CASE("a metric source is a name, a selection, a sum or a quotient, in some unit") {
    MetricSource source = parse_metric_source("vllm:num_requests_waiting").value();
    CHECK(source.terms == std::vector<MetricTerm>{{"vllm:num_requests_waiting", {}, {}}});
    CHECK(!source.per);
    CHECK(source.scale == 1);

    source = parse_metric_source(R"(a{z="1", b = "x\"y\\"}+b * 1e-3 )").value();
    CHECK(source.terms == std::vector<MetricTerm>{{"a", {{"b", "x\"y\\"}, {"z", "1"}}}, {"b", {}}});
    CHECK(source.scale == 0.001);

    source = parse_metric_source(R"(tokens_total / requests_total{ok="yes"})").value();
    CHECK(source.terms == std::vector<MetricTerm>{{"tokens_total", {}}});
    CHECK(source.per == MetricTerm{"requests_total", {{"ok", "yes"}}});
}

TEST_CASE("a metric source may be a product, of two metrics or of numbers in labels") {
    MetricSource source = parse_metric_source(R"(blocks{k="max"} * size{k="each"} * 2)").value();
    CHECK(source.terms == std::vector<MetricTerm>{{"blocks", {{"k", "max"}}, {}}});
    CHECK(source.times == MetricTerm{"size", {{"k", "each"}}, {}});
    CHECK(source.scale == 2);

    source = parse_metric_source("config_info[blocks * size]").value();
    CHECK(source.terms == std::vector<MetricTerm>{{"config_info", {}, {"blocks", "size"}}});
    CHECK(!source.times);

    // No number, although a number begins like it.
    CHECK(parse_metric_source("a * info").value().times == MetricTerm{"info", {}, {}});
}

TEST_CASE("a metric source that cannot be read says where") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"a b", "at character 3: expected '+', '/', '*' or the end"},
        {"a{", "expected a label"},
        {"a{b}", "at character 4: expected a label, '=' and a value in quotes"},
        {"a{b=c}", "expected a value in quotes"},
        {R"(a{b="c)", "without a closing quote"},
        {R"(a{b="c")", "expected ',' or '}'"},
        {R"(a{b=""})", "a label without a value is no label"},
        {R"(a{b="\t"})", "at character 6"},
        {R"(a{b="1",b="2"})", "requires a label twice"},
        {R"(a{a="1",b="2",c="3",d="4",e="5"})", "max_required_labels"},
        {"a+b+c+d+e+f+g+h+i", "max_metric_terms"},
        {"a * 0", "expected a number above 0"},
        {"a * -1", "expected a number above 0"},
        {"a * nan", "expected a number above 0"},
        {"a * inf", "expected a number above 0"},
        {"a * 1e999", "expected a number above 0"},
        {"a *", "expected a number above 0"},
        {"a * 2 * b", "expected '+'"},
        {"a * b * c", "expected a number above 0"},
        {"a[x", "expected '*' or ']'"},
        {"a[x, y]", "expected '*' or ']'"},
        {"a[a*b*c*d*e]", "max_factor_labels"},
        {"a / b / c", "expected '+'"},
        {"a * 2 + b", "expected '+'"},
        {std::string(max_metric_source_bytes + 1, 'a'), "max_metric_source_bytes"},
    };
    for (const auto& [text, expected] : cases) {
        CAPTURE(text);
        CHECK_THAT(source_problem(text), ContainsSubstring(expected));
    }
    CHECK(source_problem(std::string(max_metric_source_bytes, 'a')).empty());
    CHECK(source_problem("a+b+c+d+e+f+g+h").empty());
    CHECK(source_problem(R"(a{a="1",b="2",c="3",d="4"})").empty());
}

TEST_CASE("every beginning of a metric source is read or refused") {
    const std::string whole = R"(a:b{c="d\n",e="f"} + g / h{i="j"} * 0.5)";
    for (std::size_t size = 0; size < whole.size(); ++size)
        static_cast<void>(parse_metric_source(whole.substr(0, size)));
    CHECK(parse_metric_source(whole).has_value());
}
