// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/signal_rows.hpp"

#include "support/labelled_series.hpp"
#include "support/query_times.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using test_support::requested_at;

namespace {

const std::vector<ModelKey> keys = {{"a", "m"}, {"b", "m"}, {"b", "n"}};
const promql::QueryPlan plan(keys, vllm_profile(), {});

const std::vector<std::string> columns = {"wva_part", "namespace", "model_name",
                                          "pod",      "engine",    "rank"};

struct Answer {
    explicit Answer(promql::ModelChunk chunk = plan.chunks()[0])
        : collector(plan, chunk, columns, requested_at) {}
    void add(const std::vector<std::string_view>& labels, double value = 1) {
        test_support::with_series(columns, labels, value, collector);
    }
    std::vector<SignalRow> rows() { return std::move(collector).take(); }

    RowCollector collector;
};

} // namespace

TEST_CASE("a series becomes a row of its requested model") {
    Answer answer;
    answer.add({"value1", "b", "n", "p-0", "e-0", "e-1"}, 0.5);
    const auto rows = answer.rows();
    REQUIRE(rows.size() == 1);
    CHECK(plan.models()[rows[0].model] == keys[2]);
    CHECK(rows[0].pod == "p-0");
    CHECK(rows[0].tag == promql::PartTag{promql::Part::value, 1});
    CHECK(rows[0].value == 0.5);
    CHECK(rows[0].evaluated_at == 1'700'000'000);
    CHECK(rows[0].requested_at == requested_at);
}

TEST_CASE("engines differ if any of their labels differs") {
    Answer answer;
    answer.add({"value0", "a", "m", "p", "x", "yz"});
    answer.add({"value0", "a", "m", "p", "xy", "z"});
    answer.add({"value0", "a", "m", "p", "", "xyz"});
    const auto rows = answer.rows();
    CHECK(rows[0].engine != rows[1].engine);
    CHECK(rows[1].engine != rows[2].engine);
    CHECK(rows[0].engine != rows[2].engine);
}

TEST_CASE("a series that was not requested makes no row") {
    Answer answer({0, 2});
    answer.add({"value0", "a", "n", "p-0"}); // A combination that was not requested.
    answer.add({"value0", "b", "n", "p-0"}); // Requested by another query.
    answer.add({"value0", "a", "", "p-0"});
    answer.add({"", "a", "m", "p-0"});
    answer.add({"value", "a", "m", "p-0"});
    answer.add({"bogus0", "a", "m", "p-0"});
    CHECK(answer.rows().empty());
}

TEST_CASE("the rows of a model are found, in the order of their pods") {
    SignalRows rows;
    for (const auto& [model, pod] : {std::pair(2, "p-1"), std::pair(0, "p-9"), std::pair(2, "p-0"),
                                     std::pair(2, "p-1"), std::pair(2, "")})
        rows.rows.push_back({static_cast<std::size_t>(model),
                             pod,
                             "",
                             {promql::Part::rate, 0},
                             1,
                             0,
                             requested_at});
    rows.sort();
    CHECK(rows.of_model(0).size() == 1);
    CHECK(rows.of_model(1).empty());
    std::vector<std::pair<std::string, std::size_t>> pods;
    for_each_pod(rows.of_model(2), [&](const std::string& pod, std::span<const SignalRow> of_pod) {
        pods.emplace_back(pod, of_pod.size());
    });
    CHECK(pods ==
          std::vector<std::pair<std::string, std::size_t>>{{"", 1}, {"p-0", 1}, {"p-1", 2}});
}

TEST_CASE("a failure belongs to its own models only") {
    SignalRows rows;
    rows.failures.emplace(1, Error(Errc::too_costly, "too much"));
    CHECK(rows.failure(0) == nullptr);
    REQUIRE(rows.failure(1) != nullptr);
    CHECK(rows.failure(1)->is(Errc::too_costly));
}
