// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/quote.hpp"
#include "wva_metrics/testing/detail/promql/parse_promql.hpp"

#include <catch2/catch_all.hpp>

#include <random>
#include <string>
#include <string_view>
#include <variant>

using namespace wva_metrics::testing::detail;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string rejection_of(std::string_view query) {
    try {
        parse_promql(query);
    } catch (const QueryFailure& failure) {
        CHECK(failure.http_status() == 400);
        CHECK(failure.error_type() == "bad_data");
        return failure.what();
    }
    return "accepted";
}

template <typename Node>
Node parsed(std::string_view query) {
    auto expression = parse_promql(query);
    REQUIRE(std::holds_alternative<Node>(expression->node));
    return std::get<Node>(std::move(expression->node));
}

} // namespace

TEST_CASE("a selector has its metric name, however the name is written") {
    CHECK(parsed<VectorSelector>("a:b_c").metric == "a:b_c");
    CHECK(parsed<VectorSelector>(R"({__name__="up",x!="y"})").metric == "up");
    CHECK(parsed<VectorSelector>(R"({__name__=~"up|down"})").metric == "");
    CHECK(parsed<VectorSelector>(R"(up{a="1",b!="2",c=~"3",d!~"4",})").matchers.size() == 5);
}

TEST_CASE("durations are sums of units") {
    CHECK(parsed<RangeSelector>("up[1m30s]").range == 90'000);
    CHECK(parsed<RangeSelector>("up[1d2h3m4s5ms]").range == 93'784'005);
    CHECK(parsed<RangeSelector>("up[1y1w]").range == 372LL * 24 * 3600 * 1000);
    const auto subquery = parsed<Subquery>("(up)[1h:1m]");
    CHECK(subquery.range == 3'600'000);
    CHECK(subquery.step == 60'000);
    CHECK(parsed<Subquery>("up[1h:]").step == 60'000);
    CHECK_THAT(rejection_of("up[1s1m]"), ContainsSubstring("bad number or duration"));
    CHECK_THAT(rejection_of("up[99999999999999y]"), ContainsSubstring("bad number or duration"));
}

TEST_CASE("operators have the precedence of PromQL") {
    const auto sum = parsed<Binary>("a or b and c + d * e");
    CHECK(sum.operation == BinaryOperator::logical_or);
    const auto& conjunction = std::get<Binary>(sum.right->node);
    CHECK(conjunction.operation == BinaryOperator::logical_and);
    const auto& addition = std::get<Binary>(conjunction.right->node);
    CHECK(addition.operation == BinaryOperator::add);
    CHECK(std::get<Binary>(addition.right->node).operation == BinaryOperator::multiply);
    // Equal precedence: from left to right.
    const auto difference = parsed<Binary>("a - b - c");
    CHECK(std::holds_alternative<Binary>(difference.left->node));
}

TEST_CASE("a grouping may stand before or after the operand, in any case of letters") {
    for (const char* query : {"sum by (a, b) (up)", "SUM(up) BY (a,b,)"}) {
        const auto aggregation = parsed<Aggregation>(query);
        CHECK(aggregation.grouping == std::vector<std::string>{"a", "b"});
        CHECK_FALSE(aggregation.without);
    }
    CHECK(parsed<Aggregation>("count without (a) (up)").without);
    // The name of an aggregation can also be a metric name.
    CHECK(parsed<VectorSelector>("sum").metric == "sum");
}

TEST_CASE("every quoted text is parsed to the original text") {
    std::mt19937 random(11);
    const std::string_view alphabet = "ab\\\"'`\n\r\t\x01\x7f|#";
    for (int round = 0; round < 500; ++round) {
        std::string text;
        while (random() % 8 != 0)
            text += alphabet[random() % alphabet.size()];
        text += round % 2 == 0 ? "\xEF\xBF\xBD" : "日本🦙";
        text += '\0';
        CHECK(parsed<StringLiteral>(wva_metrics::promql::quote(text).value()).text == text);
    }
}

TEST_CASE("unsupported syntax is named in the error") {
    CHECK_THAT(rejection_of("up offset 5m"),
               ContainsSubstring("does not support the modifier \"offset\""));
    CHECK_THAT(rejection_of("up @ 5"), ContainsSubstring("\"@\""));
    CHECK_THAT(rejection_of("up == 1"), ContainsSubstring("the operator \"==\""));
    CHECK_THAT(rejection_of("up + on(pod) up"), ContainsSubstring("the modifier \"on\""));
    CHECK(parsed<Aggregation>("topk(3, up)").parameter != nullptr);
    CHECK_THAT(rejection_of("topk(up, up)"), ContainsSubstring("expected type scalar"));
    CHECK_THAT(rejection_of("topk(up)"), ContainsSubstring("expected type scalar"));
    CHECK_THAT(rejection_of("topk(1)"), ContainsSubstring("in aggregation"));
    CHECK_THAT(rejection_of("bottomk(1, up)"), ContainsSubstring("the aggregation \"bottomk\""));
    CHECK_THAT(rejection_of("histogram_quantile(0.9, up)"),
               ContainsSubstring("a function with name \"histogram_quantile\""));
}

TEST_CASE("a parse error has the position") {
    CHECK(rejection_of("sum(up,\n  {a=\"\"})") ==
          "invalid parameter \"query\": 1:1: parse error: wrong number of arguments for aggregate "
          "expression provided, expected 1, got 2");
    CHECK(rejection_of("sum(\n  {a=\"\"})") ==
          "invalid parameter \"query\": 2:3: parse error: vector selector must contain at least "
          "one non-empty matcher");
}

TEST_CASE("queries that would exhaust the stack are rejected") {
    CHECK_THAT(rejection_of(std::string(100'000, '(')), ContainsSubstring("nests too deeply"));
    CHECK_THAT(rejection_of(std::string(100'000, '-') + "1"),
               ContainsSubstring("nests too deeply"));
    std::string chain = "up";
    for (int i = 0; i < 1500; ++i)
        chain += " or up";
    CHECK(rejection_of(chain) == "accepted");
    for (int i = 0; i < 1500; ++i)
        chain += " or up";
    CHECK_THAT(rejection_of(chain), ContainsSubstring("that many operators"));
}

TEST_CASE("a truncated query fails cleanly or is parsed") {
    const std::string query =
        "label_replace(sum by (a) (rate(up{a=~\"b\\\\.c\",d!='e'}[1m30s])), \"x\", "
        "\"y\", \"\", \"\") or max(max_over_time(timestamp(up)[1h:1m])) # z";
    REQUIRE(rejection_of(query) == "accepted");
    for (std::size_t length = 0; length < query.size(); ++length) {
        rejection_of(query.substr(0, length));
        std::string changed = query;
        changed[length] = '"';
        rejection_of(changed);
        changed[length] = ')';
        rejection_of(changed);
    }
}
