// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/raw_query.hpp"

#include "support/real_prometheus.hpp"
#include "support/remote_write.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/promql/parse_matchers.hpp"
#include "wva_metrics/promql/pod_query.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::promql;
namespace json = boost::json;

namespace {

using test_support::RealPrometheus;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// The evaluation time of all queries, Unix seconds. A whole minute, as the steps of a subquery.
constexpr std::int64_t evaluated_at = 1'699'999'980;

/// Label values that are hard to quote, none of them empty.
const std::vector<std::string> hostile_values = {"eu",
                                                 "a\"b",
                                                 "back\\slash\\",
                                                 "new\nline\ttab\x01\x7F",
                                                 "\"} or vector(1) or up{a=\"",
                                                 "a.b+c*d?(x|y)[z]{1,2}^$",
                                                 "'single' `back`",
                                                 "\uFFFD caf\u00E9 \U0001F600"};

RealPrometheus start_prometheus(const std::string& binary) {
    return RealPrometheus(binary, {.arguments = {"--web.enable-remote-write-receiver"}});
}

/// A series with samples every 15 s; the last one is `age` seconds old.
test_support::WrittenSeries series_of(Labels labels, std::int64_t age = 5) {
    std::sort(labels.begin(), labels.end());
    test_support::WrittenSeries series{std::move(labels), {}};
    for (std::int64_t i = 20; i >= 0; --i)
        series.samples.push_back({(evaluated_at - age - 15 * i) * 1000, 1.0});
    return series;
}

Labels engine_labels(const std::string& metric, const std::string& pod,
                     const std::string& cluster) {
    return {{"__name__", metric},
            {"namespace", "prod"},
            {"model_name", "m"},
            {"pod", pod},
            {"cluster", cluster}};
}

json::value result_of(const RealPrometheus& prometheus, const std::string& query) {
    const auto answer = prometheus.query(query, static_cast<double>(evaluated_at));
    INFO(query << '\n' << answer.body);
    REQUIRE(answer.status == 200);
    return json::parse(answer.body).at("data").at("result");
}

/// The values of one label in an answer; empty texts for series without it.
std::multiset<std::string> labels_in(const json::value& result, const char* label) {
    std::multiset<std::string> values;
    for (const json::value& series : result.as_array()) {
        const json::object& labels = series.at("metric").as_object();
        values.emplace(labels.contains(label) ? labels.at(label).as_string().c_str() : "");
    }
    return values;
}

using Values = std::multiset<std::string>;

} // namespace

TEST_CASE("a matcher selects exactly the series with its value, however hard it is to quote") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const RealPrometheus prometheus = start_prometheus(*binary);
    std::vector<test_support::WrittenSeries> series;
    for (const std::string& value : hostile_values)
        series.push_back(series_of(engine_labels("vllm:num_requests_waiting", "p", value)));
    test_support::remote_write(prometheus.port(), series);

    const QueryScope scope{{"prod"}, {"m"}};
    const Values all(hostile_values.begin(), hostile_values.end());
    for (const std::string& value : hostile_values) {
        CAPTURE(value);
        const auto selected = [&](MatchOperator op, const std::string& matched) {
            const std::vector<Matcher> matchers = {{"cluster", op, matched}};
            // Through the text, as a document has it.
            const RawQueries queries(vllm_profile(), parse_matchers(to_string(matchers)).value());
            return labels_in(result_of(prometheus, queries.samples(scope, 1min).value()),
                             "cluster");
        };
        Values others = all;
        others.erase(value);
        const std::string exactly = quote_regex(value).value() + "|no such value";
        CHECK(selected(MatchOperator::equal, value) == Values{value});
        CHECK(selected(MatchOperator::not_equal, value) == others);
        CHECK(selected(MatchOperator::regex, exactly) == Values{value});
        CHECK(selected(MatchOperator::not_regex, exactly) == others);
    }
}

TEST_CASE("Prometheus reads the literals of matchers as this library does") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const RealPrometheus prometheus(*binary);
    for (const char* literal : {R"("\a\b\f\n\r\t\v\\\"")",
                                R"('\'"')",
                                "`\\n\"'`",
                                "`\n`",
                                "'\n'",
                                R"("\x41\101\u00e9")",
                                R"("\U0001F600\000")",
                                R"("\xc3\xa9")",
                                R"('\q')",
                                R"("\'")",
                                R"('\"')",
                                R"('\x4')",
                                R"('\400')",
                                R"('\18')",
                                R"('\ud800')",
                                R"('\U00110000')",
                                R"('\u12')",
                                R"('\)",
                                "'a",
                                "a",
                                "",
                                "''"}) {
        CAPTURE(literal);
        const auto parsed = parse_matchers("a=" + std::string(literal));
        const auto answer = prometheus.query("absent(x{a=" + std::string(literal) + "})");
        CHECK(parsed.has_value() == (answer.status == 200));
        if (!parsed || answer.status != 200)
            continue;
        const json::value labels =
            json::parse(answer.body).at("data").at("result").at(0).at("metric");
        const std::string value = parsed->front().value;
        // A label with an empty value is no label.
        if (!value.empty())
            CHECK(std::string(labels.at("a").as_string()) == value);
    }
}

TEST_CASE("the raw queries find living series, samples, pods and the last report") {
    const auto binary = test_support::find_prometheus();
    if (!binary)
        SKIP(test_support::prometheus_missing);
    const RealPrometheus prometheus = start_prometheus(*binary);
    EngineProfile profile = vllm_profile();
    // Two metrics whose other labels are equal.
    profile.running.emplace_back("older:running");
    const std::string running = profile.running.front();
    Labels stopped = engine_labels(running, "gone", "eu");
    stopped[2].second = "stopped";
    Labels renamed = stopped;
    renamed[0].second = "older:running";
    Labels up = {{"__name__", "up"}, {"namespace", "prod"}, {"pod", "p"}, {"cluster", "eu"}};
    Labels started = up;
    started[0].second = "process_start_time_seconds";
    Labels elsewhere = engine_labels(running, "q", "eu");
    elsewhere[1].second = "scraper";
    elsewhere.emplace_back("exported_namespace", "other");
    const auto kube = [](const char* name, const char* key, const char* value) {
        return series_of({{"__name__", name}, {"namespace", "prod"}, {"pod", "p"}, {key, value}});
    };
    test_support::remote_write(
        prometheus.port(),
        {series_of(stopped, 1800), series_of(renamed, 1200),
         series_of(engine_labels(running, "p", "eu")), series_of(engine_labels(running, "p", "us")),
         series_of(engine_labels("older:running", "p", "eu")),
         series_of(engine_labels("vllm:request_success_created", "p", "eu")), series_of(up),
         series_of(started), series_of(elsewhere), kube("kube_pod_info", "node", "n"),
         kube("kube_pod_owner", "owner_kind", "ReplicaSet"),
         kube("kube_pod_status_ready", "condition", "true"),
         kube("kube_pod_status_ready", "condition", "false")});

    const RawQueries queries(profile, parse_matchers("cluster='eu'").value());
    const KubeStateQueries pods(profile.kube_state, {});
    const QueryScope scope{{"prod"}, {"m"}};

    const json::value living =
        result_of(prometheus, queries.living(scope, pods.reporting()).value());
    CHECK(labels_in(living, "__name__") == Values{"", running, "older:running"});
    for (const json::value& series : living.as_array())
        CHECK(series.at("value").at(0).to_number<double>() == evaluated_at);
    CHECK(result_of(prometheus, queries.living({{"none"}, {"m"}}).value()).as_array().size() == 1);

    const json::value samples = result_of(prometheus, queries.samples(scope, 1min).value());
    CHECK(labels_in(samples, "__name__") == Values{running, "older:running", "up"});
    for (const json::value& series : samples.as_array()) {
        CHECK(series.at("values").as_array().size() == 4);
        CHECK(series.at("values").at(3).at(0).to_number<double>() == evaluated_at - 5);
    }

    const auto narrow = pod_queries(queries, {{"pod", "prod", "p"}}, 5min).value();
    REQUIRE(narrow.size() == 1);
    CHECK(labels_in(result_of(prometheus, narrow[0].text), "__name__") ==
          Values{running, "older:running", "up", "process_start_time_seconds",
                 "vllm:request_success_created"});

    CHECK(result_of(prometheus, queries.presence({{"prod"}, {"stopped"}}, 5min).value())
              .as_array()
              .empty());
    const json::value last = result_of(
        prometheus, queries.last_report({{"prod"}, {"m", "stopped"}}, QueryWindows{}).value());
    REQUIRE(last.as_array().size() == 2);
    for (const json::value& series : last.as_array())
        CHECK(series.at("value").at(1).as_string() ==
              (series.at("metric").at("model_name").as_string() == "m"
                   ? std::to_string(evaluated_at - 5)
                   : std::to_string(evaluated_at - 1200)));

    using UseMatchers = RawQueries::UseMatchers;
    const std::vector<std::string> m = {"m"};
    const json::value hint = result_of(prometheus, queries.elsewhere(m, UseMatchers::yes).value());
    CHECK(labels_in(hint, "exported_namespace") == Values{"", "", "other"});
    CHECK(labels_in(result_of(prometheus, queries.elsewhere(m, UseMatchers::no).value()),
                    "cluster") == Values{"eu", "eu", "eu", "us"});

    const std::vector<std::string> prod = {"prod"};
    CHECK(labels_in(result_of(prometheus, pods.samples(prod, 5min).value()), "condition") ==
          Values{"", "", "true"});
    CHECK(result_of(prometheus, pods.reporting()).at(0).at("value").at(1).as_string() == "1");
}
