// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/quote.hpp"

#include "support/real_prometheus.hpp"
#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/raw_query.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace wva_metrics;
using namespace wva_metrics::promql;
using wva_metrics::detail::is_reserved_as_label;
using wva_metrics::detail::is_reserved_as_metric;
namespace json = boost::json;

namespace {

using Texts = std::vector<std::string>;

const Texts awkward = {
    "meta-llama/Llama-3.1-8B",
    "a\"b",
    "back\\slash",
    "\\",
    "\"",
    "\n",
    "new\nline\r\ttab",
    "nul\0!"s,
    "\x01\x1B\x7F",
    "line\u2028paragraph\u2029",
    "emoji \U0001F600",
    "\uFFFD",
    "x\uFFFD\uFFFDy",
    "\uFEFFmark",
    "\uFFFE\uFFFF",
    "a.b+c*d?",
    "(x|y)[z]{1,2}^$",
    "|",
    "\\x41\\u0041\\n",
    "\\Qliteral\\E",
    "caf\u00E9 \u65E5\u672C",
    "'single' `back`",
    "# comment",
    "%00 $1 ${2}",
    "\"} or vector(1) or up{a=\"",
};

std::string random_text(std::mt19937& random) {
    static const Texts pieces = {"\"",     "\\",     "\n",  "\r",   "\t", "\0"s,       "\x7F",
                                 ".",      "|",      "(",   ")",    "[",  "]",         "{",
                                 "}",      "^",      "$",   "*",    "+",  "?",         "/",
                                 "-",      "x",      "u00", "n",    "Q",  "\u00E9",    "E",
                                 "\uFFFD", "\u2028", "\'",  "\x1F", "%",  "\U0001F600"};
    std::uniform_int_distribution<std::size_t> pick(0, pieces.size() - 1);
    std::uniform_int_distribution<std::size_t> length(1, 16);
    std::string text;
    for (std::size_t left = length(random); left > 0; --left)
        text += pieces[pick(random)];
    return text;
}

/// In the replacement of `label_replace` a dollar refers to a group.
std::string double_dollars(std::string_view text) {
    std::string doubled;
    for (const char c : text)
        doubled += c == '$' ? "$$"s : std::string(1, c);
    return doubled;
}

/// A text after Prometheus has parsed it as a literal, and whether the expression made from
/// `pattern` matches it. The query creates its own series, so nothing is scraped.
struct Echo {
    std::string text;
    bool matched = false;
};

std::optional<Echo> read_back(const test_support::RealPrometheus& prometheus,
                              const std::string& text, const std::string& pattern) {
    const std::string series = R"(label_replace(vector(1), "text", )" +
                               quote(double_dollars(text)).value() + R"(, "", ""))";
    const std::string expression = quote(quote_regex(pattern).value()).value();
    const auto answer = prometheus.query("label_replace(" + series +
                                         R"(, "matched", "yes", "text", )" + expression + ")");
    if (answer.status != 200)
        return std::nullopt;
    const json::value body = json::parse(answer.body);
    const json::object& labels = body.at("data").at("result").at(0).at("metric").as_object();
    return Echo{std::string(labels.at("text").as_string()), labels.contains("matched")};
}

} // namespace

TEST_CASE(
    "Prometheus parses a quoted text back to the text, and a quoted expression matches only it") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const test_support::RealPrometheus prometheus(*binary);

    Texts texts = awkward;
    std::mt19937 random(20'240'606);
    for (int i = 0; i < 200; ++i)
        texts.push_back(random_text(random));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        INFO(quote(texts[i]).value());
        const auto itself = read_back(prometheus, texts[i], texts[i]);
        REQUIRE(itself);
        CHECK(itself->text == texts[i]);
        CHECK(itself->matched);
        const std::string& other = texts[(i + 1) % texts.size()];
        const auto another = read_back(prometheus, texts[i], other);
        REQUIRE(another);
        CHECK(another->matched == (texts[i] == other));
    }
}

TEST_CASE("Prometheus accepts every raw query, for any names") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const test_support::RealPrometheus prometheus(*binary);
    const RawQueries queries(vllm_profile(),
                             std::vector<Matcher>{{"tenant", MatchOperator::regex, ".*"}});
    const KubeStateQueries pods(without_honor_labels(vllm_profile().kube_state), {});
    for (const QueryScope& scope : {QueryScope{{"prod"}, {"m"}}, QueryScope{{"", "prod"}, {}},
                                    QueryScope{awkward, awkward}}) {
        for (const auto& query :
             {queries.living(scope), queries.samples(scope, 1500ms), queries.presence(scope, 5min),
              queries.last_report(scope, {}), pods.samples(scope.namespaces, 5min),
              queries.samples_of_pods(scope, "exported_pod", awkward, 5min),
              queries.elsewhere(awkward, RawQueries::UseMatchers::yes)}) {
            INFO(query.value());
            CHECK(prometheus.query(*query).status == 200);
        }
    }
}

TEST_CASE(
    "the words that a profile rejects as names are those that Prometheus cannot parse as names") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const test_support::RealPrometheus prometheus(*binary);

    for (const char* word :
         {"and",          "or",          "unless", "atan2",  "sum",     "avg",  "count",
          "min",          "max",         "group",  "stddev", "stdvar",  "topk", "bottomk",
          "count_values", "quantile",    "offset", "by",     "without", "on",   "ignoring",
          "group_left",   "group_right", "bool",   "inf",    "Inf",     "nan",  "NaN",
          "start",        "end",         "rate",   "x"}) {
        INFO(word);
        const std::string text = word;
        CHECK((prometheus.query(text + R"({a="b"})").status == 200) ==
              !is_reserved_as_metric(word));
        CHECK((prometheus.query("count by (" + text + ") (x)").status == 200) ==
              !is_reserved_as_label(word));
        CHECK(prometheus.query("x{" + text + R"(="b"})").status == 200);
    }
}
